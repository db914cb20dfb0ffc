// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests of two peered segments, one of which may open a few things only, send each other what they like.
 * covers: nat/peer.c nat/peer_allow.c nat/peer_flow.c nat/peer_wait.c
 * Input: for each packet a byte of flags, a byte of what it is, and what that takes. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/answer.h"
#include "nat/host_gateway.h"
#include "nat/peer.h"
#include "nat/peer_flow.h"
#include "switch/build.h"
#include "switch/station.h"
#include "tests/packet/rig.h"

enum { GUEST = 9, STEPS_MAX = 64, ROOM = 2400 };
enum { FROM_B = 1, IP6 = 2, TO_OTHER = 4, SPOOFED = 8, DONT_CUT = 16, LARGE = 32, FROM_HOST = 64 };
enum what { UDP, TCP, ECHO, ERROR_ABOUT_LAST, RAW, FRAGMENT, ARP, PADDED, WHATS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at, *end;
};

static struct {
	struct rig *rig;
	struct side {
		struct rig_port *guest, *host;
		struct peer_service *peers;
		struct host_gateway *gateway;
		uint8_t mac[6], gateway_mac[6];
	} sides[2];
	struct peer_flows *flows;
	uint8_t frame[ROOM], last[ROOM];
	uint32_t nlast;
} bed;

static void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

static uint32_t take(struct input *in, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | (in->at < in->end ? *in->at++ : 0);
	return v;
}

static struct addr at(unsigned side, bool ip6, uint8_t low)
{
	return ip6 ? (struct addr){ .bytes = { 0xfd, (uint8_t)(1 + side), [15] = low } } : addr4(0x0a000000u | side << 8 | low);
}

/* ---- the bed ---- */

static void side_new(unsigned i)
{
	struct side *s = &bed.sides[i];
	struct segment *seg;

	*s = (struct side){ .peers = peer_service_new(true), .gateway = host_gateway_new(), .mac = { 2, 0, 0, 0, (uint8_t)i, GUEST } };
	rig_net(bed.rig, i ? 1300 : 1500, true);
	seg = rig_segment(bed.rig, i, 1, peer_service(s->peers));
	seg->services[seg->nservices++] = host_gateway_service(s->gateway);
	seg->has_subnet6 = true;
	seg->subnet6 = (struct prefix6){ at(i, true, 0), 64 };
	seg->gateway6 = at(i, true, 1);
	seg->gateway6_link = addr_link_local(seg->gateway_mac);
	memcpy(s->gateway_mac, seg->gateway_mac, 6);
	s->guest = rig_port(bed.rig, i, rig_access(1));
	s->host = rig_port(bed.rig, i, rig_access(1));
}

static void know(unsigned i, bool ip6)
{
	struct station st = { .ip = at(i, ip6, GUEST), .port = bed.sides[i].guest->port.id, .source = STATION_ARP, .seen_ms = 1 };

	memcpy(st.mac, bed.sides[i].mac, 6);
	station_note(bed.rig->nets[i].segments[0].stations, &st, true);
}

static void join(unsigned from, const struct peer_rules *out, const struct peer_rules *back)
{
	struct net_view *nets = bed.rig->snapshot->nets;
	struct segment *seg = nets[from].segments;

	seg->peers = calloc(1, sizeof(*seg->peers));
	must(seg->peers);
	*seg->peers = (struct peer){ .to = nets[!from].segments, .local_port = nets[!from].members[0]->port->id, .mtu = nets[!from].mtu, .out = *out,
				     .back = *back, .flows = bed.flows, .wait = peer_service_wait(bed.sides[!from].peers) };
	seg->npeers = 1;
}

static void bed_new(void)
{
	static const struct peer_rules some = { .n = 3, .rule = { { PROTO_TCP, 80, 80 }, { PROTO_UDP, 5000, 5009 }, { PROTO_ICMP, 0, 65535 } } };
	static const struct peer_rules all = { .all = true };

	bed.rig = rig_new();
	bed.flows = peer_flows_new();
	for (unsigned i = 0; i < 2; i++)
		side_new(i);
	rig_publish(bed.rig);
	for (unsigned i = 0; i < 2; i++) {
		bed.rig->snapshot->nets[i].segments[0].host = &bed.rig->snapshot->ports[bed.sides[i].host->port.id];
		know(i, false);
		know(i, true);
		rig_offer(bed.sides[i].guest, bed.frame, rig_eth(bed.frame, bed.sides[i].gateway_mac, bed.sides[i].mac, -1, 0x88b5, 46));
	}
	rig_run(bed.rig);		/* the FDB learns them */
	bed.nlast = 0;
	join(0, &all, &some);
	join(1, &some, &all);
}

static void bed_free(void)
{
	for (unsigned i = 0; i < 2; i++)
		must(rig_identities(&bed.sides[i].guest->port) && rig_identities(bed.rig->nets[i].local));
	rig_free(bed.rig);
	for (unsigned i = 0; i < 2; i++) {
		peer_service_free(bed.sides[i].peers);
		host_gateway_free(bed.sides[i].gateway);
	}
	peer_flows_free(bed.flows);
}

/* ---- packets ---- */

static uint32_t finish(struct addr src, struct addr dst, uint8_t proto, uint8_t *l4, uint32_t size)
{
	uint64_t sum = proto == PROTO_ICMP ? 0 : build_pseudo(src, dst, proto, size);
	uint32_t sum_at = proto == PROTO_TCP ? 16 : proto == PROTO_UDP ? 6 : 2;

	if (size >= sum_at + 2 && (proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_ICMP || proto == PROTO_ICMP6)) {
		put_u16(l4 + sum_at, 0);
		put_u16(l4 + sum_at, checksum_finish(checksum_add(sum, l4, size)));
	}
	return build_headers(src) + size;
}

