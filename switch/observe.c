// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/observe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "switch/burst.h"
#include "switch/capture.h"
#include "switch/fdb.h"
#include "switch/heading.h"
#include "switch/packet.h"
#include "switch/recorder.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { ADDRESSES = 12 };

/* view - frames of one port on one way: those of a burst as they came, or copies that were sent */
struct view {
	struct worker *w;
	const struct port_view *port;
	uint8_t way;
	unsigned n;
	const struct burst *burst;		/* with: */
	const struct frame *frames;
	const struct tx_frame *sent;		/* or: with */
	uint64_t taken;				/* a bit each */
	uint8_t verdict;			/* or neither: of the one frame */
	bool copied;				/* these are a mirror's copies */
};

struct observer *observer_add(struct port_view *view)
{
	struct observer *more = realloc(view->observers, (view->nobservers + 1) * sizeof(*more));

	if (!more)
		return NULL;
	view->observers = more;
	more[view->nobservers] = (struct observer){ 0 };
	return &more[view->nobservers++];
}

/* ---- frames as they stood on the wire ---- */

void seen_tags(struct seen *seen, const struct frame *f, unsigned i)
{
	uint8_t *tags = seen->tags[i];
	size_t n = 0;

	seen->len[i] = f->len;
	if (f->tag_present) {
		put_u16(tags, ETHERTYPE_CTAG);
		put_u16(tags + 2, (uint16_t)(f->pcp_dei << 12 | f->vid));
		seen->len[i] += VLAN_TAG;
		n = VLAN_TAG;
	}
	if (f->head_len < ADDRESSES + FILTER_TAGS)
		return;				/* nothing can be taken out of that, but by the kernel */
	memcpy(tags + n, f->head + ADDRESSES, FILTER_TAGS - n);
	seen->tagged |= 1ull << i;
}

static inline const struct frame *frame_at(const struct view *v, unsigned i)
{
	return v->sent ? v->sent[i].frame : &v->frames[i];
}

/* is_whole() - has the frame on the wire no bytes but those that it has now? */
static inline bool is_whole(const struct view *v, unsigned i)
{
	if (v->sent)
		return !tx_tags_size(&v->sent[i]);
	return !v->burst || !v->burst->seen || !(v->burst->seen->tagged >> i & 1);
}

static void wire_at(const struct view *v, unsigned i, struct wire *to)
{
	const struct frame *f = frame_at(v, i);

	*to = (struct wire){ .frame = f, .len = f->len };
	if (is_whole(v, i))
		return;
	if (v->sent) {
		to->tag_size = (uint8_t)tx_tags(&v->sent[i], to->tag);
		to->len += to->tag_size;
	} else {				/* what the walk took out is put back */
		uint32_t gone = v->burst->seen->len[i] - f->len;

		to->tag_size = gone <= FILTER_TAGS ? (uint8_t)gone : 0;
		to->len += to->tag_size;
		memcpy(to->tag, v->burst->seen->tags[i], sizeof(to->tag));
	}
}

static uint8_t verdict_at(const struct view *v, unsigned i)
{
	if (v->sent)
		return v->taken >> i & 1 ? VERDICT_FORWARDED : VERDICT_DROP_TX;
	return v->burst ? (uint8_t)burst_verdict(v->burst, &v->frames[i], i) : v->verdict;
}

/* ---- captures ---- */

static bool has_vlan(const struct observer *o, uint16_t vid)
{
	return !o->some_vlans || (vid <= VID_MAX && o->vlans[vid / 64] >> vid % 64 & 1);
}

/* guest_port() - the port of the guest with this address, where frames pass the services' own port; or -ENOENT */
static int guest_port(const struct view *v, const struct segment *seg, const uint8_t *mac)
{
	if (!v->port->local)
		return (int)v->port->port->id;
	if (seg->only)
		return seg->only->port ? (int)seg->only->port->id : -ENOENT;
	return fdb_lookup(v->port->net->fdb, seg->vid, mac, worker_now_ms(v->w));
}

