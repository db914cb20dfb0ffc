// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* The gateway's IPv6 side: discovery and advertisements byte by byte as scapy writes them, ping, UDP to real loopback sockets, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BED_IP6
#include "base/array.h"
#include "nat/budget.h"
#include "nat/ra.h"
#include "switch/nd.h"
#include "tests/packet/nat_bed.h"

static const struct nat_conf loopback = { .host_access = HOST_LOOPBACK, .uplink = true };

struct case_state {
	struct bed bed;
	int fd;				/* the server */
	uint16_t port;
	union sock_addr from;		/* of its last datagram */
	struct bed_frame *f;		/* the last frame to the guest */
	struct packet p;
	unsigned descriptors;
};

static void begin_with(struct case_state *c, const struct nat_conf *conf)
{
	memset(c, 0, sizeof(*c));
	c->descriptors = bed_descriptors();
	bed_init(&c->bed, conf, 1);
	c->fd = bed_listen(SOCK_DGRAM, &c->port);
}

static void begin(struct case_state *c)
{
	begin_with(c, &loopback);
}

static void end(struct case_state *c)
{
	assert_int_equal(c->bed.bad, 0);
	close(c->fd);
	free(c->f);
	bed_fini(&c->bed);
	assert_int_equal(budget_used(), 0);
	assert_int_equal(bed_descriptors(), c->descriptors);
}

static uint32_t from_hex(uint8_t *to, const char *hex)
{
	uint32_t n = 0;

	for (; hex[0]; hex += 2)
		to[n++] = (uint8_t)strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);
	return n;
}

static bool guest_takes(struct case_state *c)
{
	bed_settle(&c->bed);
	free(c->f);
	c->f = bed_next(&c->bed);
	return c->f && packet_parse(c->f->data, c->f->len, &c->f->offload, &c->p) == VERDICT_FORWARDED;
}

static void expect(struct case_state *c, const char *hex)
{
	uint8_t want[256];
	uint32_t len = from_hex(want, hex);

	assert_true(guest_takes(c));
	assert_int_equal(c->f->len, len);
	assert_memory_equal(c->f->data, want, len);
}

/* ---- discovery ---- */

#define NS "3333ff00000102000000000286dd6000000000203afffd000000000000000000000000000005ff0200000000000000000001ff000001" \
	   "87007d9400000000fd0000000000000000000000000000010101020000000002"
#define PROBE "3333ff00000102000000000286dd6000000000183aff00000000000000000000000000000000ff0200000000000000000001ff000001" \
	      "87007da500000000fd000000000000000000000000000001"
#define USURPER "33330000000102000000000286dd6000000000203afffd000000000000000000000000000001ff020000000000000000000000000001" \
		"88005a9a20000000fd0000000000000000000000000000010201020000000002"
#define DEFENCE "33330000000102000000000186dd6000000000203afffd000000000000000000000000000001ff020000000000000000000000000001" \
		"8800da9aa0000000fd0000000000000000000000000000010201020000000001"
#define RS "33330000000202000000000286dd6000000000103afffe80000000000000000000fffe000002ff020000000000000000000000000002" \
	   "85007b2a000000000101020000000002"
#define RA "02000000000202000000000186dd6000000000583afffe80000000000000000000fffe000001fe80000000000000000000fffe000002" \
	   "8600ac0a400007080000000000000000030440c00000151800000a8c00000000fd00000000000000000000000000000005010000000005dc" \
	   "1903000000000708fd0000000000000000000000000000010101020000000001"

static void test_discovery(void **state)
{
	struct case_state c;
	uint8_t frame[256];

	(void)state;
	begin(&c);
	assert_int_equal(bed_input(&c.bed, frame, from_hex(frame, NS)), VERDICT_CONSUMED_ND);
	expect(&c, "02000000000202000000000186dd6000000000203afffd000000000000000000000000000001fd000000000000000000000000000005"
		   "88009c98e0000000fd0000000000000000000000000000010201020000000001");
	print_message("  who tries the gateway's address, or takes it, and all others hear whose it is\n");
	assert_int_equal(bed_input(&c.bed, frame, from_hex(frame, PROBE)), VERDICT_CONSUMED_ND);
	expect(&c, DEFENCE);
	assert_int_equal(bed_input(&c.bed, frame, from_hex(frame, USURPER)), VERDICT_CONSUMED_ND);
	expect(&c, DEFENCE);
	print_message("  not without end\n");
	for (unsigned i = 0; i < 1000; i++)
		bed_input(&c.bed, frame, from_hex(frame, USURPER));
	bed_settle(&c.bed);
	assert_in_range(c.bed.queued, 1, 60);
	bed_flush(&c.bed);
	print_message("  between guests it is not the gateway's business\n");
	from_hex(frame, NS);
	frame[77] = 7;		/* the target's last byte, and the checksum that fits it */
	put_u16(frame + 56, 0x7d8e);
	assert_int_equal(bed_input(&c.bed, frame, 86), VERDICT_CONSUMED_ND);
	assert_false(guest_takes(&c));
	print_message("  from a source of another link\n");
	from_hex(frame, NS);
	frame[22] = 0xfc;
	put_u16(frame + 56, 0x7e94);
	assert_int_equal(bed_input(&c.bed, frame, 86), VERDICT_DROP_MARTIAN);
	end(&c);
}

