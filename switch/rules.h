/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/rules.h - the rules of a port and of its network, made ready to be asked about packets
 *
 * Compiled by the control thread and immutable from then on but for its counters, which any thread may raise. Rules are asked in
 * order, those of the port before those of the network, and the first that means the packet decides; if none does, the default of the
 * direction. What a guest needs to have an address at all passes before any default that denies, and before "deny egress any", which
 * is one; a rule that names it ("deny both any/arp", "deny egress gateway:53") is heeded: rules_basic().
 *
 * A rule means a packet by its peer: for what the guest sends the destination, for what it is sent the source; ports are the
 * destination's both ways, so that a rule says where a flow leads to.
 */
#ifndef SWITCH_RULES_H
#define SWITCH_RULES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "switch/heading.h"
#include "switch/rule.h"

struct names_seen;
struct segment;

enum { RULES_MAX = 256, RULES_DEFAULT = -1, RULES_BASIC = -2, RULES_NO_GUEST = -1 };

/* rule_hits - how often a rule decided; kept by who compiles, over many programs */
struct rule_hits {
	_Atomic uint64_t n;
};

/* rules_source - one rule to be compiled, with what its names stand for */
struct rules_source {
	const struct rule *rule;
	struct rule_hits *hits;		/* borrowed; outlives the program */
	uint16_t name;			/* RULE_DOMAIN: its number in names_seen */
	int32_t guest;			/* RULE_GUEST: the id of its port, or RULES_NO_GUEST */
};

struct rules;

/* rules_new() - @n sources, at most 2 * RULES_MAX
 * @number:	of this program; flows that older ones let begin are asked about again
 * @deny:	bits of enum rule_direction: which way the default denies
 * @defaults:	two counters, of egress and ingress; borrowed
 *
 * Return: for rules_free(), after a grace period; NULL without memory.
 */
struct rules *rules_new(const struct rules_source *list, unsigned n, uint32_t number, unsigned deny, struct rule_hits *defaults[2]);
void rules_free(struct rules *rules);

uint32_t rules_number(const struct rules *rules);
bool rules_deny(const struct rules *rules, enum rule_direction direction);

/* rules_query - a packet, and where it is */
struct rules_query {
	const struct heading *heading;
	enum rule_direction direction;	/* one of the two */
	const struct segment *segment;	/* NULL: the frame is on none */
	const struct names_seen *names;	/* may be NULL when no rule is about a domain */
	bool to_gateway;		/* egress: the frame goes to the gateway's MAC address; ingress: it comes from there */
	uint64_t now_ms;
};

/* rules_ask() - the index of the rule (in the order of rules_new()) that decides, or RULES_DEFAULT or RULES_BASIC; *allow is written */
int rules_ask(const struct rules *rules, const struct rules_query *q, bool *allow);

/* rules_hit() - count that rule @index, as rules_ask() said, decided */
void rules_hit(const struct rules *rules, enum rule_direction direction, int index);

/* rules_basic() - ARP; Neighbour Discovery; who listens to which group (IGMP, MLD); DHCP by broadcast or with the gateway; DNS with the
 * gateway */
bool rules_basic(const struct rules_query *q);

#endif
