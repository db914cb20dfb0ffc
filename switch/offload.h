/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/offload.h - checksum and segmentation requests: checked on the way in, resolved on the way out
 *
 * A guest's virtio-net header is a request by a stranger. offload_check() keeps it only if it fits the frame
 * as we parse it, and rebuilds it from our own parse; offload_resolve() completes a checksum or cuts segments in software, for a
 * port that cannot take the frame as it is. virtio 1.2, 5.1.6.2.
 */
#ifndef SWITCH_OFFLOAD_H
#define SWITCH_OFFLOAD_H

#include <linux/virtio_net.h>

#include "switch/frame.h"
#include "switch/verdict.h"

enum {
	/* struct virtio_net_hdr_v1 on the wire (little-endian; what TAP and AF_PACKET use on this machine) */
	VNET_HEADER = 12, VNET_HEADER_LEGACY = 10,
	OFFLOAD_GSO_UDP_L4 = 5,		/* VIRTIO_NET_HDR_GSO_UDP_L4, newer than Debian 12's headers */
	/* private bytes with which a frame that asks for something should come: the fields asked about must lie in them. A tag, IPv4
	 * and TCP with all their options take 138, a checksum inside VXLAN over IPv6 150. */
	OFFLOAD_HEAD = 192,
	OFFLOAD_SEGMENTS = 256,		/* most segments of a frame */
};

/* offload_read() - from the wire form (private memory); a header that asks for nothing becomes zeros
 * offload_write() - to the wire form, all of it; @tags: bytes of tags that the medium carries in the frame
 */
void offload_read_request(struct offload *o, const uint8_t *header);
void offload_write(const struct offload *o, uint32_t tags, uint8_t *header, size_t header_size);

static inline void offload_read(struct offload *o, const uint8_t *header)
{
	if (__builtin_expect(!(header[0] & VIRTIO_NET_HDR_F_NEEDS_CSUM) && !header[1], 1))
		*o = (struct offload){ 0 };
	else
		offload_read_request(o, header);
}

/* offload_check() - is the request in frame->offload one that this frame can have?
 * Called after the tag was taken out. Rewrites all of frame->offload from our own parse of the head; without flags and gso_type
 * its other fields mean nothing and are left. A checksum may be asked for where TCP, UDP or ICMP has its own, or in
 * what TCP and UDP carry (tunnels), or behind an IP header that is followed by something else: never in a header that
 * decisions were made on.
 *
 * Return: VERDICT_FORWARDED, or VERDICT_DROP_VNET_HEADER / VERDICT_DROP_OVERSIZE.
 */
enum verdict offload_check_request(struct frame *frame, uint32_t mtu);

static inline enum verdict offload_check(struct frame *frame, uint32_t mtu)
{
	if (__builtin_expect(frame->offload.flags | frame->offload.gso_type, 0))
		return offload_check_request(frame, mtu);
	return frame->len > mtu + ETH_HEADER ? VERDICT_DROP_OVERSIZE : VERDICT_FORWARDED;
}

/* offload_fits() - can a port with these enum port_offload take the frame as it is? */
bool offload_fits(const struct offload *o, uint32_t offloads);

/* offload_complete() - compute the checksum asked for into the head, and ask no more; not for GSO frames
 * The body is read where it lies and not copied. Whoever gets the frame later gets it completed.
 */
void offload_complete(struct frame *frame);

/* offload_resolve() - the frames to send to a port with @offloads in place of @frame, as checked by offload_check()
 * @space:	private memory, aligned to 16; it moves behind what was used
 * @room:	bytes there; likewise. OFFLOAD_ROOM is enough for any frame
 * @frames:	receives @frame itself, completed where that is what the port lacks; or its segments: their headers lie in @space,
 *		their payload is borrowed from @frame (who changes it meanwhile spoils the checksum of his own frame)
 *
 * Return: how many; 0 when they do not fit.
 */
enum { OFFLOAD_ROOM = 110 * 1024 };
unsigned offload_resolve(struct frame *frame, uint32_t offloads, uint8_t **space, size_t *room, struct frame **frames);

#endif