static void write_l4(struct input *in, enum what what, bool ip6, uint8_t *l4, uint32_t *size)
{
	memset(l4, 0, *size);
	put_u16(l4, (uint16_t)take(in, 2));
	put_u16(l4 + 2, (uint16_t)take(in, 2));
	if (what == TCP) {
		l4[12] = 5 << 4;
		l4[13] = (uint8_t)take(in, 1);
	} else if (what == ECHO) {
		put_u16(l4 + 4, get_u16(l4));
		l4[0] = ip6 ? (l4[3] & 1 ? ICMP6_ECHO_REPLY : ICMP6_ECHO_REQUEST) : (l4[3] & 1 ? ICMP_ECHO_REPLY : ICMP_ECHO_REQUEST);
		l4[1] = 0;
	} else if (what == ERROR_ABOUT_LAST) {
		l4[0] = ip6 ? ICMP6_UNREACHABLE : ICMP_UNREACHABLE;
		l4[1] = l4[3] & 3;
		*size = 8 + (bed.nlast > 14 ? (bed.nlast - 14 < 80 ? bed.nlast - 14 : 80) : 0);
		memcpy(l4 + 8, bed.last + 14, *size - 8);
	} else if (what == RAW) {
		for (unsigned i = take(in, 1) & 63; i; i--)
			l4[i] = (uint8_t)take(in, 1);
	} else {
		put_u16(l4 + 4, (uint16_t)*size);
	}
}

/* one_packet() - Return: its length in bed.frame */
static uint32_t one_packet(struct input *in, uint8_t flags, enum what what)
{
	unsigned from = flags & FROM_B;
	bool ip6 = flags & IP6;
	const struct side *s = &bed.sides[from];
	uint8_t low = flags & TO_OTHER ? (uint8_t)take(in, 1) : GUEST, *l4;
	struct addr src = flags & SPOOFED ? at(take(in, 1) & 1, ip6, (uint8_t)take(in, 1)) : at(from, ip6, GUEST), dst = at(!from, ip6, low);
	uint8_t proto = what == TCP ? PROTO_TCP : what == ECHO || what == ERROR_ABOUT_LAST ? (ip6 ? PROTO_ICMP6 : PROTO_ICMP) :
			what == RAW ? (uint8_t)take(in, 1) : PROTO_UDP;
	uint32_t size = flags & LARGE ? 1400 : 100, len;

	l4 = bed.frame + build_headers(src);
	write_l4(in, what, ip6, l4, &size);
	build_ip(bed.frame, s->gateway_mac, s->mac, src, dst, proto, (uint8_t)(what == RAW ? take(in, 1) & 63 : 64), size);
	bed.frame[11] = flags & FROM_HOST ? 1 : GUEST;		/* with the guest's own, the FDB would take the host for it */
	len = finish(src, dst, proto, l4, size);
	if (!ip6 && (what == FRAGMENT || !(flags & DONT_CUT))) {
		put_u16(bed.frame + 20, what == FRAGMENT ? (uint16_t)take(in, 2) & 0x201f : 0);
		put_u16(bed.frame + 24, 0);
		put_u16(bed.frame + 24, checksum_finish(checksum_add(0, bed.frame + 14, 20)));
	}
	return what == PADDED ? len + 20 : len;
}

/* look() - whom did it reach? None but a guest, from none but one, and it has come one hop */
static void look(unsigned from)
{
	const struct rig_port *to = bed.sides[!from].guest;

	for (unsigned i = 0; i < bed.sides[!from].host->nsent; i++) {
		const struct rig_frame *f = &bed.sides[!from].host->sent[i];

		must(mac_is_group(f->data));		/* a question who has an address */
	}
	for (unsigned i = 0; i < to->nsent; i++) {
		struct packet p;

		if (packet_parse(to->sent[i].data, to->sent[i].len, &to->sent[i].offload, &p) != VERDICT_FORWARDED || p.ethertype == ETHERTYPE_ARP4 ||
		    mac_is_group(to->sent[i].data))
			continue;
		must(memcmp(to->sent[i].data, bed.sides[!from].mac, 6) == 0);
		must(!addr_equal(p.src, at(from, packet_is_ip6(&p), 1)) && !addr_equal(p.dst, at(!from, packet_is_ip6(&p), 1)));
		must(p.ttl != 64 && p.ttl != 0);
		bed.nlast = to->sent[i].len < ROOM ? to->sent[i].len : ROOM;
		memcpy(bed.last, to->sent[i].data, bed.nlast);
	}
}

static void step(struct input *in)
{
	uint8_t flags = (uint8_t)take(in, 1);
	enum what what = take(in, 1) % WHATS;
	unsigned from = flags & FROM_B;
	const struct side *s = &bed.sides[from];
	uint32_t len = 42;		/* of ARP */

	memset(bed.frame, 0, sizeof(bed.frame));
	rig_clear(bed.rig);
	if (what == ARP)
		build_arp(bed.frame, ARP_REPLY, s->mac, 0x0a000000u | from << 8 | take(in, 1), s->gateway_mac, 0x0a000001u | from << 8, s->gateway_mac);
	else
		len = one_packet(in, flags, what);
	rig_offer(flags & FROM_HOST && what != ARP ? s->host : s->guest, bed.frame, len);
	rig_run(bed.rig);
	if (what != ARP && !(flags & FROM_HOST))
		look(from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };

	bed_new();
	for (unsigned i = 0; i < STEPS_MAX && in.at < in.end; i++)
		step(&in);
	bed_free();
	return 0;
}
