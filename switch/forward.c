// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/forward.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "switch/fdb.h"
#include "switch/hostway.h"
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
	memset(b->local, 0, sizeof(b->local));
	memset(b->unicast, 0, sizeof(b->unicast));
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
	f->copies++;
}

static inline const struct segment *segment_for(struct burst *b, const struct frame *f)
{
	if (!b->segment || b->segment->vid != f->vid)
		b->segment = segment_at(b->in, f->vid);
	return b->segment;
}

/* is_host() - does the frame come from the host itself, as a member of the network? */
static inline bool is_host(struct burst *b, const struct frame *f)
{
	const struct segment *seg = segment_for(b, f);

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

/* admit() - from the wire into a VLAN: sizes, tag, offload request, addresses. Return: FORWARDED or the drop. */
static enum verdict admit(struct burst *b, struct frame *f)
{
	enum verdict v;

	if (!b->in->link_up)
		return VERDICT_DROP_LINK_DOWN;
	if (f->len < ETH_HEADER || f->head_len < ETH_HEADER)
		return VERDICT_DROP_RUNT;
	v = vlan_classify(&b->in->vlan, f);
	if (v == VERDICT_FORWARDED)
		v = offload_check(f, b->in->net->mtu);
	if (v == VERDICT_FORWARDED)
		v = check_addresses(f, b->in, segment_for(b, f));
	if (v == VERDICT_FORWARDED && b->in->uplink && mac_is_group(frame_dst(f)) &&
	    fdb_is_elsewhere(b->in->net->fdb, f->vid, frame_src(f), b->in->port->id, worker_now_ms(b->w)))
		v = VERDICT_DROP_REFLECTED;
	if (v == VERDICT_FORWARDED && is_host(b, f))
		v = hostway_from_host(segment_for(b, f), f);
	return v;
}

/* plain - what most frames have in common: untagged, unicast, nothing asked for. is_plain() says of such a frame in a few
 * comparisons what admit() would say after many: FORWARDED, into the port's own VLAN. */
struct plain {
	uint32_t len;			/* longest; 0: no frame of this port is plain */
	uint16_t vid;
	uint64_t gateway;		/* fdb_key(); 0: none */
};

static struct plain plain_for(struct burst *b)
{
	const struct frame in_pvid = { .vid = b->in->vlan.pvid };
	const struct segment *seg = segment_for(b, &in_pvid);

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

static inline bool may_receive(const struct port_view *to, const struct frame *f)
{
	return !to->local && to->link_up && to->port && vlan_member(&to->vlan, f->vid);
}

static unsigned flood_to(struct burst *b, const struct port_view *to, struct frame *f)
{
	if (to == b->in || to == b->in->besides || !may_receive(to, f))
		return 0;
	file_for(b, to, f);
	return 1;
}

/* flood() - to every other port of the VLAN, and to the gateway's services */
static enum verdict flood(struct burst *b, struct frame *f, unsigned i)
{
	const struct segment *seg = segment_for(b, f);
	const struct net_view *net = b->in->net;
	unsigned copies = 0;

	if (seg && seg->only)
		copies = flood_to(b, seg->only, f);
	else
		for (unsigned m = 0; m < net->nmembers; m++)
			copies += flood_to(b, net->members[m], f);
	if (!b->in->local && seg) {
		b->local[i] = b->any_local = true;
		copies++;
	}
	return copies ? VERDICT_FLOODED : VERDICT_DROP_NO_DESTINATION;
}

/* wanted() - the key to look the destination up by; 0 for a group and for the gateway, whose places are known */
static uint64_t wanted(struct burst *b, const struct frame *f)
{
	const struct segment *seg = segment_for(b, f);

	if (mac_is_group(frame_dst(f)) || (seg && seg->has_subnet && mac_word(frame_dst(f)) == mac_word(seg->gateway_mac)))
		return 0;
	return fdb_key(f->vid, frame_dst(f));
}

/* to_host() - the gateway's address is the host's; who a guest says it is the segment hears, too */
static enum verdict to_host(struct burst *b, struct frame *f, unsigned i)
{
	const struct port_view *host = segment_for(b, f)->host;

	if (host == b->in)
		return VERDICT_DROP_HAIRPIN;
	if (!may_receive(host, f))
		return VERDICT_DROP_NO_DESTINATION;
	file_for(b, host, f);
	if (!hostway_tells_address(f))
		return VERDICT_FORWARDED;
	b->local[i] = b->any_local = true;
	return VERDICT_FLOODED;
}

/* decide_unknown() - a frame that the FDB knows no place for. Return: the verdict as far as it is known before the flush */
static enum verdict decide_unknown(struct burst *b, struct frame *f, unsigned i, uint64_t key)
{
	if (key || mac_is_group(frame_dst(f)))
		return flood(b, f, i);
	if (b->in->local)
		return VERDICT_DROP_HAIRPIN;
	if (segment_for(b, f)->host && hostway_is_hosts(segment_for(b, f), b->snap, f))
		return to_host(b, f, i);
	b->local[i] = b->unicast[i] = b->any_local = true;
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

/* finish() - a frame that its one destination did not take was dropped; count what became of each */
static void finish(struct burst *b, struct port_stats *s, const struct frame *frames, unsigned n)
{
	unsigned forwarded = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned v = b->verdict[i];

		if (__builtin_expect(v == VERDICT_FORWARDED && frames[i].copies, 1))
			forwarded++;
		else
			counter_add(&s->verdicts[v == VERDICT_FORWARDED ? VERDICT_DROP_TX : v], 1);
	}
	counter_add(&s->verdicts[VERDICT_FORWARDED], forwarded);
}

/* trains - the admitted frames of a burst, in order, those of one conversation that follow one another taken together: each
 * train is learnt and looked up once, by its first frame */
struct trains {
	unsigned n;
	uint64_t src[BURST_MAX], dst[BURST_MAX];	/* fdb_key() of who sent it and who is to get it; see wanted() */
	int32_t to[BURST_MAX];			/* port id, or -ENOENT */
	uint8_t of[BURST_MAX];			/* by frame: its train */
};

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
	enum verdict v = admit(b, f);

	b->verdict[i] = (uint8_t)v;
	if (v == VERDICT_FORWARDED)
		t->of[i] = train_for(t, fdb_key(f->vid, frame_src(f)), wanted(b, f));
}

/* admit_burst() - Return: bytes received */
static uint64_t admit_burst(struct burst *b, struct trains *t, struct frame *frames, unsigned n)
{
	const struct plain plain = plain_for(b);
	uint64_t bytes = 0, src, dst;

	t->n = 0;
	memset(b->verdict, VERDICT_FORWARDED, sizeof(b->verdict));
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
		if (b->verdict[i] == VERDICT_FORWARDED && t->to[train] >= 0 && !b->list->to->vlan.trunk) {
			last = t->to[train];
			last_vid = f->vid;
		}
	}
}

