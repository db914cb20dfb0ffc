// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/check.h"
#include "ctl/check_dns.h"
#include "ctl/check_forward.h"
#include "ctl/check_lease.h"
#include "ctl/cli.h"
#include "ctl/host_routes.h"
#include "dhcp/dns_message.h"

enum { CLOSED_PORT = 1, PORT_UNREACHABLE = 3 << 8 | 3, TIME_EXCEEDED = 11 << 8 };	/* RFC 792: type and code */

static const uint8_t everybody[MAC_SIZE] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t group[MAC_SIZE] = { 0x03, 0, 0, 0, 0x88, 0xb5 };	/* a group address of nobody's, locally administered */

/* --- what rows are made of ----------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static void skip(struct check_result *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->skipped, sizeof(r->skipped), fmt, ap);
	va_end(ap);
}

static bool wants_success(const struct check_result *r)
{
	return r->want == WANT_YES || r->want == WANT_FORWARD;
}

/* add() - a trial that must end as its row */
static struct trial *add(struct check *c, struct check_result *r, const char *name, enum trial_kind kind)
{
	struct trial *t = &r->trials[r->ntrials++];

	trial_init(c, t, name, kind, wants_success(r));
	return t;
}

/* add_beyond() - from guest @g to somewhere beyond its network, if it has a way there at all */
static struct trial *add_beyond(struct check *c, struct check_result *r, const char *name, enum trial_kind kind, struct check_guest *g,
				struct addr dst, uint16_t port)
{
	struct trial *t = add(c, r, name, kind);

	t->from = g;
	t->src = addr_is4(dst) ? g->ip : g->ip6;
	t->dst = dst;
	t->dport = port;
	memcpy(t->mac, g->via, MAC_SIZE);
	if (addr_is_none(t->src))
		trial_void(t, "the guest has no address");
	else if (!g->has_via)
		trial_void(t, "no gateway");
	return t;
}

/* add_ether() - a frame of our own EtherType */
static void add_ether(struct check *c, struct check_result *r, const char *name, struct check_guest *from, struct check_guest *to,
		      const uint8_t *mac)
{
	struct trial *t = add(c, r, name, TRIAL_ETHER);

	t->from = from;
	t->to = to;
	memcpy(t->mac, mac, MAC_SIZE);
}

/* add_host() - from the host to @dst; @to is where it would arrive */
static struct trial *add_host(struct check *c, struct check_result *r, const char *name, enum trial_kind kind, struct addr dst,
			      uint16_t port, struct check_guest *to)
{
	struct trial *t = add(c, r, name, kind);

	t->dst = dst;
	t->dport = port;
	t->to = to;
	return t;
}

/* add_knock() - the outside is asked to come to @dst, and says how that went */
static struct trial *add_knock(struct check *c, struct check_result *r, const char *name, const char *proto, struct addr dst, uint16_t port,
			       struct check_guest *to)
{
	struct trial *t = add_host(c, r, name, TRIAL_HOST_UDP, c->outside.addr, c->outside.port, to);
	char at[ADDR_TEXT];

	t->refusable = true;
	t->size += (size_t)snprintf(t->payload + t->size, sizeof(t->payload) - t->size, " knock %s %s %u", proto, addr_format(dst, at), port);
	return t;
}

static bool has_outside(const struct check_outside *x, struct check_result *r)
{
	char at[ADDR_TEXT];

	if (addr_is_none(x->addr)) {
		skip(r, "no outside host was given: --outside ADDRESS");
	} else if (!x->answers) {
		addr_format(x->addr, at);
		if (wants_success(r))
			snprintf(r->note, sizeof(r->note), "%s port %u does not answer the host either", at, x->port);
		else
			skip(r, "%s port %u does not answer the host: run `lanyard check --answer` there", at, x->port);
	}
	return !r->skipped[0];
}

/* --- the host ------------------------------------------------------------------------------------------------ */

/* find_listener() - at @at, opened if need be */
static const struct host_listener *find_listener(struct check *c, struct check_result *r, struct addr at)
{
	const struct host_listener *l = NULL;
	char text[ADDR_TEXT];

	for (unsigned i = 0; i < c->host.nlisteners && !l; i++)
		l = addr_equal(c->host.listeners[i].at, at) ? &c->host.listeners[i] : NULL;
	if (!l)
		l = host_listen(&c->host, at);
	if (!l)
		skip(r, "cannot listen on %s", addr_format(at, text));
	return l;
}

