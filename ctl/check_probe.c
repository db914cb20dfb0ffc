// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_probe.h"

#include <stdio.h>
#include <string.h>

#include "ctl/check.h"
#include "ctl/check_dns.h"
#include "ctl/check_row.h"
#include "dhcp/dns_message.h"

enum { BACK_LATER_MS = 50 };

static const uint8_t everybody[MAC_SIZE] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t group[MAC_SIZE] = { 0x03, 0, 0, 0, 0x88, 0xb5 };	/* a group address of nobody's, locally administered */

/* --- guests -------------------------------------------------------------------------------------------------- */

/* beside() - UDP between the two guests, by themselves */
static void beside(struct check *c, struct check_result *r, const char *name, struct addr dst)
{
	struct check_guest *a2 = &c->guests[CHECK_A2];
	struct trial *t = row_beyond(c, r, name, TRIAL_UDP, &c->guests[CHECK_A1], dst, 0);

	t->dport = t->at_port;
	t->to = a2;
	memcpy(t->mac, a2->mac, MAC_SIZE);
}

static void guest_to_guest(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1], *a2 = &c->guests[CHECK_A2];

	row_ether(c, r, "frame", a1, a2, a2->mac);
	row_ether(c, r, "frame back", a2, a1, a1->mac)->delay_ms = BACK_LATER_MS;	/* it must not teach the switch where to send the first */
	if (!addr_is_none(a1->ip) && !addr_equal(a1->ip, a2->ip))
		beside(c, r, "UDP", a2->ip);
	if (!addr_is_none(a1->ip6))
		beside(c, r, "UDP, IPv6", a2->ip6);
}

static void guest_to_all(struct check *c, struct check_result *r)
{
	row_ether(c, r, "broadcast", &c->guests[CHECK_A1], &c->guests[CHECK_A2], everybody);
	row_ether(c, r, "multicast", &c->guests[CHECK_A1], &c->guests[CHECK_A2], group);
}

/* across() - UDP and TCP by both families from @from to @to, which is on another network; without a name it is left out */
static void across(struct check *c, struct check_result *r, struct check_guest *from, struct check_guest *to, const char *const names[4])
{
	for (unsigned i = 0; i < 4; i++) {
		bool six = i & 2;
		struct addr dst = six ? to->ip6 : to->ip;
		struct trial *t;

		if (!names[i] || addr_is_none(dst) || addr_is_none(six ? from->ip6 : from->ip) || (!six && row_on_link(from, dst)))
			continue;		/* there is no way to name it from here */
		t = row_beyond(c, r, names[i], i & 1 ? TRIAL_TCP : TRIAL_UDP, from, dst, 0);
		t->dport = t->at_port;
		t->to = to;
	}
}

static void guest_to_other(struct check *c, struct check_result *r)
{
	static const char *const names[] = { "UDP", "TCP", "UDP, IPv6", "TCP, IPv6" };
	struct check_guest *a1 = &c->guests[CHECK_A1], *b1 = &c->guests[CHECK_B1];

	if (c->net.terms.mode == CHECK_BRIDGED) {
		row_skip(r, "other guests on the same LAN are guests of this network");
	} else if (b1->fd < 0 || !guest_is_there(b1)) {
		row_skip(r, "there is no other network to try");
	} else {
		row_ether(c, r, "frame", a1, b1, b1->mac);
		across(c, r, a1, b1, names);
		snprintf(r->note, sizeof(r->note), "the other network is %s", b1->place);
	}
}

static void guest_to_peer(struct check *c, struct check_result *r)
{
	static const char *const there[] = { "UDP", "TCP", "UDP, IPv6", "TCP, IPv6" }, *const back[] = { "UDP back", NULL, "UDP back, IPv6", NULL };
	struct check_guest *a1 = &c->guests[CHECK_A1], *p1 = &c->guests[CHECK_P1];

	if (p1->fd < 0 || !guest_is_there(p1)) {
		row_skip(r, c->listed[0] ? "%s is open for what its list says alone" : "no peer lets a probe guest in", c->listed);
		return;
	}
	across(c, r, a1, p1, there);
	across(c, r, p1, a1, back);
	snprintf(r->note, sizeof(r->note), "the peer is %s", p1->place);
	if (!r->ntrials)
		row_skip(r, "one of the two has no address: the peer is %s", p1->place);
}

