/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/vhost_front.h - the front-end's half of a vhost-user connection: a well-behaved virtual machine's
 *
 * Source: QEMU documentation, interop/vhost-user. Where the back-end can acknowledge messages (REPLY_ACK) each one is, so
 * that a refusal is an error here. One thread per connection; functions wait for the back-end, at most FRONT_PATIENCE_MS.
 * All return 0 or a negative errno: -EPROTO where the back-end refused or answered nonsense.
 */
#ifndef TESTS_PACKET_VHOST_FRONT_H
#define TESTS_PACKET_VHOST_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRONT_PATIENCE_MS = 10000 };
#define FRONT_PROTOCOL_FEATURES (1ull << 30)	/* VHOST_USER_F_PROTOCOL_FEATURES */

struct vhost_front {
	int sock;			/* owned */
	uint64_t offered, features;	/* virtio features: the back-end's, those agreed on */
	unsigned queues;		/* queue pairs that the back-end can do */
	bool acks, enables;		/* messages are acknowledged; rings need to be enabled */
};

/* vhost_front_ring - one virtqueue; addresses are this process's */
struct vhost_front_ring {
	unsigned index;			/* 2i receives, 2i + 1 transmits */
	uint16_t size;
	uint32_t base;			/* where to begin, as SET_VRING_BASE has it */
	const void *desc, *driver, *device;
	int kick, call;			/* eventfds, borrowed */
};

/* vhost_front_listen() - a listening socket at @path (what was there is removed); Return: descriptor */
int vhost_front_listen(const char *path);

/* vhost_front_accept(), vhost_front_dial() - a connection made by the back-end, or by us, trying again while nobody listens */
int vhost_front_accept(struct vhost_front *front, int listener);
int vhost_front_dial(struct vhost_front *front, const char *path);
void vhost_front_close(struct vhost_front *front);

/* vhost_front_negotiate() - own the device and agree on the features of @wanted that are offered */
int vhost_front_negotiate(struct vhost_front *front, uint64_t wanted);

/* vhost_front_memory() - the guest's memory is one region: @size bytes of @fd, mapped here at @at, physical address @gpa */
int vhost_front_memory(struct vhost_front *front, int fd, uint64_t gpa, size_t size, const void *at);

/* vhost_front_start() - hand over a ring, and enable it; vhost_front_stop() - take it back; @base says where it was */
int vhost_front_start(struct vhost_front *front, const struct vhost_front_ring *ring);
int vhost_front_stop(struct vhost_front *front, unsigned index, uint32_t *base);

#endif
