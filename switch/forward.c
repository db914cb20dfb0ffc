// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/forward.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "switch/fdb.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

/* burst - what is known of the frames while they are on their way */
struct burst {
	struct worker *w;
	struct outbox *out;
	const struct snapshot *snap;
	const struct port_view *in;
	const struct segment *segment;		/* of the last frame looked at; bursts rarely mix VLANs */
	struct out_list *list;			/* of the last destination; bursts rarely mix those either */
	bool any_local;
	uint8_t verdict[BURST_MAX];		/* enum verdict */
	bool local[BURST_MAX];			/* a copy goes to the gateway's services */
	bool unicast[BURST_MAX];		/* it was addressed to the gateway */
};

static void burst_init(struct burst *b, struct worker *w, struct outbox *out, const struct snapshot *snap,
		       const struct port_view *in)
{
	b->w = w;
	b->out = out;
	b->snap = snap;
	b->in = in;
	b->segment = NULL;
	b->list = NULL;
	b->any_local = false;
}

static void outbox_flush(struct worker *w, struct outbox *out)
{
	for (unsigned i = 0; i < out->nlists; i++) {
		struct out_list *l = &out->lists[i];

		port_tx(l->to->port, w, worker_index(w), l->frames, l->n);
		out->list_of[l->to->port->id] = 0;
		l->n = 0;
	}
	out->nlists = 0;
}

/* list_for() - the list of frames that wait for @to */
static struct out_list *list_for(struct worker *w, struct outbox *out, const struct port_view *to)
{
	uint32_t id = to->port->id;
	struct out_list *l;

	if (!out->list_of[id]) {
		if (out->nlists == OUT_LISTS)
			outbox_flush(w, out);
		l = &out->lists[out->nlists++];
		l->to = to;
		l->n = 0;
		out->list_of[id] = (uint8_t)out->nlists;
	}
	return &out->lists[out->list_of[id] - 1];
}

static inline void file_for(struct burst *b, const struct port_view *to, struct frame *f)
{
	struct out_list *l = b->list;

	if (!l || l->to != to || !l->n)		/* an early flush empties lists */
		l = b->list = list_for(b->w, b->out, to);
	l->frames[l->n++] = (struct tx_frame){ .frame = f, .tci = vlan_tci(&to->vlan, f->vid, f->pcp_dei) };
}

static inline const struct segment *segment_for(struct burst *b, const struct frame *f)
{
	if (!b->segment || b->segment->vid != f->vid)
		b->segment = segment_of(b->in->net, f->vid);
	return b->segment;
}

