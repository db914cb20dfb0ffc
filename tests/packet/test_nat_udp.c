// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* A guest's UDP through the NAT to real loopback sockets, the errors that come back, and the gateway's own address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <net/if.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>

#include "base/array.h"
#include "nat/budget.h"
#include "nat/hostaddr.h"
#include "tests/packet/nat_bed.h"

enum { STRANGER = 0xc0000207 };		/* 192.0.2.7, a second address of the loopback interface */

static const struct nat_conf loopback = { .host_access = HOST_LOOPBACK, .uplink = true };

struct case_state {
	struct bed bed;
	int fd;				/* the server */
	uint16_t port;
	struct sockaddr_in from;	/* of its last datagram */
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

static struct nat_counts count(struct case_state *c)
{
	struct nat_counts n;

	nat_count(c->bed.nat, &n);
	return n;
}

/* server_takes() - what the server receives now, -1 for nothing */
static ssize_t server_takes(struct case_state *c, void *data, size_t room)
{
	socklen_t size = sizeof(c->from);

	bed_turn(&c->bed, 0);		/* what the guest's port sends within a turn leaves at its end */
	return recvfrom(c->fd, data, room, MSG_DONTWAIT, (struct sockaddr *)&c->from, &size);
}

static void server_sends(struct case_state *c, const void *data, size_t size)
{
	assert_int_equal(sendto(c->fd, data, size, 0, (struct sockaddr *)&c->from, sizeof(c->from)), (ssize_t)size);
}

/* guest_takes() - the next frame to the guest, parsed */
static bool guest_takes(struct case_state *c)
{
	bed_settle(&c->bed);
	free(c->f);
	c->f = bed_next(&c->bed);
	return c->f && packet_parse(c->f->data, c->f->len, &c->f->offload, &c->p) == VERDICT_FORWARDED;
}

static void test_there_and_back(void **state)
{
	struct case_state c;
	char data[64];

	(void)state;
	begin(&c);
	assert_int_equal(bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "hello", 5), VERDICT_CONSUMED_NAT);
	assert_int_equal(server_takes(&c, data, sizeof(data)), 5);
	server_sends(&c, "world!", 6);
	assert_true(guest_takes(&c));
	assert_int_equal(addr_4(c.p.src), BED_GATEWAY);	/* not 127.0.0.1 */
	assert_int_equal(c.p.sport, c.port);
	assert_int_equal(addr_4(c.p.dst), BED_GUEST);
	assert_int_equal(c.p.dport, 5000);
	assert_memory_equal(packet_payload(&c.p), "world!", 6);
	assert_int_equal(bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "", 0), VERDICT_CONSUMED_NAT);
	assert_int_equal(server_takes(&c, data, sizeof(data)), 0);
	server_sends(&c, "", 0);
	assert_true(guest_takes(&c));
	assert_int_equal(packet_payload_len(&c.p), 0);
	assert_int_equal(count(&c).flows, 1);
	end(&c);
}

/* What leaves together arrives apart: each datagram with its size, in order, whoever it is for */
static void test_together(void **state)
{
	static const uint16_t sizes[] = { 18, 18, 18, 7, 18, 300, 300, 300, 0, 300, 1400, 1400, 1399, 1, 1, 2, 700, 700, 5 };
	uint8_t out[1400], in[1500];
	struct case_state c;
	uint16_t port2;
	int second = bed_listen(SOCK_DGRAM, &port2);

	(void)state;
	begin(&c);
	for (unsigned i = 0; i < 90; i++) {
		memset(out, (int)i, sizeof(out));
		bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, out, sizes[i % ARRAY_SIZE(sizes)]);
		if (i % 30 == 0)
			bed_udp(&c.bed, 5000, BED_GATEWAY, port2, "x", 1);
	}
	for (unsigned i = 0; i < 90; i++) {
		ssize_t n = server_takes(&c, in, sizeof(in));

		memset(out, (int)i, sizeof(out));
		assert_int_equal(n, sizes[i % ARRAY_SIZE(sizes)]);
		assert_memory_equal(in, out, (size_t)n);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(recv(second, in, sizeof(in), MSG_DONTWAIT), 1);
	assert_int_equal(recv(second, in, sizeof(in), MSG_DONTWAIT), -1);
	assert_int_equal(count(&c).lost, 0);
	end(&c);
	close(second);
}

