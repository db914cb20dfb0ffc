// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/review.h"

#include <string.h>

#include "nat/nat_in.h"
#include "nat/shard.h"
#include "nat/sock.h"
#include "nat/tcp.h"

enum { FLOWS_AT_ONCE = 256 };		/* a system call each */

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

static void look_at(struct flow *f, struct sock_known *known)
{
	if (f->key.proto != IPPROTO_TCP || f->watch.fd < 0)
		return;
	if (sock_stale(f) || (f->shard->review.addresses && sock_local_gone(known, f->watch.fd)))
		end(f);
}

static void go_on(struct worker *w, void *arg);

/* slice() - a few hundred flows. When the table grows meanwhile, a bucket's flows stay behind where we are or go to the new half. */
static void slice(struct nat_shard *s)
{
	struct sock_known known = { .n = 0 };
	unsigned looked = 0;

	while (!s->stopped && s->review.at < s->nbuckets && looked < FLOWS_AT_ONCE) {
		for (struct flow *f = s->buckets[s->review.at], *next; f; f = next, looked++) {
			next = f->next;
			look_at(f, &known);
		}
		s->review.at++;
	}
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
