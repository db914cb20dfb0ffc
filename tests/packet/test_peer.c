// SPDX-License-Identifier: GPL-2.0-or-later
/* Peered networks (nat/peer.h): without a peering no ordered pair of modes reaches across, with one guests do and nobody else does, and with
 * a list only what is on it, and its answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/answer.h"
#include "nat/gateway.h"
#include "nat/host_gateway.h"
#include "nat/nat.h"
#include "nat/peer.h"
#include "nat/peer_flow.h"
#include "switch/build.h"
#include "switch/offload.h"
#include "switch/station.h"
#include "tests/packet/rig.h"

enum { SPORT = 40000, SIZE = 2000, GUEST = 9, SILENT = 77 };

/* Who is a network's gateway to its guests, and what it is for them. */
static const struct mode {
	const char *name;
	bool host, router;
} modes[] = {
	{ "nat-network", false, true }, { "internal", false, false }, { "host-only", true, false }, { "routed, or kernel NAT", true, true },
};

struct side {
	const struct mode *mode;
	struct rig_port *guest, *host;
	struct gateway *gateway;
	struct host_gateway *host_gateway;
	struct nat *nat;
	struct peer_service *peers;
	uint8_t mac[6], gateway_mac[6];
};

struct bed {
	struct rig *rig;
	struct side sides[2];
	struct peer_flows *flows;
	uint8_t bytes[70000];
};

static struct addr guest_at(unsigned net, bool ip6, uint8_t low)
{
	return ip6 ? (struct addr){ .bytes = { 0xfd, (uint8_t)(1 + net), [15] = low } } : addr4(0x0a000000u | net << 8 | low);
}

static void serve(struct segment *seg, struct service *service)
{
	seg->services[seg->nservices++] = service;
}

static void side_init(struct bed *b, unsigned i, const struct mode *mode, uint32_t mtu)
{
	struct side *s = &b->sides[i];
	struct nat_conf conf = { .net_id = i + 1, .host_access = HOST_NONE, .uplink = mode->router };
	struct segment *seg;

	*s = (struct side){ .mode = mode, .mac = { 2, 0, 0, 0, (uint8_t)i, 9 }, .peers = peer_service_new(mode->host) };
	rig_net(b->rig, mtu, true);
	seg = rig_segment(b->rig, i, 1, peer_service(s->peers));
	seg->router = mode->router;
	seg->has_subnet6 = true;
	seg->subnet6 = (struct prefix6){ guest_at(i, true, 0), 64 };
	seg->gateway6 = guest_at(i, true, 1);
	seg->gateway6_link = addr_link_local(seg->gateway_mac);
	memcpy(s->gateway_mac, seg->gateway_mac, 6);
	if (mode->host) {
		s->host_gateway = host_gateway_new();
		serve(seg, host_gateway_service(s->host_gateway));
		s->host = rig_port(b->rig, i, rig_access(1));
	} else {
		s->gateway = gateway_new();
		s->nat = nat_new(&conf, &b->rig->w, 1);
		serve(seg, gateway_service(s->gateway));
		serve(seg, nat_service(s->nat));
	}
	s->guest = rig_port(b->rig, i, rig_access(1));
}

/* join() - one direction of a peering, in the published snapshot; NULL: everything */
static void join(struct bed *b, unsigned from, const struct peer_rules *out, const struct peer_rules *back)
{
	static const struct peer_rules all = { .all = true };
	struct net_view *nets = b->rig->snapshot->nets;
	struct segment *seg = nets[from].segments;
	struct peer *p = calloc(1, sizeof(*p));

	*p = (struct peer){
		.to = nets[!from].segments, .local_port = nets[!from].members[0]->port->id, .mtu = nets[!from].mtu, .out = out ? *out : all,
		.back = back ? *back : all, .flows = out || back ? b->flows : NULL, .wait = peer_service_wait(b->sides[!from].peers),
	};
	seg->peers = p;
	seg->npeers = 1;
}

