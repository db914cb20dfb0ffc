/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost.h - vhost-user port: the rings of a virtio network device in a front-end's memory
 *
 * Sources: virtio 1.2, chapter 2 (virtqueues) and 5.1 (network device); QEMU documentation, interop/vhost-user. Ring 2i is the
 * guest's receive queue of pair i (we fill it), ring 2i+1 its transmit queue (we empty it); a pair is one queue of the port.
 *
 * Workers run the rings. The control thread (tap/vhost_session.h) changes rings, memory and features only between vhost_pause()
 * and vhost_resume(), while no worker can be inside: pausing withdraws `running` and waits for a grace period (each
 * worker ends its turn, or sleeps and holds nothing). Resuming makes every started ring be looked at once and its guest be
 * called once, so that no kick or call that fell into the pause is lost.
 *
 * A ring that does what no driver may do stops the device: `running` is withdrawn, the fault is kept for people, ops notify() is
 * called with -EPROTO. It runs again when all rings were stopped and started anew (a driver reset), or with a new connection.
 */
#ifndef TAP_VHOST_H
#define TAP_VHOST_H

#include <stdbool.h>
#include <stdint.h>

struct port;
struct vhost_memory;

enum { VHOST_PAIRS_MAX = 16, VHOST_RINGS_MAX = 2 * VHOST_PAIRS_MAX, VHOST_RING_SIZE_MAX = 32768 };

/* vring_saved - where a ring is: plain data in memory that outlives the engine (the keeper holds it). Written by
 * whoever runs the ring, once a burst, after the guest was told. Positions are indices of the avail and used rings (split), or
 * places in the ring with the wrap counter in bit 15 (packed); in the base that SET_VRING_BASE carries likewise. */
struct vring_saved {
	uint16_t next_avail, next_used;
} __attribute__((aligned(64)));

struct vhost_ring_conf {
	uint16_t size;			/* 1..VHOST_RING_SIZE_MAX, a power of two when split */
	uint8_t *desc, *driver, *device;	/* mapped, whole, aligned; split: descriptors, avail, used; packed: ring and two event areas */
	uint64_t device_gpa;		/* of the used ring, or of packed descriptors, for the dirty log */
	bool log_device;		/* log writes to it (VHOST_VRING_F_LOG) */
	int kick, call, err;		/* eventfds, borrowed until the ring is stopped or they are exchanged; -1: none (kick: poll) */
	struct vring_saved *saved;	/* borrowed likewise; says where to go on */
};

/* vhost_port_new() - a port without rings, paused
 * Return: NULL with errno (ENOMEM, or what vhost_call_init() or vhost_memory_init() said).
 */
struct port *vhost_port_new(unsigned pairs, unsigned nworkers);

/* vhost_offered() - device features that this back-end has (virtio bits and VHOST_F_LOG_ALL, not VHOST_USER_F_PROTOCOL_FEATURES) */
uint64_t vhost_offered(void);

void vhost_pause(struct port *port);	/* may be called when paused */
void vhost_resume(struct port *port);

/* --- while paused, control thread --- */

/* vhost_set_features() - those negotiated, a subset of what was offered */
void vhost_set_features(struct port *port, uint64_t features);

/* vhost_set_memory() - borrowed; rings that were started must have been stopped, or be started again with new addresses */
void vhost_set_memory(struct port *port, const struct vhost_memory *memory);

/* vhost_ring_start() - @ring begins where conf->saved says, disabled as it was; starting a started ring exchanges its addresses */
void vhost_ring_start(struct port *port, unsigned ring, const struct vhost_ring_conf *conf);
void vhost_ring_stop(struct port *port, unsigned ring);	/* its place is in saved */

/* vhost_ring_enable() - a started ring that is not enabled: a transmit queue is drained and discarded, a receive queue gets nothing */
void vhost_ring_enable(struct port *port, unsigned ring, bool enabled);
void vhost_ring_call(struct port *port, unsigned ring, int call);
void vhost_ring_kick(struct port *port, unsigned ring, int kick);

/* vhost_ring_started() - any thread */
bool vhost_ring_started(const struct port *port, unsigned ring);

/* vhost_fault() - why the device was stopped, or NULL; any thread */
const char *vhost_fault(const struct port *port);

/* vhost_announce() - the guest has moved here: its neighbours learn @mac at this port (SEND_RARP); control thread; not paused
 * The frame is received as if the guest had sent it. */
void vhost_announce(struct port *port, const uint8_t mac[6]);

#endif
