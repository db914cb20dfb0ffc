/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/port.h - what every kind of port offers to the switch
 *
 * A port has one or more queues, each with a receive and a transmit side. It is made by its kind (tap/), owned by the control
 * thread and freed only after a grace period (worker_remove_port()). The receive side of a queue belongs to one worker at a
 * time. Any worker may send: port_tx() chooses a queue and takes its transmit lock by a bounded try, so kinds need no locking of
 * their own between workers.
 */
#ifndef SWITCH_PORT_H
#define SWITCH_PORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <urcu/urcu-qsbr.h>

#include "switch/frame.h"
#include "switch/stats.h"

struct port;
struct steer;
struct worker;

enum port_offload {			/* what the receiving side of a port can take as it is */
	PORT_CSUM = 1,			/* checksum left to be completed */
	PORT_TSO4 = 2, PORT_TSO6 = 4, PORT_ECN = 8, PORT_USO = 16,
	PORT_UNREAD = 32,		/* tx() reads the rest of an unread_frame itself; goes with PORT_CSUM, for nobody has summed it up */
};

/* rx_space - private memory of the worker for one receive burst */
struct rx_space {
	uint8_t *data;
	size_t size;			/* at least RX_SPACE */
};
enum { RX_SPACE = 2 * 1024 * 1024 };

/* port_queue - one receive and transmit pair of a port */
struct port_queue {
	struct port *port;
	uint16_t index;			/* 0..port->nqueues-1 */
	_Atomic uint16_t worker;	/* index of the worker that owns the receive side; written by the control thread */
	int fd;				/* what the owner waits on (edge-triggered), or -1 */
	void *served;			/* the owner worker's; NULL while no worker has it */
	bool drained;			/* set by rx(): behind what it returned the kernel had no more, and will tell of the next; the owner's */
	atomic_flag tx_lock __attribute__((aligned(64)));
} __attribute__((aligned(64)));

struct port_ops {
	const char *kind;

	/* rx() - take up to @n frames that wait, into @space or memory of the port; owner worker
	 * The frames stay valid until done(), or where that is NULL until the next rx() of any queue of this worker.
	 * Return: how many; 0 when nothing waits; negative errno when the peer is gone (the worker stops
	 * watching the queue and calls notify()).
	 */
	int (*rx)(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n);

	/* done() - the frames of the last rx() have gone where they went: their memory may be given back. Owner; may be NULL */
	void (*done)(struct port_queue *q);

	/* received() - a round of bursts is over: the peer may be told now that its memory was given back. Owner; may be NULL
	 * Telling costs a full memory fence and a look at a line that the peer writes, so it is done once a round, not once a burst.
	 */
	void (*received)(struct port_queue *q);

	/* arm() - nothing came for a while: from now on the peer must wake us by the descriptor. Owner; NULL where it always does
	 * Return: false when frames wait after all: the worker goes on polling.
	 */
	bool (*arm)(struct port_queue *q);

	/* tx() - send frames, in order; called with the queue's transmit lock held
	 * Return: a bit per frame of @frames, set where the frame was taken. Segments cut are counted in @segments.
	 */
	uint64_t (*tx)(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n, uint64_t *segments);

	/* sent() - a round is over in which tx() was called: the peer may be told now; with the lock held; may be NULL
	 * @worker_index: of the caller
	 */
	void (*sent)(struct port_queue *q, unsigned worker_index);

	/* writable() - the descriptor takes bytes again: send what tx() kept back; called with the transmit lock held; may be NULL */
	void (*writable)(struct port_queue *q);

	/* carrier() - show the guest whether its cable is in; control thread. NULL: the medium has no way to say so */
	void (*carrier)(struct port *port, bool in);

	/* free() - release everything, close descriptors; control thread, after the last reference */
	void (*free)(struct port *port);
};

struct port {
	const struct port_ops *ops;
	uint32_t id;			/* index into snapshot->ports; unique among live ports */
	uint32_t offloads;		/* enum port_offload */
	uint32_t rx_room;		/* bytes that may wait in the medium to be received before it drops; 0: plenty */
	unsigned nqueues;
	atomic_uint ntx;		/* leading queues that take frames now, at least 1; written by the control thread */
	struct port_queue *queues;	/* owned by the port */
	struct steer *steer;		/* of a port with several queues, else NULL; owned by the port */
	struct port_stats *stats;	/* one per worker; owned by the port */
	unsigned nstats;
	atomic_uint nserved;		/* queues that a worker has */
	/* notify() - the peer is gone (@rc: negative errno); called on a worker, once; must not wait */
	void (*notify)(struct port *port, int rc);
	void *owner;			/* for notify(), the control thread's */
	uint32_t plug;			/* likewise: tells this object from another that had the same id */
	struct rcu_head rcu;
};

/* port_init() - fill in the common part, descriptors of queues -1; Return: 0 or -ENOMEM (queues, counters) */
int port_init(struct port *port, const struct port_ops *ops, unsigned nqueues, unsigned nworkers);

/* port_fini() - free queues and counters and close the queues' descriptors; what ops->free() ends with */
void port_fini(struct port *port);

/* port_tx() - send a burst of up to BURST_MAX frames under the transmit lock and count it
 * frame->copies was raised for each when it was filed; it is lowered again for each that is not taken.
 * Any worker. Return: bits of the frames taken.
 */
uint64_t port_tx(struct port *port, struct worker *w, unsigned worker_index, const struct tx_frame *frames, unsigned n);

/* port_tx_none() - the frames cannot even be offered: they count as dropped. Return: 0 */
uint64_t port_tx_none(struct port *port, unsigned worker_index, const struct tx_frame *frames, unsigned n);

/* port_sent() - call ops->sent(); a queue that another worker is sending to is left to that one */
void port_sent(struct port_queue *q, unsigned worker_index);

/* port_writable() - the owner worker saw that the descriptor takes bytes again */
void port_writable(struct port_queue *q);

/* port_fd() - descriptor of the first queue */
static inline int port_fd(const struct port *port)
{
	return port->queues[0].fd;
}

#endif
