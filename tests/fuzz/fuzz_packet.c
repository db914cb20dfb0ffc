// SPDX-License-Identifier: GPL-2.0-or-later
/* Ethernet with its tag, ARP, IPv4, IPv6, TCP, UDP, ICMP, Neighbour Discovery; and the ICMP error that quotes what was parsed.
 * covers: switch/packet.c switch/vlan.c switch/build.c switch/nd.c
 * Input: a byte of flags, two bytes of tag metadata, the frame. */
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/packet.h"
#include "switch/vlan.h"

enum { FIX_IP = 1, FIX_L4 = 2, PROMISED = 4, TAG_PRESENT = 8, TRUNK = 16, NATIVE = 32, SERVICE = 64, TUNNEL = 128, TAIL_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

/* fix6() - the same where there is no extension header */
static void fix6(uint8_t *f, uint32_t len)
{
	uint8_t *ip = f + ETH_HEADER, *l4 = ip + IP6_HEADER;
	uint32_t at = ip[6] == PROTO_TCP ? 16 : ip[6] == PROTO_UDP ? 6 : 2, size;

	if (len < ETH_HEADER + IP6_HEADER + at + 2 || get_u16(ip + 4) > len - ETH_HEADER - IP6_HEADER || get_u16(ip + 4) < at + 2)
		return;
	size = get_u16(ip + 4);
	put_u16(l4 + at, 0);
	put_u16(l4 + at, checksum_finish_udp(checksum_add(checksum_pseudo6(ip + 8, ip + 24, ip[6], size), l4, size)));
}

/* fix() - make checksums right, which mutation alone would hardly find */
static void fix(uint8_t *f, uint32_t len, uint8_t flags)
{
	uint8_t *ip = f + ETH_HEADER, *l4 = ip + IP4_HEADER;
	uint32_t total, at;
	uint64_t sum = 0;

	if (len >= ETH_HEADER + IP6_HEADER && get_u16(f + 12) == ETHERTYPE_IP6 && flags & FIX_L4)
		fix6(f, len);
	if (len < ETH_HEADER + IP4_HEADER || get_u16(f + 12) != ETHERTYPE_IP4)
		return;
	if (flags & FIX_IP) {
		uint32_t header = (ip[0] & 15) * 4u;

		put_u16(ip + 10, 0);
		if (header <= len - ETH_HEADER)
			put_u16(ip + 10, checksum_finish(checksum_add(0, ip, header)));
	}
	total = get_u16(ip + 2);
	at = ip[9] == PROTO_TCP ? 16 : ip[9] == PROTO_UDP ? 6 : 2;
	if (!(flags & FIX_L4) || total > len - ETH_HEADER || total < IP4_HEADER + at + 2)
		return;
	put_u16(l4 + at, 0);
	if (ip[9] != PROTO_ICMP)
		sum = checksum_pseudo4(ip + 12, ip + 16, ip[9], total - IP4_HEADER);
	put_u16(l4 + at, checksum_finish_udp(checksum_add(sum, l4, total - IP4_HEADER)));
}

/* answer() - what the gateway would say to it is good */
static void answer(const struct packet *p, const struct nd *nd)
{
	struct offload none = { 0 };
	uint8_t frame[ND_NEIGHBOUR_SIZE];
	struct packet q;
	struct nd back;

	must(nd->link > p->data && nd->link + 6 <= p->data + p->len && p->ttl == ND_HOP_LIMIT);
	must(packet_parse(frame, nd_build_solicitation(frame, nd->link, p->src, p->dst), &none, &q) == VERDICT_FORWARDED && nd_is(&q));
	if (addr_is_multicast(nd->target) || addr_is_multicast(p->src))
		return;
	must(packet_parse(frame, nd_build_advertisement(frame, nd->link, nd->link, p->src, nd->target, ND_OVERRIDE), &none, &q) ==
		     VERDICT_FORWARDED &&
	     nd_parse(&q, &back) == VERDICT_FORWARDED && addr_equal(back.target, nd->target) && !memcmp(back.link, nd->link, 6));
}

/* use() - read all that a packet points at, and make an error about it */
static void use(const struct packet *p, const uint8_t *data, uint32_t len)
{
	uint8_t error[ICMP_ERROR_ROOM];
	struct offload none = { 0 };
	struct packet q;
	struct addr from;
	struct nd nd;
	uint32_t n = 0, sum = 0;

	must(p->data == data && p->len <= len && p->payload <= p->len && p->l4 <= p->len);
	for (uint32_t i = 0; i < packet_payload_len(p); i++)
		sum += packet_payload(p)[i];
	if (p->ethertype == ETHERTYPE_ARP4)
		return;
	must(p->l4 >= build_headers(p->src) && p->payload >= p->l4 && addr_is4(p->src) == addr_is4(p->dst));
	from = addr_is4(p->src) ? addr4(0x0a000001 + (sum & 1)) : p->dst;
	n = build_icmp_extended(error, data, data + 6, from, 3, 0, 0, p, data, MIN_OF(len, (uint32_t)ICMP_MORE_MAX));
	must(n <= (addr_is4(p->src) ? ETH_HEADER + 576 : ICMP_ERROR_ROOM) && packet_parse(error, n, &none, &q) == VERDICT_FORWARDED);
	n = build_icmp_error(error, data, data + 6, from, 3, 4, 1400, p);
	must(n <= (addr_is4(p->src) ? ETH_HEADER + 576 : ICMP_ERROR_ROOM));
	if (nd_is(p) && nd_parse(p, &nd) == VERDICT_FORWARDED && nd.link)
		answer(p, &nd);
	must(packet_parse(error, n, &none, &q) == VERDICT_FORWARDED && packet_is_icmp(&q) && addr_equal(q.dst, p->src));
	n = build_udp_frame(error, data, data + 6, p->dst, p->dport, p->src, p->sport, data, MIN_OF(len, 64u));
	must(packet_parse(error, n, &none, &q) == VERDICT_FORWARDED && addr_equal(q.dst, p->src) && q.sport == p->dport);
	if (!addr_is4(p->src))
		return;
	n = build_arp(error, ARP_REPLY, data, addr_4(p->src), data + 6, addr_4(p->dst), data);
	must(packet_parse(error, n, &none, &q) == VERDICT_FORWARDED && addr_4(q.src) == addr_4(p->src) && q.arp_op == ARP_REPLY);
}

static void look(struct frame *f, uint8_t flags)
{
	struct vlan_conf conf = {
		.trunk = flags & TRUNK, .pvid = flags & NATIVE || !(flags & TRUNK) ? 7 : 0, .service = flags & TRUNK && flags & SERVICE,
		.tunnel = !(flags & TRUNK) && flags & TUNNEL, .native_tagged = flags & TUNNEL, .tagged_only = flags & TRUNK && flags & NATIVE && flags & TUNNEL,
	};
	struct packet p;

	vlan_list(&conf, 10);
	vlan_list(&conf, 4094);
	if (f->len < ETH_HEADER || vlan_classify(&conf, f) != VERDICT_FORWARDED)
		return;
	must(f->vid >= 1 && f->vid <= VID_MAX && vlan_member(&conf, f->vid) && f->len >= ETH_HEADER);
	must(vlan_takes(&conf, f) && (!f->inner || conf.service || conf.tunnel));
	must((vlan_tci(&conf, f->vid, f->pcp_dei) & 0xfff) == (!conf.trunk || (f->vid == conf.pvid && !conf.native_tagged) ? 0 : f->vid));
	fix(f->head, f->len, flags);
	if (packet_parse(f->head, f->len, &f->offload, &p) == VERDICT_FORWARDED)
		use(&p, f->head, f->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet p;
	struct frame f;
	uint8_t *exact;

	if (size < 3 || size > TAIL_MAX)
		return 0;
	exact = malloc(size - 3 ? size - 3 : 1);	/* so that a read beyond it is seen */
	memcpy(exact, data + 3, size - 3);
	frame_init(&f, exact, (uint32_t)size - 3);
	if (data[0] & PROMISED)
		f.offload.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	f.tag_present = data[0] & TAG_PRESENT;
	f.vid = f.tag_present ? get_u16(data + 1) & 0xfff : 0;
	f.pcp_dei = f.tag_present ? data[1] >> 4 : 0;
	if (packet_parse(exact, f.len, &f.offload, &p) == VERDICT_FORWARDED)
		use(&p, exact, f.len);
	look(&f, data[0]);
	free(exact);
	return 0;
}
