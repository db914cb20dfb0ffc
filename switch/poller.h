/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/poller.h - the descriptors that a worker waits on
 *
 * An epoll event carries an index and a generation, never a pointer, so an event that was fetched before its watch was removed
 * finds nothing. One thread.
 */
#ifndef SWITCH_POLLER_H
#define SWITCH_POLLER_H

#include <stdint.h>
#include <sys/epoll.h>

struct slot;
struct watch;

struct poller {
	int epoll;
	struct slot *slots;
	uint32_t nslots, free_slot;	/* free_slot: index plus one, 0 for none */
};

int poller_init(struct poller *p);
void poller_fini(struct poller *p);

/* poller_add(), poller_change(), poller_remove() - as worker_watch(), worker_rewatch() and worker_unwatch() */
int poller_add(struct poller *p, struct watch *watch, uint32_t events);
int poller_change(struct poller *p, struct watch *watch, uint32_t events);
void poller_remove(struct poller *p, struct watch *watch);

/* poller_forget() - as worker_forget() */
void poller_forget(struct poller *p, struct watch *watch);

/* poller_find() - the watch that an event is for, or NULL when it is gone */
struct watch *poller_find(const struct poller *p, const struct epoll_event *event);

#endif
