// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/forward.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "switch/burst.h"
#include "switch/capture.h"
#include "switch/fdb.h"
#include "switch/guard.h"
#include "switch/hostway.h"
#include "switch/loop.h"
#include "switch/packet.h"
#include "switch/recorder.h"
#include "switch/service.h"
#include "switch/shape.h"
#include "switch/snapshot.h"
#include "switch/snoop.h"
#include "switch/trial.h"
#include "switch/unread.h"
#include "switch/worker.h"

static inline const struct port_view *local_port(const struct net_view *net)
{
	return net->nmembers && net->members[0]->local ? net->members[0] : NULL;
}

/* is_there() - are the frames such as @to can take: read, where anybody is to look at them? One that is not is alone. */
static inline bool is_there(const struct port_view *to, const struct tx_frame *frames, unsigned n)
{
	return n != 1 || !frames->frame->unread || unread_may_pass(to) || frame_settle(frames->frame);
}

/* send_to() - now, or where the port's rate is limited when it is time. Return: a bit for each frame that was taken */
static inline uint64_t send_to(struct worker *w, const struct port_view *to, const struct tx_frame *frames, unsigned n)
{
	if (__builtin_expect(!is_there(to, frames, n), 0))
		return port_tx_none(to->port, worker_index(w), frames, n);
	if (__builtin_expect(to->stages_out & STAGE_SHAPE, 0))
		return shape_tx(to, w, frames, n);
	return port_tx(to->port, w, worker_index(w), frames, n);
}

static void send_list(struct worker *w, const struct out_list *l)
{
	uint64_t taken = send_to(w, l->to, l->frames, l->n);

	if (__builtin_expect(l->to->nobservers, 0))
		observe_out(w, l->to, l->frames, l->n, taken);
}