static void test_advertisement(void **state)
{
	struct segment *seg;
	struct case_state c;
	uint8_t frame[256], all[6] = { 0x33, 0x33, 0, 0, 0, 1 };

	(void)state;
	begin(&c);
	seg = &c.bed.snap->nets[0].segments[0];
	assert_int_equal(bed_input(&c.bed, frame, from_hex(frame, RS)), VERDICT_CONSUMED_ND);
	expect(&c, RA);
	print_message("  without a way out it is no router, without DNS it names none\n");
	seg->router = seg->resolver = false;
	bed_input(&c.bed, frame, from_hex(frame, RS));
	assert_true(guest_takes(&c));
	assert_int_equal(c.f->len, from_hex(frame, RA) - 24);
	assert_int_equal(get_u16(c.f->data + 60), 0);
	seg->router = seg->resolver = true;
	print_message("  to everybody\n");
	ra_send(c.bed.w, 1, RA_USUAL);
	assert_true(guest_takes(&c));
	assert_memory_equal(c.f->data, all, 6);
	assert_int_equal(get_u16(c.f->data + 60), RA_ROUTER_S);
	ra_send(c.bed.w, 1, RA_BYE);
	assert_true(guest_takes(&c));
	assert_int_equal(get_u16(c.f->data + 60), 0);
	assert_int_equal(get_u32(c.f->data + 78), 0);		/* preferred */
	ra_send(c.bed.w, 7, RA_USUAL);
	assert_false(guest_takes(&c));
	print_message("  a flood of solicitations is answered for a while\n");
	for (unsigned i = 0; i < 1000; i++)
		bed_input(&c.bed, frame, from_hex(frame, RS));
	bed_settle(&c.bed);
	assert_in_range(c.bed.queued, 1, 60);
	bed_flush(&c.bed);
	print_message("  a network without IPv6 is silent\n");
	seg->has_subnet6 = false;
	assert_int_equal(bed_input(&c.bed, frame, from_hex(frame, RS)), VERDICT_DROP_NO_ROUTE);
	assert_int_equal(bed_input(&c.bed, frame, from_hex(frame, NS)), VERDICT_DROP_NO_ROUTE);
	ra_send(c.bed.w, 1, RA_USUAL);
	assert_false(guest_takes(&c));
	end(&c);
}

/* ---- ping ---- */

static uint32_t ping(uint8_t *frame, struct addr src, struct addr dst, uint32_t size)
{
	uint8_t *icmp = build_ip(frame, bed_gateway_mac, bed_guest_mac, src, dst, PROTO_ICMP6, 64, ICMP_HEADER + size);

	memset(icmp, 0, ICMP_HEADER + size);
	icmp[0] = 128;
	put_u16(icmp + 4, 77);
	put_u16(icmp + 2, checksum_finish(checksum_add(build_pseudo(src, dst, PROTO_ICMP6, ICMP_HEADER + size), icmp, ICMP_HEADER + size)));
	return ETH_HEADER + IP6_HEADER + ICMP_HEADER + size;
}

