// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/peer_allow.h"

#include "base/bytes.h"
#include "nat/answer.h"
#include "nat/peer_flow.h"
#include "switch/packet.h"
#include "switch/peer.h"

enum { IP4_OFFSET = 0x1fff };

static struct peer_flow reversed(const struct peer_flow *f)
{
	struct peer_flow r = { f->dst, f->src, f->dport, f->sport, f->proto };

	if (f->proto == PROTO_ICMP) {		/* both ends of a ping have one number */
		r.sport = f->sport;
		r.dport = 0;
	}
	return r;
}

/* word_of() - the protocol as rules have it; 0: none of those that they know */
static uint8_t word_of(uint8_t proto, bool ip6)
{
	if (proto == (ip6 ? PROTO_ICMP6 : PROTO_ICMP))
		return PROTO_ICMP;
	return proto == PROTO_TCP || proto == PROTO_UDP ? proto : 0;
}

static struct peer_flow flow_of(const struct packet *p)
{
	return (struct peer_flow){ p->src, p->dst, p->sport, packet_is_icmp(p) ? 0 : p->dport, word_of(p->proto, packet_is_ip6(p)) };
}

static bool is_request(const struct packet *p)
{
	return p->icmp_type == (packet_is_ip6(p) ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST);
}

static bool is_reply(const struct packet *p)
{
	return p->icmp_type == (packet_is_ip6(p) ? ICMP6_ECHO_REPLY : ICMP_ECHO_REPLY);
}

/* opens() - is it what its sender may begin, or go on with? */
static bool opens(const struct peer *peer, const struct packet *p, const struct peer_flow *f)
{
	if (!f->proto)
		return peer->out.all;
	return (f->proto != PROTO_ICMP || is_request(p)) && peer_rules_allow(&peer->out, f->proto, f->dport);
}

/* answers() - is it an answer to what the other side was allowed to open, and did? */
static bool answers(const struct peer *peer, const struct packet *p, const struct peer_flow *f, uint32_t to, uint64_t now_ms)
{
	struct peer_flow opened = reversed(f);

	if (!f->proto || !peer->flows || (f->proto == PROTO_ICMP && !is_reply(p)))
		return false;
	if (f->proto == PROTO_TCP && (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return false;			/* that would begin something */
	return peer_rules_allow(&peer->back, f->proto, opened.dport) && peer_flows_answer(peer->flows, to, &opened, p->tcp_flags, now_ms);
}

/* quoted() - the packet that an ICMP error is about; a later fragment tells no ports, and what has extensions is not looked into */
static bool quoted(const struct packet *p, struct peer_flow *f)
{
	const uint8_t *ip = p->data + p->payload, *l4;
	uint32_t room = packet_payload_len(p), header;
	bool ip6 = packet_is_ip6(p);

	if (room < (ip6 ? IP6_HEADER : IP4_HEADER) || ip[0] >> 4 != (ip6 ? 6 : 4))
		return false;
	header = ip6 ? IP6_HEADER : (ip[0] & 15) * 4u;
	if (header < IP4_HEADER || room < header + 8 || (!ip6 && get_u16(ip + 6) & IP4_OFFSET))
		return false;
	l4 = ip + header;
	f->src = ip6 ? addr6(ip + 8) : addr4(get_u32(ip + 12));
	f->dst = ip6 ? addr6(ip + 24) : addr4(get_u32(ip + 16));
	f->proto = word_of(ip6 ? ip[6] : ip[9], ip6);
	f->sport = get_u16(f->proto == PROTO_ICMP ? l4 + 4 : l4);
	f->dport = f->proto == PROTO_ICMP ? 0 : get_u16(l4 + 2);
	return f->proto && addr_equal(f->src, p->dst);
}

/* error_fits() - it is about a packet that its receiver sent, of something that either side had opened */
static bool error_fits(const struct peer *peer, const struct packet *p, uint32_t from, uint32_t to, uint64_t now_ms)
{
	struct peer_flow f, opened;

	if (!peer->flows || !quoted(p, &f))
		return false;
	opened = reversed(&f);
	return peer_flows_has(peer->flows, to, &f, now_ms) || peer_flows_has(peer->flows, from, &opened, now_ms);
}

/* A trial is of a packet that begins something: errors are about others, and so are answers. */
bool peer_would_allow(const struct peer *peer, const struct packet *p)
{
	struct peer_flow f = flow_of(p);

	return (peer->out.all && peer->back.all) || (!packet_is_icmp_error(p) && opens(peer, p, &f));
}

bool peer_allow(const struct peer *peer, const struct packet *p, uint32_t from, uint32_t to, uint64_t now_ms)
{
	struct peer_flow f = flow_of(p);

	if (peer->out.all && peer->back.all)
		return true;
	if (packet_is_icmp_error(p))
		return error_fits(peer, p, from, to, now_ms);
	if (!opens(peer, p, &f))
		return answers(peer, p, &f, to, now_ms);
	if (peer->flows && f.proto)
		peer_flows_note(peer->flows, from, &f, p->tcp_flags, now_ms);
	return true;
}
