// SPDX-License-Identifier: GPL-2.0-or-later
/* The packets of probe guests: what one sends for a trial, and what it does with a frame that comes. */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "ctl/check.h"
#include "ctl/check_delegated.h"
#include "ctl/check_lease.h"
#include "ctl/check_trial.h"
#include "switch/build.h"

enum {
	TTL = 64, WINDOW = 8192, TCP_WORDS = TCP_HEADER / 4, ROOM = 512,
	ECHO_REPLY = 0, UNREACHABLE = 3, ECHO_REQUEST = 8, TIME_EXCEEDED = 11,		/* RFC 792 */
	UNREACHABLE6 = 1, TIME_EXCEEDED6 = 3, ECHO_REQUEST6 = 128, ECHO_REPLY6 = 129,	/* RFC 4443 */
	QUOTED = 8,			/* bytes of the transport header that an ICMP error has at least */
};

/* --- sending --------------------------------------------------------------------------------------------- */

struct segment {
	const uint8_t *mac;		/* next hop */
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t flags;
	uint32_t seq, ack;
	const char *data;		/* or NULL */
};

static void send_tcp(struct check_guest *g, const struct segment *s)
{
	uint32_t payload = s->data ? (uint32_t)strlen(s->data) : 0, size = TCP_HEADER + payload;
	uint8_t frame[ROOM], *tcp = build_ip(frame, s->mac, g->mac, s->src, s->dst, PROTO_TCP, TTL, size);

	put_u16(tcp, s->sport);
	put_u16(tcp + 2, s->dport);
	put_u32(tcp + 4, s->seq);
	put_u32(tcp + 8, s->ack);
	tcp[12] = TCP_WORDS << 4;
	tcp[13] = s->flags;
	put_u16(tcp + 14, WINDOW);
	put_u32(tcp + 16, 0);
	if (payload)
		memcpy(tcp + TCP_HEADER, s->data, payload);
	put_u16(tcp + 16, checksum_finish(checksum_add(build_pseudo(s->src, s->dst, PROTO_TCP, size), tcp, size)));
	guest_send(g, frame, build_headers(s->dst) + size);
}

static void send_trial_tcp(struct trial *t, uint8_t flags)
{
	send_tcp(t->from, &(struct segment){ t->mac, t->src, t->dst, t->sport, t->dport, flags,
					     flags & TCP_SYN ? t->nonce : t->seq, t->ack, NULL });
}

static void send_echo(const struct trial *t)
{
	bool v6 = !addr_is4(t->dst);
	uint32_t size = ICMP_HEADER + (uint32_t)t->size;
	uint8_t frame[ROOM], *icmp = build_ip(frame, t->mac, t->from->mac, t->src, t->dst, v6 ? PROTO_ICMP6 : PROTO_ICMP, TTL, size);
	uint64_t sum = v6 ? build_pseudo(t->src, t->dst, PROTO_ICMP6, size) : 0;

	icmp[0] = v6 ? ECHO_REQUEST6 : ECHO_REQUEST;
	icmp[1] = 0;
	put_u16(icmp + 2, 0);
	put_u16(icmp + 4, t->sport);
	put_u16(icmp + 6, (uint16_t)t->tries);
	memcpy(icmp + ICMP_HEADER, t->payload, t->size);
	put_u16(icmp + 2, checksum_finish(checksum_add(sum, icmp, size)));
	guest_send(t->from, frame, build_headers(t->dst) + size);
}

static void send_udp(const struct trial *t)
{
	uint8_t frame[ROOM];
	uint32_t size = build_udp_frame(frame, t->mac, t->from->mac, t->src, t->sport, t->dst, t->dport, t->payload, (uint32_t)t->size);

	if (t->ttl && addr_is4(t->dst))
		build_ip4(frame + ETH_HEADER, addr_4(t->src), addr_4(t->dst), PROTO_UDP, t->ttl, size - ETH_HEADER - IP4_HEADER);
	guest_send(t->from, frame, size);
}

static void send_ether(const struct trial *t)
{
	uint8_t frame[ROOM] = { 0 };
	uint32_t size = ETH_HEADER + (uint32_t)t->size;

	memcpy(build_eth(frame, t->mac, t->from->mac, TRIAL_ETHERTYPE), t->payload, t->size);
	guest_send(t->from, frame, MAX_OF(size, 60u));
}