/* --- services --------------------------------------------------------------------------------------------------- */

static void dhcp_answers(struct check *c, struct check_result *r)
{
	const struct check_guest *a1 = &c->guests[CHECK_A1];
	bool ours = a1->offered && addr_equal(addr4(a1->server), c->net.gateway);
	char how[64], ip[IP4_TEXT];

	snprintf(how, sizeof(how), a1->offered ? "answered by %s" : "no answer", ip4_format(a1->server, ip));
	row_noted(c, r, "DHCP", ours, how);
	if (a1->offered && !ours)
		snprintf(r->note, sizeof(r->note), "somebody else on this network, %s, answers DHCP", ip);
}

static void dhcp_router(struct check *c, struct check_result *r)
{
	const struct check_guest *a1 = &c->guests[CHECK_A1];

	if (!a1->offered)
		row_skip(r, "nobody answered by DHCP");
	else
		row_noted(c, r, "option 3", a1->offer_router, a1->offer_router ? "told" : "not told");
}

static void dns_answers(struct check *c, struct check_result *r)
{
	const struct check_guest *a1 = &c->guests[CHECK_A1];
	struct addr at = a1->resolver ? addr4(a1->resolver) : c->net.gateway;
	struct trial *t = row_beyond(c, r, "DNS", TRIAL_UDP, &c->guests[CHECK_A1], at, DNS_PORT);

	if (addr_is_none(at))
		trial_void(t, "nobody to ask");
	check_dns_query(t, c->net.domain);
	if (!addr_is_none(a1->ip6) && !addr_is_none(c->net.gateway6))
		check_dns_query(row_beyond(c, r, "DNS, IPv6", TRIAL_UDP, &c->guests[CHECK_A1], c->net.gateway6, DNS_PORT), c->net.domain);
}

static void wifi(struct check *c, struct check_result *r)
{
	(void)c;
	row_skip(r, "only somebody on that Wi-Fi sees it");
}

static void live_change(struct check *c, struct check_result *r)
{
	(void)c;
	row_skip(r, "a check changes nothing of the network; run it before and after your change");
}

/* --- all ------------------------------------------------------------------------------------------------------- */

static probe_fn *const probes[CHECK_ROWS] = {
	probe_host_own, probe_host_on_network, probe_host_loopback, probe_host_loopback, probe_host_to_guest, guest_to_guest, guest_to_all,
	probe_outside_talk, probe_outside_icmp, probe_outside_ip6, probe_outside_to_guest, probe_forward_own, probe_forward_loopback,
	probe_forward_hairpin, guest_to_other, dhcp_answers, dhcp_router, dns_answers, probe_outside_sees, wifi, probe_host_sees_frames,
	probe_residue, live_change, guest_to_peer, probe_delegated,
};

void probe_row(struct check *c, struct check_result *r)
{
	probes[r->row->number - 1](c, r);
	if (r->skipped[0])
		r->ntrials = 0;
	trials_run(c, r->trials, r->ntrials);
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
	else if (result_as_expected(r) && (r->want == WANT_FORWARD || r->want == WANT_NO))
		snprintf(text, room, "%s", check_want_name(r->want));	/* that a peer is reached is no contradiction */
	else if (reached == 0 || reached == r->ntrials)
		snprintf(text, room, "%s", reached ? yes : no);
	else
		for (unsigned i = 0; i < r->ntrials && n < room; i++)
			n += (size_t)snprintf(text + n, room - n, "%s%s %s", i ? ", " : "", r->trials[i].name,
					      r->trials[i].end == TRIAL_REACHED ? "yes" : "no");
}