static void publish(struct bed *b)
{
	rig_publish(b->rig);
	for (unsigned i = 0; i < 2; i++)
		if (b->sides[i].host)
			b->rig->snapshot->nets[i].segments[0].host = &b->rig->snapshot->ports[b->sides[i].host->port.id];
}

/* peer() - @ab: what the first one's guests may open; @ba: the other's; NULL: everything */
static void peer(struct bed *b, const struct peer_rules *ab, const struct peer_rules *ba)
{
	join(b, 0, ab, ba);
	join(b, 1, ba, ab);
}

/* tell() - a guest says by ARP or ND where it lives */
static void tell(struct bed *b, unsigned i, struct addr who)
{
	struct station s = { .ip = who, .port = b->sides[i].guest->port.id, .source = STATION_ARP, .seen_ms = 1 };

	memcpy(s.mac, b->sides[i].mac, 6);
	station_note(b->rig->nets[i].segments[0].stations, &s, true);
}

static struct bed *bed_new(const struct mode *a, const struct mode *c, uint32_t mtu_a, uint32_t mtu_c)
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->rig = rig_new();
	b->flows = peer_flows_new();
	side_init(b, 0, a, mtu_a);
	side_init(b, 1, c, mtu_c);
	publish(b);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t len = rig_eth(b->bytes, b->sides[i].gateway_mac, b->sides[i].mac, -1, 0x88b5, 46);

		rig_offer(b->sides[i].guest, b->bytes, len);	/* the FDB learns the guest */
		tell(b, i, guest_at(i, false, GUEST));
		tell(b, i, guest_at(i, true, GUEST));
	}
	rig_run(b->rig);
	rig_clear(b->rig);
	return b;
}

static void bed_free(struct bed *b)
{
	for (unsigned i = 0; i < 2; i++) {
		assert_true(rig_identities(&b->sides[i].guest->port));
		assert_true(rig_identities(b->rig->nets[i].local));
		if (b->sides[i].nat)
			assert_true(nat_stop(b->sides[i].nat));
	}
	worker_turn(b->rig->w, 0);
	rig_free(b->rig);
	for (unsigned i = 0; i < 2; i++) {
		nat_free(b->sides[i].nat);
		gateway_free(b->sides[i].gateway);
		host_gateway_free(b->sides[i].host_gateway);
		peer_service_free(b->sides[i].peers);
	}
	peer_flows_free(b->flows);
	free(b);
}

/* give() - the guest of side @i sends @len bytes of b->bytes to its gateway. Return: what the other guest got, or NULL */
static const struct rig_frame *give(struct bed *b, unsigned i, uint32_t len)
{
	struct rig_port *to = b->sides[!i].guest;

	rig_clear(b->rig);
	rig_offer(b->sides[i].guest, b->bytes, len);
	rig_run(b->rig);
	return to->nsent ? &to->sent[0] : NULL;
}

static const struct rig_frame *give_udp(struct bed *b, unsigned i, struct addr src, uint16_t sport, struct addr dst, uint16_t dport)
{
	return give(b, i, build_udp_frame(b->bytes, b->sides[i].gateway_mac, b->sides[i].mac, src, sport, dst, dport, "hello", 5));
}

/* was_prohibited() - did the sender hear so? */
static bool was_prohibited(const struct bed *b, unsigned i)
{
	const struct rig_port *p = b->sides[i].guest;
	struct packet e;

	if (p->nsent != 1 || packet_parse(p->sent[0].data, p->sent[0].len, &p->sent[0].offload, &e) != VERDICT_FORWARDED)
		return false;
	return packet_is_ip6(&e) ? e.proto == PROTO_ICMP6 && e.icmp_type == ICMP6_UNREACHABLE && e.icmp_code == ICMP6_PROHIBITED :
				   e.proto == PROTO_ICMP && e.icmp_type == ICMP_UNREACHABLE && e.icmp_code == 13;
}