/* RFC 4787 REQ-1: one inside endpoint is seen as one outside endpoint, whoever looks */
static void test_mapping(void **state)
{
	struct case_state c;
	uint16_t port2, seen;
	int second = bed_listen(SOCK_DGRAM, &port2), keep;
	char data[8];

	(void)state;
	begin(&c);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1);
	bed_udp(&c.bed, 5000, BED_GATEWAY, port2, "b", 1);
	assert_int_equal(server_takes(&c, data, sizeof(data)), 1);
	seen = c.from.sin_port;
	keep = c.fd;
	c.fd = second;
	assert_int_equal(server_takes(&c, data, sizeof(data)), 1);
	assert_int_equal(c.from.sin_port, seen);
	c.fd = keep;
	bed_udp(&c.bed, 5001, BED_GATEWAY, c.port, "a", 1);
	assert_int_equal(server_takes(&c, data, sizeof(data)), 1);
	assert_int_not_equal(c.from.sin_port, seen);
	close(second);
	c.descriptors--;
	end(&c);
}

/* a stranger's datagram to the mapping, from an address that the guest has not talked to */
static bool stranger_gets_in(struct case_state *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(STRANGER) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool in;

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	sendto(fd, "boo", 3, 0, (struct sockaddr *)&c->from, sizeof(c->from));
	in = guest_takes(c);
	close(fd);
	return in;
}

static void test_filtering(void **state)
{
	struct nat_conf conf = loopback;
	struct case_state c;
	uint16_t port2;
	int same = bed_listen(SOCK_DGRAM, &port2), keep;
	char data[8];

	(void)state;
	begin(&c);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1);
	server_takes(&c, data, sizeof(data));
	assert_false(stranger_gets_in(&c));
	assert_int_equal(count(&c).filtered, 1);
	keep = c.fd;
	c.fd = same;				/* another port of a known address: address-dependent lets it in */
	server_sends(&c, "x", 1);
	c.fd = keep;
	assert_true(guest_takes(&c));
	assert_int_equal(c.p.sport, port2);
	conf.filter_any = true;
	conf.net_id = 1;
	assert_int_equal(nat_set_conf(c.bed.nat, &conf), 0);
	assert_true(stranger_gets_in(&c));
	close(same);
	c.descriptors--;
	end(&c);
}

static void test_timeouts(void **state)
{
	struct case_state c;
	char data[8];

	(void)state;
	begin(&c);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1);
	server_takes(&c, data, sizeof(data));
	bed_skip(&c.bed, 200000, 10000);
	server_sends(&c, "in", 2);		/* inbound does not keep it (RFC 7857 6) */
	assert_true(guest_takes(&c));
	bed_skip(&c.bed, 99000, 1000);
	assert_int_equal(count(&c).flows, 1);
	bed_skip(&c.bed, 2000, 1000);
	assert_int_equal(count(&c).flows, 0);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1);
	bed_skip(&c.bed, 200000, 10000);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1);	/* outbound does */
	bed_skip(&c.bed, 200000, 10000);
	assert_int_equal(count(&c).flows, 1);
	bed_udp(&c.bed, 5002, BED_GATEWAY, 53, "q", 1);		/* only ever DNS: soon over */
	assert_int_equal(count(&c).flows, 2);
	bed_skip(&c.bed, 31000, 1000);
	assert_int_equal(count(&c).flows, 1);
	end(&c);
}

static void test_quota(void **state)
{
	struct nat_conf conf = loopback;
	struct case_state c;
	char data[8];
	unsigned n = 0;

	(void)state;
	conf.flows_max = 10;
	begin_with(&c, &conf);
	for (uint16_t i = 0; i < 100; i++) {
		assert_int_equal(bed_udp(&c.bed, 5000 + i, BED_GATEWAY, c.port, "a", 1), VERDICT_CONSUMED_NAT);
		assert_true(count(&c).flows <= 10);	/* the stalest makes room */
	}
	while (server_takes(&c, data, sizeof(data)) == 1)
		n++;
	assert_int_equal(n, 100);
	server_sends(&c, "x", 1);
	assert_true(guest_takes(&c));
	assert_int_equal(c.p.dport, 5099);
	end(&c);
}