/* RFC 4861 6.1.1: a solicitation with one byte that is other; its checksum is right again but where it is the byte (RA-02) */
static const struct {
	const char *what;
	unsigned at;
	uint8_t byte;
	enum verdict verdict;
} solicitations[] = {
	{ "as it should be",			61, 0, VERDICT_CONSUMED_ND },
	{ "reserved bits are not looked at",	61, 9, VERDICT_CONSUMED_ND },
	{ "an option that nobody knows",	62, 99, VERDICT_CONSUMED_ND },
	{ "from beyond a router",		21, 254, VERDICT_DROP_MALFORMED },
	{ "hop limit 0",			21, 0, VERDICT_DROP_MALFORMED },
	{ "a code",				55, 1, VERDICT_DROP_MALFORMED },
	{ "an option without length",		63, 0, VERDICT_DROP_MALFORMED },
	{ "an option longer than the message",	63, 2, VERDICT_DROP_MALFORMED },
	{ "and by far",				63, 255, VERDICT_DROP_MALFORMED },
	{ "another checksum",			57, 0x2b, VERDICT_DROP_CHECKSUM },
};

static uint32_t solicitation(uint8_t *frame, unsigned at, uint8_t byte, bool from_nobody)
{
	uint32_t len = from_hex(frame, RS);

	frame[at] = byte;
	if (from_nobody)
		memset(frame + 22, 0, ADDR_SIZE);
	if (at == 57)
		return len;
	put_u16(frame + 56, 0);
	put_u16(frame + 56, checksum_finish(checksum_add(build_pseudo(addr6(frame + 22), addr6(frame + 38), PROTO_ICMP6, len - 54), frame + 54, len - 54)));
	return len;
}

static void test_RA_02_solicitations(void **state)
{
	struct case_state c;
	uint8_t frame[256];

	(void)state;
	begin(&c);
	for (size_t i = 0; i < ARRAY_SIZE(solicitations); i++) {
		print_message("  %s\n", solicitations[i].what);
		assert_int_equal(bed_input(&c.bed, frame, solicitation(frame, solicitations[i].at, solicitations[i].byte, false)), solicitations[i].verdict);
		assert_int_equal(guest_takes(&c), solicitations[i].verdict == VERDICT_CONSUMED_ND);
	}
	print_message("  from nobody, who says where he is, and who does not\n");
	assert_int_equal(bed_input(&c.bed, frame, solicitation(frame, 61, 0, true)), VERDICT_DROP_MALFORMED);
	assert_false(guest_takes(&c));
	assert_int_equal(bed_input(&c.bed, frame, solicitation(frame, 62, 99, true)), VERDICT_CONSUMED_ND);
	assert_true(guest_takes(&c));
	assert_true(addr_is_multicast(c.p.dst));
	end(&c);
}

static void test_ping(void **state)
{
	struct addr link = addr_link_local(bed_guest_mac), gateway_link = addr_link_local(bed_gateway_mac);
	struct case_state c;
	uint8_t frame[2000];

	(void)state;
	begin(&c);
	assert_int_equal(bed_input(&c.bed, frame, ping(frame, bed_guest_address(), bed_gateway_address(), 1000)), VERDICT_CONSUMED_ECHO);
	assert_true(guest_takes(&c));
	assert_int_equal(c.p.icmp_type, 129);
	assert_int_equal(c.p.sport, 77);
	assert_int_equal(packet_payload_len(&c.p), 1000);
	assert_true(addr_equal(c.p.src, bed_gateway_address()));
	assert_int_equal(bed_input(&c.bed, frame, ping(frame, link, gateway_link, 8)), VERDICT_CONSUMED_ECHO);
	assert_true(guest_takes(&c) && addr_equal(c.p.src, gateway_link));
	assert_int_equal(bed_input(&c.bed, frame, ping(frame, addr6("\xfd\1\0\0\0\0\0\0\0\0\0\0\0\0\0\5"), bed_gateway_address(), 8)),
			 VERDICT_DROP_MARTIAN);
	assert_int_equal(bed_input(&c.bed, frame, ping(frame, gateway_link, bed_gateway_address(), 8)), VERDICT_DROP_MARTIAN);
	assert_false(guest_takes(&c));
	end(&c);
}

/* ---- UDP ---- */

static enum verdict udp(struct case_state *c, struct addr src, uint16_t sport, struct addr dst, uint16_t dport, const void *payload,
			uint32_t size)
{
	static uint8_t frame[66000];

	return bed_input(&c->bed, frame, build_udp_frame(frame, bed_gateway_mac, bed_guest_mac, src, sport, dst, dport, payload, size));
}

static ssize_t server_takes(struct case_state *c, void *data, size_t room)
{
	socklen_t size = sizeof(c->from);

	return recvfrom(c->fd, data, room, MSG_DONTWAIT, &c->from.any, &size);
}

static void server_sends(struct case_state *c, const void *data, size_t size)
{
	assert_int_equal(sendto(c->fd, data, size, 0, &c->from.any, sizeof(c->from.in6)), (ssize_t)size);
}

