/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cmd_peer.h - `lanyard net peer`: a verb of ctl/cmd_net.c */
#ifndef CTL_CMD_PEER_H
#define CTL_CMD_PEER_H

#include "ctl/cli_args.h"

struct cli;

extern const struct flag peer_flags[];
int net_peer(struct cli *cli, const struct args *args);

#endif
