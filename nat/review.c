// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/review.h"

#include <string.h>

#include "nat/nat_in.h"
#include "nat/shard.h"
#include "nat/sock.h"
#include "nat/tcp.h"
#include "nat/way.h"

enum { FLOWS_AT_ONCE = 256 };		/* some system calls each */

void review_forget(struct nat_shard *s)
{
	memset(s->decisions, 0, sizeof(s->decisions));
	memset(s->own, 0, sizeof(s->own));
	memset(&s->device, 0, sizeof(s->device));
}

/* end() - of one that is still being opened the guest hears nothing: its next SYN begins anew, by the new way */
static void end(struct flow *f)
{
	if (f->tcp.phase == TCP_PHASE_CONNECTING)
		flow_abort(f);
	else
		tcp_reset(f);
}

/* look_at() - @way: NULL when addresses do not matter now, nor where the socket is bound to an interface anyway */
static void look_at(struct flow *f, const struct way *way)
{
	enum way_state state;

	if (f->key.proto != IPPROTO_TCP || f->watch.fd < 0 || f->tcp.pair)
		return;
	if (sock_stale(f)) {
		end(f);
		return;
	}
	state = way ? way_of(way, f->watch.fd) : WAY_OPEN;
	if (state == WAY_GONE) {
		end(f);
	} else if (way && f->hurried != (state == WAY_MOVED && !f->device)) {
		f->hurried = !f->hurried;
		way_hurry(f->watch.fd, f->hurried);
	}
}

static void go_on(struct worker *w, void *arg);

/* slice() - a few hundred flows. When the table grows meanwhile, a bucket's flows stay behind where we are or go to the new half. */
static void slice(struct nat_shard *s)
{
	struct way way;
	const struct way *asked = s->review.addresses ? &way : NULL;
	unsigned looked = 0;

	if (asked)
		way_init(&way);
	while (!s->stopped && s->review.at < s->nbuckets && looked < FLOWS_AT_ONCE) {
		for (struct flow *f = s->buckets[s->review.at], *next; f; f = next, looked++) {
			next = f->next;
			look_at(f, asked);
		}
		s->review.at++;
	}
	if (asked)
		way_fini(&way);
	s->review.running = !s->stopped && s->review.at < s->nbuckets;
	if (!s->review.running)
		return;
	if (worker_post(s->worker, go_on, s))
		nat_hold(s->nat);
	else
		s->review.running = false;	/* an inbox that is full: what is left ends by the kernel's own timeouts */
}

static void go_on(struct worker *w, void *arg)
{
	struct nat_shard *s = arg;

	(void)w;
	nat_release(s->nat);
	slice(s);
}

void review_start(struct nat_shard *s, bool addresses)
{
	bool running = s->review.running;

	s->review.addresses |= addresses;
	if (!running)
		s->review.addresses = addresses;
	s->review.at = 0;
	if (!running)
		slice(s);
}
