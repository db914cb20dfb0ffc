/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli_watch.h - who talks to whom by the frames that pass for a while: each pair of endpoints with what went either way
 *
 * The daemon keeps no record of guests' conversations with one another where nothing needs one. This looks at frames' first bytes by a
 * capture that ends, and costs the switch nothing when nobody looks.
 */
#ifndef CTL_CLI_WATCH_H
#define CTL_CLI_WATCH_H

struct cli;

/* flows_watch() - of @place, NET or NET/PORT, for @time ("5s"), printed. Return: 0 or a negative errno with cli->err */
int flows_watch(struct cli *cli, const char *place, const char *time);

#endif
