// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows about the outside: a host that runs `lanyard check --answer`. */
#include <stdio.h>

#include "ctl/check.h"
#include "ctl/check_row.h"

enum { CLOSED_PORT = 1, PORT_UNREACHABLE = 3 << 8 | 3, TIME_EXCEEDED = 11 << 8 };	/* RFC 792: type and code */

void probe_outside_talk(struct check *c, struct check_result *r)
{
	if (!row_has_outside(&c->outside, r))
		return;
	row_beyond(c, r, "TCP", TRIAL_TCP, &c->guests[CHECK_A1], c->outside.addr, c->outside.port);
	row_beyond(c, r, "UDP", TRIAL_UDP, &c->guests[CHECK_A1], c->outside.addr, c->outside.port);
}

void probe_outside_icmp(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];
	struct trial *t;

	if (!row_has_outside(&c->outside, r))
		return;
	row_beyond(c, r, "ping", TRIAL_ECHO, a1, c->outside.addr, 0);
	if (r->want != WANT_YES)
		return;			/* a gateway that lets nobody through may well send errors, of its own */
	row_beyond(c, r, "port unreachable", TRIAL_UDP, a1, c->outside.addr, CLOSED_PORT)->error = PORT_UNREACHABLE;
	t = row_beyond(c, r, "time exceeded", TRIAL_UDP, a1, c->outside.addr, c->outside.port);
	t->ttl = 1;
	t->error = TIME_EXCEEDED;
}

void probe_outside_ip6(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];

	if (!row_has_outside(&c->outside6, r))
		return;
	row_beyond(c, r, "TCP", TRIAL_TCP, a1, c->outside6.addr, c->outside6.port);
	row_beyond(c, r, "UDP", TRIAL_UDP, a1, c->outside6.addr, c->outside6.port);
	row_beyond(c, r, "ping", TRIAL_ECHO, a1, c->outside6.addr, 0);
}

void probe_outside_to_guest(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];

	if (!row_has_outside(&c->outside, r))
		return;
	if (addr_is_none(a1->ip)) {
		trial_void(row_add(c, r, "TCP", TRIAL_HOST_TCP), "the guest has no address");
		return;
	}
	row_knock(c, r, "TCP", "tcp", a1->ip, 0, a1);
	row_knock(c, r, "UDP", "udp", a1->ip, 0, a1);
	if (c->outside6.answers && !addr_is_none(a1->ip6)) {
		row_knock(c, r, "TCP, IPv6", "tcp", a1->ip6, 0, a1);
		row_knock(c, r, "UDP, IPv6", "udp", a1->ip6, 0, a1);
	}
}

/* look_at_source() - of a trial that has ended: what the outside said that it saw, a guest with this address for one */
static void look_at_source(struct check_result *r, struct trial *t, struct addr guest)
{
	char text[ADDR_TEXT] = "";
	struct addr seen;

	if (t->end != TRIAL_REACHED || sscanf(t->said, "from %45s", text) != 1 || addr_parse(text, &seen) < 0) {
		if (!t->want)
			row_skip(r, "the outside does not answer guests");
		return;
	}
	snprintf(t->how, sizeof(t->how), "%s", text);
	if (addr_equal(seen, guest))
		t->end = TRIAL_REFUSED;
	else if (!check_host_has(seen))
		row_skip(r, "the outside sees %s, which is neither the guest nor this host: somebody else translates on the way", text);
}

/* probe_outside_sees() - whom does the outside see? It says so itself. */
void probe_outside_sees(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];

	if (!row_has_outside(&c->outside, r))
		return;
	row_beyond(c, r, "source", TRIAL_UDP, a1, c->outside.addr, c->outside.port);
	if (c->outside6.answers && !addr_is_none(a1->ip6))
		row_beyond(c, r, "source, IPv6", TRIAL_UDP, a1, c->outside6.addr, c->outside6.port);
	trials_run(c, r->trials, r->ntrials);
	for (unsigned i = 0; i < r->ntrials; i++)
		look_at_source(r, &r->trials[i], i ? a1->ip6 : a1->ip);
}
