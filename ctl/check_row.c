// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_row.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/check.h"
#include "ctl/check_lease.h"

void row_skip(struct check_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->skipped, sizeof(r->skipped), fmt, ap);
	va_end(ap);
}

bool row_wants_success(const struct check_result *r)
{
	return r->want == WANT_YES || r->want == WANT_FORWARD;
}

bool row_on_link(const struct check_guest *g, struct addr a)
{
	struct prefix4 net = { .len = g->len };

	if (addr_is_none(g->ip) || !addr_is4(a))
		return false;
	net.addr = addr_4(g->ip) & prefix4_mask(net);
	return prefix4_has(net, addr_4(a));
}

struct trial *row_add(struct check *c, struct check_result *r, const char *name, enum trial_kind kind)
{
	struct trial *t = &r->trials[r->ntrials++];

	trial_init(c, t, name, kind, row_wants_success(r));
	return t;
}

struct trial *row_beyond(struct check *c, struct check_result *r, const char *name, enum trial_kind kind, struct check_guest *g,
			 struct addr dst, uint16_t port)
{
	struct trial *t = row_add(c, r, name, kind);
	const uint8_t *mac;

	t->from = g;
	t->src = addr_is4(dst) ? g->ip : g->ip6;
	t->dst = dst;
	t->dport = port;
	mac = g->has_via ? g->via : NULL;
	if (c->net.terms.mode == CHECK_BRIDGED && row_on_link(g, dst))
		mac = check_lease_resolve(c, g, addr_4(dst), NULL);
	if (addr_is_none(t->src))
		trial_void(t, "the guest has no address");
	else if (!mac)
		trial_void(t, row_on_link(g, dst) ? "nobody answers by ARP" : "no gateway");
	else
		memcpy(t->mac, mac, MAC_SIZE);
	return t;
}

struct trial *row_ether(struct check *c, struct check_result *r, const char *name, struct check_guest *from, struct check_guest *to,
			const uint8_t *mac)
{
	struct trial *t = row_add(c, r, name, TRIAL_ETHER);

	t->from = from;
	t->to = to;
	memcpy(t->mac, mac, MAC_SIZE);
	return t;
}

struct trial *row_host(struct check *c, struct check_result *r, const char *name, enum trial_kind kind, struct addr dst,
		       uint16_t port, struct check_guest *to)
{
	struct trial *t = row_add(c, r, name, kind);

	t->dst = dst;
	t->dport = port;
	t->to = to;
	return t;
}

struct trial *row_knock(struct check *c, struct check_result *r, const char *name, const char *proto, struct addr dst, uint16_t port,
			struct check_guest *to)
{
	struct trial *t = row_host(c, r, name, TRIAL_HOST_UDP, c->outside.addr, c->outside.port, to);
	char at[ADDR_TEXT];

	t->refusable = true;
	port = port ? port : t->at_port;
	t->size += (size_t)snprintf(t->payload + t->size, sizeof(t->payload) - t->size, " knock %s %s %u", proto, addr_format(dst, at), port);
	return t;
}

bool row_has_outside(const struct check_outside *x, struct check_result *r)
{
	char at[ADDR_TEXT];

	if (addr_is_none(x->addr)) {
		row_skip(r, "no outside host was given: --outside ADDRESS");
	} else if (!x->answers) {
		addr_format(x->addr, at);
		if (row_wants_success(r))
			snprintf(r->note, sizeof(r->note), "%s port %u does not answer the host either", at, x->port);
		else
			row_skip(r, "%s port %u does not answer the host: run `lanyard check --answer` there", at, x->port);
	}
	return !r->skipped[0];
}

void row_noted(struct check *c, struct check_result *r, const char *name, bool yes, const char *how)
{
	trial_ended(row_add(c, r, name, TRIAL_HOST_UDP), yes ? TRIAL_REACHED : TRIAL_REFUSED, "%s", how);
}
