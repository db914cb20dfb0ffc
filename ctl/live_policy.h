/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_policy.h - the policies of ports as they run: rules compiled, flows and counters kept over changes of them
 *
 * Control thread only. What a snapshot borrows is given up with live_policy_settle(), when the next snapshot is out, and freed after a
 * grace period.
 */
#ifndef CTL_LIVE_POLICY_H
#define CTL_LIVE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct engine;
struct live_net;
struct live_policy;
struct live_port;
struct names_seen;
struct net_policy;
struct policy_denial;
struct port_policy;

/* live_policy_configure() - make the policies of all ports of a network what the model says; cheap where nothing changed
 * live_policy_of() - what the snapshot is to borrow for a port; NULL: it has none
 * live_policy_settle() - a snapshot was published
 * live_policy_leave() - the port leaves, and is in no published snapshot any more
 * live_policy_net_free() - at the network's end, after its ports
 */
void live_policy_configure(struct live_net *net);
struct port_policy *live_policy_of(const struct live_port *p);
void live_policy_settle(struct engine *e);
void live_policy_leave(struct live_port *p);
void live_policy_net_free(struct live_net *net);

/* live_policy_text() - of the rule that denied, if its program is still in force; borrowed until rules change */
const char *live_policy_text(const struct live_port *p, const struct policy_denial *d);

/* live_policy_asks() - may the port's guest have this DNS query relayed? One that may begin nothing but what rules name asks for nothing else,
 * for a name is a message, too. @query: checked by dns_query_parse() already, or refused here.
 * live_policy_answered() - @reply goes to a guest: what it says of names that rules are about is let through while it holds
 */
bool live_policy_asks(const struct live_port *p, const uint8_t *query, size_t size);
void live_policy_answered(struct live_net *net, const uint8_t *reply, size_t size);

/* live_policy_rules() - [{"port":..,"position":..,"rule":..,"of":"port"|"network","hits":..}]; @port NULL: of all, and where
 * the network has none with rules the network's own, with the port ""; new reference */
json_t *live_policy_rules(struct engine *e, const char *net, const char *port);

/* ---- of ctl/live_policy_names.c, for ctl/live_policy.c: the names that a network's rules are about ---- */

/* policy_names_number() - the number under which a domain of a rule is known, from now on; 0 when there are too many
 * policy_names_settle() - after all ports were compiled: those that were not asked for are forgotten; records of ours are put in
 * policy_names_seen() - what workers ask; NULL while no rule is about a name
 */
struct rule;
uint16_t policy_names_number(struct live_net *net, const struct rule *rule);
void policy_names_settle(struct live_net *net);
struct names_seen *policy_names_seen(struct live_net *net);

#endif