void outbox_flush(struct worker *w, struct outbox *out)
{
	for (unsigned i = 0; i < out->nlists; i++) {
		struct out_list *l = &out->lists[i];

		if (out->trial)
			trial_note(out->trial, l->to);
		else
			send_list(w, l);
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
	l->frames[l->n++] = vlan_tx(&to->vlan, f);
	f->copies++;
}

static inline bool may_receive(const struct port_view *to, const struct frame *f)
{
	return !to->local && to->link_up && to->port && vlan_takes(&to->vlan, f);
}

/* offer() - file the frame for @to, if the stages of that port let it. Return: FORWARDED, or the drop */
static inline enum verdict offer(struct burst *b, const struct port_view *to, struct frame *f)
{
	enum verdict v = stage_out(b, to, f);

	if (v == VERDICT_FORWARDED)
		file_for(b, to, f);
	return v;
}

/* show_services() - hand a copy to the gateway and the services, when the burst has been sent. Return: as above */
static enum verdict show_services(struct burst *b, struct frame *f, unsigned i)
{
	const struct port_view *local = local_port(b->in->net);
	enum verdict v = local ? stage_out(b, local, f) : VERDICT_FORWARDED;

	if (f->inner)
		return VERDICT_DROP_VLAN;	/* of a customer's own VLAN, where the gateway is not */
	if (v == VERDICT_FORWARDED)
		b->local[i] = b->any_local = true;
	return v;
}

static enum verdict flood_to(struct burst *b, const struct port_view *to, struct frame *f)
{
	if (to == b->in || to == b->in->besides || !may_receive(to, f))
		return VERDICT_DROP_NO_DESTINATION;
	return offer(b, to, f);
}

/* any_of() - the verdict of a flood so far, and that of one copy more: who got one decides, else who refused one */
static inline enum verdict any_of(enum verdict all, enum verdict one)
{
	if (one == VERDICT_FORWARDED)
		return VERDICT_FLOODED;
	return all == VERDICT_DROP_NO_DESTINATION ? one : all;
}

/* flood() - to every other port of the VLAN, and to the gateway's services */
static enum verdict flood(struct burst *b, struct frame *f, unsigned i)
{
	const struct segment *seg = burst_segment(b, f);
	const struct net_view *net = b->in->net;
	enum verdict v = VERDICT_DROP_NO_DESTINATION;
	struct snooped who = { .snoop = NULL };

	if (net->snoop && mac_is_group(frame_dst(f)))
		snoop_flood(b, f, &who);
	if (seg && seg->only)
		v = any_of(v, flood_to(b, seg->only, f));
	else
		for (unsigned m = 0; m < net->nmembers; m++)
			if (!who.snoop || (net->members[m]->port && snoop_wants(&who, net->members[m])))
				v = any_of(v, flood_to(b, net->members[m], f));
	if (!b->in->local && seg)
		v = any_of(v, show_services(b, f, i));
	return v;
}

/* to_host() - the gateway's address is the host's; who a guest says it is the segment hears, too */
static enum verdict to_host(struct burst *b, struct frame *f, unsigned i)
{
	const struct port_view *host = burst_segment(b, f)->host;
	enum verdict v;

	if (host == b->in)
		return VERDICT_DROP_HAIRPIN;
	if (!may_receive(host, f))
		return VERDICT_DROP_NO_DESTINATION;
	v = offer(b, host, f);
	return hostway_tells_address(f) ? any_of(any_of(VERDICT_DROP_NO_DESTINATION, v), show_services(b, f, i)) : v;
}

/* decide_unknown() - a frame that the FDB knows no place for. Return: the verdict as far as it is known before the flush */
static enum verdict decide_unknown(struct burst *b, struct frame *f, unsigned i, uint64_t key)
{
	enum verdict v;

	if (key && b->in->guard && !guard_storm(b->in->guard, STORM_UNKNOWN, worker_now_ms(b->w), b->trial))
		return VERDICT_DROP_STORM;
	if (key || mac_is_group(frame_dst(f)))
		return flood(b, f, i);
	if (b->in->local)
		return VERDICT_DROP_HAIRPIN;
	if (burst_segment(b, f)->host && hostway_is_hosts(burst_segment(b, f), b->snap, f))
		return to_host(b, f, i);
	v = show_services(b, f, i);
	if (v != VERDICT_FORWARDED)
		return v;
	b->unicast[i] = true;
	return VERDICT_CONSUMED_REFUSED;		/* the service's verdict replaces this one */
}

/* decide() - file the frame for where its destination lives: port @id, or -ENOENT. Return: as above */
static enum verdict decide(struct burst *b, struct frame *f, unsigned i, uint64_t key, int32_t id)
{
	const struct port_view *to;

	if (id < 0 || (unsigned)id >= b->snap->nports)
		return decide_unknown(b, f, i, key);
	to = &b->snap->ports[id];
	if (to == b->in || to == b->in->besides)
		return VERDICT_DROP_HAIRPIN;
	if (to->net != b->in->net || !may_receive(to, f))
		return flood(b, f, i);
	return offer(b, to, f);
}

bool burst_arrive(struct burst *b, const struct frame *f, struct trial *t, struct arrival *a)
{
	const struct port_view *local = local_port(b->in->net);

	*a = (struct arrival){ .segment = burst_segment(b, f), .from = b->in, .frame = f, .trial = t };
	if (local)
		a->local_port = local->port->id;
	return local && a->segment;
}

/* serve_local() - hand them that copy */
static void serve_local(struct burst *b, struct frame *f, unsigned i)
{
	const struct port_view *local = local_port(b->in->net);
	struct port_stats *s;
	struct arrival a;
	enum verdict v;

	if (!burst_arrive(b, f, NULL, &a))
		return;
	v = local_input(b->w, &a, b->unicast[i]);
	s = &local->port->stats[worker_index(b->w)];
	counter_add(&s->queued, 1);
	counter_add(&s->tx_frames, 1);
	counter_add(&s->tx_bytes, f->len);
	counter_add(&s->served[v], 1);
	if (b->unicast[i])
		b->verdict[i] = (uint8_t)v;
	if (local->nobservers)
		observe_one(b->w, local, CAPTURE_OUT, f, v);
}

/* finish() - a frame that its one destination did not take was dropped; count what became of each */
static void finish(struct burst *b, struct port_stats *s, const struct frame *frames, unsigned n)
{
	unsigned forwarded = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned v = burst_verdict(b, &frames[i], i);

		if (__builtin_expect(v == VERDICT_FORWARDED, 1))
			forwarded++;
		else
			counter_add(&s->verdicts[v], 1);
	}
	counter_add(&s->verdicts[VERDICT_FORWARDED], forwarded);
	if (__builtin_expect(b->in->nobservers, 0))
		observe_in(b, frames, n);
	if (forwarded < n && b->in->recorder)
		record_burst(b, frames, n);
}

