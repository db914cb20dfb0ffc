/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_policy.h - /v1/networks/NET/policy: the rules in force with their hits; one rule added or taken away */
#ifndef CTL_API_POLICY_H
#define CTL_API_POLICY_H

#include "ctl/api_call.h"

/* policy_route() - GET ?port=, POST {"port":, "rule":, "position":}, DELETE ?port=&rule= or &position=; takes the call
 * @net:	of the path; the caller may see it
 */
void policy_route(struct call *call, const struct net_conf *net);

#endif
