/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/guest_frame.h - the frames of the virtio load: made, numbered, and checked where they arrive
 *
 * Guests are numbered from 0; guest g talks to guest g^1. Flow i of a guest goes from its i-th address to the peer's i-th. A
 * frame is Ethernet, IPv4 and UDP with a pattern, or a TCP segment of up to 64 KB to be cut by whoever cannot take it whole
 * (virtio 1.2, 5.1.6). A stamp, the sender's queue and a number that rises with each frame, stands at the front of the payload,
 * and once more in the last bytes: a guest that stamps what it sends and reads what it gets touches first and last line.
 */
#ifndef TESTS_PACKET_GUEST_FRAME_H
#define TESTS_PACKET_GUEST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUEST_FRAME_MIN = 60, GUEST_FRAME_GSO = 65226, GUEST_MSS = 1460, GUEST_FLOWS_MAX = 1 << 16 };

struct guest_frames {
	uint32_t size;			/* of a frame, without its checksum */
	bool gso;
};

/* guest_frame_build() - flow @flow of @guest, stamp zero
 * @buffer:	GUEST_HEADER bytes for the virtio header, then f->size
 */
void guest_frame_build(const struct guest_frames *f, uint8_t *buffer, unsigned guest, unsigned flow);

/* guest_frame_stamp() - number a frame that is about to be sent; guest_frame_number() - what stands in one that came */
void guest_frame_stamp(const struct guest_frames *f, uint8_t *buffer, uint64_t stamp);

/* guest_frame_readdress() - have a frame that was built go between the stations of flow @flow; its IPv4 addresses stay */
void guest_frame_readdress(uint8_t *buffer, unsigned flow);

/* guest_frame_invent() - have it come from an address that no flow has; another one for each @n */
void guest_frame_invent(uint8_t *buffer, uint32_t n);

/* guest_frame_glance() - is it for @guest from its peer, and are both stamps the same? Reads two cache lines. */
bool guest_frame_glance(const struct guest_frames *f, const uint8_t *buffer, unsigned guest, uint64_t *stamp);

/* guest_frame_check() - is every byte as guest_frame_build() made it? Not the virtio header's count of buffers. */
bool guest_frame_check(const struct guest_frames *f, const uint8_t *buffer, unsigned guest);

/* guest_frame_multicast() - not for one station: the network's own business, or a flood */
static inline bool guest_frame_multicast(const uint8_t *buffer)
{
	return buffer[12] & 1;
}

#endif