static void host_own(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];
	const struct host_listener *l;

	if (addr_is_none(c->host.own)) {
		skip(r, "this host has no address but loopback");
		return;
	}
	l = find_listener(c, r, c->host.own);
	if (!l)
		return;
	add_beyond(c, r, "TCP", TRIAL_TCP, a1, l->at, l->port);
	add_beyond(c, r, "UDP", TRIAL_UDP, a1, l->at, l->port);
	for (unsigned i = 0; i < r->ntrials && !a1->router; i++)	/* this row is about a guest that adds no route of its own */
		trial_void(&r->trials[i], "no router was told");
}

static void host_on_network(struct check *c, struct check_result *r)
{
	struct addr at = c->net.terms.addressed ? host_address_in(c->net.subnet) : (struct addr){ 0 };
	const struct host_listener *l = addr_is_none(at) ? NULL : find_listener(c, r, at);
	struct check_guest *a1 = &c->guests[CHECK_A1];
	const uint8_t *mac = l ? check_lease_resolve(c, a1, addr_4(at), NULL) : NULL;
	static const char *const names[] = { "TCP", "UDP" };

	for (unsigned i = 0; i < 2 && !r->skipped[0]; i++) {
		struct trial *t = add_beyond(c, r, names[i], i ? TRIAL_UDP : TRIAL_TCP, a1, at, l ? l->port : 0);

		if (mac)
			memcpy(t->mac, mac, MAC_SIZE);
		else
			trial_void(t, l ? "nobody answers by ARP" : "the host has none");
	}
}

/* host_loopback() - what listens on 127.0.0.1, asked for at the gateway's address */
static void host_loopback(struct check *c, struct check_result *r)
{
	const struct host_listener *l = find_listener(c, r, addr4(0x7f000001));

	if (!l)
		return;
	add_beyond(c, r, "TCP", TRIAL_TCP, &c->guests[CHECK_A1], c->net.gateway, l->port);
	add_beyond(c, r, "UDP", TRIAL_UDP, &c->guests[CHECK_A1], c->net.gateway, l->port);
}

static void host_to_guest(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];
	struct trial *tcp = add_host(c, r, "TCP", TRIAL_HOST_TCP, a1->ip, 0, a1);
	struct trial *udp = add_host(c, r, "UDP", TRIAL_HOST_UDP, a1->ip, 0, a1);
	const char *why = NULL;

	tcp->dport = tcp->at_port;
	udp->dport = udp->at_port;
	if (addr_is_none(a1->ip))
		why = "the guest has no address";
	else if (host_routes_free((struct prefix4){ addr_4(a1->ip), 32 }))
		why = "the host has no route of its own to it";	/* by its default route it would ask strangers */
	if (why) {
		trial_void(tcp, why);
		trial_void(udp, why);
	}
}

/* --- guests -------------------------------------------------------------------------------------------------- */

static void guest_to_guest(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1], *a2 = &c->guests[CHECK_A2];
	struct trial *t;

	add_ether(c, r, "frame", a1, a2, a2->mac);
	add_ether(c, r, "frame back", a2, a1, a1->mac);
	if (addr_is_none(a1->ip) || addr_equal(a1->ip, a2->ip))
		return;
	t = add_beyond(c, r, "UDP", TRIAL_UDP, a1, a2->ip, 0);
	t->dport = t->at_port;
	t->to = a2;
	memcpy(t->mac, a2->mac, MAC_SIZE);
}

static void guest_to_all(struct check *c, struct check_result *r)
{
	add_ether(c, r, "broadcast", &c->guests[CHECK_A1], &c->guests[CHECK_A2], everybody);
	add_ether(c, r, "multicast", &c->guests[CHECK_A1], &c->guests[CHECK_A2], group);
}

static void guest_to_other(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1], *b1 = &c->guests[CHECK_B1];
	struct trial *t;

	if (b1->fd < 0 || !guest_is_there(b1)) {
		skip(r, "there is no other network to try");
		return;
	}
	add_ether(c, r, "frame", a1, b1, b1->mac);
	snprintf(r->note, sizeof(r->note), "the other network is %.63s", b1->name.net);
	if (addr_is_none(b1->ip) || prefix4_has(c->net.subnet, addr_4(b1->ip)))
		return;			/* there is no way to name it from here */
	t = add_beyond(c, r, "UDP", TRIAL_UDP, a1, b1->ip, 0);
	t->dport = t->at_port;
	t->to = b1;
	t = add_beyond(c, r, "TCP", TRIAL_TCP, a1, b1->ip, 0);
	t->dport = t->at_port;
	t->to = b1;
}

/* --- the outside --------------------------------------------------------------------------------------------- */

static void outside_talk(struct check *c, struct check_result *r)
{
	if (!has_outside(&c->outside, r))
		return;
	add_beyond(c, r, "TCP", TRIAL_TCP, &c->guests[CHECK_A1], c->outside.addr, c->outside.port);
	add_beyond(c, r, "UDP", TRIAL_UDP, &c->guests[CHECK_A1], c->outside.addr, c->outside.port);
}