/* ---- who reaches whom ---- */

static void check_apart(struct bed *b, unsigned i, bool ip6)
{
	static const uint8_t others[] = { GUEST, 1, SILENT };

	for (size_t k = 0; k < ARRAY_SIZE(others); k++) {
		uint64_t before = rig_verdict(b->sides[i].guest, VERDICT_DROP_OTHER_NETWORK);

		assert_null(give_udp(b, i, guest_at(i, ip6, GUEST), SPORT, guest_at(!i, ip6, others[k]), 80));
		assert_true(was_prohibited(b, i));
		assert_int_equal(rig_verdict(b->sides[i].guest, VERDICT_DROP_OTHER_NETWORK) - before, 1);
		assert_true(!b->sides[!i].host || !b->sides[!i].host->nsent);
		assert_true(!b->sides[i].host || !b->sides[i].host->nsent);
	}
}

static void check_joined(struct bed *b, unsigned i, bool ip6)
{
	const struct rig_frame *f = give_udp(b, i, guest_at(i, ip6, GUEST), SPORT, guest_at(!i, ip6, GUEST), 80);
	uint64_t before = rig_verdict(b->sides[i].guest, VERDICT_DROP_OTHER_NETWORK);
	struct packet p;

	assert_non_null(f);
	assert_int_equal(packet_parse(f->data, f->len, &f->offload, &p), VERDICT_FORWARDED);	/* checksums too */
	assert_memory_equal(f->data, b->sides[!i].mac, 6);
	assert_memory_equal(f->data + 6, b->sides[!i].gateway_mac, 6);
	assert_int_equal(p.ttl, 63);
	assert_true(addr_equal(p.src, guest_at(i, ip6, GUEST)) && addr_equal(p.dst, guest_at(!i, ip6, GUEST)));
	assert_int_equal(packet_payload_len(&p), 5);
	assert_memory_equal(packet_payload(&p), "hello", 5);
	print_message("      the other gateway, and the host there, are no guests\n");
	assert_null(give_udp(b, i, guest_at(i, ip6, GUEST), SPORT, guest_at(!i, ip6, 1), 53));
	assert_true(was_prohibited(b, i));
	assert_int_equal(rig_verdict(b->sides[i].guest, VERDICT_DROP_OTHER_NETWORK) - before, 1);
	assert_true(!b->sides[!i].host || !b->sides[!i].host->nsent);
}

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		for (size_t j = 0; j < ARRAY_SIZE(modes); j++) {
			struct bed *b = bed_new(&modes[i], &modes[j], 1500, 1500);

			print_message("  %s and %s\n", modes[i].name, modes[j].name);
			for (unsigned k = 0; k < 4; k++)
				check_apart(b, k % 2, k / 2);
			print_message("    peered\n");
			peer(b, NULL, NULL);
			for (unsigned k = 0; k < 4; k++)
				check_joined(b, k % 2, k / 2);
			bed_free(b);
		}
}

