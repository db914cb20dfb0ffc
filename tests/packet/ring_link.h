/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/ring_link.h - one station on the rings of a guest: its address, its neighbour, frames of any length in and out
 *
 * Sources: virtio 1.2, 5.1.6 (headers, mergeable buffers); RFC 826. The gateway's address is asked for, and who asks for ours is
 * answered; all else is parsed and handed on. The guest (tests/packet/virtio_guest.h) offers checksums and segmentation both ways.
 * Frames are written where they are sent from. One thread.
 */
#ifndef TESTS_PACKET_RING_LINK_H
#define TESTS_PACKET_RING_LINK_H

#include "base/addr.h"
#include "switch/packet.h"
#include "tests/packet/virtio_guest.h"

enum { RING_LINK_FRAME = GUEST_FRAME_GSO };	/* bytes of a frame at most */

struct ring_link {
	struct vguest guest;
	uint8_t mac[6], gateway_mac[6];
	struct addr ip, gateway;	/* IPv4 */
	bool resolved;			/* gateway_mac is known */
	unsigned filled[VGUEST_PAIRS_MAX];	/* frames written and not yet given to the device */
	/* each frame that came on queue @pair: its headers, and as much more as lies in its first buffer; with `whole` all of it */
	void (*input)(struct ring_link *l, unsigned pair, const struct packet *p);
	uint8_t *whole;			/* where frames are put together, or NULL */
	uint64_t frames, unknown;	/* received; of those, not for us */
};

/* ring_link_open() - plug in at @path; @conf->frames and ->flows are the link's own business; with VGUEST_VERIFY frames come whole
 * Return: 0 or a negative errno with @why; ring_link_close() is due either way.
 */
int ring_link_open(struct ring_link *l, struct vguest_conf conf, const char *path, struct addr ip, struct addr gateway, const char **why);
void ring_link_close(struct ring_link *l);

/* ring_link_ask() - for the gateway's address; the answer comes with ring_link_take() */
void ring_link_ask(struct ring_link *l);

/* ring_link_room() - where the next frame of @pair is to be written, RING_LINK_FRAME bytes; NULL: the ring is full */
uint8_t *ring_link_room(struct ring_link *l, unsigned pair);

/* ring_link_put() - what ring_link_room() gave holds a frame of @len bytes now
 * @l4:		where a TCP header begins whose checksum is left to the device; 0: all is done
 * @head, @mss:	bytes of headers, and of each segment's payload; the frame is to be cut when it has more
 */
void ring_link_put(struct ring_link *l, unsigned pair, uint32_t len, uint16_t l4, uint16_t head, uint16_t mss);

/* ring_link_flush() - give what was put to the device, and take back what it has sent */
void ring_link_flush(struct ring_link *l);

/* ring_link_drain() - the same, and wait until all was taken; at most @ms */
void ring_link_drain(struct ring_link *l, unsigned ms);

/* ring_link_take() - all that came goes to input(), and its buffers back. Return: frames */
unsigned ring_link_take(struct ring_link *l);

/* ring_link_wait() - sleep until something came, or could be sent where a ring was full; @timeout_ms as poll() */
void ring_link_wait(struct ring_link *l, int timeout_ms);

#endif
