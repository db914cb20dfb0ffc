// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/shape.h"

#include <stdlib.h>

#include "base/array.h"
#include "switch/frame.h"

enum { FRAME_GUESS = 65536, NAP_NS = 1000000, TURN_MS = 5 };

/* ---- one direction ---- */

static uint32_t load(const _Atomic uint32_t *p)
{
	return atomic_load_explicit(p, memory_order_relaxed);
}

/* wait_for() - be, or be no more, one of those that wait */
static void wait_for(struct shape_way *way, bool *waiting, bool now)
{
	if (*waiting == now)
		return;
	*waiting = now;
	atomic_fetch_add_explicit(&way->waiting, now ? 1u : -1u, memory_order_relaxed);
	atomic_fetch_add_explicit(&way->shared->waiting, now ? 1u : -1u, memory_order_relaxed);
}

/* is_turn() - may a port go on, now that others wait for what it shares? While its turn lasts, or when as many turns as there are others
 * have passed since; and when it has let them go first for twice as long as that takes, for who waits may have nothing to send */
static bool is_turn(struct shape_way *way, uint64_t now_ns)
{
	uint32_t others = load(&way->shared->waiting) - load(&way->waiting);
	uint64_t since = atomic_load_explicit(&way->yields_ns, memory_order_relaxed);
	bool turn = !others || others > INT32_MAX || load(&way->had) < way->shared->turn_bytes ||
		    load(&way->shared->turn) - load(&way->turn) >= others ||
		    (since && now_ns - since > 2 * others * (way->shared->turn_ns + NAP_NS));

	if (turn || !since)
		atomic_store_explicit(&way->yields_ns, turn ? 0 : now_ns, memory_order_relaxed);
	return turn;
}

static uint64_t shared_wait_ns(struct shape_way *way, uint64_t now_ns, bool *waiting)
{
	uint64_t wait = rate_wait_ns(&way->shared->meter, now_ns);

	if (!wait && !is_turn(way, now_ns))
		wait = NAP_NS;
	wait_for(way, waiting, wait);
	return wait;
}

uint64_t way_wait_ns(struct shape_way *way, uint64_t now_ns, bool *waiting)
{
	uint64_t own = way->own ? rate_wait_ns(&way->meter, now_ns) : 0;

	if (own || !way->shared) {
		way_gave_up(way, waiting);	/* while it waits for itself others need not wait for it */
		return own;
	}
	return shared_wait_ns(way, now_ns, waiting);
}

void way_gave_up(struct shape_way *way, bool *waiting)
{
	if (way->shared)
		wait_for(way, waiting, false);
}

uint64_t way_room(const struct shape_way *way, uint64_t now_ns)
{
	uint64_t room = way->own ? rate_room(&way->meter, now_ns) : UINT64_MAX;

	if (!way->shared)
		return room;
	room = MIN_OF(room, rate_room(&way->shared->meter, now_ns));
	return MIN_OF(room, (uint64_t)way->shared->turn_bytes);
}

/* end_turn() - the bytes of a turn are used up; races between queues of one port make one turn a little longer, no more */
static void end_turn(struct shape_way *way)
{
	uint32_t turn = atomic_fetch_add_explicit(&way->shared->turn, 1, memory_order_relaxed) + 1;

	atomic_store_explicit(&way->turn, turn, memory_order_relaxed);
}

void way_charge(struct shape_way *way, uint64_t bytes, uint64_t now_ns)
{
	uint32_t had;

	if (way->own)
		rate_charge(&way->meter, bytes, now_ns);
	if (!way->shared)
		return;
	rate_charge(&way->shared->meter, bytes, now_ns);
	had = load(&way->had);
	if (had >= way->shared->turn_bytes)
		had -= way->shared->turn_bytes;		/* this is the next turn; what the last took too much counts */
	had += (uint32_t)bytes;
	atomic_store_explicit(&way->had, had, memory_order_relaxed);
	if (had >= way->shared->turn_bytes)
		end_turn(way);
}

static void way_init(struct shape_way *way, const struct rate_conf *own, struct shared_meter *shared)
{
	way->own = own->average_bps;
	way->shared = shared && shared->meter.average.bps ? shared : NULL;
	if (way->shared)
		atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
	way->limited = way->own || way->shared;
	rate_meter_init(&way->meter, own);
}

/* ---- the object ---- */

static uint64_t slower(const struct shape_way *way)
{
	uint64_t own = way->own ? way->meter.average.bps : UINT64_MAX, shared = way->shared ? way->shared->meter.average.bps : UINT64_MAX;

	return MIN_OF(own, shared);
}

struct shape *shape_new(const struct rate_conf *egress, const struct rate_conf *ingress, struct shared_meter *shared_egress,
			struct shared_meter *shared_ingress, uint32_t port)
{
	struct shape *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	way_init(&s->egress, egress, shared_egress);
	way_init(&s->ingress, ingress, shared_ingress);
	if (!s->ingress.limited)
		return s;
	s->queue = shape_queue_new(s, slower(&s->ingress), port);
	if (s->queue)
		return s;
	shape_free(s);
	return NULL;
}

static void way_fini(struct shape_way *way)
{
	if (!way->shared)
		return;
	atomic_fetch_sub_explicit(&way->shared->waiting, load(&way->waiting), memory_order_relaxed);
	shared_meter_put(way->shared);
}

void shape_free(struct shape *s)
{
	way_fini(&s->egress);
	way_fini(&s->ingress);
	free(s);
}

struct shared_meter *shared_meter_new(const struct rate_conf *rate)
{
	struct shared_meter *m = calloc(1, sizeof(*m));

	if (m) {
		rate_meter_init(&m->meter, rate);
		m->turn_bytes = (uint32_t)MIN_OF(MAX_OF(rate->average_bps / 8 * TURN_MS / 1000, (uint64_t)RATE_BURST_LEAST), (uint64_t)SHAPE_TURN);
		m->turn_ns = rate->average_bps ? m->turn_bytes * 8000000000ull / rate->average_bps : 0;
		atomic_init(&m->refs, 1);
	}
	return m;
}

void shared_meter_put(struct shared_meter *m)
{
	if (m && atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
		free(m);
}

/* ---- egress ---- */

unsigned shape_take(struct shape *s, unsigned max, uint64_t now_ns, bool *waiting, uint64_t *wait_ns)
{
	uint64_t n;

	*wait_ns = way_wait_ns(&s->egress, now_ns, waiting);
	if (*wait_ns)
		return 0;
	n = way_room(&s->egress, now_ns) / FRAME_GUESS;	/* each frame may be a large segment */
	return n < 1 ? 1 : (unsigned)MIN_OF(n, (uint64_t)max);
}

void shape_took(struct shape *s, const struct frame *frames, unsigned n, uint64_t now_ns)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < n; i++)
		bytes += rate_bytes(&frames[i], frames[i].tag_present);
	way_charge(&s->egress, bytes, now_ns);
}

void shape_gave_up(struct shape *s, bool *waiting)
{
	way_gave_up(&s->egress, waiting);
}