/* file_burst() - decide for each frame; one that goes where the last one went, untagged, only joins it there */
static void file_burst(struct burst *b, const struct trains *t, struct frame *frames, unsigned n)
{
	int32_t last = INT32_MIN;
	uint16_t last_vid = 0;

	for (unsigned i = 0; i < n; i++) {
		struct frame *f = &frames[i];
		unsigned train = t->of[i];

		if (b->verdict[i] != VERDICT_FORWARDED)
			continue;
		if (t->to[train] == last && f->vid == last_vid) {
			b->list->frames[b->list->n++] = (struct tx_frame){ .frame = f };
			f->copies++;
			continue;
		}
		b->verdict[i] = (uint8_t)decide(b, f, i, t->dst[train], t->to[train]);
		last = INT32_MIN;
		if (b->verdict[i] == VERDICT_FORWARDED && t->to[train] >= 0 && vlan_is_bare(&b->list->to->vlan) &&
		    !b->list->to->stages_out) {
			last = t->to[train];
			last_vid = f->vid;
		}
	}
}

/* show_all() - what went to one destination, the ports that are given every frame get, too; @to: by frame, the port it went to, or none
 * After the flush, and as frames of their own: who else gets a frame makes no difference to what became of it. */
static void show_all(struct burst *b, const int32_t *to, const struct frame *frames, unsigned n)
{
	const struct net_view *net = b->in->net;
	struct frame copies[BURST_MAX];

	for (unsigned i = 0; i < n; i++) {
		if (b->verdict[i] != VERDICT_FORWARDED && !b->unicast[i])
			continue;
		copies[i] = frames[i];
		copies[i].copies = 0;
		for (unsigned m = 0; m < net->npromiscuous; m++)
			if (net->promiscuous[m]->port && (int32_t)net->promiscuous[m]->port->id != to[i])
				flood_to(b, net->promiscuous[m], &copies[i]);
	}
	outbox_flush(b->w, b->out);
}

/* pass_stages() - those of the port; what they refuse is neither learnt nor looked up */
static void pass_stages(struct burst *b, struct trains *t, struct frame *frames, unsigned n)
{
	uint8_t before[BURST_MAX];

	memcpy(before, b->verdict, sizeof(before));
	stages_in(b, frames, n);
	if (memcmp(before, b->verdict, sizeof(before)) != 0)
		admit_again(b, t, frames, n);
}

void forward_burst(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *in,
		   struct frame *frames, unsigned n)
{
	struct port_stats *s = &in->port->stats[worker_index(w)];
	struct trains trains;
	struct seen seen;
	struct burst b;
	uint64_t bytes;

	burst_init(&b, w, out, snap, in);
	seen.tagged = 0;
	b.seen = &seen;
	bytes = admit_burst(&b, &trains, frames, n);
	if (__builtin_expect(in->stages_in, 0))
		pass_stages(&b, &trains, frames, n);
	if (__builtin_expect(in->net->wire, 0))
		memset(trains.to, 0xff, sizeof(trains.to));	/* there is one other end, whatever the addresses are */
	else
		fdb_burst(in->net->fdb, trains.src, trains.dst, trains.n, in->port->id, worker_now_ms(w), trains.to);
	file_burst(&b, &trains, frames, n);
	outbox_flush(w, out);
	if (__builtin_expect(in->net->npromiscuous, 0)) {
		int32_t to[BURST_MAX];

		for (unsigned i = 0; i < n; i++)
			to[i] = b.verdict[i] == VERDICT_FORWARDED ? trains.to[trains.of[i]] : -ENOENT;
		show_all(&b, to, frames, n);
	}
	for (unsigned i = 0; b.any_local && i < n; i++)
		if (b.local[i])
			serve_local(&b, &frames[i], i);
	counter_add(&s->rx_frames, n);
	counter_add(&s->rx_bytes, bytes);
	finish(&b, s, frames, n);
}