/* collect() - put the fragments of one datagram together again; Return: bytes of UDP header and payload */
static uint32_t collect(struct case_state *c, uint8_t *to, unsigned *fragments)
{
	uint32_t size = 0;
	struct bed_frame *f;
	uint16_t id = 0;

	*fragments = 0;
	while ((f = bed_next(&c->bed)) != NULL) {
		const uint8_t *ip = f->data + ETH_HEADER;
		uint32_t at = (get_u16(ip + 6) & 0x1fff) * 8u, n = get_u16(ip + 2) - IP4_HEADER;

		assert_true(*fragments == 0 || get_u16(ip + 4) == id);
		id = get_u16(ip + 4);
		assert_int_not_equal(id, 0);
		assert_int_equal(checksum_fold(checksum_add(0, ip, IP4_HEADER)), 0xffff);
		assert_true(f->len <= ETH_HEADER + BED_MTU && f->len == ETH_HEADER + IP4_HEADER + n);
		memcpy(to + at, ip + IP4_HEADER, n);
		size += n;
		if (!(get_u16(ip + 6) & 0x2000))
			assert_int_equal(at + n, size);
		++*fragments;
		free(f);
	}
	return size;
}

static void test_large(void **state)
{
	static uint8_t data[65507], whole[66000];
	static const uint32_t sizes[] = { 1472, 1473, 2006, 2007, 8192, 65507 };
	struct case_state c;
	uint8_t pseudo[8];
	unsigned n;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	begin(&c);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1);
	server_takes(&c, whole, sizeof(whole));
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint32_t size;

		print_message("  %u bytes\n", sizes[i]);
		server_sends(&c, data, sizes[i]);
		bed_settle(&c.bed);
		if (sizes[i] <= 1472) {
			assert_true(guest_takes(&c));
			assert_memory_equal(packet_payload(&c.p), data, sizes[i]);
			continue;
		}
		size = collect(&c, whole, &n);
		assert_int_equal(size, UDP_HEADER + sizes[i]);
		assert_int_equal(n, (size + 1479) / 1480);
		assert_memory_equal(whole + UDP_HEADER, data, sizes[i]);
		put_u32(pseudo, BED_GATEWAY);
		put_u32(pseudo + 4, BED_GUEST);
		assert_int_equal(checksum_fold(checksum_add(checksum_pseudo4(pseudo, pseudo + 4, PROTO_UDP, size), whole, size)), 0xffff);
	}
	assert_int_equal(count(&c).lost, 0);
	end(&c);
}

/* What comes in one piece goes on in one frame, to be cut where the guest's port cannot have it so (virtio 1.2, 5.1.6.4) */
static void test_train(void **state)
{
	enum { EACH = 1000, ALL = 20 * EACH + 10 };
	static uint8_t data[ALL];
	int each = EACH, none = 0;
	struct case_state c;

	(void)state;
	for (unsigned i = 0; i < ALL; i++)
		data[i] = (uint8_t)(i / 7);
	begin(&c);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1);
	server_takes(&c, data, 0);
	for (unsigned i = 0; i < 15; i++)	/* the batches grow: 1, 2, 4, 8 */
		server_sends(&c, "x", 1);
	bed_settle(&c.bed);
	bed_flush(&c.bed);
	assert_int_equal(setsockopt(c.fd, IPPROTO_UDP, UDP_SEGMENT, &each, sizeof(each)), 0);
	server_sends(&c, data, ALL);
	assert_true(guest_takes(&c));
	assert_int_equal(packet_payload_len(&c.p), ALL);
	assert_memory_equal(packet_payload(&c.p), data, ALL);
	assert_int_equal(c.f->offload.gso_type, OFFLOAD_GSO_UDP_L4);
	assert_int_equal(c.f->offload.gso_size, EACH);
	assert_false(guest_takes(&c));
	assert_int_equal(setsockopt(c.fd, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof(none)), 0);
	server_sends(&c, "y", 1);
	assert_true(guest_takes(&c));
	assert_int_equal(c.f->offload.gso_type, 0);
	end(&c);
}

