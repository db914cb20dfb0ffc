/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/rule.h - one rule of a policy, as it is written
 *
 *	ACTION DIRECTION PEER[:PORTS][/PROTOCOL]
 *
 *	ACTION		allow, deny
 *	DIRECTION	egress (what the guest begins), ingress (what others begin with it), both
 *	PEER		any; gateway; an address or a prefix of either family, IPv6 with ports in brackets; the name of a guest of the
 *			network; a domain name, of which there is always a dot in it: "github.com", "*.github.com" (names below it)
 *	PORTS		80, or 8000-8099: where the flow leads to; without a protocol of TCP, UDP and SCTP
 *	PROTOCOL	tcp, udp, icmp (of either family), sctp, gre, esp, ah, igmp, ipN; beside IP, and with peer any only: arp, 0xNNNN
 *
 * For example "allow egress *.github.com:443/tcp", "deny both 10.0.0.0/8", "allow ingress any:22". Pure functions, any thread.
 */
#ifndef SWITCH_RULE_H
#define SWITCH_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum { RULE_NAME = 254, RULE_TEXT = 320 };

enum rule_direction { RULE_EGRESS = 1, RULE_INGRESS = 2, RULE_BOTH = 3 };
enum rule_peer { RULE_ANY, RULE_GATEWAY, RULE_PREFIX, RULE_GUEST, RULE_DOMAIN };
enum rule_match { RULE_EVERYTHING, RULE_IP, RULE_ICMP, RULE_ETHERTYPE };

struct rule {
	bool allow;
	uint8_t directions;		/* bits of enum rule_direction */
	uint8_t peer;			/* enum rule_peer */
	uint8_t match;			/* enum rule_match: what of a packet the next two say */
	uint8_t proto;			/* RULE_IP */
	bool ports;			/* first and last hold; with RULE_EVERYTHING of every protocol that has ports */
	bool below;			/* RULE_DOMAIN: the names below it, not itself */
	uint16_t ethertype;		/* RULE_ETHERTYPE */
	uint16_t first, last;
	struct prefix6 prefix;		/* RULE_PREFIX; an IPv4 one in mapped form, 96 bits longer */
	char name[RULE_NAME];		/* RULE_GUEST, RULE_DOMAIN: lower case, no dot at the end */
};

/* rule_parse() - Return: 0, or -EINVAL with *why, a sentence about what is wrong that begins in the middle: "PORTS are ..." */
int rule_parse(const char *text, struct rule *rule, const char **why);

/* rule_format() - in the one way in which rule_parse()'s result is written; Return: @text */
char *rule_format(const struct rule *rule, char text[RULE_TEXT]);

/* rule_names() - does a rule about a domain mean the name @lower: lower case, no dot at the end? */
bool rule_names(const struct rule *rule, const char *lower);

#endif
