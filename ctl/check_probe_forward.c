// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows about forwards: those of the check itself, to the first probe guest. */
#include <stdio.h>
#include <string.h>

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
	struct trial *t = outside ? row_knock(c, r, name, udp ? "udp" : "tcp", at, c->forwards[i].port, a1)
				  : row_host(c, r, name, udp ? TRIAL_HOST_UDP : TRIAL_HOST_TCP, at, c->forwards[i].port, a1);

	t->at_port = c->forwards[i].at_port;
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
}

/* any_word() - of a probe guest; trials that end at one port of it are told apart by their way only */
static bool any_word(const struct trial *t, const uint8_t *data, size_t size)
{
	(void)t;
	return size >= strlen(TRIAL_WORD) && !memcmp(data, TRIAL_WORD, strlen(TRIAL_WORD));
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
}

void probe_forward_hairpin(struct check *c, struct check_result *r)
{
	struct trial *t;

	if (!has_forwards(c, r))
		return;
	t = row_beyond(c, r, "TCP", TRIAL_TCP, &c->guests[CHECK_A2], c->host.own, c->forwards[CHECK_OWN_TCP].port);
	t->to = &c->guests[CHECK_A1];
	t->at_port = c->forwards[CHECK_OWN_TCP].at_port;
}
