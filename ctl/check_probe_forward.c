// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows about forwards: those of the check itself, to the first probe guest. */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/check.h"
#include "ctl/check_forward.h"
#include "ctl/check_row.h"
#include "ctl/cli.h"

static void try_forward(struct check *c, struct check_result *r)
{
	struct trial *t = row_add(c, r, "forward", TRIAL_HOST_TCP);
	int rc = forwards_try(c);

	trial_ended(t, rc == 0 ? TRIAL_REACHED : TRIAL_REFUSED, "%.70s", rc == 0 ? "accepted" : c->cli->err.message);
	c->cli->err = (struct error){ 0 };
}

static bool has_forwards(struct check *c, struct check_result *r)
{
	if (r->want == WANT_REFUSED)
		try_forward(c, r);
	else if (!c->guard.pid)
		row_skip(r, "no forward: %s", c->forwards_why);
	else if (!c->forwarding && r->want == WANT_FORWARD)
		trial_void(row_add(c, r, "forward", TRIAL_HOST_TCP), c->forwards_why);
	return r->want != WANT_REFUSED && c->forwarding;
}

/* by_forward() - somebody comes to @at and forward @i, to arrive at the first guest */
static struct trial *by_forward(struct check *c, struct check_result *r, const char *name, bool outside, struct addr at, unsigned i)
{
	bool udp = i == CHECK_OWN_UDP;
	struct check_guest *a1 = &c->guests[CHECK_A1];
	uint16_t more = i == CHECK_OWN_RANGE;	/* the last port of it */
	uint16_t port = (uint16_t)(c->forwards[i].port + more);
	struct trial *t = outside ? row_knock(c, r, name, udp ? "udp" : "tcp", at, port, a1)
				  : row_host(c, r, name, udp ? TRIAL_HOST_UDP : TRIAL_HOST_TCP, at, port, a1);

	t->at_port = (uint16_t)(c->forwards[i].at_port + more);
	return t;
}

void probe_forward_own(struct check *c, struct check_result *r)
{
	bool outside = c->outside.answers;

	if (!has_forwards(c, r))
		return;
	if (!outside)
		snprintf(r->note, sizeof(r->note), "tried from the host itself, for there is no outside host");
	by_forward(c, r, "TCP", outside, c->host.own, CHECK_OWN_TCP);
	by_forward(c, r, "UDP", outside, c->host.own, CHECK_OWN_UDP);
	by_forward(c, r, "a range", outside, c->host.own, CHECK_OWN_RANGE);
	if (c->forwards[CHECK_OWN6_TCP].port)
		by_forward(c, r, "TCP, IPv6", outside && c->outside6.answers, c->host.own6, CHECK_OWN6_TCP);
}

/* any_word() - of a probe guest; trials that end at one port of it are told apart by their way only */
static bool any_word(const struct trial *t, const uint8_t *data, size_t size)
{
	(void)t;
	return size >= strlen(TRIAL_WORD) && !memcmp(data, TRIAL_WORD, strlen(TRIAL_WORD));
}

/* loopback6() - the same by ::1 */
static void loopback6(struct check *c, struct check_result *r)
{
	struct trial *t;

	if (!c->forwards[CHECK_LOOP6_TCP].port)
		return;
	by_forward(c, r, "by ::1", false, (struct addr){ .bytes = { [15] = 1 } }, CHECK_LOOP6_TCP);
	if (addr_is_none(c->host.own6))
		return;
	t = by_forward(c, r, "by the host's address, IPv6", c->outside6.answers, c->host.own6, CHECK_LOOP6_TCP);
	t->want = false;
	if (!c->outside6.answers)
		t->answered_by = any_word;
}

void probe_forward_loopback(struct check *c, struct check_result *r)
{
	struct trial *t;

	if (!has_forwards(c, r))
		return;
	by_forward(c, r, "by 127.0.0.1", false, addr4(0x7f000001), CHECK_LOOP_TCP);
	t = by_forward(c, r, "by the host's address", false, c->host.own, CHECK_LOOP_TCP);
	t->want = false;
	t->answered_by = any_word;
	if (c->outside.answers)
		by_forward(c, r, "from the outside", true, c->host.own, CHECK_LOOP_TCP)->want = false;
	loopback6(c, r);
}

void probe_forward_hairpin(struct check *c, struct check_result *r)
{
	static const unsigned forwards[] = { CHECK_OWN_TCP, CHECK_OWN6_TCP };

	if (!has_forwards(c, r))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(forwards); i++) {
		const struct check_forward *f = &c->forwards[forwards[i]];
		struct trial *t;

		if (!f->port)
			continue;
		t = row_beyond(c, r, i ? "TCP, IPv6" : "TCP", TRIAL_TCP, &c->guests[CHECK_A2], i ? c->host.own6 : c->host.own, f->port);
		t->to = &c->guests[CHECK_A1];
		t->at_port = f->at_port;
	}
}
