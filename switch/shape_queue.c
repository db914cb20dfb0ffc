// SPDX-License-Identifier: GPL-2.0-or-later
/* The frames that wait for a port whose ingress is limited.
 *
 * A ring of bytes with one record per frame, in the order in which they came: whoever has the lock may put frames in or send what is due.
 * A worker tries the lock for as long as another needs to move a burst, as for a port's transmit lock (switch/port.c). While something waits,
 * a timer is set at one worker (`keeper`), and that worker alone touches the timer. The end comes in two steps: shape_queue_end() closes the
 * queue under the lock; the timer's worker, if there is one, finds it closed and lets it go, for nobody else can take its timer away. */
#include "switch/shape.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <urcu/urcu-qsbr.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/clock.h"
#include "switch/offload.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum {
	LOCK_TRIES = 20000, DRAIN_BURSTS = 64,
	QUEUE_MS = 50, QUEUE_LEAST = 64 * 1024, QUEUE_MOST = 16 * 1024 * 1024,	/* what may wait: the rate's worth of this long */
	CUT_MS = 2,
	FRAME_LONGEST = 72 * 1024,	/* and one frame more, of whatever size */
};

/* record - before each frame's bytes; a length of 0 says that the next stands at the ring's beginning */
struct record {
	uint32_t len;
	struct frame frame;		/* head and body are found anew */
	struct tx_frame tx;
};

struct shape_queue {
	atomic_flag lock;
	struct shape *shape;
	uint32_t port;			/* id */
	uint64_t bps;			/* the slower of what limits it */
	bool closed;
	bool waiting;			/* among those that wait for the shared meter */
	struct worker *keeper;		/* at whom the timer is set, or NULL */
	struct timer timer;
	uint8_t *ring;			/* a mapping of @size bytes: what nobody touched costs nothing */
	size_t size, head, tail;
	unsigned n;
	uint32_t limit;			/* bytes that may wait before it is full */
	_Atomic uint32_t bytes;		/* that wait */
	struct rcu_head rcu;
};

static void on_timer(struct timer *timer, uint64_t now_ms, void *worker);

/* ---- life ---- */

struct shape_queue *shape_queue_new(struct shape *shape, uint64_t bps, uint32_t port)
{
	struct shape_queue *q = calloc(1, sizeof(*q));
	uint64_t worth = bps / 8 * QUEUE_MS / 1000;

	if (!q)
		return NULL;
	q->limit = (uint32_t)MIN_OF(MAX_OF(worth, (uint64_t)QUEUE_LEAST), (uint64_t)QUEUE_MOST);
	q->size = 2 * ((size_t)q->limit + FRAME_LONGEST);	/* small frames have large records */
	q->ring = mmap(NULL, q->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (q->ring == MAP_FAILED) {
		free(q);
		return NULL;
	}
	q->shape = shape;
	q->port = port;
	q->bps = bps;
	q->timer.expired = on_timer;
	atomic_flag_clear(&q->lock);
	return q;
}

static void free_rcu(struct rcu_head *head)
{
	struct shape_queue *q = container_of(head, struct shape_queue, rcu);

	munmap(q->ring, q->size);
	shape_free(q->shape);
	free(q);
}

static bool lock(struct shape_queue *q)
{
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (!atomic_flag_test_and_set_explicit(&q->lock, memory_order_acquire))
			return true;
#if defined(__x86_64__)
		__builtin_ia32_pause();
#endif
	}
	return false;
}

static void unlock(struct shape_queue *q)
{
	atomic_flag_clear_explicit(&q->lock, memory_order_release);
}

void shape_queue_end(struct shape_queue *q)
{
	bool kept;

	while (!lock(q))
		;			/* the control thread can wait: workers hold it for a burst */
	q->closed = true;
	kept = q->keeper;
	way_gave_up(&q->shape->ingress, &q->waiting);
	unlock(q);
	if (!kept)
		urcu_qsbr_call_rcu(&q->rcu, free_rcu);
}

struct husk {
	struct shape *shape;
	struct rcu_head rcu;
};

static void free_husk(struct rcu_head *head)
{
	struct husk *h = container_of(head, struct husk, rcu);

	shape_free(h->shape);
	free(h);
}

void shape_end(struct shape *s)
{
	struct husk *h;

	if (!s)
		return;
	if (s->queue) {
		shape_queue_end(s->queue);
		return;
	}
	h = malloc(sizeof(*h));		/* without memory it is kept for good rather than freed under somebody's eyes */
	if (h) {
		h->shape = s;
		urcu_qsbr_call_rcu(&h->rcu, free_husk);
	}
}

