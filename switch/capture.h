/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/capture.h - frames on their way to somebody who looks: from the workers, by a ring each, to the control thread
 *
 * The control thread makes a capture, publishes it with a snapshot (port_view.taps), reads what comes, and frees it a grace period after
 * it left the snapshot. Workers see, filter and copy; they never wait. What finds no room in a ring is counted, and the next frame that
 * does tells how many were lost before it.
 */
#ifndef SWITCH_CAPTURE_H
#define SWITCH_CAPTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <urcu/urcu-qsbr.h>

#include "base/addr.h"
#include "base/ring.h"
#include "switch/filter.h"

/* As the port sees it that the switch has: in is what comes from the guest, out is what is sent to it. */
enum capture_way { CAPTURE_IN = 1, CAPTURE_OUT = 2 };

enum {
	CAPTURE_ROOM = 4 << 20,		/* bytes of all rings of a capture, at least CAPTURE_RING_MIN each */
	CAPTURE_RING_MIN = 256 << 10,
	CAPTURE_SNAPLEN_MAX = 65536 + 64,
};

/* outside - what a conversation is beyond the gateway: between which ends of this host's and the remote's */
struct outside {
	struct addr local, remote;	/* of one family */
	uint16_t local_port, remote_port;	/* an echo's identifier has no ports */
	uint8_t proto;			/* IPPROTO_TCP ...; 0: not known */
};

/* sighting - one frame that was seen; in a ring its bytes follow */
struct sighting {
	uint64_t wall_ns;		/* since 1970 */
	uint32_t port;			/* id */
	uint32_t len;			/* bytes on the wire */
	uint32_t kept;			/* bytes of it that follow */
	uint32_t lost;			/* frames before it that found no room, by the same worker */
	uint8_t way;			/* enum capture_way */
	uint8_t verdict;		/* enum verdict: in, what became of it; out, FORWARDED or DROP_TX, or what a service made of it */
	uint8_t gso_type, csum;		/* VIRTIO_NET_HDR_GSO_*; the checksum is left to who needs it */
	uint16_t gso_size;
	uint16_t vid;			/* the VLAN that the switch put it in; 0: none */
	struct outside outside;
};

/* capture_part - one worker's */
struct capture_part {
	struct ring ring;
	struct filter_memo memo;
	uint32_t lost;			/* since the last that found room */
	_Atomic uint64_t lost_ever;
} __attribute__((aligned(64)));

struct capture {
	struct filter *filter;		/* NULL: every frame is meant */
	uint32_t snaplen;
	int fd;				/* eventfd */
	_Atomic bool asleep;		/* the reader waits for it */
	unsigned nparts;
	struct capture_part *parts;
	struct rcu_head rcu;
};

/* capture_new() - @filter is taken, also when this fails; Return: NULL with errno. Control thread, where nothing else is said */
struct capture *capture_new(struct filter *filter, uint32_t snaplen, unsigned nworkers);
void capture_free(struct capture *c);

/* capture_release() - free it when no worker can see it any more; it has left the published snapshot. Its fd is not waited for. */
void capture_release(struct capture *c);

/* capture_dismisses() - of how many of the frames, from the first on, is it certain at a glance that they are not meant? None of them
 * has tags to be put back. Worker @worker
 */
static inline unsigned capture_dismisses(const struct capture *c, unsigned worker, const struct frame *frames, unsigned n)
{
	const struct filter_memo *memo = &c->parts[worker].memo;

	return c->filter && !memo->answer ? filter_run_of(memo, frames, n) : 0;
}

/* capture_means() - is the frame one that is looked for? Worker @worker */
static inline bool capture_means(struct capture *c, unsigned worker, const struct wire *wire)
{
	struct filter_memo *memo = &c->parts[worker].memo;

	if (!c->filter)
		return true;
	if (!wire->tag_size && filter_recalls(memo, wire->frame))
		return memo->answer;
	return filter_run(c->filter, wire, memo);
}

/* capture_put() - into the ring: @s says all but len, kept, lost and the offload fields. Worker @worker; capture_wake() after the last of a burst */
void capture_put(struct capture *c, unsigned worker, const struct wire *wire, const struct sighting *s);
void capture_wake(struct capture *c);

/* capture_peek() - the oldest that is there, with its bytes behind it; in place until capture_pop(). NULL: there is none */
const struct sighting *capture_peek(struct capture *c, unsigned *part);
void capture_pop(struct capture *c, unsigned part);

/* capture_sleep() - before waiting on c->fd. Return: false when something is there already */
bool capture_sleep(struct capture *c);

/* capture_lost() - frames that found no room until now */
uint64_t capture_lost(const struct capture *c);

/* sighting_fill() - what @s says by the frame itself */
void sighting_fill(struct sighting *s, const struct wire *wire, uint32_t snaplen);

#endif
