/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_denied.h - what the rules of a port refused lately: told in the log and to who follows events, and shown among flows
 *
 * Workers tell of a few a second (switch/port_policy.h), whatever a guest tries; the last DENIED_KEPT different ones are remembered. Control thread.
 */
#ifndef CTL_LIVE_DENIED_H
#define CTL_LIVE_DENIED_H

struct flow_rows;
struct live_net;
struct live_port;
struct request;

enum { DENIED_KEPT = 16, DENIED_SHOWN_MS = 60000 };

/* live_denied() - a worker tells of a REQUEST_DENIED
 * live_denied_list() - a row, "by" rules and of the state "denied", for each of the last minute
 */
void live_denied(struct live_net *net, const struct request *r);
void live_denied_list(const struct live_port *p, struct flow_rows *l);

#endif
