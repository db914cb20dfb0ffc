// SPDX-License-Identifier: GPL-2.0-or-later
/* The receive queues of a worker. A queue is in one of four states:
 *	active		polled each round; its peer need not wake us
 *	lingering	active, but empty for less than LINGER_NS: still polled, since the next frame is likely near
 *	armed		its peer wakes us by the descriptor; costs nothing
 *	waiting		what its port may send is used up for now: a timer makes it active, and until then nobody looks (switch/shape.h)
 * Descriptors that the kernel watches (sockets, tun) are always armed: they go straight from empty to armed.
 *
 * Who may hold a reference to a port: the snapshot that a worker read at the start of its turn, and the owner
 * workers' queues. To remove a port, the control thread publishes a snapshot without it, then posts the removal to the owner of each
 * queue, which drops it; the last one asks RCU for a grace period. When that has passed, every worker has ended the turn in which it
 * could have read the old snapshot, so nobody can reach the port and ops->free() runs. A sleeping worker
 * is offline and holds nothing. */
#include <errno.h>
#include <stdlib.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "base/clock.h"
#include "switch/shape.h"
#include "switch/snapshot.h"
#include "switch/steer.h"
#include "switch/worker_parts.h"

enum { BURSTS_PER_ROUND = 4, LINGER_NS = 50000 };

struct queue {
	struct watch watch;		/* .fd -1: not watched */
	struct port_queue *q;
	struct worker *w;
	int new_fd;			/* the control thread's, until new_descriptor() */
	bool active;
	struct share share;		/* of the worker's time */
	uint64_t busy_ns;		/* when it last had frames */
	struct timer nap;		/* while it waits for its port's rate */
	const struct shape *waits_for;	/* among those that wait for what that shares; NULL: it is not; looked into only while in force */
	struct queue *next_active;
};

enum polled { POLLED_BUSY, POLLED_EMPTY, POLLED_GONE, POLLED_LATER };

static void activate(struct worker *w, struct queue *q)
{
	if (q->active)
		return;
	q->active = true;
	q->busy_ns = w->now_ns;
	q->next_active = w->active;
	w->active = q;
}

static void deactivate(struct worker *w, struct queue *q)
{
	for (struct queue **at = &w->active; *at; at = &(*at)->next_active) {
		if (*at == q) {
			*at = q->next_active;
			break;
		}
	}
	q->active = false;
}

static void on_queue_ready(struct worker *w, struct watch *watch, uint32_t events)
{
	struct queue *q = container_of(watch, struct queue, watch);

	if (events & EPOLLOUT)
		port_writable(q->q);
	if (events & ~(uint32_t)EPOLLOUT)
		activate(w, q);
}

static void unwatch(struct worker *w, struct queue *q)
{
	if (q->watch.fd >= 0)
		worker_unwatch(w, &q->watch);
	q->watch.fd = -1;
}

