/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_icmp.h - by what guests' pings and ICMP errors leave the host */
#ifndef CTL_LIVE_ICMP_H
#define CTL_LIVE_ICMP_H

struct engine;

/* live_icmp_start() - the workers' raw sockets, where the keeper has the right to them (nat/rawicmp.h); says so in the log where pings
 * have none, nor ping sockets. Control thread, before a network runs. */
void live_icmp_start(struct engine *e);

#endif