/* Two large datagrams in one batch: what a stranger sent must not end up in what the guest gets. */
static void test_large_of_a_stranger(void **state)
{
	static uint8_t good[5000], bad[5000], whole[66000];
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(STRANGER) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct case_state c;
	char data[4];
	unsigned n;

	(void)state;
	memset(good, 'g', sizeof(good));
	memset(bad, 'b', sizeof(bad));
	begin(&c);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1);
	server_takes(&c, data, sizeof(data));
	for (unsigned i = 0; i < 7; i++)	/* the batches grow: 1, 2, 4 */
		server_sends(&c, "x", 1);
	bed_settle(&c.bed);
	bed_flush(&c.bed);
	server_sends(&c, good, sizeof(good));
	assert_int_equal(sendto(fd, bad, sizeof(bad), 0, (struct sockaddr *)&c.from, sizeof(c.from)), sizeof(bad));
	bed_settle(&c.bed);
	assert_int_equal(collect(&c, whole, &n), UDP_HEADER + sizeof(good));
	assert_memory_equal(whole + UDP_HEADER, good, sizeof(good));
	assert_int_equal(count(&c).filtered, 1);
	assert_int_equal(count(&c).lost, 0);
	server_sends(&c, good, sizeof(good));
	bed_settle(&c.bed);
	assert_int_equal(collect(&c, whole, &n), UDP_HEADER + sizeof(good));
	assert_memory_equal(whole + UDP_HEADER, good, sizeof(good));
	close(fd);
	c.descriptors--;
	end(&c);
}

static void test_bursts(void **state)
{
	struct case_state c;
	char data[4];

	(void)state;
	begin(&c);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1);
	server_takes(&c, data, sizeof(data));
	for (uint8_t i = 0; i < 100; i++)
		server_sends(&c, &i, 1);
	for (uint8_t i = 0; i < 100; i++) {	/* all, in order */
		assert_true(guest_takes(&c));
		assert_int_equal(packet_payload(&c.p)[0], i);
	}
	for (unsigned i = 0; i < 20; i++) {	/* large ones into a batch of small ones: at most one batch of them suffers */
		static uint8_t large[5000];

		server_sends(&c, large, sizeof(large));
	}
	bed_settle(&c.bed);
	assert_true(c.bed.queued >= 1 * 4);
	assert_true(count(&c).lost + c.bed.queued / 4 == 20);
	bed_flush(&c.bed);
	end(&c);
}

static void test_uso(void **state)
{
	static uint8_t frame[66000], payload[10000];
	struct offload offload = { .flags = 1, .gso_type = 5, .hdr_len = 42, .gso_size = 1000, .csum_start = 34, .csum_offset = 6 };
	struct case_state c;
	char data[2000];
	uint32_t len;

	(void)state;
	begin(&c);
	len = build_udp_frame(frame, bed_gateway_mac, bed_guest_mac, addr4(BED_GUEST), 5000, addr4(BED_GATEWAY), c.port, payload, 9500);
	assert_int_equal(bed_input_from(&c.bed, 1, frame, len, &offload), VERDICT_CONSUMED_NAT);
	for (int i = 0; i < 10; i++)
		assert_int_equal(server_takes(&c, data, sizeof(data)), i < 9 ? 1000 : 500);
	assert_int_equal(server_takes(&c, data, sizeof(data)), -1);
	end(&c);
}

/* ---- errors ---- */

static void expect_icmp(struct case_state *c, uint8_t type, uint8_t code, uint32_t from)
{
	assert_true(guest_takes(c));
	assert_int_equal(c->p.proto, PROTO_ICMP);
	assert_int_equal(c->p.icmp_type, type);
	assert_int_equal(c->p.icmp_code, code);
	assert_int_equal(addr_4(c->p.src), from);
	assert_int_equal(addr_4(c->p.dst), BED_GUEST);
}