static void watch(struct worker *w, struct queue *q)
{
	int rc;

	q->watch = (struct watch){ .ready = on_queue_ready, .fd = q->q->fd };
	if (q->watch.fd < 0)
		return;
	rc = worker_watch(w, &q->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	if (rc < 0) {
		q->watch.fd = -1;
		q->q->port->notify(q->q->port, rc);
	}
}

/* ---- polling ---- */

/* view_of() - as the newest snapshot has it; NULL where it has not, or where none is published yet */
static const struct port_view *view_of(const struct worker *w, const struct port *port)
{
	const struct snapshot *snap = w->snapshot;
	const struct port_view *view = snap && port->id < snap->nports ? &snap->ports[port->id] : NULL;

	return view && view->port == port ? view : NULL;
}

static void on_nap_over(struct timer *timer, uint64_t now_ms, void *worker)
{
	(void)now_ms;
	activate(worker, container_of(timer, struct queue, nap));
}

/* may_take() - how many frames the rate of the port lets it send now; 0: it waits from here on */
static unsigned may_take(struct worker *w, struct queue *q, struct shape *shape)
{
	bool waiting = q->waits_for == shape;
	uint64_t wait_ns;
	unsigned n = shape_take(shape, BURST_MAX, clock_now_ns(), &waiting, &wait_ns);

	q->waits_for = waiting ? shape : NULL;
	if (n)
		return n;
	q->nap.expired = on_nap_over;
	timer_set(&w->timers, &q->nap, clock_now_ms() + 1 + MIN_OF(wait_ns / 1000000, (uint64_t)SHAPE_NAP_MS));
	return 0;
}

/* end_nap() - somebody else has the queue from here on, or nobody */
static void end_nap(struct worker *w, struct queue *q)
{
	const struct port_view *view = view_of(w, q->q->port);
	bool waiting = true;

	timer_cancel(&w->timers, &q->nap);
	if (q->waits_for && view && view->shape == q->waits_for)
		shape_gave_up(view->shape, &waiting);
	q->waits_for = NULL;
}

static enum polled poll_burst(struct worker *w, struct queue *q)
{
	struct port *port = q->q->port;
	const struct port_view *view = view_of(w, port);
	struct shape *shape = view && view->shape && view->shape->egress.limited ? view->shape : NULL;
	unsigned most = shape ? may_take(w, q, shape) : BURST_MAX;
	int n;

	q->q->drained = false;
	if (!most)
		return POLLED_LATER;
	n = port->ops->rx(q->q, &w->rx, w->frames, most);
	if (n < 0) {
		unwatch(w, q);
		port->notify(port, n);
		return POLLED_GONE;
	}
	if (n == 0)
		return POLLED_EMPTY;
	if (shape)
		shape_took(shape, w->frames, (unsigned)n, clock_now_ns());
	if (view)
		forward_burst(w, &w->outbox, w->snapshot, view, w->frames, (unsigned)n);
	if (atomic_load_explicit(&port->ntx, memory_order_relaxed) > 1)
		steer_learn(port->steer, q->q->index, w->frames, (unsigned)n);
	if (port->ops->done)
		port->ops->done(q->q);
	return POLLED_BUSY;
}

/* have_turn() - a few bursts of a queue, fewer where they take long. Return: what the last one was */
static enum polled have_turn(struct worker *w, struct queue *q, bool *any)
{
	unsigned most = w->sharing.needed && q->share.slow ? 1 : BURSTS_PER_ROUND, i;
	enum polled p = POLLED_BUSY;

	for (i = 0; i < most && p == POLLED_BUSY; i++) {
		p = poll_burst(w, q);
		if (p == POLLED_BUSY) {
			q->busy_ns = w->now_ns;
			*any = true;
			if (q->q->drained)
				p = POLLED_EMPTY;
		}
	}
	if (q->q->port->ops->received)
		q->q->port->ops->received(q->q);
	if (w->sharing.needed)
		share_charge(&w->sharing, &q->share, i, clock_now_ns());
	share_left(&w->sharing, &q->share, p == POLLED_BUSY);
	return p;
}

/* stays_active() - let a queue have its turn, if it may. Return: shall it be polled again? */
static bool stays_active(struct worker *w, struct queue *q, bool *any)
{
	enum polled p;

	if (!share_may(&w->sharing, &q->share)) {
		share_left(&w->sharing, &q->share, true);
		return true;
	}
	p = have_turn(w, q, any);
	if (p != POLLED_EMPTY)
		return p == POLLED_BUSY;
	if (!q->q->port->ops->arm)
		return false;
	return w->now_ns - q->busy_ns < LINGER_NS || !q->q->port->ops->arm(q->q);
}

bool queues_poll(struct worker *w)
{
	struct queue *list = w->active, **tail = &w->active;
	bool any = false, several = list && list->next_active;

	share_round(&w->sharing, several, several ? clock_now_ns() : 0);
	w->active = NULL;
	for (struct queue *q = list, *next; q; q = next) {
		next = q->next_active;
		q->active = stays_active(w, q, &any);
		if (q->active) {
			q->next_active = NULL;
			*tail = q;
			tail = &q->next_active;
		}
	}
	return any;
}

/* ---- giving and taking queues ---- */

static void add_queue(struct worker *w, void *arg)
{
	struct queue *q = arg;

	q->share = (struct share){ 0 };
	watch(w, q);
	activate(w, q);			/* what came before it was watched makes no edge */
}

static void free_port(struct rcu_head *head)
{
	struct port *port = container_of(head, struct port, rcu);

	port->ops->free(port);
}

static void drop_queue(struct worker *w, void *arg)
{
	struct queue *q = arg;

	unwatch(w, q);
	deactivate(w, q);
	end_nap(w, q);
}

static void remove_queue(struct worker *w, void *arg)
{
	struct queue *q = arg;
	struct port *port = q->q->port;

	drop_queue(w, q);
	free(q);
	if (atomic_fetch_sub_explicit(&port->nserved, 1, memory_order_acq_rel) == 1)
		urcu_qsbr_call_rcu(&port->rcu, free_port);
}

static void new_descriptor(struct worker *w, void *arg)
{
	struct queue *q = arg;

	q->q->fd = q->new_fd;		/* here, for the queue may have been given to this worker just now */
	unwatch(w, q);
	add_queue(w, q);
}

static void give(struct worker *w, struct queue *q)
{
	q->w = w;
	q->q->worker = (uint16_t)w->index;
	atomic_fetch_add_explicit(&w->nqueues, 1, memory_order_relaxed);
	worker_post_surely(w, add_queue, q);
}

/* least_loaded() - of the workers, the one with the fewest queues */
static struct worker *least_loaded(struct worker *const *workers, unsigned n)
{
	struct worker *best = workers[0];

	for (unsigned i = 1; i < n; i++)
		if (worker_nqueues(workers[i]) < worker_nqueues(best))
			best = workers[i];
	return best;
}

unsigned worker_nqueues(const struct worker *w)
{
	return atomic_load_explicit(&w->nqueues, memory_order_relaxed);
}

int worker_add_port(struct worker *const *workers, unsigned n, struct port *port)
{
	for (unsigned i = 0; i < port->nqueues; i++) {
		struct queue *q = calloc(1, sizeof(*q));

		port->queues[i].served = q;
		if (q) {
			q->q = &port->queues[i];
			continue;
		}
		while (i--) {
			free(port->queues[i].served);
			port->queues[i].served = NULL;
		}
		return -ENOMEM;
	}
	atomic_store_explicit(&port->nserved, port->nqueues, memory_order_relaxed);
	for (unsigned i = 0; i < port->nqueues; i++)
		give(least_loaded(workers, n), port->queues[i].served);
	return 0;
}

void worker_remove_port(struct port *port)
{
	unsigned n = port->nqueues;	/* with the last one the port may go */

	for (unsigned i = 0; i < n; i++) {
		struct queue *q = port->queues[i].served;

		atomic_fetch_sub_explicit(&q->w->nqueues, 1, memory_order_relaxed);
		worker_post_surely(q->w, remove_queue, q);
	}
}

void worker_move_queue(struct port_queue *pq, struct worker *to)
{
	struct queue *q = pq->served;

	if (!q || q->w == to)
		return;
	atomic_fetch_sub_explicit(&q->w->nqueues, 1, memory_order_relaxed);
	worker_post_surely(q->w, drop_queue, q);
	worker_sync(q->w);		/* from here on nobody has it */
	give(to, q);
}

bool worker_balance(struct worker *const *workers, unsigned n, struct port *port)
{
	struct worker *to = least_loaded(workers, n);

	for (unsigned i = 0; i < port->nqueues; i++) {
		struct queue *q = port->queues[i].served;

		if (q && worker_nqueues(q->w) > worker_nqueues(to) + 1) {
			worker_move_queue(&port->queues[i], to);
			return true;
		}
	}
	return false;
}

static void wake_queue(struct worker *w, void *arg)
{
	activate(w, arg);
}

void worker_wake_queue(struct port_queue *pq)
{
	struct queue *q = pq->served;

	if (q)
		worker_post_surely(q->w, wake_queue, q);
}

void worker_queue_fd(struct port_queue *pq, int fd)
{
	struct queue *q = pq->served;

	if (!q) {
		pq->fd = fd;
		return;
	}
	q->new_fd = fd;
	worker_post_surely(q->w, new_descriptor, q);
	worker_sync(q->w);
}
