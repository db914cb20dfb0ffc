// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nat/budget.h"
#include "nat/forward_in.h"
#include "nat/nat_in.h"

/* ---- the host's ports that belong to forwards; written by the control thread and the stopping worker ---- */

static _Atomic uint32_t loopback_ports[2][65536], everywhere_ports[2][65536];

static void note_ports(const struct forward *f, int change)
{
	_Atomic uint32_t *ports = (f->loopback ? loopback_ports : everywhere_ports)[f->proto == IPPROTO_UDP];

	for (unsigned i = 0; (f->loopback || f->everywhere) && i < f->nlisteners; i++)
		atomic_fetch_add_explicit(&ports[f->listeners[i].port], (uint32_t)change, memory_order_relaxed);
}

bool forward_is_loopback(uint8_t proto, uint16_t port)
{
	return atomic_load_explicit(&loopback_ports[proto == IPPROTO_UDP][port], memory_order_relaxed) > 0;
}

bool forward_is_everywhere(uint8_t proto, uint16_t port)
{
	return atomic_load_explicit(&everywhere_ports[proto == IPPROTO_UDP][port], memory_order_relaxed) > 0;
}

/* ---- references ---- */

struct forward *forward_get(struct forward *f)
{
	atomic_fetch_add(&f->refs, 1);
	return f;
}

void forward_put(struct forward *f)
{
	if (!f || atomic_fetch_sub(&f->refs, 1) > 1)
		return;
	free(f->target);
	free(f);
}

void forward_put_flow(struct forward *f)
{
	if (!f)
		return;
	atomic_fetch_sub_explicit(&f->active, 1, memory_order_relaxed);
	forward_put(f);
}

void forward_refused(struct forward *f)
{
	atomic_fetch_add_explicit(&f->refused, 1, memory_order_relaxed);
}

void forward_count(const struct forward *f, struct forward_counts *counts)
{
	*counts = (struct forward_counts){
		.hits = atomic_load_explicit(&f->hits, memory_order_relaxed),
		.active = atomic_load_explicit(&f->active, memory_order_relaxed),
		.refused = atomic_load_explicit(&f->refused, memory_order_relaxed),
		.no_address = atomic_load_explicit(&f->no_address, memory_order_relaxed),
	};
}

/* ---- life ---- */

static void on_start(struct worker *w, void *arg)
{
	struct forward *f = arg;

	for (unsigned i = 0; i < f->nlisteners; i++)
		if (worker_watch(w, &f->listeners[i].watch, EPOLLIN) < 0)
			f->listeners[i].watch.events = 0;	/* no memory: it takes nobody, until the forward is made anew */
	forward_put(f);
}

static void close_rcu(struct rcu_head *head)
{
	struct forward *f = container_of(head, struct forward, rcu);

	for (unsigned i = 0; i < f->nlisteners; i++)
		close(f->listeners[i].watch.fd);
	budget_listen(-(int)f->nlisteners);
	forward_put(f);
}

static void on_stop(struct worker *w, void *arg)
{
	struct forward *f = arg;

	atomic_store(&f->stopped, true);
	timer_cancel(worker_timers(w), &f->timer);
	for (unsigned i = 0; i < f->nlisteners; i++) {
		struct listener *l = &f->listeners[i];

		if (l->watch.events || l->paused)
			worker_unwatch(w, &l->watch);
	}
	note_ports(f, -1);
	forward_tcp_stop(f);
	nat_release(f->nat);
	urcu_qsbr_call_rcu(&f->rcu, close_rcu);
}

bool forward_stop(struct forward *f)
{
	return worker_post(f->worker, on_stop, f);
}

/* look_at_socket() - its port, and what has to be set on it */
static int look_at_socket(struct forward *f, struct listener *l)
{
	int on = 1, fd = l->watch.fd, flags = fcntl(fd, F_GETFL);
	union sock_addr at = { .any.sa_family = AF_UNSPEC };
	socklen_t size = sizeof(at);

	if (getsockname(fd, &at.any, &size) < 0 || flags < 0)
		return -errno;
	if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	if (at.any.sa_family != AF_INET && at.any.sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	l->port = sock_addr_port(&at);
	f->loopback = addr_is_loopback(addr_from_sock(&at));
	f->everywhere = addr_is_none(addr_from_sock(&at)) || addr_equal(addr_from_sock(&at), addr4(0));
	if (f->proto == IPPROTO_UDP && at.any.sa_family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else if (f->proto == IPPROTO_UDP)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	return 0;
}

static int fill_listeners(struct forward *f, const int *fds, unsigned n)
{
	int rc = 0;

	f->nlisteners = n;
	for (unsigned i = 0; rc == 0 && i < n; i++) {
		struct listener *l = &f->listeners[i];

		l->watch = (struct watch){ .ready = f->proto == IPPROTO_TCP ? forward_accept : forward_receive, .fd = fds[i] };
		l->index = (uint16_t)i;
		rc = look_at_socket(f, l);
	}
	f->first = f->listeners[0].port;
	return rc;
}

static struct live_target *new_target(const struct forward_target *target)
{
	struct live_target *t = calloc(1, sizeof(*t));

	if (t)
		t->target = *target;
	return t;
}

static struct forward *forward_alloc(struct nat *nat, uint8_t proto, unsigned n, const struct forward_target *target,
				     struct worker *w)
{
	struct forward *f = calloc(1, sizeof(*f) + n * sizeof(f->listeners[0]));

	if (!f)
		return NULL;
	TAILQ_INIT(&f->waiting);
	f->nat = nat;
	f->worker = w;
	f->proto = proto;
	f->refs = 2;				/* until it is stopped, and for on_start() */
	f->timer.expired = forward_tcp_timer;
	f->target = new_target(target);
	if (f->target)
		return f;
	free(f);
	return NULL;
}

/* launch() - have the worker watch it */
static int launch(struct forward *f)
{
	if (!budget_listen((int)f->nlisteners))
		return -EMFILE;
	nat_hold(f->nat);
	note_ports(f, 1);
	if (worker_post(f->worker, on_start, f))
		return 0;
	note_ports(f, -1);
	nat_release(f->nat);
	budget_listen(-(int)f->nlisteners);
	return -EAGAIN;
}

struct forward *forward_new_many(struct nat *nat, uint8_t proto, const int *fds, unsigned n, const struct forward_target *target,
				 struct worker *w)
{
	struct forward *f = forward_alloc(nat, proto, n, target, w);
	int rc = f ? fill_listeners(f, fds, n) : -ENOMEM;

	if (rc == 0)
		rc = launch(f);
	if (rc == 0)
		return f;
	if (f)
		free(f->target);
	free(f);
	errno = -rc;
	return NULL;
}

static void free_target(struct rcu_head *head)
{
	free(container_of(head, struct live_target, rcu));
}

int forward_retarget(struct forward *f, const struct forward_target *target)
{
	struct live_target *t = new_target(target), *old = f->target;

	if (!t)
		return -ENOMEM;
	rcu_assign_pointer(f->target, t);
	urcu_qsbr_call_rcu(&old->rcu, free_target);
	return 0;
}