enum verdict burst_decide(struct burst *b, struct frame *f, uint64_t key, int32_t id)
{
	return decide(b, f, 0, key, id);
}

/* record_all_made() - each with the port of the one station that it was for */
static void record_all_made(const struct burst *b, const int32_t *to, const struct frame *frames, unsigned n)
{
	uint64_t wall_ns = 0;
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct port_view *view = to[i] >= 0 && (unsigned)to[i] < b->snap->nports ? &b->snap->ports[to[i]] : NULL;

		if (i && to[i] != to[i - 1])
			kept = 0;
		if (view && view->recorder && kept < RECORDS_OF_BURST)
			kept += record_made(b->w, view, &frames[i], (enum verdict)burst_verdict(b, &frames[i], i), &wall_ns);
	}
}

unsigned forward_made(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *from,
		      struct frame *frames, unsigned n)
{
	struct port_stats *s = &from->port->stats[worker_index(w)];
	int32_t to[BURST_MAX];
	unsigned taken = 0;
	struct burst b;

	burst_init(&b, w, out, snap, from);
	if (from->stages_in)
		stages_in(&b, frames, n);
	for (unsigned i = 0; i < n; i++) {
		uint64_t key = burst_wanted(&b, &frames[i]);

		to[i] = key ? fdb_lookup(from->net->fdb, frames[i].vid, frame_dst(&frames[i]), worker_now_ms(w)) : -ENOENT;
		if (b.verdict[i] == VERDICT_FORWARDED)
			b.verdict[i] = (uint8_t)decide(&b, &frames[i], i, key, to[i]);
	}
	outbox_flush(w, out);
	if (__builtin_expect(from->net->npromiscuous && n, 0))
		show_all(&b, to, frames, n);
	for (unsigned i = 0; i < n; i++)
		taken += frames[i].copies > 0;
	counter_add(&s->made, n);
	finish(&b, s, frames, n);
	record_all_made(&b, to, frames, n);
	return taken;
}

/* made_passes() - do the stages of both ports let a frame pass that a service made? */
static enum verdict made_passes(struct worker *w, const struct port_view *from, const struct port_view *to, struct frame *f)
{
	struct burst b;

	if (!(from->stages_in | to->stages_out))
		return VERDICT_FORWARDED;
	burst_init(&b, w, NULL, worker_snapshot(w), from);
	if (from->stages_in)
		stages_in(&b, f, 1);
	return b.verdict[0] == VERDICT_FORWARDED ? stage_out(&b, to, f) : b.verdict[0];
}

/* show_made() - what was sent to @to alone */
static void show_made(struct worker *w, struct outbox *out, const struct port_view *from, const struct port_view *to, const struct frame *f)
{
	int32_t id = (int32_t)to->port->id;
	struct burst b;

	burst_init(&b, w, out, worker_snapshot(w), from);
	show_all(&b, &id, f, 1);
}

bool forward_made_to(struct worker *w, struct outbox *out, const struct port_view *from, const struct port_view *to, struct frame *f)
{
	struct port_stats *s = &from->port->stats[worker_index(w)];
	struct tx_frame tx = vlan_tx(&to->vlan, f);
	enum verdict v = VERDICT_DROP_NO_DESTINATION;
	uint64_t wall_ns = 0;

	if (from->net == to->net && may_receive(to, f))
		v = made_passes(w, from, to, f);
	if (v == VERDICT_FORWARDED) {
		f->copies = 1;
		v = send_to(w, to, &tx, 1) ? VERDICT_FORWARDED : VERDICT_DROP_TX;
		if (to->nobservers)
			observe_out(w, to, &tx, 1, v == VERDICT_FORWARDED);
		if (__builtin_expect(from->net->npromiscuous, 0) && !loop_is_probe(f))
			show_made(w, out, from, to, f);
	}
	if (from->nobservers)
		observe_one(w, from, CAPTURE_IN, f, v);
	if (to->recorder)
		record_made(w, to, f, v, &wall_ns);
	counter_add(&s->made, 1);
	counter_add(&s->verdicts[v], 1);
	return v == VERDICT_FORWARDED;
}
