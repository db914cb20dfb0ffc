/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/offload.h - checksum and segmentation requests: checked on the way in, resolved on the way out
 *
 * A guest's virtio-net header is a request by a stranger. offload_check() keeps it only if it fits the frame
 * as we parse it, and rebuilds it from our own parse; offload_finish() completes a checksum in software and
 * offload_cut() cuts segments, for a port that cannot take the frame as it is. virtio 1.2, 5.1.6.2.
 */
#ifndef SWITCH_OFFLOAD_H
#define SWITCH_OFFLOAD_H

#include "switch/frame.h"
#include "switch/verdict.h"

/* vnet_header - struct virtio_net_hdr_v1 on the wire (little-endian; what TAP and AF_PACKET use on this machine) */
enum { VNET_HEADER = 12, VNET_HEADER_LEGACY = 10 };

/* offload_read(), offload_write() - between the wire form and struct offload; @tagged: the medium carries a 4-byte tag in the frame */
void offload_read(struct offload *o, const uint8_t *header);
void offload_write(const struct offload *o, bool tagged, uint8_t *header, size_t header_size);

/* offload_check() - is the request in frame->offload one that this frame can have?
 * Called after the tag was taken out. Rewrites csum_start, csum_offset and hdr_len from our own parse of the head.
 *
 * Return: VERDICT_FORWARDED, or VERDICT_DROP_VNET_HEADER / VERDICT_DROP_OVERSIZE.
 */
enum verdict offload_check(struct frame *frame, uint32_t mtu);

/* offload_finish() - complete the checksum of a frame that lies wholly in private memory */
void offload_finish(uint8_t *data, uint32_t len, const struct offload *o);

/* offload_fits() - can a port with these enum port_offload take the frame as it is? */
bool offload_fits(const struct offload *o, uint32_t offloads);

/* offload_cut() - cut a GSO frame into segments with complete checksums, or complete a plain frame's checksum
 * @frame:	as checked by offload_check()
 * @to:		private memory for the results, back to back
 * @room:	bytes at @to; OFFLOAD_ROOM is enough for any frame
 * @pieces:	receives the segments: address and length
 * @max:	room in @pieces; OFFLOAD_SEGMENTS is enough
 *
 * Return: how many segments were made; 0 when they do not fit.
 */
enum { OFFLOAD_SEGMENTS = 256, OFFLOAD_ROOM = 110 * 1024 };
unsigned offload_cut(const struct frame *frame, uint8_t *to, size_t room, struct iovec *pieces, unsigned max);

#endif
