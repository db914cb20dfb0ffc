/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/shape.h - a port's rates kept: what its guest sends waits where it is, what it is sent waits here
 *
 * Egress: a queue of the port is simply not read while the meter says to wait, so that frames stay in the guest's ring or the
 * kernel's socket, and the guest's own queueing feels it (shape_take()). Ingress: frames beyond the rate are copied into a bounded queue
 * of the port and sent when their time comes (shape_tx()). A stage on the way out refuses what finds the queue full, as a named drop; who
 * made the frame and can wait offers it again.
 *
 * Several ports may share a meter. Those that wait for it then take turns of a few frames each, so that nobody is left out.
 *
 * A timer runs, on the worker that made something wait, while something waits, and at no other time. The object is made by the
 * control thread, borrowed by snapshots, and ended by shape_end() when none has it any more; any worker may call the rest.
 */
#ifndef SWITCH_SHAPE_H
#define SWITCH_SHAPE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "switch/rate.h"

struct frame;
struct port_view;
struct shape_queue;
struct tx_frame;
struct worker;

enum { SHAPE_TURN = 65536, SHAPE_NAP_MS = 100 };

/* shared_meter - of one direction of ports that share a rate; counted */
struct shared_meter {
	struct rate_meter meter;
	uint32_t turn_bytes;		/* of one turn: what takes TURN_MS, a full frame or two at least, SHAPE_TURN at most */
	uint64_t turn_ns;		/* which takes so long */
	_Atomic uint32_t turn;		/* turns that were had, by all */
	_Atomic uint32_t waiting;	/* who waits for one */
	_Atomic uint32_t refs;
};

/* shared_meter_new() - with one reference, or NULL; shared_meter_put() - give one up; any thread. A rate of none is no limit */
struct shared_meter *shared_meter_new(const struct rate_conf *rate);
void shared_meter_put(struct shared_meter *m);

/* shape_way - one direction of one port */
struct shape_way {
	bool limited;			/* at all; else the rest does not count */
	bool own;			/* by a meter of its own */
	struct rate_meter meter;
	struct shared_meter *shared;	/* a reference, or NULL */
	_Atomic uint32_t waiting;	/* queues of this port that are among those that wait there */
	_Atomic uint32_t turn;		/* when it last had one */
	_Atomic uint32_t had;		/* bytes of this turn */
	_Atomic uint64_t yields_ns;	/* since when it lets others go first; 0: it does not */
};

struct shape {
	struct shape_way egress, ingress;
	struct shape_queue *queue;	/* of ingress; NULL unless that is limited */
};

/* shape_new() - @egress, @ingress: the port's own rates; the others what it shares (it takes references), or NULL. @port: its id
 * Return: NULL without memory.
 */
struct shape *shape_new(const struct rate_conf *egress, const struct rate_conf *ingress, struct shared_meter *shared_egress,
			struct shared_meter *shared_ingress, uint32_t port);

/* shape_end() - no snapshot that is published has it any more: what waits is dropped, and it is freed when no worker sees it */
void shape_end(struct shape *s);

/* shape_take() - how many frames (at most @max) may be taken from the port now; 0: not before *wait_ns
 * @waiting:	of the queue that asks; it counts among those that wait while it is set
 * shape_took() - that was received
 */
unsigned shape_take(struct shape *s, unsigned max, uint64_t now_ns, bool *waiting, uint64_t *wait_ns);
void shape_took(struct shape *s, const struct frame *frames, unsigned n, uint64_t now_ns);

/* shape_gave_up() - who set *waiting will not ask again soon */
void shape_gave_up(struct shape *s, bool *waiting);

/* shape_is_full() - has the queue to this port no room? */
bool shape_is_full(const struct shape *s);

/* shape_tx() - port_tx() to a port whose ingress is limited: what may not go yet is kept, and counts as taken */
uint64_t shape_tx(const struct port_view *to, struct worker *w, const struct tx_frame *frames, unsigned n);

/* ---- of switch/shape.c, for switch/shape_queue.c ---- */

void shape_free(struct shape *s);	/* no worker sees it any more */

/* way_wait_ns() - how long until this direction may go on; way_room() - bytes that may go then; way_charge() - that went */
uint64_t way_wait_ns(struct shape_way *way, uint64_t now_ns, bool *waiting);
uint64_t way_room(const struct shape_way *way, uint64_t now_ns);
void way_charge(struct shape_way *way, uint64_t bytes, uint64_t now_ns);
void way_gave_up(struct shape_way *way, bool *waiting);

struct shape_queue *shape_queue_new(struct shape *shape, uint64_t bps, uint32_t port);
void shape_queue_end(struct shape_queue *q);	/* frees the shape, too */

#endif