void trial_send(struct trial *t)
{
	if (t->kind == TRIAL_ETHER)
		send_ether(t);
	else if (t->kind == TRIAL_UDP)
		send_udp(t);
	else if (t->kind == TRIAL_ECHO)
		send_echo(t);
	else if (!t->answered)
		send_trial_tcp(t, TCP_SYN);
}

void trial_hang_up(struct trial *t)
{
	if (t->from && t->kind == TRIAL_TCP && t->answered)
		send_trial_tcp(t, TCP_RST | TCP_ACK);
}

/* --- what comes ------------------------------------------------------------------------------------------ */

/* trial_back() - the trial to which this packet is the answer */
static struct trial *trial_back(struct check *c, const struct check_guest *g, const struct packet *p, enum trial_kind kind)
{
	for (unsigned i = 0; i < c->ntrials; i++) {
		struct trial *t = &c->trials[i];

		if (t->from == g && t->kind == kind && t->sport == p->dport && t->dport == p->sport && addr_equal(t->dst, p->src))
			return t;
	}
	return NULL;
}

/* way_back() - whence it came; a router among the guests knows its neighbours, and answers them past the gateway that brought it */
static const uint8_t *way_back(const struct check *c, const struct check_guest *g, const struct packet *p)
{
	const struct check_guest *a2 = &c->guests[CHECK_A2];

	return g->delegated.len && addr_equal(p->dst, g->behind) && addr_equal(p->src, a2->ip6) ? a2->mac : p->data + MAC_SIZE;
}

static void on_udp(struct check *c, struct check_guest *g, const struct packet *p)
{
	const uint8_t *data = packet_payload(p);
	uint32_t size = packet_payload_len(p);
	struct trial *back = trial_back(c, g, p, TRIAL_UDP), *t = trial_of(c, data, size);
	uint8_t frame[ROOM];

	if (back) {
		trial_answer(back, data, size);
		return;
	}
	if (!t || t->to != g || size > TRIAL_PAYLOAD)
		return;
	trial_arrived(t);
	guest_send(g, frame, build_udp_frame(frame, way_back(c, g, p), g->mac, p->dst, p->dport, p->src, p->sport, data, size));
}

/* tcp_back() - of a connection that a trial began */
static void tcp_back(struct trial *t, const struct packet *p)
{
	if (p->tcp_flags & TCP_RST) {
		trial_ended(t, TRIAL_REFUSED, "reset");
		return;
	}
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) || p->ack != t->nonce + 1)
		return;
	t->seq = p->ack;
	t->ack = p->seq + 1;
	t->answered = true;
	send_trial_tcp(t, TCP_ACK);
	if (!t->to || t->arrived || !t->want)
		trial_ended(t, TRIAL_REACHED, "answered");
}

/* tcp_to() - of a connection to this guest: it is answered from what stands in the segment alone, with the trial's number and the end */
static void tcp_to(const struct check *c, struct check_guest *g, struct trial *t, const struct packet *p)
{
	struct segment s = { way_back(c, g, p), p->dst, p->src, p->dport, p->sport, TCP_ACK, t->nonce, p->seq + 1, NULL };

	if (p->tcp_flags & TCP_RST)
		return;
	if (p->tcp_flags & TCP_SYN) {
		trial_arrived(t);
		s.flags |= TCP_SYN;
	} else if (p->tcp_flags & TCP_FIN) {
		s.seq = p->ack;
		s.ack = p->seq + packet_payload_len(p) + 1;
	} else if (p->ack == t->nonce + 1) {
		s.flags |= TCP_PSH | TCP_FIN;
		s.seq = p->ack;
		s.ack = p->seq + packet_payload_len(p);
		s.data = t->payload;
	} else {
		return;
	}
	send_tcp(g, &s);
}

static void on_tcp(struct check *c, struct check_guest *g, const struct packet *p)
{
	struct trial *back = trial_back(c, g, p, TRIAL_TCP);

	if (back) {
		tcp_back(back, p);
		return;
	}
	for (unsigned i = 0; i < c->ntrials; i++)
		if (c->trials[i].to == g && c->trials[i].at_port == p->dport) {
			tcp_to(c, g, &c->trials[i], p);
			return;
		}
}

