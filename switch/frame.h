/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/frame.h - a frame on its way through the switch
 *
 * A frame is a view. Its first bytes (`head`) lie in private memory; the rest (`body`) is borrowed from
 * whoever received it, and both are valid until the worker's flush. Decisions are made on the head, and it
 * is the head that is written to the destination, so a guest cannot change a header after it was checked.
 * Tags are taken out on the way in and put back, where the receiving port wants them, on the way out.
 *
 * The offload fields are those of struct virtio_net_hdr (virtio 1.2, 5.1.6) in host order; csum_start counts
 * from the first byte of the untagged frame. They are checked on the way in (switch/offload.h) and resolved
 * only where the receiving port lacks the feature.
 */
#ifndef SWITCH_FRAME_H
#define SWITCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum {
	ETH_HEADER = 14,		/* two addresses and the length/type field */
	VLAN_TAG = 4,
	TAGS_MAX = 2 * VLAN_TAG,	/* a service tag and what a customer's frame had */
	FRAME_HEAD_MAX = 128,		/* private bytes of a frame that lies in guest memory; a multiple of 16 */
	FRAME_BODY_MAX = 18,		/* pieces of borrowed memory: 64 KiB in pages, and two ends */
	FRAME_MAX = 65536 + ETH_HEADER + TAGS_MAX,	/* longest frame, GSO included */
	BURST_MAX = 64,			/* frames a worker takes from a queue at once */
};

struct offload {
	uint8_t flags;			/* VIRTIO_NET_HDR_F_NEEDS_CSUM or 0 */
	uint8_t gso_type;		/* VIRTIO_NET_HDR_GSO_* */
	uint16_t hdr_len;		/* bytes of headers, Ethernet to transport; set when gso_type is */
	uint16_t gso_size;		/* payload bytes of each segment */
	uint16_t csum_start;		/* where summing begins */
	uint16_t csum_offset;		/* where the sum goes, from csum_start */
};

struct frame {
	uint8_t *head;			/* borrowed until flush, private to the worker */
	const struct iovec *body;	/* nbody pieces, at most FRAME_BODY_MAX; array and bytes borrowed until flush */
	uint32_t head_len;		/* bytes at head */
	uint32_t len;			/* head and body together */
	uint16_t nbody;
	uint16_t copies;		/* how many destinations took it; set by the flush */
	uint16_t vid;			/* 1..4094 after classification */
	uint8_t pcp_dei;		/* priority (3 bits) and DEI, as in the upper four bits of a tag */
	bool tag_present;		/* a tag taken out of the frame by the kernel waits in vid and pcp_dei */
	bool unread;			/* what follows the head is in a socket still (switch/unread.h) */
	struct offload offload;
	uint32_t inner;			/* provider VLANs: a tag that the customer's frame came with, its TPID and TCI; 0: none */
};

/* tx_frame - a copy filed for a port */
struct tx_frame {
	struct frame *frame;		/* borrowed until flush */
	uint16_t tci;			/* tag to put in, or 0 */
	bool service;			/* that tag is 802.1ad's */
	uint32_t inner;			/* as frame->inner: to put in behind it, or 0 */
};

/* tx_tags_size() - bytes of tags that the copy leaves with; tx_tags() - write them to @to (TAGS_MAX bytes). Return: the same */
static inline uint32_t tx_tags_size(const struct tx_frame *tx)
{
	if (__builtin_expect(!(tx->tci | tx->inner), 1))
		return 0;
	return (tx->tci ? VLAN_TAG : 0) + (tx->inner ? VLAN_TAG : 0);
}

uint32_t tx_tags(const struct tx_frame *tx, uint8_t *to);

/* frame_init() - a frame of @len bytes lying wholly in private memory */
static inline void frame_init(struct frame *f, void *data, uint32_t len)
{
	*f = (struct frame){ .head = data, .head_len = len, .len = len };
}

static inline const uint8_t *frame_dst(const struct frame *f)
{
	return f->head;
}

static inline const uint8_t *frame_src(const struct frame *f)
{
	return f->head + 6;
}

/* frame_linear() - copy the whole frame to @to (room for f->len bytes) */
void frame_linear(const struct frame *f, uint8_t *to);

/* frame_iov() - the frame as pieces to write, with tags put in
 * @tags:	@size bytes of tx_tags(), must live as long as the result is used
 * @iov:	FRAME_BODY_MAX + 3 pieces
 *
 * Return: how many pieces were filled.
 */
unsigned frame_iov(const struct frame *f, uint8_t *tags, uint32_t size, struct iovec *iov);

#endif
