// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/policy.h"

#include "base/array.h"
#include "switch/snapshot.h"

enum { LOOPBACK = 0x7f000001 };

static const struct {
	uint32_t addr, mask;
	enum policy_act act;
} never[] = {
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

static struct policy pass(uint32_t dst)
{
	return (struct policy){ .act = POLICY_PASS, .verdict = VERDICT_CONSUMED_NAT, .dst = dst };
}

static bool source_ok(const struct segment *seg, uint32_t src)
{
	if (!prefix4_has(seg->subnet, src) || src == seg->gateway)
		return false;
	return seg->subnet.len >= 31 || (src != seg->subnet.addr && src != prefix4_last(seg->subnet));
}

static struct policy to_gateway(const struct policy_query *q)
{
	if (q->host_access == HOST_LOOPBACK && !q->dst_is_loopback_forward)
		return pass(LOOPBACK);
	if (q->host_access == HOST_OWN && q->own)
		return pass(q->own);
	return refuse(POLICY_CLOSED, VERDICT_CONSUMED_REFUSED, 0);
}

struct policy policy_decide(const struct policy_query *q)
{
	if (!source_ok(q->segment, q->src))
		return refuse(POLICY_DROP, VERDICT_DROP_MARTIAN, 0);
	if (q->dst == q->segment->gateway)
		return to_gateway(q);
	for (unsigned i = 0; i < ARRAY_SIZE(never); i++)
		if ((q->dst & never[i].mask) == never[i].addr)
			return refuse(never[i].act, VERDICT_DROP_MARTIAN, ICMP_ADMIN_PROHIBITED);
	if (prefix4_has(q->segment->subnet, q->dst))
		return refuse(POLICY_DROP, VERDICT_DROP_MARTIAN, 0);	/* a neighbour is reached directly */
	if (segment_for_ip(q->snapshot, q->dst, q->segment))
		return refuse(POLICY_PROHIBITED, VERDICT_DROP_OTHER_NETWORK, ICMP_ADMIN_PROHIBITED);
	if (!q->uplink)
		return refuse(POLICY_PROHIBITED, VERDICT_DROP_NO_ROUTE, ICMP_NET_PROHIBITED);
	if (q->host_access == HOST_NONE && q->dst_is_host)
		return refuse(POLICY_PROHIBITED, VERDICT_CONSUMED_REFUSED, ICMP_HOST_PROHIBITED);
	return pass(q->dst);
}
