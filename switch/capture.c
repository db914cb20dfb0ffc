// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/capture.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/array.h"
#include "switch/unread.h"

static uint32_t ring_size(unsigned nworkers)
{
	uint32_t size = CAPTURE_ROOM;

	while (size > CAPTURE_RING_MIN && size > CAPTURE_ROOM / nworkers)
		size /= 2;
	return size;
}

struct capture *capture_new(struct filter *filter, uint32_t snaplen, unsigned nworkers)
{
	struct capture *c = calloc(1, sizeof(*c));

	if (!c) {
		filter_free(filter);
		return NULL;
	}
	c->filter = filter;
	c->snaplen = MIN_OF(snaplen, (uint32_t)CAPTURE_SNAPLEN_MAX);
	c->parts = alloc_zeroed(_Alignof(struct capture_part), nworkers * sizeof(*c->parts));
	c->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	while (c->parts && c->fd >= 0 && c->nparts < nworkers && ring_init(&c->parts[c->nparts].ring, ring_size(nworkers)) == 0)
		c->nparts++;
	if (c->parts && c->nparts == nworkers)
		return c;
	capture_free(c);
	errno = ENOMEM;
	return NULL;
}

void capture_free(struct capture *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->nparts; i++)
		ring_fini(&c->parts[i].ring);
	if (c->fd >= 0)
		close(c->fd);
	filter_free(c->filter);
	free(c->parts);
	free(c);
}

static void free_rcu(struct rcu_head *head)
{
	capture_free(container_of(head, struct capture, rcu));
}

void capture_release(struct capture *c)
{
	urcu_qsbr_call_rcu(&c->rcu, free_rcu);
}

/* ---- a worker's side ---- */

void sighting_fill(struct sighting *s, const struct wire *wire, uint32_t snaplen)
{
	const struct offload *o = &wire->frame->offload;

	s->len = wire->len;
	s->kept = MIN_OF(frame_there(wire->frame) + wire->tag_size, snaplen);
	s->gso_type = o->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;
	s->gso_size = o->gso_type ? o->gso_size : 0;
	s->csum = o->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
}

void capture_put(struct capture *c, unsigned worker, const struct wire *wire, const struct sighting *s)
{
	struct capture_part *part = &c->parts[worker];
	struct sighting whole = *s, *to;

	sighting_fill(&whole, wire, c->snaplen);
	to = ring_reserve(&part->ring, (uint32_t)sizeof(*to) + whole.kept);
	if (!to) {
		part->lost++;
		atomic_fetch_add_explicit(&part->lost_ever, 1, memory_order_relaxed);
		return;
	}
	whole.lost = part->lost;
	part->lost = 0;
	*to = whole;
	wire_copy(wire, 0, whole.kept, (uint8_t *)(to + 1));
	ring_commit(&part->ring, (uint32_t)sizeof(*to) + whole.kept);
}

/* Both sides exchange the flag: whichever comes second sees what the other did before. */
void capture_wake(struct capture *c)
{
	static const uint64_t one = 1;

	if (atomic_exchange(&c->asleep, false) && write(c->fd, &one, sizeof(one)) < 0)
		return;		/* the counter is full: it is awake */
}

/* ---- the reader's side ---- */

const struct sighting *capture_peek(struct capture *c, unsigned *part)
{
	const struct sighting *oldest = NULL;

	for (unsigned i = 0; i < c->nparts; i++) {
		uint32_t size;
		const struct sighting *s = ring_peek(&c->parts[i].ring, &size);

		if (s && (!oldest || s->wall_ns < oldest->wall_ns)) {
			oldest = s;
			*part = i;
		}
	}
	return oldest;
}

void capture_pop(struct capture *c, unsigned part)
{
	ring_pop(&c->parts[part].ring);
}

bool capture_sleep(struct capture *c)
{
	unsigned part;
	uint64_t n;

	if (read(c->fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		return false;
	atomic_exchange(&c->asleep, true);
	if (!capture_peek(c, &part))
		return true;
	atomic_exchange(&c->asleep, false);
	return false;
}

uint64_t capture_lost(const struct capture *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < c->nparts; i++)
		n += atomic_load_explicit(&c->parts[i].lost_ever, memory_order_relaxed);
	return n;
}