/* look_outside() - a frame between a guest and the gateway may belong to a conversation with the world */
static void look_outside(const struct view *v, const struct frame *f, struct outside *to)
{
	const struct segment *seg = f->vid && f->head_len >= ETH_HEADER ? segment_at(v->port, f->vid) : NULL;
	bool to_guest = seg && seg->has_subnet && !memcmp(frame_src(f), seg->gateway_mac, MAC_SIZE);
	struct heading h;
	int guest;

	if (!seg || !seg->has_subnet || (!to_guest && memcmp(frame_dst(f), seg->gateway_mac, MAC_SIZE) != 0))
		return;
	guest = guest_port(v, seg, to_guest ? frame_dst(f) : frame_src(f));
	if (guest < 0 || heading_read(f, &h) != VERDICT_FORWARDED || !h.ip)
		return;
	for (unsigned i = 0; i < seg->nservices; i++)
		if (seg->services[i]->ops->outside && seg->services[i]->ops->outside(seg->services[i], v->w, (uint32_t)guest, &h, to_guest, to))
			return;
}

static struct sighting sight(const struct view *v, unsigned i, const struct frame *f, uint64_t *wall_ns)
{
	struct sighting s = { .port = v->port->port->id, .way = v->way, .verdict = verdict_at(v, i), .vid = f->vid };

	if (!*wall_ns)
		*wall_ns = clock_ns_of(CLOCK_REALTIME);
	s.wall_ns = *wall_ns;
	look_outside(v, f, &s.outside);
	return s;
}

/* dismissed() - how many frames from @i on a capture does not mean; of copies that were sent one is looked at at a time */
static unsigned dismissed(const struct capture *c, const struct view *v, unsigned i)
{
	unsigned worker = worker_index(v->w);

	if (v->sent)
		return is_whole(v, i) ? capture_dismisses(c, worker, v->sent[i].frame, 1) : 0;
	if (!v->burst || !v->burst->seen || !v->burst->seen->tagged)
		return capture_dismisses(c, worker, &v->frames[i], v->n - i);
	return is_whole(v, i) ? capture_dismisses(c, worker, &v->frames[i], 1) : 0;
}

static void capture_burst(const struct observer *o, const struct view *v, uint64_t *wall_ns)
{
	unsigned worker = worker_index(v->w), shown = 0;
	struct wire wire;

	for (unsigned i = 0; i < v->n; i++) {
		unsigned skip = dismissed(o->capture, v, i);
		struct sighting s;

		if (skip) {
			i += skip - 1;
			continue;
		}
		wire_at(v, i, &wire);
		if (!has_vlan(o, wire.frame->vid) || !capture_means(o->capture, worker, &wire))
			continue;
		s = sight(v, i, wire.frame, wall_ns);
		capture_put(o->capture, worker, &wire, &s);
		shown++;
	}
	if (shown)
		capture_wake(o->capture);
}

/* ---- recorders ---- */

static void record(struct recorder *r, const struct view *v, unsigned i, uint64_t *wall_ns)
{
	struct sighting s = sight(v, i, frame_at(v, i), wall_ns);
	struct wire wire;

	wire_at(v, i, &wire);
	recorder_put(r, worker_index(v->w), &wire, &s);
}

/* begins_or_ends() - does the frame tell how a conversation with the gateway goes, other than by its data? */
static bool begins_or_ends(const struct frame *f)
{
	enum { DNS = 53, DHCP_SERVER = 67, DHCP_CLIENT = 68, DHCP6_CLIENT = 546, DHCP6_SERVER = 547 };
	struct heading h;

	if (f->head_len < ETH_HEADER || heading_read(f, &h) != VERDICT_FORWARDED)
		return false;
	if (!h.ip)
		return h.ethertype == ETHERTYPE_ARP4;
	if (h.proto == PROTO_TCP)
		return h.tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST);
	if (h.proto == PROTO_UDP)
		return h.sport == DNS || h.dport == DNS || h.dport == DHCP_SERVER || h.dport == DHCP_CLIENT || h.dport == DHCP6_CLIENT ||
		       h.dport == DHCP6_SERVER;
	return h.proto == PROTO_ICMP || h.proto == PROTO_ICMP6;
}

void record_burst(const struct burst *b, const struct frame *frames, unsigned n)
{
	const struct view v = { .w = b->w, .port = b->in, .way = CAPTURE_IN, .n = n, .burst = b, .frames = frames };
	uint64_t wall_ns = 0;
	unsigned kept = 0;

	for (unsigned i = 0; i < n && kept < RECORDS_OF_BURST; i++) {
		unsigned verdict = burst_verdict(b, &frames[i], i);

		if (!verdict_is_drop(verdict) && !(b->local[i] && begins_or_ends(&frames[i])))
			continue;
		record(b->in->recorder, &v, i, &wall_ns);
		kept++;
	}
}