static void outside_icmp(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];
	struct trial *t;

	if (!has_outside(&c->outside, r))
		return;
	add_beyond(c, r, "ping", TRIAL_ECHO, a1, c->outside.addr, 0);
	if (r->want != WANT_YES)
		return;			/* a gateway that lets nobody through may well send errors, of its own */
	add_beyond(c, r, "port unreachable", TRIAL_UDP, a1, c->outside.addr, CLOSED_PORT)->error = PORT_UNREACHABLE;
	t = add_beyond(c, r, "time exceeded", TRIAL_UDP, a1, c->outside.addr, c->outside.port);
	t->ttl = 1;
	t->error = TIME_EXCEEDED;
}

static void outside_ip6(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];

	if (!has_outside(&c->outside6, r))
		return;
	add_beyond(c, r, "TCP", TRIAL_TCP, a1, c->outside6.addr, c->outside6.port);
	add_beyond(c, r, "UDP", TRIAL_UDP, a1, c->outside6.addr, c->outside6.port);
	add_beyond(c, r, "ping", TRIAL_ECHO, a1, c->outside6.addr, 0);
}

static void outside_to_guest(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1];

	if (!has_outside(&c->outside, r))
		return;
	if (addr_is_none(a1->ip)) {
		trial_void(add(c, r, "TCP", TRIAL_HOST_TCP), "the guest has no address");
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		struct trial *t = add_knock(c, r, i ? "UDP" : "TCP", i ? "udp" : "tcp", a1->ip, c->next_port, a1);

		t->at_port = c->next_port++;
	}
}

static void outside_sees(struct check *c, struct check_result *r)
{
	if (has_outside(&c->outside, r))
		add_beyond(c, r, "source", TRIAL_UDP, &c->guests[CHECK_A1], c->outside.addr, c->outside.port);
}

/* judge_source() - whom did the outside see? */
static void judge_source(const struct check *c, struct check_result *r)
{
	struct trial *t = &r->trials[0];
	char text[ADDR_TEXT] = "";
	struct addr seen;

	if (t->end != TRIAL_REACHED || sscanf(t->said, "from %45s", text) != 1 || addr_parse(text, &seen) < 0)
		return;
	snprintf(t->how, sizeof(t->how), "%s", text);
	if (addr_equal(seen, c->guests[CHECK_A1].ip))
		t->end = TRIAL_REFUSED;
	else if (!host_has(seen))
		skip(r, "the outside sees %s, which is neither the guest nor this host: somebody else translates on the way", text);
}

/* --- forwards ------------------------------------------------------------------------------------------------- */

static void try_forward(struct check *c, struct check_result *r)
{
	struct trial *t = add(c, r, "forward", TRIAL_HOST_TCP);
	int rc = forwards_try(c);

	trial_ended(t, rc == 0 ? TRIAL_REACHED : TRIAL_REFUSED, "%.70s", rc == 0 ? "accepted" : c->cli->err.message);
	c->cli->err = (struct error){ 0 };
}

static bool has_forwards(struct check *c, struct check_result *r)
{
	if (r->want == WANT_REFUSED)
		try_forward(c, r);
	else if (!c->guard.pid)
		skip(r, "no forward: %s", c->forwards_why);
	else if (!c->forwarding && r->want == WANT_FORWARD)
		trial_void(add(c, r, "forward", TRIAL_HOST_TCP), c->forwards_why);
	return r->want != WANT_REFUSED && c->forwarding;
}

/* by_forward() - somebody comes to @at and forward @i, to arrive at the first guest */
static struct trial *by_forward(struct check *c, struct check_result *r, const char *name, bool outside, struct addr at, unsigned i)
{
	bool udp = i == CHECK_OWN_UDP;
	struct check_guest *a1 = &c->guests[CHECK_A1];
	struct trial *t = outside ? add_knock(c, r, name, udp ? "udp" : "tcp", at, c->forwards[i].port, a1)
				  : add_host(c, r, name, udp ? TRIAL_HOST_UDP : TRIAL_HOST_TCP, at, c->forwards[i].port, a1);

	t->at_port = c->forwards[i].at_port;
	return t;
}

static void forward_own(struct check *c, struct check_result *r)
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

static void forward_loopback(struct check *c, struct check_result *r)
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

static void forward_hairpin(struct check *c, struct check_result *r)
{
	struct trial *t;

	if (!has_forwards(c, r))
		return;
	t = add_beyond(c, r, "TCP", TRIAL_TCP, &c->guests[CHECK_A2], c->host.own, c->forwards[CHECK_OWN_TCP].port);
	t->to = &c->guests[CHECK_A1];
	t->at_port = c->forwards[CHECK_OWN_TCP].at_port;
}

