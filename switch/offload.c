// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/offload.h"

#include <endian.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/packet.h"
#include "switch/port.h"

/* A segment smaller than this is no honest path's, and would make more than OFFLOAD_SEGMENTS of one frame. */
enum { GSO_SIZE_MIN = 256, IP6_HEADER = 40, TCP_CSUM = 16, UDP_CSUM = 6, TCP_CWR = 0x80 };

/* layout - where the headers of a frame that may be cut stand */
struct layout {
	bool v6;
	uint8_t proto;
	uint16_t l4, payload;
};

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static void put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

void offload_read(struct offload *o, const uint8_t *h)
{
	*o = (struct offload){
		.flags = h[0], .gso_type = h[1], .hdr_len = le16(h + 2), .gso_size = le16(h + 4),
		.csum_start = le16(h + 6), .csum_offset = le16(h + 8),
	};
}

void offload_write(const struct offload *o, bool tagged, uint8_t *h, size_t header_size)
{
	uint16_t shift = tagged ? VLAN_TAG : 0;

	memset(h, 0, header_size);
	if (!(o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	h[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	put_le16(h + 6, (uint16_t)(o->csum_start + shift));
	put_le16(h + 8, o->csum_offset);
	if (o->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return;
	h[1] = o->gso_type;
	put_le16(h + 2, (uint16_t)(o->hdr_len + shift));
	put_le16(h + 4, o->gso_size);
}

/* find_l4() - TCP or UDP straight behind an IPv4 or IPv6 header without fragments or extension headers */
static bool find_l4(const uint8_t *head, uint32_t size, struct layout *l)
{
	const uint8_t *ip = head + ETH_HEADER;
	uint16_t ethertype = get_u16(head + 12);

	if (ethertype == ETHERTYPE_IP4 && size >= ETH_HEADER + IP4_HEADER) {
		if (ip[0] >> 4 != 4 || (ip[0] & 15) < 5 || get_u16(ip + 6) & 0x3fff)
			return false;
		*l = (struct layout){ .proto = ip[9], .l4 = (uint16_t)(ETH_HEADER + (ip[0] & 15) * 4) };
	} else if (ethertype == ETHERTYPE_IP6 && size >= ETH_HEADER + IP6_HEADER) {
		*l = (struct layout){ .v6 = true, .proto = ip[6], .l4 = ETH_HEADER + IP6_HEADER };
	} else {
		return false;
	}
	if (l->proto == PROTO_TCP && size >= l->l4 + (uint32_t)TCP_HEADER) {
		l->payload = (uint16_t)(l->l4 + (head[l->l4 + 12] >> 4) * 4);
		return l->payload >= l->l4 + TCP_HEADER && l->payload <= size;
	}
	l->payload = l->l4 + UDP_HEADER;
	return l->proto == PROTO_UDP && l->payload <= size;
}

static bool gso_matches(uint8_t type, const struct layout *l)
{
	switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return l->proto == PROTO_TCP && !l->v6;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return l->proto == PROTO_TCP && l->v6;
	case 5:	/* VIRTIO_NET_HDR_GSO_UDP_L4, virtio 1.2 */
		return l->proto == PROTO_UDP && !(type & VIRTIO_NET_HDR_GSO_ECN);
	default:
		return false;
	}
}

/* check_gso() - segments must be what the headers say, and fit the network */
static enum verdict check_gso(struct frame *f, uint32_t mtu)
{
	struct offload *o = &f->offload;
	struct layout l;

	if (!(o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || !find_l4(f->head, f->head_len, &l) ||
	    !gso_matches(o->gso_type, &l) || f->len > FRAME_MAX)
		return VERDICT_DROP_VNET_HEADER;
	if (o->gso_size < GSO_SIZE_MIN)
		return VERDICT_DROP_VNET_HEADER;
	if ((uint32_t)l.payload - ETH_HEADER + o->gso_size > mtu)
		return VERDICT_DROP_OVERSIZE;
	o->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	o->hdr_len = l.payload;
	o->csum_start = l.l4;
	o->csum_offset = l.proto == PROTO_TCP ? TCP_CSUM : UDP_CSUM;
	if (f->len - l.payload <= o->gso_size) {	/* one segment: an ordinary frame */
		o->gso_type = VIRTIO_NET_HDR_GSO_NONE;
		o->gso_size = o->hdr_len = 0;
	}
	return VERDICT_FORWARDED;
}

enum verdict offload_check(struct frame *f, uint32_t mtu)
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
	/* the field must lie behind the Ethernet header, and in the part of the frame that is ours to write */
	if (o->csum_start < ETH_HEADER || (uint32_t)o->csum_start + o->csum_offset + 2 > f->head_len)
		return VERDICT_DROP_VNET_HEADER;
	o->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	o->gso_size = o->hdr_len = 0;
	return VERDICT_FORWARDED;
}

void offload_finish(uint8_t *data, uint32_t len, const struct offload *o)
{
	uint32_t at = (uint32_t)o->csum_start + o->csum_offset;
	uint64_t sum;

	if (!(o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) || at + 2 > len)
		return;
	/* the field holds the pseudo header's sum, so it is summed with the rest */
	sum = checksum_add(0, data + o->csum_start, len - o->csum_start);
	put_u16(data + at, o->csum_offset == UDP_CSUM ? checksum_finish_udp(sum) : checksum_finish(sum));
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

/* body_copy() - copy @size bytes of the frame from offset @from on */
static void body_copy(const struct frame *f, uint32_t from, uint8_t *to, uint32_t size)
{
	uint32_t in_head = f->head_len > from ? f->head_len - from : 0;
	uint32_t n = in_head < size ? in_head : size;

	memcpy(to, f->head + from, n);
	to += n;
	size -= n;
	from = from > f->head_len ? from - f->head_len : 0;
	for (uint32_t i = 0; size && i < f->nbody; i++) {
		const struct iovec *v = &f->body[i];

		if (from >= v->iov_len) {
			from -= (uint32_t)v->iov_len;
			continue;
		}
		n = (uint32_t)v->iov_len - from < size ? (uint32_t)v->iov_len - from : size;
		memcpy(to, (const uint8_t *)v->iov_base + from, n);
		to += n;
		size -= n;
		from = 0;
	}
}

/* fix_ip() - lengths, identification and checksum of segment number @i */
static void fix_ip(uint8_t *seg, uint32_t len, const struct layout *l, unsigned i)
{
	uint8_t *ip = seg + ETH_HEADER;

	if (l->v6) {
		put_u16(ip + 4, (uint16_t)(len - ETH_HEADER - IP6_HEADER));
		return;
	}
	put_u16(ip + 2, (uint16_t)(len - ETH_HEADER));
	put_u16(ip + 4, (uint16_t)(get_u16(ip + 4) + i));
	put_u16(ip + 10, 0);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, l->l4 - ETH_HEADER)));
}

/* fix_l4() - sequence number and flags (RFC 9293), or length, and the whole checksum */
static void fix_l4(uint8_t *seg, uint32_t len, const struct layout *l, uint32_t offset, bool first, bool last)
{
	uint8_t *ip = seg + ETH_HEADER, *t = seg + l->l4;
	uint32_t size = len - l->l4;
	uint16_t at = l->proto == PROTO_TCP ? TCP_CSUM : UDP_CSUM;
	uint64_t sum;

	if (l->proto == PROTO_TCP) {
		put_u32(t + 4, get_u32(t + 4) + offset);
		if (!first)
			t[13] &= (uint8_t)~TCP_CWR;
		if (!last)
			t[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	} else {
		put_u16(t + 4, (uint16_t)size);
	}
	put_u16(t + at, 0);
	sum = l->v6 ? checksum_pseudo6(ip + 8, ip + 24, l->proto, size) :
		      checksum_pseudo4(ip + 12, ip + 16, l->proto, size);
	sum = checksum_add(sum, t, size);
	put_u16(t + at, l->proto == PROTO_UDP ? checksum_finish_udp(sum) : checksum_finish(sum));
}

static unsigned whole(const struct frame *f, uint8_t *to, size_t room, struct iovec *pieces)
{
	if (f->len > room)
		return 0;
	frame_linear(f, to);
	offload_finish(to, f->len, &f->offload);
	pieces[0] = (struct iovec){ to, f->len };
	return 1;
}

unsigned offload_cut(const struct frame *f, uint8_t *to, size_t room, struct iovec *pieces, unsigned max)
{
	const struct offload *o = &f->offload;
	struct layout l;
	uint32_t total, offset = 0;
	unsigned n = 0;

	if (o->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return max ? whole(f, to, room, pieces) : 0;
	if (!find_l4(f->head, f->head_len, &l))
		return 0;
	for (total = f->len - l.payload; offset < total; n++) {
		uint32_t size = total - offset < o->gso_size ? total - offset : o->gso_size;
		uint32_t len = l.payload + size;

		if (n == max || len > room)
			return 0;
		memcpy(to, f->head, l.payload);
		body_copy(f, l.payload + offset, to + l.payload, size);
		fix_ip(to, len, &l, n);
		fix_l4(to, len, &l, offset, offset == 0, offset + size == total);
		pieces[n] = (struct iovec){ to, len };
		to += len;
		room -= len;
		offset += size;
	}
	return n;
}