bool record_made(struct worker *w, const struct port_view *to, const struct frame *frame, enum verdict verdict, uint64_t *wall_ns)
{
	const struct view v = { .w = w, .port = to, .way = CAPTURE_OUT, .n = 1, .frames = frame, .verdict = (uint8_t)verdict };

	if (!verdict_is_drop(verdict) && !begins_or_ends(frame))
		return false;
	record(to->recorder, &v, 0, wall_ns);
	return true;
}

/* ---- mirrors ---- */

/* may_be_copied() - is it whole enough to be sent? An offload request that was not found good is not passed on. */
static bool may_be_copied(const struct wire *wire, unsigned verdict, struct frame *copy)
{
	if (wire->frame->head_len < ETH_HEADER || verdict == VERDICT_DROP_RUNT || verdict == VERDICT_DROP_OVERSIZE)
		return false;
	*copy = *wire->frame;
	copy->copies = 1;
	if (verdict == VERDICT_DROP_VNET_HEADER || verdict == VERDICT_DROP_VLAN || verdict == VERDICT_DROP_DOUBLE_TAG ||
	    verdict == VERDICT_DROP_LINK_DOWN)
		copy->offload = (struct offload){ 0 };
	return true;
}

/* tagged_as() - the copy leaves with the tags that the frame has on the wire */
static struct tx_frame tagged_as(const struct wire *wire, struct frame *copy)
{
	struct tx_frame tx = { .frame = copy };

	if (wire->tag_size) {
		tx.tci = get_u16(wire->tag + 2);
		tx.service = get_u16(wire->tag) == ETHERTYPE_STAG;
	}
	if (wire->tag_size > VLAN_TAG)
		tx.inner = get_u32(wire->tag + VLAN_TAG);
	return tx;
}

static void let_see(const struct view *v);

static void mirror_burst(const struct observer *o, const struct view *v)
{
	struct port *to = o->mirror->port;
	struct tx_frame filed[BURST_MAX];
	struct frame copies[BURST_MAX];
	unsigned worker = worker_index(v->w), n = 0;
	uint64_t taken;

	if (!to || !o->mirror->link_up)
		return;
	for (unsigned i = 0; i < v->n; i++) {
		struct wire wire;

		wire_at(v, i, &wire);
		if (!has_vlan(o, wire.frame->vid) || !may_be_copied(&wire, verdict_at(v, i), &copies[n]))
			continue;
		filed[n] = tagged_as(&wire, &copies[n]);
		n++;
	}
	if (!n)
		return;
	counter_add(&to->stats[worker].mirrored, n);
	taken = port_tx(to, v->w, worker, filed, n);
	if (o->mirror->nobservers)
		let_see(&(struct view){ .w = v->w, .port = o->mirror, .way = CAPTURE_OUT, .n = n, .sent = filed, .taken = taken,
					.copied = true });
}

/* ---- what is seen ---- */

static void let_see(const struct view *v)
{
	uint64_t wall_ns = 0;

	for (unsigned i = 0; i < v->port->nobservers; i++) {
		const struct observer *o = &v->port->observers[i];

		if (!(o->ways & v->way))
			continue;
		if (o->capture)
			capture_burst(o, v, &wall_ns);
		else if (o->recorder)
			for (unsigned k = 0; k < v->n; k++)
				record(o->recorder, v, k, &wall_ns);
		else if (!v->copied)
			mirror_burst(o, v);
	}
}

void observe_in(const struct burst *b, const struct frame *frames, unsigned n)
{
	let_see(&(struct view){ .w = b->w, .port = b->in, .way = CAPTURE_IN, .n = n, .burst = b, .frames = frames });
}

void observe_out(struct worker *w, const struct port_view *to, const struct tx_frame *frames, unsigned n, uint64_t taken)
{
	let_see(&(struct view){ .w = w, .port = to, .way = CAPTURE_OUT, .n = n, .sent = frames, .taken = taken });
}

void observe_one(struct worker *w, const struct port_view *port, unsigned way, const struct frame *frame, enum verdict verdict)
{
	let_see(&(struct view){ .w = w, .port = port, .way = (uint8_t)way, .n = 1, .frames = frame, .verdict = (uint8_t)verdict });
}