static void test_port_unreachable(void **state)
{
	struct case_state c;
	const uint8_t *quoted;

	(void)state;
	begin(&c);
	close(c.fd);
	bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "abc", 3);
	expect_icmp(&c, 3, 3, BED_GATEWAY);
	quoted = packet_payload(&c.p);		/* what the guest had sent, as it had sent it (RFC 5508 REQ-4) */
	assert_int_equal(get_u32(quoted + 12), BED_GUEST);
	assert_int_equal(get_u32(quoted + 16), BED_GATEWAY);
	assert_int_equal(get_u16(quoted + 20), 5000);
	assert_int_equal(get_u16(quoted + 22), c.port);
	assert_int_equal(get_u16(quoted + 24), UDP_HEADER + 3);
	assert_int_equal(count(&c).flows, 1);	/* RFC 4787 REQ-12: an error ends no mapping */
	c.fd = dup(2);
	end(&c);
}

static const struct {
	const char *what;
	uint32_t dst;
	uint8_t ttl;
	enum verdict verdict;
	int type, code;
} refusals[] = {
	{ "no route on the host", 0xc6336407, 64, VERDICT_CONSUMED_REFUSED, 3, 0 },
	{ "another lanyard network", 0x0a090005, 64, VERDICT_DROP_OTHER_NETWORK, 3, 13 },
	{ "metadata service", 0xa9fea9fe, 64, VERDICT_DROP_MARTIAN, 3, 13 },
	{ "loopback", 0x7f000001, 64, VERDICT_DROP_MARTIAN, -1, 0 },
	{ "multicast", 0xe0000001, 64, VERDICT_DROP_MARTIAN, -1, 0 },
	{ "TTL used up", 0xc6336407, 1, VERDICT_DROP_TTL, 11, 0 },
};

static void test_refusals(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		uint8_t frame[128];
		uint32_t len = build_udp_frame(frame, bed_gateway_mac, bed_guest_mac, addr4(BED_GUEST), 5000, addr4(refusals[i].dst), 99, "a", 1);

		print_message("  %s\n", refusals[i].what);
		build_ip4(frame + ETH_HEADER, BED_GUEST, refusals[i].dst, PROTO_UDP, refusals[i].ttl, UDP_HEADER + 1);
		assert_int_equal(bed_input(&c.bed, frame, len), refusals[i].verdict);
		if (refusals[i].type >= 0)
			expect_icmp(&c, (uint8_t)refusals[i].type, (uint8_t)refusals[i].code, BED_GATEWAY);
		assert_int_equal(c.bed.queued, 0);
	}
	for (int i = 0; i < 1000; i++)		/* errors are limited */
		bed_udp(&c.bed, 5000, 0x0a090005, 99, "a", 1);
	assert_true(c.bed.queued <= 50);
	end(&c);
}

static void test_host_closed(void **state)
{
	static const struct nat_conf none = { .host_access = HOST_NONE, .uplink = true };
	struct case_state c;

	(void)state;
	begin_with(&c, &none);
	assert_int_equal(bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "a", 1), VERDICT_CONSUMED_REFUSED);
	expect_icmp(&c, 3, 3, BED_GATEWAY);
	assert_int_equal(count(&c).flows, 0);
	end(&c);
}

static void test_host_addresses(void **state)
{
	static const struct nat_conf none = { .host_access = HOST_NONE, .uplink = true };
	static const struct nat_conf own = { .host_access = HOST_OWN, .uplink = true };
	struct case_state c;
	char data[8];

	(void)state;
	assert_true(hostaddr_is_local(addr4(STRANGER)));
	assert_true(hostaddr_is_local(addr4(0x7f000001)));
	assert_false(hostaddr_is_local(addr4(0xc6336407)));
	begin_with(&c, &none);
	assert_int_equal(bed_udp(&c.bed, 5000, STRANGER, c.port, "a", 1), VERDICT_CONSUMED_REFUSED);
	expect_icmp(&c, 3, 10, BED_GATEWAY);
	end(&c);
	begin_with(&c, &own);
	assert_int_equal(addr_4(hostaddr_own(c.bed.snap, AF_INET)), STRANGER);	/* no route to anywhere: the one non-loopback address */
	close(c.fd);
	c.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(c.fd, (struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(c.port),
		.sin_addr.s_addr = htonl(STRANGER) }, sizeof(struct sockaddr_in)), 0);
	assert_int_equal(bed_udp(&c.bed, 5000, BED_GATEWAY, c.port, "own", 3), VERDICT_CONSUMED_NAT);
	assert_int_equal(server_takes(&c, data, sizeof(data)), 3);
	assert_int_equal(ntohl(c.from.sin_addr.s_addr), STRANGER);
	server_sends(&c, "x", 1);
	assert_true(guest_takes(&c));
	assert_int_equal(addr_4(c.p.src), BED_GATEWAY);
	end(&c);
}

