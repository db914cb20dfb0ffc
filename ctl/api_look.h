/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_look.h - what the API shows of traffic: /metrics, /v1/explain, a network's flows, and what its guests are told of names
 *
 * Each takes the call.
 */
#ifndef CTL_API_LOOK_H
#define CTL_API_LOOK_H

#include "ctl/api_call.h"

void look_metrics(struct call *call);
void look_explain(struct call *call);	/* ?port=NET/NAME&to=DESTINATION */
void look_flows(struct call *call, const struct net_conf *net);	/* ?port=NAME; the caller may see @net */
void look_resolve(struct call *call, const struct net_conf *net);	/* ?name=NAME&type=TYPE&port=NAME; likewise */

#endif
