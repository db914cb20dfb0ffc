// SPDX-License-Identifier: GPL-2.0-or-later
/* From the wire into a VLAN: what no guest may send, whatever the settings. */
#include "switch/burst.h"

#include <endian.h>
#include <string.h>

#include "base/bytes.h"
#include "switch/hostway.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/worker.h"

/* is_host() - does the frame come from the host itself, as a member of the network? */
static inline bool is_host(struct burst *b, const struct frame *f)
{
	const struct segment *seg = burst_segment(b, f);

	return seg && seg->host == b->in;
}

static bool is_reserved(const uint8_t *dst)
{
	static const uint8_t block[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

	return !memcmp(dst, block, sizeof(block)) && dst[5] < 0x10;	/* 802.1Q-2018, table 8-1 */
}

/* check_addresses() - what no guest may send, whatever the VLAN */
static enum verdict check_addresses(const struct frame *f, const struct port_view *in, const struct segment *segment)
{
	uint64_t src = mac_word(frame_src(f));

	if (segment && segment->host == in)
		segment = NULL;			/* the gateway's address is its own */
	if (mac_is_group(frame_src(f)) || !src)
		return VERDICT_DROP_SOURCE;
	if (segment && segment->has_subnet && src == mac_word(segment->gateway_mac))
		return VERDICT_DROP_SPOOFED_GATEWAY;
	if (is_reserved(frame_dst(f)) || get_u16(f->head + 12) == ETHERTYPE_MAC_CONTROL)
		return VERDICT_DROP_RESERVED;
	return VERDICT_FORWARDED;
}

enum verdict admit_frame(struct burst *b, struct frame *f)
{
	enum verdict v;

	if (!b->in->link_up)
		return b->in->closed ? VERDICT_DROP_LOOP : VERDICT_DROP_LINK_DOWN;
	if (f->len < ETH_HEADER || f->head_len < ETH_HEADER)
		return VERDICT_DROP_RUNT;
	v = vlan_classify(&b->in->vlan, f);
	if (v == VERDICT_FORWARDED)
		v = offload_check(f, b->in->net->mtu);
	if (v == VERDICT_FORWARDED && !b->in->net->wire)
		v = check_addresses(f, b->in, burst_segment(b, f));
	if (v == VERDICT_FORWARDED && b->in->uplink && mac_is_group(frame_dst(f)) &&
	    fdb_is_elsewhere(b->in->net->fdb, f->vid, frame_src(f), b->in->port->id, worker_now_ms(b->w)))
		v = VERDICT_DROP_REFLECTED;
	if (v == VERDICT_FORWARDED && is_host(b, f))
		v = hostway_from_host(burst_segment(b, f), f);
	return v;
}

/* plain - what most frames have in common: untagged, unicast, nothing asked for. is_plain() says of such a frame in a few
 * comparisons what admit_frame() would say after many: FORWARDED, into the port's own VLAN. */
struct plain {
	uint32_t len;			/* longest; 0: no frame of this port is plain */
	uint16_t vid;
	uint64_t gateway;		/* fdb_key(); 0: none */
};

static struct plain plain_for(struct burst *b)
{
	const struct frame in_pvid = { .vid = b->in->vlan.pvid };
	const struct segment *seg = burst_segment(b, &in_pvid);

	return (struct plain){
		.len = b->in->link_up && in_pvid.vid && !is_host(b, &in_pvid) ? b->in->net->mtu + ETH_HEADER : 0,
		.vid = in_pvid.vid,
		.gateway = seg && seg->has_subnet ? fdb_key(in_pvid.vid, seg->gateway_mac) : 0,
	};
}

/* is_plain() - *src and *dst become the fdb_key() of both addresses: each is read with what stands behind it, the source with
 * the length or type, which shifting takes off */
static inline bool is_plain(const struct plain *p, const struct frame *f, uint64_t *src, uint64_t *dst)
{
	const uint64_t rare = 0xf6ull << 48, tags = 0x80ull << 48;	/* 0x80xx, 0x81xx, 0x88xx, 0x89xx: tags and MAC control */
	uint64_t first, second;

	if (f->head_len < ETH_HEADER || f->len > p->len || f->offload.flags | f->offload.gso_type | f->tag_present)
		return false;
	memcpy(&first, f->head, sizeof(first));
	memcpy(&second, f->head + MAC_SIZE, sizeof(second));
	first = le64toh(first);
	second = le64toh(second);
	*dst = first << 16 | p->vid;
	*src = second << 16 | p->vid;
	if ((first | second) & 1 || (second & rare) == tags)	/* a group address; it is one in its first bit */
		return false;
	return *src != p->vid && *src != p->gateway && *dst != p->gateway;
}

static inline uint8_t train_for(struct trains *t, uint64_t src, uint64_t dst)
{
	if (!t->n || t->src[t->n - 1] != src || t->dst[t->n - 1] != dst) {
		t->src[t->n] = src;
		t->dst[t->n++] = dst;
	}
	return (uint8_t)(t->n - 1);
}

/* admit_other() - a frame that is not plain */
static void admit_other(struct burst *b, struct trains *t, struct frame *f, unsigned i)
{
	enum verdict v;

	if (b->seen && (f->tag_present || (f->head_len >= ETH_HEADER && (f->head[12] & 0xf6) == 0x80)))
		seen_tags(b->seen, f, i);
	v = admit_frame(b, f);
	b->verdict[i] = (uint8_t)v;
	if (v == VERDICT_FORWARDED)
		t->of[i] = train_for(t, fdb_key(f->vid, frame_src(f)), burst_wanted(b, f));
}

uint64_t admit_burst(struct burst *b, struct trains *t, struct frame *frames, unsigned n)
{
	const struct plain plain = plain_for(b);
	uint64_t bytes = 0, src, dst;

	t->n = 0;
	for (unsigned i = 0; i < n; i++) {
		struct frame *f = &frames[i];

		bytes += f->len;
		if (__builtin_expect(!is_plain(&plain, f, &src, &dst), 0)) {
			admit_other(b, t, f, i);
			continue;
		}
		f->vid = plain.vid;
		f->pcp_dei = 0;
		t->of[i] = train_for(t, src, dst);
	}
	return bytes;
}

void admit_again(struct burst *b, struct trains *t, struct frame *frames, unsigned n)
{
	t->n = 0;
	for (unsigned i = 0; i < n; i++)
		if (b->verdict[i] == VERDICT_FORWARDED)
			t->of[i] = train_for(t, fdb_key(frames[i].vid, frame_src(&frames[i])), burst_wanted(b, &frames[i]));
}
