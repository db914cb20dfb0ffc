// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/offload.h"

#include <endian.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/layout.h"
#include "switch/packet.h"
#include "switch/port.h"

/* Segments shorter than this no sender makes: Linux goes down to 48 bytes of options and payload (tcp_min_snd_mss). */
enum { GSO_SIZE_MIN = 8, ICMP_CHECKSUM = 2, TCP_CWR = 0x80 };

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

void offload_read_request(struct offload *o, const uint8_t *h)
{
	*o = (struct offload){
		.flags = h[0], .gso_type = h[1], .hdr_len = le16(h + 2), .gso_size = le16(h + 4),
		.csum_start = le16(h + 6), .csum_offset = le16(h + 8),
	};
}

void offload_write(const struct offload *o, uint32_t tags, uint8_t *h, size_t header_size)
{
	memset(h, 0, header_size);
	if (!(o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	h[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	put_le16(h + 6, (uint16_t)(o->csum_start + tags));
	put_le16(h + 8, o->csum_offset);
	if (o->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	h[1] = o->gso_type;
	put_le16(h + 2, (uint16_t)(o->hdr_len + tags));
	put_le16(h + 4, o->gso_size);
}

/* gso_type_of() - what segments of this frame must be called, or GSO_NONE when there is no such thing. The sender's word about ECN
 * is not asked: whether a header says that the window was reduced is in the header (RFC 3168, 6.1.2). */
static uint8_t gso_type_of(const uint8_t *head, const struct layout *l)
{
	if (!l->payload)
		return VIRTIO_NET_HDR_GSO_NONE;
	if (l->proto == PROTO_UDP)
		return OFFLOAD_GSO_UDP_L4;
	return (uint8_t)((l->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4) |
			 (head[l->l4 + 13] & TCP_CWR ? VIRTIO_NET_HDR_GSO_ECN : 0));
}

/* gso_said() - does a type, as the guest gave it, name what the frame is? ECN only goes with TCP. */
static bool gso_said(uint8_t type, uint8_t is)
{
	if (is == OFFLOAD_GSO_UDP_L4)
		return type == is;
	return is && (type | VIRTIO_NET_HDR_GSO_ECN) == (is | VIRTIO_NET_HDR_GSO_ECN);
}

/* check_gso() - segments must be what the headers say, and fit the network */
static enum verdict check_gso(struct frame *f, uint32_t mtu)
{
	struct offload *o = &f->offload;
	uint32_t payload;
	struct layout l;
	uint8_t type;

	if (!(o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || f->len > FRAME_MAX || !layout_find(f->head, f->head_len, &l))
		return VERDICT_DROP_VNET_HEADER;
	type = gso_type_of(f->head, &l);
	payload = f->len - l.payload;
	if (!gso_said(o->gso_type, type) || o->gso_size < GSO_SIZE_MIN || payload > o->gso_size * (uint32_t)OFFLOAD_SEGMENTS)
		return VERDICT_DROP_VNET_HEADER;
	if ((uint32_t)l.payload - ETH_HEADER + o->gso_size > mtu)
		return VERDICT_DROP_OVERSIZE;
	*o = (struct offload){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = l.l4, .csum_offset = layout_checksum(&l),
		.gso_type = type, .gso_size = o->gso_size, .hdr_len = l.payload,
	};
	if (payload <= o->gso_size) {	/* one segment: an ordinary frame */
		o->gso_type = VIRTIO_NET_HDR_GSO_NONE;
		o->gso_size = o->hdr_len = 0;
	}
	return VERDICT_FORWARDED;
}

/* may_sum() - is this a place that a checksum may be computed over, and written to?
 * The frame was, or will be, decided upon by its headers: what changes them afterwards would get round that. */
static bool may_sum(const struct frame *f, uint32_t start, uint32_t offset)
{
	struct layout l;

	if (start + offset + 2 > f->head_len)
		return false;	/* not in the part of the frame that is ours to write */
	if (!layout_find(f->head, f->head_len, &l)) {
		uint16_t ethertype = get_u16(f->head + 12);

		return ethertype != ETHERTYPE_IP4 && ethertype != ETHERTYPE_IP6 && ethertype != ETHERTYPE_ARP4 &&
		       start >= ETH_HEADER + IP4_HEADER;	/* MPLS, PPPoE: IP stands further behind */
	}
	if (l.fragment)
		return false;
	switch (l.proto) {
	case PROTO_TCP:
	case PROTO_UDP:
		return l.payload && (start == l.l4 ? offset == layout_checksum(&l) : start >= l.payload);
	case PROTO_ICMP:
	case PROTO_ICMP6:
		return start == l.l4 && offset == ICMP_CHECKSUM;
	default:
		return start >= l.l4;
	}
}

enum verdict offload_check_request(struct frame *f, uint32_t mtu)
{
	struct offload *o = &f->offload;

	if (o->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return check_gso(f, mtu);
	if (f->len > mtu + ETH_HEADER)
		return VERDICT_DROP_OVERSIZE;
	if (!(o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
		*o = (struct offload){ 0 };
		return VERDICT_FORWARDED;
	}
	if (!may_sum(f, o->csum_start, o->csum_offset))
		return VERDICT_DROP_VNET_HEADER;
	o->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	o->gso_size = o->hdr_len = 0;
	return VERDICT_FORWARDED;
}

bool offload_fits(const struct offload *o, uint32_t offloads)
{
	uint32_t need = 0;

	if (o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		need |= PORT_CSUM;
	switch (o->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		break;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		need |= PORT_TSO4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		need |= PORT_TSO6;
		break;
	default:
		need |= PORT_USO;
	}
	if (o->gso_type & VIRTIO_NET_HDR_GSO_ECN)
		need |= PORT_ECN;
	return (need & offloads) == need;
}

void offload_complete(struct frame *f)
{
	const struct offload *o = &f->offload;
	uint32_t at = (uint32_t)o->csum_start + o->csum_offset;
	uint64_t sum;
	bool odd;

	if (!(o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || at + 2 > f->head_len)
		return;
	/* the field holds the pseudo header's sum, so it is summed with the rest */
	sum = checksum_add(0, f->head + o->csum_start, f->head_len - o->csum_start);
	odd = (f->head_len - o->csum_start) & 1;
	for (unsigned i = 0; i < f->nbody; i++) {
		sum = checksum_add_at(sum, odd, f->body[i].iov_base, f->body[i].iov_len);
		odd ^= f->body[i].iov_len & 1;
	}
	put_u16(f->head + at, o->csum_offset == UDP_CHECKSUM ? checksum_finish_udp(sum) : checksum_finish(sum));
	f->offload = (struct offload){ 0 };
}