/* --- services --------------------------------------------------------------------------------------------------- */

/* noted() - a trial that ended before its row's turn came: while the guests were plugged in, or now */
static void noted(struct check *c, struct check_result *r, const char *name, bool yes, const char *how)
{
	trial_ended(add(c, r, name, TRIAL_HOST_UDP), yes ? TRIAL_REACHED : TRIAL_REFUSED, "%s", how);
}

static void dhcp_answers(struct check *c, struct check_result *r)
{
	const struct check_guest *a1 = &c->guests[CHECK_A1];
	bool ours = a1->offered && addr_equal(addr4(a1->server), c->net.gateway);
	char how[64], ip[IP4_TEXT];

	snprintf(how, sizeof(how), a1->offered ? "answered by %s" : "no answer", ip4_format(a1->server, ip));
	noted(c, r, "DHCP", ours, how);
	if (a1->offered && !ours)
		snprintf(r->note, sizeof(r->note), "somebody else on this network, %s, answers DHCP", ip);
}

static void dhcp_router(struct check *c, struct check_result *r)
{
	const struct check_guest *a1 = &c->guests[CHECK_A1];

	if (!a1->offered)
		skip(r, "nobody answered by DHCP");
	else
		noted(c, r, "option 3", a1->offer_router, a1->offer_router ? "told" : "not told");
}

static void dns_answers(struct check *c, struct check_result *r)
{
	const struct check_guest *a1 = &c->guests[CHECK_A1];
	struct addr at = a1->resolver ? addr4(a1->resolver) : c->net.gateway;
	struct trial *t = add_beyond(c, r, "DNS", TRIAL_UDP, &c->guests[CHECK_A1], at, DNS_PORT);

	if (addr_is_none(at))
		trial_void(t, "nobody to ask");
	check_dns_query(t, c->net.domain);
}

static void host_sees_frames(struct check *c, struct check_result *r)
{
	if (c->host.sniffer < 0)
		skip(r, "listening on the host's interfaces needs CAP_NET_RAW: run it as root");
	else
		add_ether(c, r, "broadcast", &c->guests[CHECK_A1], NULL, everybody);
}

static void residue(struct check *c, struct check_result *r)
{
	char text[64] = "nothing is left";
	bool left = host_new_residue(&c->host, text, sizeof(text));

	noted(c, r, "ports", !left, text);
}

static void wifi(struct check *c, struct check_result *r)
{
	(void)c;
	skip(r, "only somebody on that Wi-Fi sees it");
}

static void live_change(struct check *c, struct check_result *r)
{
	(void)c;
	skip(r, "a check changes nothing of the network; run it before and after your change");
}

/* --- all ------------------------------------------------------------------------------------------------------- */

typedef void probe_fn(struct check *c, struct check_result *r);

static probe_fn *const probes[CHECK_ROWS] = {
	host_own, host_on_network, host_loopback, host_loopback, host_to_guest, guest_to_guest, guest_to_all, outside_talk, outside_icmp,
	outside_ip6, outside_to_guest, forward_own, forward_loopback, forward_hairpin, guest_to_other, dhcp_answers, dhcp_router,
	dns_answers, outside_sees, wifi, host_sees_frames, residue, live_change,
};

void probe_row(struct check *c, struct check_result *r)
{
	probes[r->row->number - 1](c, r);
	if (r->skipped[0])
		r->ntrials = 0;
	trials_run(c, r->trials, r->ntrials);
	if (r->row->number == 19)
		judge_source(c, r);
}

bool result_as_expected(const struct check_result *r)
{
	for (unsigned i = 0; i < r->ntrials && !r->skipped[0]; i++)
		if ((r->trials[i].end == TRIAL_REACHED) != r->trials[i].want)
			return false;
	return true;
}

void result_seen(const struct check_result *r, char *text, size_t room)
{
	const char *no = r->want == WANT_REFUSED ? "refused" : "no", *yes = r->want == WANT_REFUSED ? "accepted" : "yes";
	unsigned reached = 0;
	size_t n = 0;

	for (unsigned i = 0; i < r->ntrials; i++)
		reached += r->trials[i].end == TRIAL_REACHED;
	if (r->skipped[0] || r->want == WANT_NOTHING)
		snprintf(text, room, "-");
	else if (result_as_expected(r) && r->want == WANT_FORWARD)
		snprintf(text, room, "by forward");
	else if (reached == 0 || reached == r->ntrials)
		snprintf(text, room, "%s", reached ? yes : no);
	else
		for (unsigned i = 0; i < r->ntrials && n < room; i++)
			n += (size_t)snprintf(text + n, room - n, "%s%s %s", i ? ", " : "", r->trials[i].name,
					      r->trials[i].end == TRIAL_REACHED ? "yes" : "no");
}
