/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/firewall.h - would the host's own rules let a packet by? Asked of its ruleset as `nft -j list ruleset` writes it (libnftables-json(5))
 *
 * For a new connection's first packet, or for the first answer. Rules are followed as nftables follows them: chains of a hook by priority,
 * jumps and returns, policies; whoever drops ends it. A packet begins without marks, and has those that rules on its way set. What a rule asks that is
 * not known here (limits, users, what xtables extensions ask) makes both ends possible, and the answer says so rather than guess. Addresses stay as they are: what rules translate is
 * looked at as it was sent. lanyard's own table is left out: what is in it has been asked already.
 *
 * Pure: nothing is asked of the host. Any thread.
 */
#ifndef CTL_FIREWALL_H
#define CTL_FIREWALL_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/addr.h"

enum firewall_hook { FIREWALL_PREROUTING, FIREWALL_INPUT, FIREWALL_FORWARD, FIREWALL_OUTPUT, FIREWALL_POSTROUTING };

struct firewall_packet {
	const char *iif, *oif;		/* "": none; NULL: not known */
	struct addr src, dst;		/* none: not known */
	uint16_t sport, dport;
	uint8_t proto;			/* IPPROTO_TCP ... */
	bool answer;			/* of a connection that is there (ct state established), else it begins one (new) */
	struct firewall_mark {
		uint32_t number;
		bool unknown;
	} mark, ct_mark;		/* 0 at first; the second is the connection's, and its answers have it, too */
};

enum firewall_verdict { FIREWALL_PASS, FIREWALL_BLOCK, FIREWALL_UNSURE };

enum { FIREWALL_TEXT = 300, FIREWALL_DOUBT = 80 };

/* firewall_ask() - @text becomes where it ends: "chain input of table inet filter, by its policy"; of FIREWALL_UNSURE which chain may drop it, and what
 * that depends on. @p: gets the marks that rules set, for the next hook */
enum firewall_verdict firewall_ask(const json_t *ruleset, enum firewall_hook hook, struct firewall_packet *p, char text[FIREWALL_TEXT]);

/* ---- of ctl/firewall_match.c: does one statement's question hold? ---- */

enum firewall_answer { FIREWALL_NO, FIREWALL_YES, FIREWALL_PERHAPS };

/* firewall_table - the table that a rule is in, and where what it names is found: the chains of the ruleset, each a
 * list of its rules, and its sets, by firewall_key()
 */
struct firewall_table {
	const json_t *index;
	const char *family, *name;
	unsigned *looks;		/* how many elements of sets are still looked at for this question; behind that nothing is known */
};

enum { FIREWALL_KEY = 600 };		/* nftables' names have up to 255 bytes */

/* firewall_key() - @what: "chain" or "set" */
const char *firewall_key(const char *what, const struct firewall_table *t, const char *name, char key[FIREWALL_KEY]);

/* firewall_match() - the object of a "match" statement; firewall_is() - does the value of expression @left equal @right? */
enum firewall_answer firewall_match(const struct firewall_table *t, const json_t *match, const struct firewall_packet *p);
enum firewall_answer firewall_is(const struct firewall_table *t, const json_t *left, const json_t *right, const struct firewall_packet *p);

/* firewall_number() - the value of an expression as a number: meta mark, ct mark | 4. Return: is it known? */
bool firewall_number(const json_t *expression, const struct firewall_packet *p, unsigned long *n);

/* ---- of ctl/firewall_doubt.c ---- */

/* firewall_doubt() - what the statement depends on: "a limit: over 10/minute" */
void firewall_doubt(const json_t *statement, char text[FIREWALL_DOUBT]);

#endif
