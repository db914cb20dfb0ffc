/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/icmp_bed.h - tests/packet/nat_bed.h with raw ICMP sockets, as the keeper opens them, in a network namespace with addresses of
 * an outside on its loopback interface. To be included by one file of a test, in which ping sockets stay closed. */
#ifndef TESTS_ICMP_BED_H
#define TESTS_ICMP_BED_H

#include "base/array.h"
#include "ctl/act_plug.h"
#include "nat/budget.h"
#include "nat/forward.h"
#include "nat/rawicmp.h"
#include "tests/packet/nat_bed.h"
#include "tests/unit/own_namespace.h"

enum { SHARES = 4, SHARE = 1, ID = 77, STRANGER = 0xc0000207, STRANGER2 = 0xc0000208, NOBODY = 0xc6336407 };

static const struct nat_conf loopback = { .host_access = HOST_LOOPBACK, .uplink = true };
static const struct addr stranger6 = { .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 7 } };

struct case_state {
	struct bed bed;
	struct bed_frame *f;		/* the last frame to a guest */
	struct packet p;
	struct forward *forward;
	int fd;				/* the outside's own socket, or -1 */
	unsigned descriptors;
};

static struct addr guest_of(bool ip6)
{
	return ip6 ? bed_address(15) : addr4(BED_GUEST);
}

static MAYBE_UNUSED struct addr stranger_of(bool ip6)
{
	return ip6 ? stranger6 : addr4(STRANGER);
}

static MAYBE_UNUSED void give(unsigned share, unsigned shares)
{
	struct host_icmp m = { .family = 4, .share = (uint16_t)share, .shares = (uint16_t)shares };
	int fd4 = icmp_open(&m), fd6;

	m.family = 6;
	fd6 = icmp_open(&m);
	assert_true(fd4 >= 0 && fd6 >= 0);
	rawicmp_give(0, share, shares, fd4, fd6);
}

static void begin(struct case_state *c)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	give(SHARE, SHARES);
	c->descriptors = bed_descriptors();
	bed_init(&c->bed, &loopback, 1);
	for (unsigned i = 0; i < 2; i++) {
		struct station s = { .ip = guest_of(i), .port = 1, .source = STATION_ARP, .seen_ms = c->bed.w->now_ms };

		memcpy(s.mac, bed_guest_mac, 6);
		station_note(c->bed.snap->nets[0].segments[0].stations, &s, true);
	}
}

static void end(struct case_state *c)
{
	assert_int_equal(c->bed.bad, 0);
	if (c->fd >= 0)
		close(c->fd);
	if (c->forward)
		assert_true(forward_stop(c->forward));
	bed_settle(&c->bed);
	free(c->f);
	assert_int_equal(bed_next(&c->bed) != NULL, 0);
	assert_true(nat_stop(c->bed.nat));
	bed_settle(&c->bed);
	assert_int_equal(c->bed.w->watched, 0);
	bed_fini(&c->bed);
	assert_int_equal(budget_used(), 0);
	assert_int_equal(bed_descriptors(), c->descriptors);
}

static bool guest_takes(struct case_state *c)
{
	bed_settle(&c->bed);
	free(c->f);
	c->f = bed_next(&c->bed);
	return c->f && packet_parse(c->f->data, c->f->len, &c->f->offload, &c->p) == VERDICT_FORWARDED;
}

static MAYBE_UNUSED struct nat_counts count(struct case_state *c)
{
	struct nat_counts n;

	nat_count(c->bed.nat, &n);
	return n;
}

static MAYBE_UNUSED uint32_t put_icmp(uint8_t *icmp, bool ip6, struct addr src, struct addr dst, uint8_t type, uint16_t id, uint32_t size)
{
	memset(icmp, 0, ICMP_HEADER);
	icmp[0] = type;
	put_u16(icmp + 4, id);
	memset(icmp + ICMP_HEADER, 'p', size);
	size += ICMP_HEADER;
	put_u16(icmp + 2, checksum_finish(checksum_add(ip6 ? build_pseudo(src, dst, PROTO_ICMP6, size) : 0, icmp, size)));
	return size;
}

static MAYBE_UNUSED enum verdict ping_from(struct case_state *c, uint32_t port, struct addr src, struct addr dst, uint16_t id, uint32_t size)
{
	static uint8_t frame[66000];
	bool ip6 = !addr_is4(src);
	uint8_t *icmp = build_ip(frame, bed_gateway_mac, bed_guest_mac, src, dst, ip6 ? PROTO_ICMP6 : PROTO_ICMP, 64, ICMP_HEADER + size);

	put_icmp(icmp, ip6, src, dst, ip6 ? 128 : 8, id, size);
	return bed_input_from(&c->bed, port, frame, build_headers(dst) + ICMP_HEADER + size, NULL);
}

/* send_from() - an ICMP message from one address of the host to another; IPv6 with the kernel's checksum */
static MAYBE_UNUSED void send_from(struct addr src, struct addr dst, const uint8_t *icmp, uint32_t size)
{
	bool ip6 = !addr_is4(src);
	int fd = socket(addr_family(src), SOCK_RAW | SOCK_CLOEXEC, ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	union sock_addr at;

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &at.any, addr_to_sock(src, 0, &at)), 0);
	assert_int_equal(sendto(fd, icmp, size, 0, &at.any, addr_to_sock(dst, 0, &at)), (ssize_t)size);
	close(fd);
}

/* give_addresses() - to a network namespace of the test's own, in which ping sockets are closed, as in any new one; or the test is skipped */
static void give_addresses(void)
{
	if (own_namespace() && own_run("ip link set lo up; ip addr add 192.0.2.7/32 dev lo; ip addr add 192.0.2.8/32 dev lo;"
				       "ip -6 addr add 2001:db8::7/128 dev lo nodad"))
		return;
	printf("needs a network namespace of its own\n");
	exit(77);
}

#endif
