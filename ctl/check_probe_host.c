// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows about the host: what guests reach of it, whom it reaches, what it sees and what is left on it. */
#include <string.h>

#include "ctl/check.h"
#include "ctl/check_lease.h"
#include "ctl/check_row.h"
#include "ctl/host_routes.h"
#include "ctl/route_get.h"

static const uint8_t everybody[MAC_SIZE] = { 255, 255, 255, 255, 255, 255 };

/* listener_at() - opened if need be; NULL: @at is none, or nobody can listen there */
static const struct host_listener *listener_at(struct check *c, struct addr at)
{
	const struct host_listener *l = NULL;

	for (unsigned i = 0; i < c->host.nlisteners && !l; i++)
		l = addr_equal(c->host.listeners[i].at, at) ? &c->host.listeners[i] : NULL;
	return l || addr_is_none(at) ? l : check_host_listen(&c->host, at);
}

/* find_listener() - of a row that is about nothing else */
static const struct host_listener *find_listener(struct check *c, struct check_result *r, struct addr at)
{
	const struct host_listener *l = listener_at(c, at);
	char text[ADDR_TEXT];

	if (!l)
		row_skip(r, "cannot listen on %s", addr_format(at, text));
	return l;
}

/* over_ip6() - the same by IPv6, where there are addresses: TCP and UDP from the first guest to a listener at @at, which is asked for as @dst */
static void over_ip6(struct check *c, struct check_result *r, struct addr at, struct addr dst)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];
	const struct host_listener *l = addr_is_none(a1->ip6) || addr_is_none(dst) ? NULL : listener_at(c, at);

	if (!l)
		return;
	row_beyond(c, r, "TCP, IPv6", TRIAL_TCP, a1, dst, l->port);
	row_beyond(c, r, "UDP, IPv6", TRIAL_UDP, a1, dst, l->port);
}

void probe_host_own(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];
	const struct host_listener *l;

	if (addr_is_none(c->host.own)) {
		row_skip(r, "this host has no address but loopback");
		return;
	}
	l = find_listener(c, r, c->host.own);
	if (!l)
		return;
	row_beyond(c, r, "TCP", TRIAL_TCP, a1, l->at, l->port);
	row_beyond(c, r, "UDP", TRIAL_UDP, a1, l->at, l->port);
	over_ip6(c, r, c->host.own6, c->host.own6);
	for (unsigned i = 0; i < r->ntrials && !a1->router && !row_on_link(a1, l->at); i++)	/* this row is about a guest that adds no route of its own */
		trial_void(&r->trials[i], "no router was told");
}

void probe_host_on_network(struct check *c, struct check_result *r)
{
	struct addr at = c->net.terms.addressed ? check_host_address_in(c->net.subnet) : (struct addr){ 0 };
	const struct host_listener *l = addr_is_none(at) ? NULL : find_listener(c, r, at);
	struct check_guest *a1 = &c->guests[CHECK_A1];
	const uint8_t *mac = l ? check_lease_resolve(c, a1, addr_4(at), NULL) : NULL;
	static const char *const names[] = { "TCP", "UDP" };

	for (unsigned i = 0; i < 2 && !r->skipped[0]; i++) {
		struct trial *t = row_beyond(c, r, names[i], i ? TRIAL_UDP : TRIAL_TCP, a1, at, l ? l->port : 0);

		if (mac)
			memcpy(t->mac, mac, MAC_SIZE);
		else
			trial_void(t, l ? "nobody answers by ARP" : "the host has none");
	}
	if (check_host_has(c->net.gateway6))
		over_ip6(c, r, c->net.gateway6, c->net.gateway6);
}

/* host_loopback() - what listens on 127.0.0.1 or ::1, asked for at the gateway's address */
void probe_host_loopback(struct check *c, struct check_result *r)
{
	const struct host_listener *l = find_listener(c, r, addr4(0x7f000001));

	if (!l)
		return;
	row_beyond(c, r, "TCP", TRIAL_TCP, &c->guests[CHECK_A1], c->net.gateway, l->port);
	row_beyond(c, r, "UDP", TRIAL_UDP, &c->guests[CHECK_A1], c->net.gateway, l->port);
	over_ip6(c, r, (struct addr){ .bytes = { [15] = 1 } }, c->net.gateway6);
}

/* from_host() - to @dst of the first guest; @why: it cannot even begin, or NULL */
static void from_host(struct check *c, struct check_result *r, const char *name, enum trial_kind kind, struct addr dst, const char *why)
{
	struct trial *t = row_host(c, r, name, kind, dst, 0, &c->guests[CHECK_A1]);

	t->dport = t->at_port;
	if (why)
		trial_void(t, why);
}

/* has_route6() - by an interface that it takes for the guest's link: whatever leads elsewhere goes by another router */
static bool has_route6(struct addr a)
{
	struct route_got got;

	return !addr_is_none(a) && route_get((struct addr){ 0 }, a, NULL, "", &got) == 0 && !got.local && addr_is_none(got.via);
}

void probe_host_to_guest(struct check *c, struct check_result *r)
{
	static const char no_route[] = "the host has no route of its own to it";	/* by its default route it would ask strangers */
	struct check_guest *a1 = &c->guests[CHECK_A1];
	const char *why = NULL, *why6 = has_route6(a1->ip6) ? NULL : no_route;

	if (addr_is_none(a1->ip))
		why = "the guest has no address";
	else if (host_routes_free((struct prefix4){ addr_4(a1->ip), 32 }))
		why = no_route;
	from_host(c, r, "TCP", TRIAL_HOST_TCP, a1->ip, why);
	from_host(c, r, "UDP", TRIAL_HOST_UDP, a1->ip, why);
	if (addr_is_none(a1->ip6))
		return;
	from_host(c, r, "TCP, IPv6", TRIAL_HOST_TCP, a1->ip6, why6);
	from_host(c, r, "UDP, IPv6", TRIAL_HOST_UDP, a1->ip6, why6);
}

void probe_host_sees_frames(struct check *c, struct check_result *r)
{
	if (c->host.sniffer < 0)
		row_skip(r, "listening on the host's interfaces needs CAP_NET_RAW: run it as root");
	else
		row_ether(c, r, "broadcast", &c->guests[CHECK_A1], NULL, everybody);
}

void probe_residue(struct check *c, struct check_result *r)
{
	char text[64] = "nothing is left";
	bool left = check_host_new_residue(&c->host, text, sizeof(text));

	row_noted(c, r, "ports", !left, text);
}
