/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cmd_port.h - how ports are shown: by `port`, and by what makes or lists ports elsewhere. One thread. */
#ifndef CTL_CMD_PORT_H
#define CTL_CMD_PORT_H

#include <jansson.h>

#include "ctl/cli_output.h"

struct cli;

extern const struct column port_columns[];	/* of `lanyard ps` */

/* print_port() - the one line about a port that was made or changed, or @port with --json */
void print_port(const struct cli *cli, const json_t *port);

#endif
