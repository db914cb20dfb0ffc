// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/policy.h"

#include "base/array.h"
#include "nat/answer.h"
#include "switch/snapshot.h"

static const struct {
	uint32_t addr, mask;
	enum policy_act act;
} never4[] = {
	{ 0x00000000, 0xff000000, POLICY_DROP },	/* 0/8, "this network" (RFC 1122 3.2.1.3) */
	{ 0x7f000000, 0xff000000, POLICY_DROP },	/* 127/8, the host's loopback */
	{ 0xe0000000, 0xf0000000, POLICY_DROP },	/* 224/4, multicast */
	{ 0xf0000000, 0xf0000000, POLICY_DROP },	/* 240/4 with the limited broadcast */
	/* 169.254/16 is never forwarded (RFC 3927 2.7); clouds keep their instances' secrets there */
	{ 0xa9fe0000, 0xffff0000, POLICY_PROHIBITED },
};

static struct policy refuse(enum policy_act act, enum verdict verdict, uint8_t icmp_code)
{
	return (struct policy){ .act = act, .verdict = verdict, .icmp_code = icmp_code };
}

/* Prefixes of IPv6 that are nobody's outside (RFC 6890, RFC 4291 2.5); mapped addresses are refused where packets are parsed */
static const struct {
	struct prefix6 prefix;
	enum policy_act act;
} never6[] = {
	{ { { .bytes = { 0 } }, 96 }, POLICY_DROP },			/* ::, ::1, and what was IPv4-compatible */
	{ { { .bytes = { 0xff } }, 8 }, POLICY_DROP },			/* multicast */
	{ { { .bytes = { 0xfe, 0x80 } }, 10 }, POLICY_DROP },		/* link-local */
	{ { { .bytes = { 0xfe, 0xc0 } }, 10 }, POLICY_DROP },		/* site-local, deprecated (RFC 3879) */
};

/* metadata6 - where clouds keep their instances' secrets, in a prefix that is otherwise a network's own */
static const struct addr metadata6 = { .bytes = { 0xfd, 0, 0x0e, 0xc2, [14] = 2, [15] = 0x54 } };

static enum policy_act never(struct addr dst)
{
	if (addr_is4(dst)) {
		for (unsigned i = 0; i < ARRAY_SIZE(never4); i++)
			if ((addr_4(dst) & never4[i].mask) == never4[i].addr)
				return never4[i].act;
		return POLICY_PASS;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(never6); i++)
		if (addr_in(never6[i].prefix, dst))
			return never6[i].act;
	return addr_equal(dst, metadata6) ? POLICY_PROHIBITED : POLICY_PASS;
}

static struct policy pass(struct addr dst)
{
	return (struct policy){ .act = POLICY_PASS, .verdict = VERDICT_CONSUMED_NAT, .dst = dst };
}

/* source_ok() - a guest's address; a link-local one may talk to the gateway's link-local one only */
static bool source_ok(const struct segment *seg, struct addr src, struct addr dst)
{
	if (!addr_is4(src) && addr_is_link_local(src))
		return addr_equal(dst, seg->gateway6_link) && !addr_equal(src, dst);
	return segment_is_guests(seg, src);
}

static struct addr loopback(struct addr like)
{
	return addr_is4(like) ? addr4(0x7f000001) : (struct addr){ .bytes = { [15] = 1 } };
}

static struct policy to_gateway(const struct policy_query *q)
{
	if (segment_is_dns(q->segment, q->dst))
		return refuse(POLICY_CLOSED, VERDICT_CONSUMED_REFUSED, 0);
	if (q->host_access == HOST_LOOPBACK && !q->dst_is_loopback_forward)
		return pass(loopback(q->dst));
	if (q->host_access == HOST_OWN && !addr_is_none(q->own))
		return pass(q->own);
	return refuse(POLICY_CLOSED, VERDICT_CONSUMED_REFUSED, 0);
}

struct policy policy_decide(const struct policy_query *q)
{
	enum policy_act act;

	if (!q->src_is_behind && !source_ok(q->segment, q->src, q->dst))
		return refuse(POLICY_DROP, VERDICT_DROP_MARTIAN, 0);
	if (segment_is_gateway(q->segment, q->dst))
		return to_gateway(q);
	act = never(q->dst);
	if (act != POLICY_PASS)
		return refuse(act, VERDICT_DROP_MARTIAN, ICMP_ADMIN_PROHIBITED);
	if (segment_has(q->segment, q->dst))
		return refuse(POLICY_DROP, VERDICT_DROP_MARTIAN, 0);	/* a neighbour is reached directly */
	if (segment_for_addr(q->snapshot, q->dst, q->segment))
		return refuse(POLICY_PROHIBITED, VERDICT_DROP_OTHER_NETWORK, ICMP_ADMIN_PROHIBITED);
	if (!q->uplink)
		return refuse(POLICY_PROHIBITED, VERDICT_DROP_NO_ROUTE, ICMP_NET_PROHIBITED);
	if (q->uplink_gone)
		return refuse(POLICY_PROHIBITED, VERDICT_DROP_NO_ROUTE, ICMP_UNREACHABLE_NET);
	if (q->host_access == HOST_NONE && q->dst_is_host)
		return refuse(POLICY_PROHIBITED, VERDICT_CONSUMED_REFUSED, ICMP_HOST_PROHIBITED);
	return pass(q->dst);
}