bool shape_is_full(const struct shape *s)
{
	return s->queue && atomic_load_explicit(&s->queue->bytes, memory_order_relaxed) >= s->queue->limit;
}

/* ---- the ring ---- */

static size_t record_size(uint32_t len)
{
	return (sizeof(struct record) + len + 15) & ~(size_t)15;
}

/* room_for() - where a record of @size bytes may stand; NULL: nowhere */
static struct record *room_for(struct shape_queue *q, size_t size)
{
	size_t at = q->tail;

	if (q->n && q->head > q->tail)
		return q->head - q->tail > size ? (struct record *)(void *)(q->ring + at) : NULL;
	if (!q->n)
		q->head = q->tail = at = 0;
	if (q->size - at >= size + sizeof(struct record))
		return (struct record *)(void *)(q->ring + at);
	if (q->head <= size)
		return NULL;
	((struct record *)(void *)(q->ring + at))->len = 0;
	q->tail = 0;
	return (struct record *)(void *)q->ring;
}

static bool put_one(struct shape_queue *q, const struct tx_frame *tx)
{
	const struct frame *f = tx->frame;
	size_t size = record_size(f->len);
	struct record *r = f->len <= FRAME_MAX ? room_for(q, size) : NULL;

	if (!r)
		return false;
	r->len = f->len;
	r->frame = *f;
	r->tx = *tx;
	frame_linear(f, (uint8_t *)(r + 1));
	q->tail = (size_t)((uint8_t *)r - q->ring) + size;
	q->n++;
	atomic_fetch_add_explicit(&q->bytes, f->len, memory_order_relaxed);
	return true;
}

/* is_coarse() - a large segment that would take longer than CUT_MS: sent whole, what follows would wait as long, and if it is lost, much is */
static bool is_coarse(const struct shape_queue *q, const struct frame *f)
{
	return f->offload.gso_type && f->len * 8000ull / CUT_MS > q->bps;
}

/* put_cut() - a large segment as the frames that it stands for. Return: how many found room: at least the first, or 0 */
static unsigned put_cut(struct shape_queue *q, struct worker *w, const struct tx_frame *tx)
{
	uint8_t *space = worker_cut_space(w);
	size_t room = OFFLOAD_ROOM;
	struct frame whole = *tx->frame, *cut;
	unsigned n = offload_resolve(&whole, PORT_CSUM, &space, &room, &cut), i;

	for (i = 0; i < n; i++) {
		struct tx_frame one = *tx;

		one.frame = &cut[i];
		if (!put_one(q, &one))
			break;
	}
	return i;
}

/* put() - Return: does it wait now? */
static bool put(struct shape_queue *q, struct worker *w, const struct port_view *to, const struct tx_frame *tx)
{
	unsigned n;

	if (atomic_load_explicit(&q->bytes, memory_order_relaxed) >= q->limit)
		return false;
	if (!is_coarse(q, tx->frame))
		return put_one(q, tx);
	n = put_cut(q, w, tx);
	counter_add(&to->port->stats[worker_index(w)].segments, n);
	return n;
}

/* peek() - the record at @at, or behind it at the beginning; *at moves behind it */
static struct record *peek(struct shape_queue *q, size_t *at)
{
	struct record *r = (struct record *)(void *)(q->ring + *at);

	if (!r->len) {
		*at = 0;
		r = (struct record *)(void *)q->ring;
	}
	*at += record_size(r->len);
	return r;
}

/* ---- sending ---- */

/* allowed() - of @n frames, how many may go in @room bytes: the one that goes beyond it, too, for it is charged */
static unsigned allowed(const struct tx_frame *frames, unsigned n, uint64_t room, uint64_t *bytes)
{
	unsigned i;

	*bytes = 0;
	for (i = 0; i < n && *bytes < room; i++)
		*bytes += rate_bytes(frames[i].frame, frames[i].tci);
	return i;
}

