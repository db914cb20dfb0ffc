// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "nat/forward_in.h"
#include "nat/nat_in.h"
#include "nat/tcp.h"
#include "switch/snapshot.h"

enum { ACCEPT_BATCH = 64, PAUSE_MS = 100, ASK_AGAIN_MS = 1000, WAITING_MAX = 64 };

/* handoff - a client on its way to the worker of its guest */
struct handoff {
	struct forward *forward;	/* counted */
	struct place place;
	int fd;
};

/* turn_away() - the client sees a reset: nothing of it was read, and nothing will be */
static void turn_away(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}

/* open_flow() - Return: true when the flow has taken the client and the reference */
static bool open_flow(struct worker *w, struct forward *f, const struct place *place, int fd)
{
	struct nat_shard *s = nat_shard_of(f->nat, w);
	struct nat_port *port = s ? shard_port(s, place->port) : NULL;
	struct flow_key key;
	struct site site;

	if (!port || !shard_site(s, place->port, &site) || !forward_key(s, &site, place, IPPROTO_TCP, &key))
		return false;
	atomic_fetch_add_explicit(&f->active, 1, memory_order_relaxed);
	if (tcp_call(s, port, f, &key, fd) == 0)
		return true;
	atomic_fetch_sub_explicit(&f->active, 1, memory_order_relaxed);
	return false;
}

static void on_handoff(struct worker *w, void *arg)
{
	struct handoff *h = arg;
	struct nat *nat = h->forward->nat;

	if (!open_flow(w, h->forward, &h->place, h->fd)) {
		forward_refused(h->forward);
		turn_away(h->fd);
		forward_put(h->forward);
	}
	nat_release(nat);
	free(h);
}

/* hand_over() - the client to the worker of its guest, which may be this one */
static void hand_over(struct worker *w, struct forward *f, const struct place *place, int fd)
{
	struct handoff *h = malloc(sizeof(*h));

	if (h) {
		*h = (struct handoff){ forward_get(f), *place, fd };
		nat_hold(f->nat);
		if (place->worker == w) {
			on_handoff(w, h);
			return;
		}
		if (worker_post(place->worker, on_handoff, h))
			return;
		nat_release(f->nat);
		forward_put(f);
		free(h);
	}
	forward_refused(f);
	turn_away(fd);
}

/* wait_for_address() - the guest's address was asked for: keep the client until it is known */
static bool wait_for_address(struct forward *f, struct worker *w, int fd)
{
	struct waiting *c = f->nwaiting < WAITING_MAX ? malloc(sizeof(*c)) : NULL;

	if (!c)
		return false;
	*c = (struct waiting){ .fd = fd, .since_ms = worker_now_ms(w) };
	TAILQ_INSERT_TAIL(&f->waiting, c, list);
	f->nwaiting++;
	if (!timer_pending(&f->timer))
		timer_set(worker_timers(w), &f->timer, worker_now_ms(w) + ASK_AGAIN_MS);
	return true;
}

static void take_client(struct forward *f, struct worker *w, int fd)
{
	struct place place;
	int rc = forward_place(f, w, &place);

	atomic_fetch_add_explicit(&f->hits, 1, memory_order_relaxed);
	if (rc == 0) {
		hand_over(w, f, &place, fd);
		return;
	}
	if (rc == -EAGAIN && wait_for_address(f, w, fd))
		return;
	atomic_fetch_add_explicit(&f->no_address, 1, memory_order_relaxed);
	turn_away(fd);
}

void forward_accept(struct worker *w, struct watch *watch, uint32_t events)
{
	struct forward *f = container_of(watch, struct forward, watch);

	(void)events;
	for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take_client(f, w, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			worker_rewatch(w, watch, 0);	/* or it would be reported without end */
			f->paused = true;
			timer_set(worker_timers(w), &f->timer, worker_now_ms(w) + PAUSE_MS);
			return;
		}
		if (errno == EAGAIN)
			return;
	}
}

static void drop_waiting(struct forward *f, struct waiting *c, bool reset)
{
	TAILQ_REMOVE(&f->waiting, c, list);
	f->nwaiting--;
	if (reset)
		turn_away(c->fd);
	free(c);
}

static void ask_again(struct forward *f, struct worker *w, uint64_t now_ms)
{
	struct place place;
	int rc = forward_place(f, w, &place);

	for (struct waiting *c = TAILQ_FIRST(&f->waiting), *next; c; c = next) {
		next = TAILQ_NEXT(c, list);
		if (rc == 0) {
			hand_over(w, f, &place, c->fd);
			drop_waiting(f, c, false);
		} else if (now_ms >= c->since_ms + TCP_CALL_MS) {
			atomic_fetch_add_explicit(&f->no_address, 1, memory_order_relaxed);
			drop_waiting(f, c, true);
		}
	}
	if (f->nwaiting)
		timer_set(worker_timers(w), &f->timer, now_ms + ASK_AGAIN_MS);
}

void forward_tcp_timer(struct timer *timer, uint64_t now_ms, void *context)
{
	struct forward *f = container_of(timer, struct forward, timer);

	(void)context;
	if (f->paused) {
		f->paused = false;
		worker_rewatch(f->worker, &f->watch, EPOLLIN);
	}
	if (f->nwaiting)
		ask_again(f, f->worker, now_ms);
}

void forward_tcp_stop(struct forward *f)
{
	while (!TAILQ_EMPTY(&f->waiting))
		drop_waiting(f, TAILQ_FIRST(&f->waiting), true);
	if (f->proto == IPPROTO_TCP)
		shutdown(f->watch.fd, SHUT_RDWR);	/* also where somebody else holds a copy of the descriptor */
}