static void test_udp(void **state)
{
	struct addr link = addr_link_local(bed_guest_mac), gateway_link = addr_link_local(bed_gateway_mac);
	struct case_state c;
	char data[64];
	uint16_t first;

	(void)state;
	begin(&c);
	assert_int_equal(udp(&c, bed_guest_address(), 5000, bed_gateway_address(), c.port, "hello", 5), VERDICT_CONSUMED_NAT);
	assert_int_equal(server_takes(&c, data, sizeof(data)), 5);
	first = sock_addr_port(&c.from);
	server_sends(&c, "world!", 6);
	assert_true(guest_takes(&c));
	assert_true(addr_equal(c.p.src, bed_gateway_address()) && addr_equal(c.p.dst, bed_guest_address()));
	assert_int_equal(c.p.sport, c.port);
	assert_int_equal(c.p.dport, 5000);
	assert_memory_equal(packet_payload(&c.p), "world!", 6);
	print_message("  the same port of the other address of the guest is another endpoint\n");
	assert_int_equal(udp(&c, link, 5000, gateway_link, c.port, "again", 5), VERDICT_CONSUMED_NAT);
	assert_int_equal(server_takes(&c, data, sizeof(data)), 5);
	assert_int_not_equal(sock_addr_port(&c.from), first);
	server_sends(&c, "link", 4);
	assert_true(guest_takes(&c) && addr_equal(c.p.src, gateway_link) && addr_equal(c.p.dst, link));
	print_message("  a port where nobody is\n");
	close(c.fd);
	assert_int_equal(udp(&c, bed_guest_address(), 5001, bed_gateway_address(), c.port, "x", 1), VERDICT_CONSUMED_NAT);
	assert_true(guest_takes(&c));
	assert_true(packet_is_icmp(&c.p) && c.p.icmp_type == 1 && c.p.icmp_code == 4);
	assert_int_equal(get_u16(packet_payload(&c.p) + IP6_HEADER), 5001);
	assert_memory_equal(packet_payload(&c.p) + 24, bed_gateway_address().bytes, ADDR_SIZE);	/* not ::1 */
	c.fd = dup(2);
	end(&c);
}

/* What exceeds the MTU comes in fragments, whose offsets, ends and contents fit (RFC 8200 4.5). */
static void test_fragments(void **state)
{
	static uint8_t payload[60000], whole[60000 + 8];
	uint32_t at = 0, id = 0;
	struct case_state c;

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + i / 251);
	begin(&c);
	udp(&c, bed_guest_address(), 5000, bed_gateway_address(), c.port, "x", 1);
	assert_int_equal(server_takes(&c, whole, 1), 1);
	server_sends(&c, payload, sizeof(payload));
	bed_settle(&c.bed);
	for (struct bed_frame *f = bed_next(&c.bed); f; f = bed_next(&c.bed)) {
		const uint8_t *h = f->data + 54;
		uint32_t size = f->len - 62;

		assert_true(f->data[20] == 44 && h[0] == PROTO_UDP && f->len <= 1514);
		assert_int_equal(get_u16(f->data + 18), 8 + size);
		assert_int_equal(get_u16(h + 2) & ~7u, at);
		if (!at)
			id = get_u32(h + 4);
		assert_int_equal(get_u32(h + 4), id);
		assert_in_range(at + size, 1, sizeof(whole));
		memcpy(whole + at, f->data + 62, size);
		at += size;
		assert_int_equal(get_u16(h + 2) & 1, at < sizeof(whole));
		free(f);
	}
	assert_int_equal(at, sizeof(whole));
	assert_memory_equal(whole + 8, payload, sizeof(payload));
	assert_int_equal(checksum_fold(checksum_add(build_pseudo(bed_gateway_address(), bed_guest_address(), PROTO_UDP, at), whole, at)),
			 0xffff);
	end(&c);
}

/* ---- what may not pass ---- */