static bool is_reserved(const uint8_t *dst)
{
	static const uint8_t block[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

	return !memcmp(dst, block, sizeof(block)) && dst[5] < 0x10;	/* 802.1Q-2018, table 8-1 */
}

/* check_addresses() - what no guest may send, whatever the VLAN */
static inline enum verdict check_addresses(const struct frame *f, const struct segment *segment)
{
	uint64_t src = mac_word(frame_src(f));

	if (__builtin_expect(mac_is_group(frame_src(f)) || !src, 0))
		return VERDICT_DROP_SOURCE;
	if (segment && segment->has_subnet && src == mac_word(segment->gateway_mac))
		return VERDICT_DROP_SPOOFED_GATEWAY;
	if (__builtin_expect(mac_is_group(frame_dst(f)), 0) && is_reserved(frame_dst(f)))
		return VERDICT_DROP_RESERVED;
	return VERDICT_FORWARDED;
}

/* admit() - from the wire into a VLAN: sizes, tag, offload request, addresses. Return: FORWARDED or the drop. */
static inline enum verdict admit(struct burst *b, struct frame *f)
{
	enum verdict v;

	if (__builtin_expect(!b->in->link_up, 0))
		return VERDICT_DROP_LINK_DOWN;
	if (__builtin_expect(f->len < ETH_HEADER || f->head_len < ETH_HEADER, 0))
		return !f->len && f->vid == FRAME_STRANGER ? VERDICT_DROP_STRANGER : VERDICT_DROP_RUNT;
	v = vlan_classify(&b->in->vlan, f);
	if (v == VERDICT_FORWARDED && f->len < ETH_HEADER)
		v = VERDICT_DROP_RUNT;
	if (v == VERDICT_FORWARDED)
		v = offload_check(f, b->in->net->mtu);
	if (v == VERDICT_FORWARDED)
		v = check_addresses(f, segment_for(b, f));
	if (v == VERDICT_FORWARDED && get_u16(f->head + 12) == ETHERTYPE_MAC_CONTROL)
		v = VERDICT_DROP_RESERVED;
	return v;
}

static inline bool may_receive(const struct port_view *to, const struct frame *f)
{
	return !to->local && to->link_up && to->port && vlan_member(&to->vlan, f->vid);
}

/* flood() - to every other port of the VLAN, and to the gateway's services */
static enum verdict flood(struct burst *b, struct frame *f, unsigned i)
{
	const struct net_view *net = b->in->net;
	unsigned copies = 0;

	for (unsigned m = 0; m < net->nmembers; m++) {
		const struct port_view *to = net->members[m];

		if (to == b->in || !may_receive(to, f))
			continue;
		file_for(b, to, f);
		copies++;
	}
	if (!b->in->local && segment_for(b, f)) {
		b->local[i] = b->any_local = true;
		copies++;
	}
	return copies ? VERDICT_FLOODED : VERDICT_DROP_NO_DESTINATION;
}

/* wanted() - the key to look the destination up by; 0 for a group and for the gateway, whose places are known */
static inline uint64_t wanted(struct burst *b, const struct frame *f)
{
	const struct segment *seg = segment_for(b, f);

	if (mac_is_group(frame_dst(f)) || (seg && seg->has_subnet && mac_word(frame_dst(f)) == mac_word(seg->gateway_mac)))
		return 0;
	return fdb_key(f->vid, frame_dst(f));
}

/* decide_unknown() - a frame that the FDB knows no place for. Return: the verdict as far as it is known before the flush */
static enum verdict decide_unknown(struct burst *b, struct frame *f, unsigned i, uint64_t key)
{
	if (key || mac_is_group(frame_dst(f)))
		return flood(b, f, i);
	if (b->in->local)
		return VERDICT_DROP_HAIRPIN;
	b->local[i] = b->unicast[i] = b->any_local = true;
	return VERDICT_CONSUMED_REFUSED;		/* the service's verdict replaces this one */
}

/* decide() - file the frame for where its destination lives: port @id, or -ENOENT. Return: as above */
static inline enum verdict decide(struct burst *b, struct frame *f, unsigned i, uint64_t key, int32_t id)
{
	const struct port_view *to;

	if (__builtin_expect(id < 0 || (unsigned)id >= b->snap->nports, 0))
		return decide_unknown(b, f, i, key);
	to = &b->snap->ports[id];
	if (__builtin_expect(to == b->in, 0))
		return VERDICT_DROP_HAIRPIN;
	if (__builtin_expect(to->net != b->in->net || !may_receive(to, f), 0))
		return flood(b, f, i);
	file_for(b, to, f);
	return VERDICT_FORWARDED;
}

/* serve_local() - hand a copy to the gateway and the services of the frame's segment */
static void serve_local(struct burst *b, struct frame *f, unsigned i)
{
	const struct net_view *net = b->in->net;
	const struct port_view *local = net->nmembers && net->members[0]->local ? net->members[0] : NULL;
	struct arrival a = { .segment = segment_for(b, f), .from = b->in, .frame = f };
	struct port_stats *s;
	enum verdict v;

	if (!local || !a.segment)
		return;
	a.local_port = local->port->id;
	v = local_input(b->w, &a, b->unicast[i]);
	s = &local->port->stats[worker_index(b->w)];
	counter_add(&s->queued, 1);
	counter_add(&s->tx_frames, 1);
	counter_add(&s->tx_bytes, f->len);
	counter_add(&s->served[v], 1);
	if (b->unicast[i])
		b->verdict[i] = (uint8_t)v;
}

/* finish() - a frame that its one destination did not take was dropped; count what became of each. Return: how many were taken */
static unsigned finish(struct burst *b, struct port_stats *s, const struct frame *frames, unsigned n)
{
	unsigned taken = 0, forwarded = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned v = b->verdict[i];

		taken += frames[i].copies > 0;
		if (v == VERDICT_FORWARDED && frames[i].copies)
			forwarded++;
		else
			counter_add(&s->verdicts[v == VERDICT_FORWARDED ? VERDICT_DROP_TX : v], 1);
	}
	counter_add(&s->verdicts[VERDICT_FORWARDED], forwarded);
	return taken;
}

