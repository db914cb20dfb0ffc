/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cmd_wait.h - until something is there: for `lanyard wait` and `lanyard ip --wait`. One thread; it sleeps. */
#ifndef CTL_CMD_WAIT_H
#define CTL_CMD_WAIT_H

#include <stdint.h>

#include <jansson.h>

struct cli;
struct port_name;

/* wait_for_port() - a port as the API shows it, within @wait_s seconds with what @query_end asks for ("&for=lease"): one that is being made, as by
 * `lanyard run` in the background, is waited for, too
 * Return: 0 with a new reference in *@port, or a negative errno with cli->err
 */
int wait_for_port(struct cli *cli, const struct port_name *name, uint32_t wait_s, const char *query_end, json_t **port);

#endif