static const struct {
	const char *what, *src, *dst;
	int verdict, code;		/* of the ICMPv6 unreachable, -1: silence */
} refusals[] = {
	{ "no way to the Internet here", "fd00::f", "2001:db8::1", VERDICT_CONSUMED_REFUSED, 0 },
	{ "another network", "fd00::f", "fd00:9::5", VERDICT_DROP_OTHER_NETWORK, 1 },
	{ "another network's gateway", "fd00::f", "fd00:9::1", VERDICT_DROP_OTHER_NETWORK, 1 },
	{ "the host's loopback", "fd00::f", "::1", VERDICT_DROP_MARTIAN, -1 },
	{ "nowhere", "fd00::f", "::", VERDICT_DROP_MARTIAN, -1 },
	{ "IPv4-compatible", "fd00::f", "::7f00:1", VERDICT_DROP_MARTIAN, -1 },
	{ "a group", "fd00::f", "ff0e::1", VERDICT_DROP_MARTIAN, -1 },
	{ "a link", "fd00::f", "fe80::1", VERDICT_DROP_MARTIAN, -1 },
	{ "a site", "fd00::f", "fec0::1", VERDICT_DROP_MARTIAN, -1 },
	{ "a cloud's metadata", "fd00::f", "fd00:ec2::254", VERDICT_DROP_MARTIAN, 1 },
	{ "a neighbour", "fd00::f", "fd00::10", VERDICT_DROP_MARTIAN, -1 },
	{ "as a stranger", "fd01::f", "2001:db8::1", VERDICT_DROP_MARTIAN, -1 },
	{ "as the gateway", "fd00::1", "2001:db8::1", VERDICT_DROP_MARTIAN, -1 },
	{ "as every router", "fd00::", "2001:db8::1", VERDICT_DROP_MARTIAN, -1 },
	{ "as nobody", "::", "2001:db8::1", VERDICT_DROP_MARTIAN, -1 },
	{ "as loopback", "::1", "2001:db8::1", VERDICT_DROP_MARTIAN, -1 },
	{ "as a group", "ff02::1", "2001:db8::1", VERDICT_DROP_MARTIAN, -1 },
	{ "from a link to beyond it", "fe80::f", "2001:db8::1", VERDICT_DROP_MARTIAN, -1 },
	{ "from a link to the gateway's wider address", "fe80::f", "fd00::1", VERDICT_DROP_MARTIAN, -1 },
};

static void test_refusals(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct addr src, dst;

		print_message("  %s\n", refusals[i].what);
		assert_int_equal(addr_parse(refusals[i].src, &src), 0);
		assert_int_equal(addr_parse(refusals[i].dst, &dst), 0);
		assert_int_equal(udp(&c, src, 5000, dst, 99, "a", 1), refusals[i].verdict);
		assert_int_equal(guest_takes(&c), refusals[i].code >= 0);
		if (refusals[i].code < 0)
			continue;
		assert_true(packet_is_icmp(&c.p) && c.p.icmp_type == 1 && c.p.icmp_code == refusals[i].code);
		assert_true(addr_equal(c.p.src, bed_gateway_address()));
	}
	end(&c);
}

static void test_others(void **state)
{
	struct addr beyond = { .bytes = { 0x20, 1, [15] = 9 } };
	struct case_state c;
	uint8_t frame[200];
	uint32_t len;

	(void)state;
	begin(&c);
	print_message("  hop limit 1\n");
	len = build_udp_frame(frame, bed_gateway_mac, bed_guest_mac, bed_guest_address(), 5000, beyond, 99, "a", 1);
	frame[21] = 1;
	assert_int_equal(bed_input(&c.bed, frame, len), VERDICT_DROP_TTL);
	assert_true(guest_takes(&c) && c.p.icmp_type == 3 && c.p.icmp_code == 0);
	print_message("  a protocol that nobody translates: where its number stands is told\n");
	build_ip(frame, bed_gateway_mac, bed_guest_mac, bed_guest_address(), beyond, 132, 64, 20);
	assert_int_equal(bed_input(&c.bed, frame, 74), VERDICT_DROP_NO_PROTOCOL);
	assert_true(guest_takes(&c) && c.p.icmp_type == 4 && c.p.icmp_code == 1);
	assert_int_equal(get_u32(c.p.data + c.p.l4 + 4), 6);
	memcpy(frame + 54, "\x84\0\1\4\0\0\0\0", 8);
	frame[20] = 60;
	assert_int_equal(bed_input(&c.bed, frame, 74), VERDICT_DROP_NO_PROTOCOL);
	assert_true(guest_takes(&c) && c.p.icmp_type == 4);
	assert_int_equal(get_u32(c.p.data + c.p.l4 + 4), 40);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discovery), cmocka_unit_test(test_advertisement), cmocka_unit_test(test_RA_02_solicitations), cmocka_unit_test(test_ping),
		cmocka_unit_test(test_udp),	  cmocka_unit_test(test_fragments),	cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