/* is_about() - does an ICMP error quote the packet of @t? Its transport header is there as far as ports and identifiers stand. */
static bool is_about(const struct trial *t, uint8_t proto, const uint8_t *l4)
{
	switch (t->kind) {
	case TRIAL_UDP:
		return proto == PROTO_UDP && get_u16(l4) == t->sport;
	case TRIAL_TCP:
		return proto == PROTO_TCP && get_u16(l4) == t->sport;
	case TRIAL_ECHO:
		return (proto == PROTO_ICMP || proto == PROTO_ICMP6) && get_u16(l4 + 4) == t->sport;
	default:
		return false;
	}
}

/* on_error() - an ICMP error: about which trial? RFC 792, RFC 4443 3 */
static void on_error(struct check *c, struct check_guest *g, const struct packet *p)
{
	bool v6 = packet_is_ip6(p);
	const uint8_t *ip = p->data + p->l4 + ICMP_HEADER;
	uint32_t size = p->len - p->l4, header = v6 ? IP6_HEADER : IP4_HEADER;

	if (size < ICMP_HEADER + header + QUOTED)
		return;
	for (unsigned i = 0; i < c->ntrials; i++) {
		struct trial *t = &c->trials[i];
		struct addr dst = v6 ? addr6(ip + 24) : addr4(get_u32(ip + 16));

		if (t->from != g || !addr_equal(t->dst, dst) || !is_about(t, ip[v6 ? 6 : 9], ip + header))
			continue;
		if (t->error && t->error == (p->icmp_type << 8 | p->icmp_code))
			trial_ended(t, TRIAL_REACHED, "told by ICMP %u/%u", p->icmp_type, p->icmp_code);
		else
			trial_ended(t, TRIAL_REFUSED, "ICMP%s %u/%u", v6 ? "v6" : "", p->icmp_type, p->icmp_code);
	}
}

static void on_icmp(struct check *c, struct check_guest *g, const struct packet *p)
{
	bool v6 = packet_is_ip6(p);

	if (p->icmp_type == (v6 ? ECHO_REPLY6 : ECHO_REPLY)) {
		for (unsigned i = 0; i < c->ntrials; i++)
			if (c->trials[i].kind == TRIAL_ECHO && c->trials[i].from == g && addr_equal(c->trials[i].dst, p->src))
				trial_answer(&c->trials[i], packet_payload(p), packet_payload_len(p));
		return;
	}
	if (p->icmp_type == (v6 ? UNREACHABLE6 : UNREACHABLE) || p->icmp_type == (v6 ? TIME_EXCEEDED6 : TIME_EXCEEDED))
		on_error(c, g, p);
}

static void on_ether(struct check *c, const struct check_guest *g, const uint8_t *data, uint32_t size)
{
	struct trial *t = trial_of(c, data + ETH_HEADER, size - ETH_HEADER);

	if (t && t->kind == TRIAL_ETHER && t->to == g && !memcmp(data, t->mac, MAC_SIZE))
		trial_arrived(t);
}

void check_input(struct check *c, struct check_guest *g, const uint8_t *frame, uint32_t size)
{
	struct offload none = { 0 };
	struct packet p;
	uint16_t type = size >= ETH_HEADER ? get_u16(frame + 12) : 0;

	if (type == TRIAL_ETHERTYPE) {
		on_ether(c, g, frame, size);
	} else if (type == ETHERTYPE_ARP4) {
		guest_answer_arp(g, frame, size);
	} else if ((type == ETHERTYPE_IP4 || type == ETHERTYPE_IP6) && packet_parse(frame, size, &none, &p) == VERDICT_FORWARDED) {
		if (guest_answer_nd(g, &p) || check_lease_input(g, &p) || check_delegated_input(g, &p))
			return;
		if (!addr_equal(p.dst, g->ip) && !addr_equal(p.dst, g->ip6) && (!g->delegated.len || !addr_equal(p.dst, g->behind)))
			return;
		if (p.proto == PROTO_UDP)
			on_udp(c, g, &p);
		else if (p.proto == PROTO_TCP)
			on_tcp(c, g, &p);
		else if (packet_is_icmp(&p))
			on_icmp(c, g, &p);
	}
}