void forward_burst(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *in,
		   struct frame *frames, unsigned n)
{
	struct port_stats *s = &in->port->stats[worker_index(w)];
	struct trains trains;
	struct burst b;
	uint64_t bytes;

	burst_init(&b, w, out, snap, in);
	bytes = admit_burst(&b, &trains, frames, n);
	fdb_burst(in->net->fdb, trains.src, trains.dst, trains.n, in->port->id, worker_now_ms(w), trains.to);
	file_burst(&b, &trains, frames, n);
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
	unsigned taken = 0;
	struct burst b;

	burst_init(&b, w, out, snap, from);
	for (unsigned i = 0; i < n; i++) {
		uint64_t key = wanted(&b, &frames[i]);
		int id = key ? fdb_lookup(from->net->fdb, frames[i].vid, frame_dst(&frames[i]), worker_now_ms(w)) : -ENOENT;

		b.verdict[i] = (uint8_t)decide(&b, &frames[i], i, key, id);
	}
	outbox_flush(w, out);
	for (unsigned i = 0; i < n; i++)
		taken += frames[i].copies > 0;
	counter_add(&s->made, n);
	finish(&b, s, frames, n);
	return taken;
}

bool forward_made_to(struct worker *w, const struct port_view *from, const struct port_view *to, struct frame *f)
{
	struct port_stats *s = &from->port->stats[worker_index(w)];
	struct tx_frame tx = { .frame = f, .tci = vlan_tci(&to->vlan, f->vid, f->pcp_dei) };
	enum verdict v = VERDICT_DROP_NO_DESTINATION;

	if (from->net == to->net && may_receive(to, f)) {
		f->copies = 1;
		v = port_tx(to->port, w, worker_index(w), &tx, 1) ? VERDICT_FORWARDED : VERDICT_DROP_TX;
	}
	counter_add(&s->made, 1);
	counter_add(&s->verdicts[v], 1);
	return v == VERDICT_FORWARDED;
}
