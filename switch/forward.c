// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/forward.h"

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
	enum verdict verdict[BURST_MAX];
	bool local[BURST_MAX];			/* a copy goes to the gateway's services */
	bool unicast[BURST_MAX];		/* it was addressed to the gateway */
};

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

static void file_for(struct burst *b, const struct port_view *to, struct frame *f)
{
	struct out_list *l = list_for(b->w, b->out, to);

	l->frames[l->n++] = (struct tx_frame){ .frame = f, .tci = vlan_tci(&to->vlan, f) };
}

static const struct segment *segment_for(struct burst *b, const struct frame *f)
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
static enum verdict check_addresses(const struct frame *f, const struct segment *segment)
{
	static const uint8_t zero[MAC_SIZE];
	const uint8_t *src = frame_src(f);

	if (mac_is_group(src) || !memcmp(src, zero, MAC_SIZE))
		return VERDICT_DROP_SOURCE;
	if (segment && segment->has_subnet && !memcmp(src, segment->gateway_mac, MAC_SIZE))
		return VERDICT_DROP_SPOOFED_GATEWAY;
	if (is_reserved(frame_dst(f)) || get_u16(f->head + 12) == ETHERTYPE_MAC_CONTROL)
		return VERDICT_DROP_RESERVED;
	return VERDICT_FORWARDED;
}

/* admit() - from the wire into a VLAN: tag, sizes, offload request, source. Return: FORWARDED or the drop. */
static enum verdict admit(struct burst *b, struct frame *f)
{
	enum verdict v;

	if (!b->in->link_up)
		return VERDICT_DROP_LINK_DOWN;
	if (f->len < ETH_HEADER || f->head_len < ETH_HEADER)
		return !f->len && f->vid == FRAME_STRANGER ? VERDICT_DROP_STRANGER : VERDICT_DROP_RUNT;
	v = vlan_classify(&b->in->vlan, f);
	if (v == VERDICT_FORWARDED && f->len < ETH_HEADER)
		v = VERDICT_DROP_RUNT;
	if (v == VERDICT_FORWARDED)
		v = offload_check(f, b->in->net->mtu);
	if (v == VERDICT_FORWARDED)
		v = check_addresses(f, segment_for(b, f));
	return v;
}

static bool may_receive(const struct port_view *to, const struct frame *f)
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
		b->local[i] = true;
		copies++;
	}
	return copies ? VERDICT_FLOODED : VERDICT_DROP_NO_DESTINATION;
}

/* decide() - look the destination up and file the frame. Return: the verdict as far as it is known before the flush */
static enum verdict decide(struct burst *b, struct frame *f, unsigned i, uint64_t now_ms)
{
	const struct segment *seg = segment_for(b, f);
	const struct port_view *to;
	int id;

	if (mac_is_group(frame_dst(f)))
		return flood(b, f, i);
	if (seg && seg->has_subnet && !memcmp(frame_dst(f), seg->gateway_mac, MAC_SIZE)) {
		if (b->in->local)
			return VERDICT_DROP_HAIRPIN;
		b->local[i] = b->unicast[i] = true;
		return VERDICT_CONSUMED_REFUSED;	/* the service's verdict replaces this one */
	}
	id = fdb_lookup(b->in->net->fdb, f->vid, frame_dst(f), now_ms);
	if (id < 0 || (unsigned)id >= b->snap->nports)
		return flood(b, f, i);
	to = &b->snap->ports[id];
	if (to == b->in)
		return VERDICT_DROP_HAIRPIN;
	if (to->net != b->in->net || !may_receive(to, f))
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
		b->verdict[i] = v;
}

static void count_verdicts(struct burst *b, struct port_stats *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		counter_add(&s->verdicts[b->verdict[i]], 1);
}

void forward_burst(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *in,
		   struct frame *frames, unsigned n)
{
	struct burst b = { .w = w, .out = out, .snap = snap, .in = in };
	struct port_stats *s = &in->port->stats[worker_index(w)];
	uint64_t now_ms = worker_now_ms(w), bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		struct frame *f = &frames[i];

		bytes += f->len;
		b.verdict[i] = admit(&b, f);
		if (b.verdict[i] != VERDICT_FORWARDED)
			continue;
		fdb_learn(in->net->fdb, f->vid, frame_src(f), in->port->id, now_ms);
		b.verdict[i] = decide(&b, f, i, now_ms);
	}
	outbox_flush(w, out);
	for (unsigned i = 0; i < n; i++) {
		if (b.verdict[i] == VERDICT_FORWARDED && !frames[i].copies)
			b.verdict[i] = VERDICT_DROP_TX;
		if (b.local[i])
			serve_local(&b, &frames[i], i);
	}
	counter_add(&s->rx_frames, n);
	counter_add(&s->rx_bytes, bytes);
	count_verdicts(&b, s, n);
}

unsigned forward_made(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *from,
		      struct frame *frames, unsigned n)
{
	struct burst b = { .w = w, .out = out, .snap = snap, .in = from };
	struct port_stats *s = &from->port->stats[worker_index(w)];
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++)
		b.verdict[i] = decide(&b, &frames[i], i, worker_now_ms(w));
	outbox_flush(w, out);
	for (unsigned i = 0; i < n; i++) {
		if (b.verdict[i] == VERDICT_FORWARDED && !frames[i].copies)
			b.verdict[i] = VERDICT_DROP_TX;
		taken += frames[i].copies > 0;
	}
	counter_add(&s->made, n);
	count_verdicts(&b, s, n);
	return taken;
}

bool forward_made_to(struct worker *w, const struct port_view *from, const struct port_view *to, struct frame *f)
{
	struct port_stats *s = &from->port->stats[worker_index(w)];
	struct tx_frame tx = { .frame = f, .tci = vlan_tci(&to->vlan, f) };
	enum verdict v = VERDICT_DROP_NO_DESTINATION;

	if (from->net == to->net && may_receive(to, f))
		v = port_tx(to->port, w, worker_index(w), &tx, 1) ? VERDICT_FORWARDED : VERDICT_DROP_TX;
	counter_add(&s->made, 1);
	counter_add(&s->verdicts[v], 1);
	return v == VERDICT_FORWARDED;
}