/* send_burst() - what waits, as far as it may go now, at most a burst. Return: is there more that may go now? */
static bool send_burst(struct shape_queue *q, const struct port_view *to, struct worker *w, uint64_t now_ns)
{
	uint64_t room = way_room(&q->shape->ingress, now_ns), bytes, waited = 0;
	struct frame frames[BURST_MAX];
	struct tx_frame tx[BURST_MAX];
	size_t at = q->head, ends[BURST_MAX];
	unsigned n;

	for (n = 0; n < q->n && n < BURST_MAX; n++) {
		struct record *r = peek(q, &at);

		frames[n] = r->frame;
		frames[n].head = (uint8_t *)(r + 1);
		frames[n].head_len = r->len;
		frames[n].nbody = 0;
		frames[n].copies = 1;
		tx[n] = r->tx;
		tx[n].frame = &frames[n];
		ends[n] = at;
	}
	n = allowed(tx, n, room, &bytes);
	if (!n)
		return false;
	for (unsigned i = 0; i < n; i++)
		waited += frames[i].len;
	port_tx(to->port, w, worker_index(w), tx, n);
	way_charge(&q->shape->ingress, bytes, now_ns);
	q->head = ends[n - 1];
	q->n -= n;
	atomic_fetch_sub_explicit(&q->bytes, (uint32_t)waited, memory_order_relaxed);
	return q->n && bytes < room;
}

static void drain(struct shape_queue *q, const struct port_view *to, struct worker *w)
{
	uint64_t now = clock_now_ns();

	for (unsigned i = 0; i < DRAIN_BURSTS && q->n && !way_wait_ns(&q->shape->ingress, now, &q->waiting); i++)
		send_burst(q, to, w, now);
	if (!q->n)
		way_gave_up(&q->shape->ingress, &q->waiting);
}

/* arm() - come back when the next frame may go; the worker that has the timer does that, or (there is none) becomes it */
static void arm(struct shape_queue *q, struct worker *w)
{
	uint64_t now = clock_now_ns(), wait = way_wait_ns(&q->shape->ingress, now, &q->waiting) / 1000000;

	q->keeper = w;
	timer_set(worker_timers(w), &q->timer, now / 1000000 + 1 + MIN_OF(wait, (uint64_t)SHAPE_NAP_MS));
}

/* on_timer() - the port may have gone meanwhile, or have another shape; then what waited for it is dropped with the object */
static void on_timer(struct timer *timer, uint64_t now_ms, void *worker)
{
	struct shape_queue *q = container_of(timer, struct shape_queue, timer);
	struct worker *w = worker;
	const struct snapshot *snap = worker_snapshot(w);
	const struct port_view *to = q->port < snap->nports ? &snap->ports[q->port] : NULL;

	if (!lock(q)) {
		timer_set(worker_timers(w), &q->timer, now_ms + 1);
		return;
	}
	q->keeper = NULL;
	if (q->closed) {
		unlock(q);
		urcu_qsbr_call_rcu(&q->rcu, free_rcu);
		return;
	}
	if (to && to->port && to->shape == q->shape)
		drain(q, to, w);
	if (q->n)
		arm(q, w);
	unlock(q);
}

/* count_dropped() - copies that found no room, as if the port had not taken them */
static void count_dropped(const struct port_view *to, struct worker *w, const struct tx_frame *tx)
{
	struct port_stats *s = &to->port->stats[worker_index(w)];

	tx->frame->copies--;
	counter_add(&s->queued, 1);
	counter_add(&s->tx_drops, 1);
}

/* send_now() - frames that need not wait, as many as may go. Return: how many were sent; a bit for each that was taken in *taken */
static unsigned send_now(struct shape_queue *q, const struct port_view *to, struct worker *w, const struct tx_frame *frames, unsigned n,
			 uint64_t *taken)
{
	uint64_t now = clock_now_ns(), bytes;
	unsigned fine = 0;

	while (fine < n && !is_coarse(q, frames[fine].frame))
		fine++;
	if (q->n || way_wait_ns(&q->shape->ingress, now, &q->waiting))
		return 0;
	n = allowed(frames, fine, way_room(&q->shape->ingress, now), &bytes);
	if (!n)
		return 0;
	*taken = port_tx(to->port, w, worker_index(w), frames, n);
	way_charge(&q->shape->ingress, bytes, now);
	return n;
}

uint64_t shape_tx(const struct port_view *to, struct worker *w, const struct tx_frame *frames, unsigned n)
{
	struct shape_queue *q = to->shape->queue;
	uint64_t taken = 0;
	unsigned sent = 0;
	bool open = lock(q);

	if (open && !q->closed)
		sent = send_now(q, to, w, frames, n, &taken);
	for (unsigned i = sent; i < n; i++) {
		if (open && !q->closed && put(q, w, to, &frames[i]))
			taken |= 1ull << i;
		else
			count_dropped(to, w, &frames[i]);
	}
	if (open && q->n && !q->closed && sent < n)
		drain(q, to, w);	/* what was cut may be fine enough to begin at once */
	if (open && !q->n)
		way_gave_up(&q->shape->ingress, &q->waiting);
	else if (open && !q->keeper && !q->closed)
		arm(q, w);
	if (open)
		unlock(q);
	return taken;
}
