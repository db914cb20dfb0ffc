/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/virtio_guest.h - a virtual machine that is only its network device: the load of tests/bench/vhostgen.c
 *
 * A guest has memory of its own, a vhost-user connection and queue pairs. It sends its flows in turn and takes what
 * comes; frames lie ready in its memory, so that sending costs it little but the ring (tests/packet/guest_ring.h). One thread.
 */
#ifndef TESTS_PACKET_VIRTIO_GUEST_H
#define TESTS_PACKET_VIRTIO_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/packet/guest_frame.h"
#include "tests/packet/guest_ring.h"
#include "tests/packet/vhost_front.h"

enum { VGUEST_PAIRS_MAX = 16 };

enum vguest_look {
	VGUEST_BLIND,			/* rings only */
	VGUEST_TOUCH,			/* write into first and last line of each frame sent, read those of each received */
	VGUEST_VERIFY,			/* check every byte, every number and every descriptor's return */
};

struct vguest_conf {
	struct guest_frames frames;
	unsigned flows;			/* MAC addresses of its own; pairs take every pairs-th */
	unsigned pairs;
	uint16_t ring;
	uint32_t buffer;		/* bytes of a receive buffer */
	bool packed, in_order, event_idx, indirect, mergeable;
	bool ordinary_pages;		/* do not look for huge ones */
	bool addresses;			/* write its own and its peer's into each frame that leaves, however few they are */
	enum vguest_look look;
};

struct vguest_pair {
	struct guest_ring rx, tx;
	uint64_t number;		/* stamped on frames sent */
	unsigned flow;			/* of the next frame that is readdressed */
	uint64_t seen[VGUEST_PAIRS_MAX];	/* last number that came here, per queue of the peer */
	unsigned more;			/* buffers that the frame being received still has, */
	uint32_t have;			/* and its bytes so far */
};

struct vguest {
	struct vguest_conf conf;
	unsigned id;			/* talks to id ^ 1 */
	struct vhost_front front;
	int fd, call;
	uint8_t *memory;
	size_t size;
	bool huge;			/* memory is of huge pages */
	bool inventive;			/* each frame sent comes from another address; the user's to set */
	uint32_t invented;
	struct vguest_pair pairs[VGUEST_PAIRS_MAX];
	/* counted since the beginning; the caller takes differences */
	uint64_t sent, received, bytes;	/* frames, and bytes of frames received */
	uint64_t bad, foreign;		/* wrong, twice or out of order; multicast of others */
	uint64_t twice;			/* of those that are bad: whole, but old */
	uint8_t *whole;			/* VERIFY: where a frame of several buffers is put together */
};

/* vguest_open() - make a guest and plug it in
 * @path:	where the back-end listens; with @listener >= 0 it dials us instead; with neither the guest stays unplugged
 * @why:	on failure, what did not work
 * Return: 0 or a negative errno; vguest_close() is due either way.
 */
int vguest_open(struct vguest *g, const struct vguest_conf *conf, unsigned id, const char *path, int listener, const char **why);
void vguest_close(struct vguest *g);

/* vguest_unplugged() - has the back-end gone? vguest_leave() - go oneself, @orderly by taking the rings back first
 * vguest_again() - plug in with the rings as they are. Return: 0 or a negative errno, then it may be tried again.
 */
bool vguest_unplugged(const struct vguest *g);
int vguest_leave(struct vguest *g, bool orderly);
int vguest_again(struct vguest *g, const char *path, int listener, const char **why);

/* vguest_send() - take back what was sent, and send up to @max more through @pair; Return: how many */
unsigned vguest_send(struct vguest *g, unsigned pair, unsigned max);

/* vguest_receive() - take what came through @pair, and give the buffers back; Return: how many */
unsigned vguest_receive(struct vguest *g, unsigned pair);

/* vguest_fault() - what a ring found wrong, or NULL */
const char *vguest_fault(const struct vguest *g);

#endif