/* ---- the gateway itself ---- */

static void test_arp(void **state)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 }, nobody[6];
	struct case_state c;
	uint8_t frame[64];

	(void)state;
	begin(&c);
	build_arp(frame, ARP_REQUEST, bed_guest_mac, BED_GUEST, nobody, BED_GATEWAY, all);
	assert_int_equal(bed_input(&c.bed, frame, 42), VERDICT_CONSUMED_ARP);
	assert_true(guest_takes(&c));
	assert_int_equal(c.p.arp_op, ARP_REPLY);
	assert_int_equal(addr_4(c.p.src), BED_GATEWAY);
	assert_memory_equal(c.f->data, bed_guest_mac, 6);
	assert_memory_equal(c.f->data + 22, bed_gateway_mac, 6);
	build_arp(frame, ARP_REQUEST, bed_guest_mac, 0, nobody, BED_GATEWAY, all);	/* a probe (RFC 5227) */
	assert_int_equal(bed_input(&c.bed, frame, 42), VERDICT_CONSUMED_ARP);
	assert_true(guest_takes(&c));
	build_arp(frame, ARP_REQUEST, bed_guest_mac, BED_GUEST, nobody, BED_GUEST2, all);	/* between guests */
	bed_input(&c.bed, frame, 42);
	assert_int_equal(c.bed.queued, 0);
	build_arp(frame, ARP_REPLY, bed_guest_mac, BED_GUEST, bed_gateway_mac, BED_GATEWAY, bed_gateway_mac);
	assert_int_equal(bed_input(&c.bed, frame, 42), VERDICT_CONSUMED_ARP);
	assert_int_equal(c.bed.queued, 0);
	build_arp(frame, ARP_REPLY, bed_guest_mac, BED_GATEWAY, nobody, BED_GATEWAY, all);	/* a usurper */
	assert_int_equal(bed_input(&c.bed, frame, 42), VERDICT_CONSUMED_ARP);
	assert_int_equal(c.bed.queued, 1);
	end(&c);
}

static uint32_t make_ping(uint8_t *frame, uint32_t dst, uint8_t type, uint32_t size)
{
	uint8_t *icmp = build_ip4(build_eth(frame, bed_gateway_mac, bed_guest_mac, ETHERTYPE_IP4), BED_GUEST, dst, PROTO_ICMP, 64,
				  ICMP_HEADER + size);

	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = type;
	put_u16(icmp + 4, 77);
	put_u16(icmp + 6, 1);
	memset(icmp + ICMP_HEADER, 'p', size);
	put_u16(icmp + 2, checksum_finish(checksum_add(0, icmp, ICMP_HEADER + size)));
	return ETH_HEADER + IP4_HEADER + ICMP_HEADER + size;
}

static void test_ping(void **state)
{
	struct case_state c;
	uint8_t frame[1600];

	(void)state;
	begin(&c);
	assert_int_equal(bed_input(&c.bed, frame, make_ping(frame, BED_GATEWAY, 8, 56)), VERDICT_CONSUMED_ECHO);
	expect_icmp(&c, 0, 0, BED_GATEWAY);
	assert_int_equal(c.p.sport, 77);
	assert_int_equal(packet_payload_len(&c.p), 56);
	assert_int_equal(bed_input(&c.bed, frame, make_ping(frame, BED_GATEWAY, 8, 1472)), VERDICT_CONSUMED_ECHO);
	assert_true(guest_takes(&c));
	assert_int_equal(bed_input(&c.bed, frame, make_ping(frame, BED_GATEWAY, 3, 56)), VERDICT_DROP_NO_SESSION);
	assert_int_equal(c.bed.queued, 0);	/* no error about an error */
	end(&c);
}

