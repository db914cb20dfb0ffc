/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_inflight.h - the area in which a back-end tells its successor which buffers were with it
 *
 * Source: QEMU documentation, interop/vhost-user, "Inflight I/O tracking". Each ring has a region: a header and an entry per
 * descriptor. lanyard returns buffers in the order it took them, before it takes others, so that between two bursts none is
 * in flight and no entry is ever marked. What a successor needs is where to go on: for a split ring the used ring in guest
 * memory says so; for a packed one the header does, and only while the ring is stopped, so that its version is 0 ("not
 * initialised") as long as the ring runs.
 *
 * An earlier back-end that worked in order and died has left marks for the buffers between the used index and the base; going on
 * at the used index takes them once more. The area is a stranger's memory. Control thread, ring stopped or port paused.
 */
#ifndef TAP_VHOST_INFLIGHT_H
#define TAP_VHOST_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* vhost_inflight_size() - bytes of an area for @queues rings of up to @queue_size descriptors; 0 when there is no such ring */
uint64_t vhost_inflight_size(bool packed, uint16_t queues, uint16_t queue_size);

/* vhost_inflight_check() - may @area (of that size) be used? Return: 0, or -EINVAL with @err (a region of another version or size) */
int vhost_inflight_check(const uint8_t *area, bool packed, uint16_t queues, uint16_t queue_size, struct error *err);

/* vhost_inflight_resume() - where a packed ring goes on, as its header says; Return: false when it says nothing */
bool vhost_inflight_resume(const uint8_t *area, uint16_t queue_size, unsigned ring, const uint8_t *desc, uint32_t ring_size,
			   uint16_t *position);

/* vhost_inflight_started() - @ring runs from here on and nothing of it is in flight; all marks go
 * vhost_inflight_stopped() - the ring has stopped at @next_used (with the wrap counter in bit 15, when packed)
 */
void vhost_inflight_started(uint8_t *area, bool packed, uint16_t queue_size, unsigned ring, uint16_t next_used);
void vhost_inflight_stopped(uint8_t *area, bool packed, uint16_t queue_size, unsigned ring, uint16_t next_used);

#endif
