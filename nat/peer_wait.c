// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/peer_wait.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct peer_wait {
	atomic_flag busy;
	atomic_uint used;		/* places; read without the lock by who only wants to know whether there are any */
	struct peer_waiting places[PEER_WAIT_PLACES];
};

struct peer_wait *peer_wait_new(void)
{
	return calloc(1, sizeof(struct peer_wait));
}

void peer_wait_free(struct peer_wait *wait)
{
	free(wait);
}

static bool is_for(const struct peer_waiting *p, struct addr dst, uint16_t vid)
{
	return p->since_ms && p->vid == vid && addr_equal(p->dst, dst);
}

/* known - what the places say about a destination and a sender */
struct known {
	struct peer_waiting *first;	/* the oldest for that destination, or NULL */
	struct peer_waiting *place;	/* a free one, else the oldest of all that is past its time, or NULL */
	unsigned same, sent;		/* for the destination, of the sender */
};

static struct known look(struct peer_wait *w, struct addr dst, uint16_t vid, uint32_t sender, uint64_t now_ms)
{
	struct known k = { 0 };

	for (unsigned i = 0; i < PEER_WAIT_PLACES; i++) {
		struct peer_waiting *p = &w->places[i];

		if (is_for(p, dst, vid)) {
			k.same++;
			k.first = k.first && k.first->since_ms <= p->since_ms ? k.first : p;
		}
		k.sent += p->since_ms && p->sender == sender;
		if (p->since_ms && now_ms < p->since_ms + PEER_WAIT_MS)
			continue;
		if (!k.place || (k.place->since_ms && p->since_ms < k.place->since_ms))
			k.place = p;
	}
	return k;
}

static void give_up(struct peer_wait *w, struct peer_waiting *p, struct peer_wait_said *said)
{
	if (!p->since_ms)
		return;
	p->since_ms = 0;
	atomic_fetch_sub(&w->used, 1);
	said->forgotten++;
}

static void fill(struct peer_wait *w, struct peer_waiting *p, struct addr dst, uint32_t sender, const struct frame *f, uint64_t now_ms)
{
	p->since_ms = p->asked_ms = now_ms ? now_ms : 1;
	p->dst = dst;
	p->sender = sender;
	p->vid = f->vid;
	p->offload = f->offload;
	p->len = (uint16_t)f->len;
	frame_linear(f, p->data);
	atomic_fetch_add(&w->used, 1);
}

static struct peer_wait_said put(struct peer_wait *w, struct addr dst, uint32_t sender, const struct frame *f, bool keep,
				 uint64_t now_ms)
{
	struct known k = look(w, dst, f->vid, sender, now_ms);
	struct peer_wait_said said = { .ask = !k.first || now_ms >= k.first->asked_ms + PEER_WAIT_AGAIN_MS };

	if (k.first && now_ms >= k.first->since_ms + PEER_WAIT_MS) {
		for (unsigned i = 0; i < PEER_WAIT_PLACES; i++)
			if (is_for(&w->places[i], dst, f->vid))
				give_up(w, &w->places[i], &said);
		said.nobody = true;
		return said;
	}
	if (said.ask && k.first)
		k.first->asked_ms = now_ms;
	said.kept = keep && k.place && k.same < PEER_WAIT_EACH && k.sent < PEER_WAIT_EACH && f->len <= PEER_WAIT_FRAME;
	if (said.kept) {
		give_up(w, k.place, &said);
		fill(w, k.place, dst, sender, f, now_ms);
	}
	return said;
}

struct peer_wait_said peer_wait_put(struct peer_wait *w, struct addr dst, uint32_t sender, const struct frame *frame, bool keep,
				    uint64_t now_ms)
{
	struct peer_wait_said said = { .kept = false };

	if (atomic_flag_test_and_set_explicit(&w->busy, memory_order_acquire))
		return said;
	said = put(w, dst, sender, frame, keep, now_ms);
	atomic_flag_clear_explicit(&w->busy, memory_order_release);
	return said;
}

bool peer_wait_is_empty(const struct peer_wait *w)
{
	return !atomic_load_explicit(&w->used, memory_order_relaxed);
}

bool peer_wait_take(struct peer_wait *w, struct addr dst, uint16_t vid, struct peer_waiting *to)
{
	bool found = false;

	if (atomic_flag_test_and_set_explicit(&w->busy, memory_order_acquire))
		return false;
	for (unsigned i = 0; i < PEER_WAIT_PLACES && !found; i++) {
		struct peer_waiting *p = &w->places[i];

		found = is_for(p, dst, vid);
		if (found) {
			*to = *p;
			p->since_ms = 0;
			atomic_fetch_sub(&w->used, 1);
		}
	}
	atomic_flag_clear_explicit(&w->busy, memory_order_release);
	return found;
}
