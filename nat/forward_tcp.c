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
	union sock_addr from;
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
static bool open_flow(struct worker *w, struct forward *f, const struct handoff *h)
{
	struct nat_shard *s = nat_shard_of(f->nat, w);
	struct nat_port *port = s ? shard_port(s, h->place.port) : NULL;
	struct flow_key key;
	struct site site;

	if (!port || !shard_site(s, h->place.port, h->place.ip, &site) ||
	    !forward_key(s, &site, &h->place, IPPROTO_TCP, &h->from, &key))
		return false;
	atomic_fetch_add_explicit(&f->active, 1, memory_order_relaxed);
	if (tcp_call(s, port, f, &key, h->fd) == 0)
		return true;
	atomic_fetch_sub_explicit(&f->active, 1, memory_order_relaxed);
	return false;
}

static void on_handoff(struct worker *w, void *arg)
{
	struct handoff *h = arg;
	struct nat *nat = h->forward->nat;

	if (!open_flow(w, h->forward, h)) {
		forward_refused(h->forward);
		turn_away(h->fd);
		forward_put(h->forward);
	}
	nat_release(nat);
	free(h);
}

/* hand_over() - the client to the worker of its guest, which may be this one */
static void hand_over(struct worker *w, struct forward *f, const struct place *place, const union sock_addr *from, int fd)
{
	struct handoff *h = malloc(sizeof(*h));

	if (h) {
		*h = (struct handoff){ forward_get(f), *place, *from, fd };
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
static bool wait_for_address(struct listener *l, struct worker *w, const union sock_addr *from, int fd)
{
	struct forward *f = forward_of(l);
	struct waiting *c = f->nwaiting < WAITING_MAX ? malloc(sizeof(*c)) : NULL;

	if (!c)
		return false;
	*c = (struct waiting){ .listener = l, .from = *from, .fd = fd, .since_ms = worker_now_ms(w) };
	TAILQ_INSERT_TAIL(&f->waiting, c, list);
	f->nwaiting++;
	if (!timer_pending(&f->timer))
		timer_set(worker_timers(w), &f->timer, worker_now_ms(w) + ASK_AGAIN_MS);
	return true;
}

static void take_client(struct listener *l, struct worker *w, const union sock_addr *from, int fd)
{
	struct forward *f = forward_of(l);
	struct place place;
	int rc = forward_place(l, w, from, &place);

	atomic_fetch_add_explicit(&f->hits, 1, memory_order_relaxed);
	if (rc == 0) {
		hand_over(w, f, &place, from, fd);
		return;
	}
	if (rc == -EAGAIN && wait_for_address(l, w, from, fd))
		return;
	atomic_fetch_add_explicit(&f->no_address, 1, memory_order_relaxed);
	turn_away(fd);
}

/* pause_accepting() - or the lack of descriptors would be reported without end */
static void pause_accepting(struct listener *l, struct worker *w)
{
	struct forward *f = forward_of(l);

	worker_rewatch(w, &l->watch, 0);
	l->paused = true;
	f->npaused++;
	timer_set(worker_timers(w), &f->timer, worker_now_ms(w) + PAUSE_MS);
}

static void accept_again(struct forward *f)
{
	for (unsigned i = 0; f->npaused && i < f->nlisteners; i++) {
		struct listener *l = &f->listeners[i];

		if (!l->paused)
			continue;
		l->paused = false;
		f->npaused--;
		worker_rewatch(f->worker, &l->watch, EPOLLIN);
	}
}

void forward_accept(struct worker *w, struct watch *watch, uint32_t events)
{
	struct listener *l = container_of(watch, struct listener, watch);

	(void)events;
	for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
		union sock_addr from = { .any.sa_family = AF_UNSPEC };
		socklen_t size = sizeof(from);
		int fd = accept4(watch->fd, &from.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take_client(l, w, &from, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			pause_accepting(l, w);
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
	for (struct waiting *c = TAILQ_FIRST(&f->waiting), *next; c; c = next) {
		struct place place;
		int rc = forward_place(c->listener, w, &c->from, &place);

		next = TAILQ_NEXT(c, list);
		if (rc == 0) {
			hand_over(w, f, &place, &c->from, c->fd);
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
	accept_again(f);
	if (f->nwaiting)
		ask_again(f, f->worker, now_ms);
}

void forward_tcp_stop(struct forward *f)
{
	while (!TAILQ_EMPTY(&f->waiting))
		drop_waiting(f, TAILQ_FIRST(&f->waiting), true);
	for (unsigned i = 0; f->proto == IPPROTO_TCP && i < f->nlisteners; i++)
		shutdown(f->listeners[i].watch.fd, SHUT_RDWR);	/* also where somebody else holds a copy of the descriptor */
}
