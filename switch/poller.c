// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/poller.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "switch/worker.h"

/* slot - what an epoll event refers to; the generation tells an event for a watch that is gone */
struct slot {
	struct watch *watch;
	uint32_t generation;
	uint32_t next_free;		/* index plus one */
};

int poller_init(struct poller *p)
{
	*p = (struct poller){ .epoll = epoll_create1(EPOLL_CLOEXEC) };
	return p->epoll < 0 ? -errno : 0;
}

void poller_fini(struct poller *p)
{
	if (p->epoll >= 0)
		close(p->epoll);
	free(p->slots);
}

static int grow_slots(struct poller *p)
{
	uint32_t n = p->nslots ? 2 * p->nslots : 64;
	struct slot *slots = realloc(p->slots, n * sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	p->slots = slots;
	for (uint32_t i = n; i-- > p->nslots;) {
		slots[i] = (struct slot){ .generation = 1, .next_free = p->free_slot };
		p->free_slot = i + 1;
	}
	p->nslots = n;
	return 0;
}

static int epoll_set(struct poller *p, int op, const struct watch *watch, uint32_t events)
{
	struct epoll_event ev = {
		.events = events,
		.data.u64 = (uint64_t)p->slots[watch->slot].generation << 32 | watch->slot,
	};

	return epoll_ctl(p->epoll, op, watch->fd, &ev) < 0 ? -errno : 0;
}

int poller_add(struct poller *p, struct watch *watch, uint32_t events)
{
	uint32_t i;
	int rc;

	if (!p->free_slot && grow_slots(p) < 0)
		return -ENOMEM;
	i = p->free_slot - 1;
	watch->slot = i;
	watch->events = events;
	rc = epoll_set(p, EPOLL_CTL_ADD, watch, events);
	if (rc < 0)
		return rc;
	p->free_slot = p->slots[i].next_free;
	p->slots[i].watch = watch;
	return 0;
}

int poller_change(struct poller *p, struct watch *watch, uint32_t events)
{
	if (watch->events == events)
		return 0;
	watch->events = events;
	return epoll_set(p, EPOLL_CTL_MOD, watch, events);
}

void poller_remove(struct poller *p, struct watch *watch)
{
	if (p->slots[watch->slot].watch == watch)
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	poller_forget(p, watch);
}

void poller_forget(struct poller *p, struct watch *watch)
{
	struct slot *s = &p->slots[watch->slot];

	if (s->watch != watch)
		return;
	s->watch = NULL;
	s->generation++;
	s->next_free = p->free_slot;
	p->free_slot = watch->slot + 1;
}

struct watch *poller_find(const struct poller *p, const struct epoll_event *ev)
{
	const struct slot *s = &p->slots[(uint32_t)ev->data.u64];

	return s->watch && s->generation == (uint32_t)(ev->data.u64 >> 32) ? s->watch : NULL;
}