/* The frames that were admitted, in order: their numbers, and the keys of who sent them and who is to get them. */
struct admitted {
	unsigned n;
	uint8_t i[BURST_MAX];
	uint64_t src[BURST_MAX], dst[BURST_MAX];
	int32_t to[BURST_MAX];
};

void forward_burst(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *in,
		   struct frame *frames, unsigned n)
{
	struct port_stats *s = &in->port->stats[worker_index(w)];
	uint64_t bytes = 0;
	struct admitted a;
	struct burst b;

	a.n = 0;
	burst_init(&b, w, out, snap, in);
	for (unsigned i = 0; i < n; i++) {
		struct frame *f = &frames[i];

		bytes += f->len;
		b.local[i] = b.unicast[i] = false;
		b.verdict[i] = (uint8_t)admit(&b, f);
		if (__builtin_expect(b.verdict[i] != VERDICT_FORWARDED, 0))
			continue;
		a.i[a.n] = (uint8_t)i;
		a.src[a.n] = fdb_key(f->vid, frame_src(f));
		a.dst[a.n++] = wanted(&b, f);
	}
	fdb_burst(in->net->fdb, a.src, a.dst, a.n, in->port->id, worker_now_ms(w), a.to);
	for (unsigned j = 0; j < a.n; j++)
		b.verdict[a.i[j]] = (uint8_t)decide(&b, &frames[a.i[j]], a.i[j], a.dst[j], a.to[j]);
	outbox_flush(w, out);
	for (unsigned i = 0; b.any_local && i < n; i++)
		if (b.local[i])
			serve_local(&b, &frames[i], i);
	counter_add(&s->rx_frames, n);
	counter_add(&s->rx_bytes, bytes);
	finish(&b, s, frames, n);
}

unsigned forward_made(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *from,
		      struct frame *frames, unsigned n)
{
	struct port_stats *s = &from->port->stats[worker_index(w)];
	struct burst b;

	burst_init(&b, w, out, snap, from);
	for (unsigned i = 0; i < n; i++) {
		uint64_t key = wanted(&b, &frames[i]);
		int id = key ? fdb_lookup(from->net->fdb, frames[i].vid, frame_dst(&frames[i]), worker_now_ms(w)) : -ENOENT;

		b.local[i] = b.unicast[i] = false;
		b.verdict[i] = (uint8_t)decide(&b, &frames[i], i, key, id);
	}
	outbox_flush(w, out);
	counter_add(&s->made, n);
	return finish(&b, s, frames, n);
}

bool forward_made_to(struct worker *w, const struct port_view *from, const struct port_view *to, struct frame *f)
{
	struct port_stats *s = &from->port->stats[worker_index(w)];
	struct tx_frame tx = { .frame = f, .tci = vlan_tci(&to->vlan, f->vid, f->pcp_dei) };
	enum verdict v = VERDICT_DROP_NO_DESTINATION;

	if (from->net == to->net && may_receive(to, f))
		v = port_tx(to->port, w, worker_index(w), &tx, 1) ? VERDICT_FORWARDED : VERDICT_DROP_TX;
	counter_add(&s->made, 1);
	counter_add(&s->verdicts[v], 1);
	return v == VERDICT_FORWARDED;
}