/* Who says to be somebody else is not passed on. */
static void test_sources(void **state)
{
	struct bed *b = bed_new(&modes[0], &modes[1], 1500, 1500);
	static const uint8_t bad[] = { 1, 0, 255 };

	(void)state;
	peer(b, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_null(give_udp(b, 0, guest_at(0, false, bad[i]), SPORT, guest_at(1, false, GUEST), 80));
	assert_null(give_udp(b, 0, guest_at(1, false, 8), SPORT, guest_at(1, false, GUEST), 80));
	assert_null(give_udp(b, 0, addr4(0xc6336402), SPORT, guest_at(1, false, GUEST), 80));
	assert_null(give_udp(b, 0, guest_at(0, true, 1), SPORT, guest_at(1, true, GUEST), 80));
	assert_int_equal(rig_verdict(b->sides[0].guest, VERDICT_DROP_MARTIAN), 6);
	assert_int_equal(b->sides[0].guest->nsent, 0);
	bed_free(b);
}

/* ---- what may be opened ---- */

struct step {
	char from;			/* 'a' or 'b' */
	char what;			/* 't' TCP, 's' its SYN alone, 'f' a FIN, 'u' UDP, 'p' ping, 'r' its reply, 'e' an error about the last one, 'x' one about another port, 'g' GRE */
	uint16_t sport, dport;
	bool passes;
};

static uint32_t build_l4(struct bed *b, unsigned i, bool ip6, uint8_t proto, const uint8_t *l4, uint32_t size)
{
	struct addr src = guest_at(i, ip6, GUEST), dst = guest_at(!i, ip6, GUEST);
	uint8_t *to = build_ip(b->bytes, b->sides[i].gateway_mac, b->sides[i].mac, src, dst, proto, 64, size);
	uint64_t sum = proto == PROTO_ICMP ? 0 : build_pseudo(src, dst, proto, size);
	uint32_t at = proto == PROTO_TCP ? 16 : 2;

	memcpy(to, l4, size);
	if (proto != 47)
		put_u16(to + at, checksum_finish(checksum_add(sum, to, size)));
	return build_headers(src) + size;
}

static uint32_t build_step(struct bed *b, const struct step *s, bool ip6, const struct rig_frame *last)
{
	unsigned i = s->from == 'b';
	uint8_t l4[8 + 60] = { 0 };
	uint8_t icmp = ip6 ? PROTO_ICMP6 : PROTO_ICMP;

	if (s->what == 'u')
		return build_udp_frame(b->bytes, b->sides[i].gateway_mac, b->sides[i].mac, guest_at(i, ip6, GUEST), s->sport, guest_at(!i, ip6, GUEST),
				       s->dport, "x", 1);
	if (s->what == 'g')
		return build_l4(b, i, ip6, 47, l4, 8);
	if (s->what == 'p' || s->what == 'r') {
		l4[0] = s->what == 'p' ? (ip6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST) : (ip6 ? ICMP6_ECHO_REPLY : ICMP_ECHO_REPLY);
		put_u16(l4 + 4, s->sport);
		return build_l4(b, i, ip6, icmp, l4, 12);
	}
	if (s->what == 'e' || s->what == 'x') {
		l4[0] = ip6 ? ICMP6_UNREACHABLE : ICMP_UNREACHABLE;
		l4[1] = ip6 ? ICMP6_PORT_UNREACHABLE : ICMP_UNREACHABLE_PORT;
		assert_true(last && last->len >= 14 + (ip6 ? 48u : 28u));
		memcpy(l4 + 8, last->data + 14, ip6 ? 48 : 28);
		l4[8 + (ip6 ? 40 : 20)] ^= s->what == 'x' ? 0x55 : 0;	/* of the port that it was sent from */
		return build_l4(b, i, ip6, icmp, l4, 8 + (ip6 ? 48 : 28));
	}
	put_u16(l4, s->sport);
	put_u16(l4 + 2, s->dport);
	l4[12] = 5 << 4;
	l4[13] = s->what == 's' ? TCP_SYN : s->what == 'f' ? TCP_FIN | TCP_ACK : TCP_ACK;
	return build_l4(b, i, ip6, PROTO_TCP, l4, 20);
}

static void run_steps(const struct step *steps, const struct peer_rules *ab, const struct peer_rules *ba, bool ip6)
{
	struct bed *b = bed_new(&modes[1], &modes[3], 1500, 1500);
	uint8_t kept[200];
	struct rig_frame last = { .data = kept };

	peer(b, ab, ba);
	for (const struct step *s = steps; s->from; s++) {
		unsigned i = s->from == 'b';
		uint64_t refused = rig_verdict(b->sides[i].guest, VERDICT_DROP_PEER);
		const struct rig_frame *got = give(b, i, build_step(b, s, ip6, &last));

		print_message("    %c sends %c %u -> %u\n", s->from, s->what, s->sport, s->dport);
		assert_int_equal(got != NULL, s->passes);
		assert_int_equal(rig_verdict(b->sides[i].guest, VERDICT_DROP_PEER) - refused, !s->passes);
		assert_int_equal(was_prohibited(b, i), !s->passes && !strchr("exr", s->what));
		if (got && !strchr("ex", s->what)) {
			last.len = got->len < sizeof(kept) ? got->len : sizeof(kept);
			memcpy(kept, got->data, last.len);
		}
	}
	bed_free(b);
}

static void test_allow(void **state)
{
	static const struct peer_rules web = { .n = 3, .rule = { { PROTO_TCP, 80, 80 }, { PROTO_UDP, 5000, 5009 }, { PROTO_ICMP, 0, 65535 } } };
	static const struct peer_rules none = { .n = 0 }, all = { .all = true };
	static const struct {
		const char *what;
		const struct peer_rules *ab, *ba;
		struct step steps[16];
	} cases[] = {
		{ "TCP to one port, and back only what answers", &web, &none,
		  { { 'b', 't', 80, SPORT, false }, { 'a', 's', SPORT, 80, true }, { 'b', 't', 80, SPORT, true }, { 'b', 's', 80, SPORT, false },
		    { 'b', 't', 80, SPORT + 1, false }, { 'b', 't', 81, SPORT, false }, { 'a', 's', SPORT, 81, false }, { 'b', 's', SPORT, 80, false },
		    { 'b', 'f', 80, SPORT, true }, { 'a', 't', SPORT, 80, true } } },
		{ "UDP to a range", &web, &none,
		  { { 'a', 'u', SPORT, 4999, false }, { 'a', 'u', SPORT, 5000, true }, { 'a', 'u', SPORT, 5009, true }, { 'a', 'u', SPORT, 5010, false },
		    { 'b', 'u', 5000, SPORT, true }, { 'b', 'u', 5001, SPORT, false }, { 'b', 'u', SPORT, 5000, false } } },
		{ "pings, one way", &web, &none,
		  { { 'b', 'r', 7, 0, false }, { 'a', 'p', 7, 0, true }, { 'b', 'r', 7, 0, true }, { 'b', 'r', 8, 0, false }, { 'b', 'p', 7, 0, false } } },
		{ "errors about what was allowed, either way", &web, &none,
		  { { 'a', 'u', SPORT, 5000, true }, { 'b', 'x', 0, 0, false }, { 'b', 'e', 0, 0, true }, { 'b', 'u', 5000, SPORT, true }, { 'a', 'e', 0, 0, true },
		    { 'b', 'e', 0, 0, false } } },
		{ "another protocol is on no list", &web, &none, { { 'a', 'g', 0, 0, false }, { 'b', 'g', 0, 0, false } } },
		{ "everything one way", &all, &none,
		  { { 'a', 's', SPORT, 22, true }, { 'b', 't', 22, SPORT, true }, { 'b', 's', SPORT, 22, false }, { 'a', 'g', 0, 0, true }, { 'b', 'g', 0, 0, false } } },
		{ "both ways, each its own", &web, &web,
		  { { 'b', 's', SPORT, 80, true }, { 'a', 't', 80, SPORT, true }, { 'a', 's', SPORT, 80, true }, { 'b', 't', 80, SPORT, true } } },
		{ "nothing", &none, &none, { { 'a', 's', SPORT, 80, false }, { 'b', 'p', 1, 0, false } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned ip6 = 0; ip6 < 2; ip6++) {
			print_message("  %s, IPv%u\n", cases[i].what, ip6 ? 6 : 4);
			run_steps(cases[i].steps, cases[i].ab, cases[i].ba, ip6);
		}
}

/* ---- a router's duties ---- */

static void test_hops(void **state)
{
	struct bed *b = bed_new(&modes[0], &modes[1], 1500, 1500);

	(void)state;
	peer(b, NULL, NULL);
	for (unsigned ip6 = 0; ip6 < 2; ip6++) {
		uint32_t len = build_udp_frame(b->bytes, b->sides[0].gateway_mac, b->sides[0].mac, guest_at(0, ip6, GUEST), SPORT,
					       guest_at(1, ip6, GUEST), 80, "x", 1);
		struct packet e;

		b->bytes[ip6 ? 21 : 22] = 1;
		if (!ip6) {
			put_u16(b->bytes + 24, 0);
			put_u16(b->bytes + 24, checksum_finish(checksum_add(0, b->bytes + 14, 20)));
		}
		assert_null(give(b, 0, len));
		assert_int_equal(b->sides[0].guest->nsent, 1);
		assert_int_equal(packet_parse(b->sides[0].guest->sent[0].data, b->sides[0].guest->sent[0].len, &(struct offload){ 0 }, &e), VERDICT_FORWARDED);
		assert_int_equal(e.icmp_type, ip6 ? ICMP6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED);
	}
	assert_int_equal(rig_verdict(b->sides[0].guest, VERDICT_DROP_TTL), 2);
	bed_free(b);
}

/* What does not fit the other side's MTU is cut where that may be, and else its sender learns what fits. */
static void test_mtu(void **state)
{
	struct bed *b = bed_new(&modes[0], &modes[1], 1500, 1300);
	static uint8_t payload[1400];

	(void)state;
	peer(b, NULL, NULL);
	for (unsigned k = 0; k < 3; k++) {
		bool ip6 = k == 2, dont = k == 0;
		uint32_t len = build_udp_frame(b->bytes, b->sides[0].gateway_mac, b->sides[0].mac, guest_at(0, ip6, GUEST), SPORT,
					       guest_at(1, ip6, GUEST), 80, payload, sizeof(payload));
		const struct rig_port *guest = b->sides[0].guest, *other = b->sides[1].guest;

		print_message("  %s\n", ip6 ? "IPv6" : dont ? "IPv4 that is not to be cut" : "IPv4");
		if (k == 1) {
			put_u16(b->bytes + 20, 0);
			put_u16(b->bytes + 24, 0);
			put_u16(b->bytes + 24, checksum_finish(checksum_add(0, b->bytes + 14, 20)));
		}
		give(b, 0, len);
		if (k == 1) {
			assert_int_equal(guest->nsent, 0);
			assert_int_equal(other->nsent, 2);
			assert_true(other->sent[0].len <= 1314 && other->sent[1].len <= 1314);
			continue;
		}
		assert_int_equal(other->nsent, 0);
		assert_int_equal(guest->nsent, 1);
		assert_int_equal(guest->sent[0].data[ip6 ? 54 : 34], ip6 ? ICMP6_TOO_BIG : ICMP_UNREACHABLE);
		assert_int_equal(ip6 ? get_u32(guest->sent[0].data + 58) : get_u16(guest->sent[0].data + 40), 1300);
	}
	assert_int_equal(rig_verdict(b->sides[0].guest, VERDICT_DROP_OVERSIZE), 2);
	bed_free(b);
}

/* A large segment stays large, with what it asks for. */
static void test_large(void **state)
{
	struct bed *b = bed_new(&modes[0], &modes[2], 1500, 1500);
	static uint8_t l4[20 + 30000];
	struct rig_port *other = b->sides[1].guest;
	uint32_t len;

	(void)state;
	peer(b, NULL, NULL);
	put_u16(l4, SPORT);
	put_u16(l4 + 2, 80);
	l4[12] = 5 << 4;
	l4[13] = TCP_ACK;
	len = build_l4(b, 0, false, PROTO_TCP, l4, sizeof(l4));
	rig_clear(b->rig);
	rig_offer(b->sides[0].guest, b->bytes, len)->offload = (struct offload){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .hdr_len = 54, .gso_size = 1400, .csum_start = 34, .csum_offset = 16,
	};
	rig_run(b->rig);
	assert_int_equal(other->nsent, 1);
	assert_int_equal(other->sent[0].len, len);
	assert_int_equal(other->sent[0].offload.gso_size, 1400);
	assert_memory_equal(other->sent[0].data + 34, b->bytes + 34, len - 34);
	bed_free(b);
}

/* Who was never heard of is asked for, and what was for it waits until it answers. */
static void test_silent(void **state)
{
	struct bed *b = bed_new(&modes[1], &modes[1], 1500, 1500);
	struct rig_port *other = b->sides[1].guest;
	struct packet p;
	uint8_t arp[42];

	(void)state;
	peer(b, NULL, NULL);
	assert_non_null(give_udp(b, 0, guest_at(0, false, GUEST), SPORT, guest_at(1, false, SILENT), 80));
	assert_int_equal(other->nsent, 1);
	assert_int_equal(packet_parse(other->sent[0].data, other->sent[0].len, &(struct offload){ 0 }, &p), VERDICT_FORWARDED);
	assert_int_equal(p.ethertype, ETHERTYPE_ARP4);
	assert_true(addr_equal(p.dst, guest_at(1, false, SILENT)));
	print_message("  more of them wait without another question\n");
	assert_null(give_udp(b, 0, guest_at(0, false, GUEST), SPORT, guest_at(1, false, SILENT), 81));
	assert_int_equal(rig_verdict(b->sides[0].guest, VERDICT_CONSUMED_PEER), 2);
	rig_clear(b->rig);
	build_arp(arp, ARP_REPLY, b->sides[1].mac, addr_4(guest_at(1, false, SILENT)), b->sides[1].gateway_mac, addr_4(guest_at(1, false, 1)),
		  b->sides[1].gateway_mac);
	rig_offer(other, arp, sizeof(arp));
	rig_run(b->rig);
	assert_int_equal(other->nsent, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(packet_parse(other->sent[i].data, other->sent[i].len, &(struct offload){ 0 }, &p), VERDICT_FORWARDED);
		assert_int_equal(p.dport, 80 + i);
	}
	bed_free(b);
}

/* Fragments are put together, and cut again where they leave. */
static void test_fragments(void **state)
{
	struct bed *b = bed_new(&modes[2], &modes[0], 1500, 1500);
	static uint8_t payload[2400];
	uint8_t *second = b->bytes + 4000;
	uint32_t len = build_udp_frame(b->bytes, b->sides[0].gateway_mac, b->sides[0].mac, guest_at(0, false, GUEST), SPORT,
				       guest_at(1, false, GUEST), 80, payload, sizeof(payload));
	const uint32_t cut = 34 + 1480;

	(void)state;
	peer(b, NULL, NULL);
	memcpy(second, b->bytes, 34);
	memcpy(second + 34, b->bytes + cut, len - cut);
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *f = i ? second : b->bytes;

		put_u16(f + 16, (uint16_t)(i ? 20 + len - cut : 1500));
		put_u16(f + 18, 77);
		put_u16(f + 20, i ? 1480 / 8 : 0x2000);
		put_u16(f + 24, 0);
		put_u16(f + 24, checksum_finish(checksum_add(0, f + 14, 20)));
	}
	assert_null(give(b, 0, 1514));
	memmove(b->bytes, second, 34 + len - cut);
	assert_non_null(give(b, 0, 34 + len - cut));
	assert_int_equal(b->sides[1].guest->nsent, 2);
	assert_int_equal(rig_verdict(b->sides[0].guest, VERDICT_CONSUMED_FRAGMENT), 1);
	assert_int_equal(rig_verdict(b->sides[0].guest, VERDICT_CONSUMED_PEER), 1);
	bed_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs), cmocka_unit_test(test_sources), cmocka_unit_test(test_allow), cmocka_unit_test(test_hops),
		cmocka_unit_test(test_mtu), cmocka_unit_test(test_large), cmocka_unit_test(test_silent), cmocka_unit_test(test_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
