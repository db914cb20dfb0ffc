/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_saved.h - what a session knows, as plain data in a memfd that outlives the engine (control thread)
 *
 * It is the session's own state, not a copy of it: each change is there at once, and a killed engine leaves what was true. The
 * descriptors that belong to it are with the keeper under names (tap/vhost_session.h). Workers write only `positions`.
 *
 * An engine that finds it again may be older or newer than the one that wrote it: what it reads is checked like a stranger's.
 */
#ifndef TAP_VHOST_SAVED_H
#define TAP_VHOST_SAVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tap/vhost.h"
#include "tap/vhost_memory.h"

enum {
	VHOST_SAVED_MAGIC = 0x6c79766d, VHOST_SAVED_VERSION = 1,
	VHOST_HAS_KICK = 1, VHOST_HAS_CALL = 2, VHOST_HAS_ERR = 4,	/* descriptors of a ring that are held */
};

struct vhost_saved_region {
	uint64_t gpa, size, user, offset;	/* as the front-end told */
	uint32_t slot;				/* its descriptor is held as "mem%u" */
	uint32_t unused;
};

struct vhost_saved_ring {
	uint64_t desc, avail, used, log;	/* SET_VRING_ADDR */
	uint32_t addr_flags;
	uint32_t base;				/* SET_VRING_BASE that no start has used up */
	uint32_t size;				/* 0: not told */
	uint8_t has_addr, has_base;
	uint8_t kicked;				/* SET_VRING_KICK came: it runs as soon as all else is known */
	uint8_t enabled;			/* by SET_VRING_ENABLE */
	uint8_t fds;				/* VHOST_HAS_ */
	uint8_t placed;				/* its position says where it has been */
	uint8_t resubmit;			/* SET_INFLIGHT_FD came: what an earlier back-end took is taken again */
	uint8_t unused;
};

struct vhost_saved {
	uint32_t magic, version, size;
	uint32_t at_work;			/* not 0: messages are being read, or one is being carried out */
	uint64_t features, protocol;		/* negotiated */
	uint8_t has_features, has_log, has_inflight;
	uint8_t restores;			/* engines that went on from here one soon after another */
	uint32_t status, mtu;			/* device status; NET_SET_MTU, 0: not told */
	uint32_t nregions;
	uint64_t log_offset, log_size;
	uint64_t inflight_offset, inflight_size;
	uint16_t inflight_queues, inflight_queue_size;
	uint32_t restored_ms;			/* the last one of them; monotonic, cut */
	struct vhost_saved_region regions[VHOST_REGIONS_MAX];
	struct vhost_saved_ring rings[VHOST_RINGS_MAX];
	struct vring_saved positions[VHOST_RINGS_MAX];
};

/* vhost_saved_new() - fresh and empty. @fd becomes its memfd, or -1 where the kernel gives none: then it ends with this process
 * Return: NULL when there is no memory.
 */
struct vhost_saved *vhost_saved_new(int *fd);

/* vhost_saved_open() - what an earlier engine left in @fd (borrowed)
 * @offered:	device features that may have been negotiated
 * @protocol:	protocol features likewise
 *
 * Return: NULL with @err when it is not of this version, was in the middle of a request, or says what no session can have left.
 */
struct vhost_saved *vhost_saved_open(int fd, unsigned rings, uint64_t offered, uint64_t protocol, struct error *err);
void vhost_saved_close(struct vhost_saved *saved);	/* NULL is fine */

/* vhost_saved_working() - from here on (until false) a message may be lost if the engine dies */
void vhost_saved_working(struct vhost_saved *saved, bool working);

#endif