static void test_ping_outside(void **state)
{
	struct case_state c;
	uint8_t frame[1600];
	int fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC), probe;

	(void)state;
	begin(&c);
	probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	if (probe < 0) {			/* as on a host that does not allow it */
		assert_int_equal(bed_input(&c.bed, frame, make_ping(frame, STRANGER, 8, 56)), VERDICT_DROP_NO_PROTOCOL);
		expect_icmp(&c, 3, 13, BED_GATEWAY);
		assert_int_equal(write(fd, "0 0", 3), 3);
		probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	}
	close(probe);
	close(fd);
	c.descriptors -= 1;
	assert_int_equal(bed_input(&c.bed, frame, make_ping(frame, STRANGER, 8, 56)), VERDICT_CONSUMED_NAT);
	expect_icmp(&c, 0, 0, STRANGER);
	assert_int_equal(c.p.sport, 77);	/* the guest's identifier, whatever it was outside */
	assert_int_equal(packet_payload_len(&c.p), 56);
	assert_int_equal(packet_payload(&c.p)[3], 'p');
	assert_int_equal(bed_input(&c.bed, frame, make_ping(frame, 0xc6336407, 8, 56)), VERDICT_CONSUMED_REFUSED);
	expect_icmp(&c, 3, 0, BED_GATEWAY);
	assert_int_equal(bed_input(&c.bed, frame, make_ping(frame, STRANGER, 13, 56)), VERDICT_DROP_NO_SESSION);
	assert_int_equal(count(&c).flows, 1);
	bed_skip(&c.bed, 61000, 1000);
	assert_int_equal(count(&c).flows, 0);
	end(&c);
}

/* NAT-20: what is not translated is refused, and nothing is made for it */
static void test_other_protocols(void **state)
{
	static const uint8_t others[] = { 4, 33 /* DCCP */, 47 /* GRE */, 50 /* ESP */, 51, 132 /* SCTP */, 136 /* UDP-Lite */, 253, 255 };
	struct case_state c;
	uint8_t frame[64] = { 0 };

	(void)state;
	begin(&c);
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		build_ip4(build_eth(frame, bed_gateway_mac, bed_guest_mac, ETHERTYPE_IP4), BED_GUEST, 0xcb007105, others[i], 64, 20);
		assert_int_equal(bed_input(&c.bed, frame, ETH_HEADER + IP4_HEADER + 20), VERDICT_DROP_NO_PROTOCOL);
		expect_icmp(&c, 3, 2, BED_GATEWAY);
		assert_int_equal(count(&c).opened, 0);
	}
	frame[0] = 2, frame[5] = 99;		/* flooded to somebody else: not ours */
	build_udp_frame(frame, (uint8_t[]){ 255, 255, 255, 255, 255, 255 }, bed_guest_mac, addr4(BED_GUEST), 138, addr4(0x0a0000ff), 138, "x", 1);
	bed_input(&c.bed, frame, 43);
	assert_int_equal(count(&c).flows, 0);
	assert_int_equal(c.bed.queued, 0);
	end(&c);
}

static void give_address(void)
{
	struct ifreq r = { .ifr_name = "lo:1" };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(STRANGER) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&r.ifr_addr, &a, sizeof(a));
	if (ioctl(fd, SIOCSIFADDR, &r) < 0) {
		printf("needs a network namespace of its own: %s\n", strerror(errno));
		exit(77);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_together), cmocka_unit_test(test_train), cmocka_unit_test(test_mapping), cmocka_unit_test(test_filtering),
		cmocka_unit_test(test_timeouts), cmocka_unit_test(test_quota), cmocka_unit_test(test_large),
		cmocka_unit_test(test_bursts), cmocka_unit_test(test_large_of_a_stranger), cmocka_unit_test(test_uso), cmocka_unit_test(test_port_unreachable),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_host_closed), cmocka_unit_test(test_host_addresses), cmocka_unit_test(test_arp),
		cmocka_unit_test(test_ping), cmocka_unit_test(test_ping_outside),
		cmocka_unit_test(test_other_protocols),
	};

	give_address();
	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
