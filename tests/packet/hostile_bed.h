/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/hostile_bed.h - a switch with a hostile guest, and two guests that talk to one another meanwhile
 *
 * Three vhost-user ports of one network. Rings and memory of the guests lie in this process, without front-ends. Either the test turns
 * the worker by hand (hostile_turn()), or it has a thread of its own. Whatever the hostile guest does, its neighbours must
 * lose nothing: hostile_neighbours() sends numbered frames both ways and fails the test when one is missing, late in order or
 * changed, or when the switch wrote anything into a neighbour's memory that it must not. One test thread, registered with RCU.
 */
#ifndef TESTS_PACKET_HOSTILE_BED_H
#define TESTS_PACKET_HOSTILE_BED_H

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"
#include "tap/vhost.h"
#include "tap/vhost_memory.h"
#include "tests/packet/vring_driver.h"

#define BIT(n) (1ull << (n))
#define HOSTILE_BASIC (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_INDIRECT_DESC))

enum { HOSTILE_RX = 0, HOSTILE_TX = 1, HOSTILE_MTU = 1500, HOSTILE_IN_ORDER = 35 };

struct hostile_guest {
	struct port *port;		/* the worker's */
	struct driver *d;
	struct vhost_memory *memory;
	struct vhost_mapping *mappings[DRIVER_REGIONS_MAX];
	struct vring_saved *saved;	/* of both rings */
	int kick, call;
	uint8_t mac[6];
	uint32_t sent, received;	/* numbered frames */
};

/* hostile_frame - a frame of the hostile guest as the first neighbour got it */
struct hostile_frame {
	uint8_t data[DRIVER_FRAME_MAX];
	uint32_t len;
	uint8_t header[DRIVER_HEADER];
	unsigned buffers;
};

struct hostile_bed {
	struct worker *w;
	bool thread;
	struct snapshot *snapshot;
	struct fdb *fdb;
	struct hostile_guest evil, one, two;
	uint64_t features;		/* of the hostile guest */
	struct segment segment;		/* VID 1 has a gateway, whose address nobody may take */
	unsigned came;			/* frames of the hostile guest that the first neighbour got */
	struct hostile_frame last;	/* the last of them */
	atomic_uint *heard;		/* how often hostile_listen() was called; shared with the hostile guest's processes */
	/* seen() - each of them; or NULL */
	void (*seen)(struct hostile_bed *b, const struct hostile_frame *f);
};

/* hostile_bed_new() - @conf: memory and rings of the hostile guest. @thread: the worker runs by itself */
struct hostile_bed *hostile_bed_new(const struct driver_conf *conf, bool thread);
void hostile_bed_free(struct hostile_bed *b);

/* hostile_turn() - a few turns of the worker, or a moment of waiting for it; hostile_until() - until @done(b), in reasonable time */
void hostile_turn(struct hostile_bed *b);
bool hostile_until(struct hostile_bed *b, bool (*done)(struct hostile_bed *b));

/* hostile_neighbours() - @n numbered frames each way, of all lengths and layouts
 * hostile_listen() - only take what has come */
void hostile_neighbours(struct hostile_bed *b, unsigned n);
void hostile_listen(struct hostile_bed *b);

/* hostile_send() - one numbered frame from a neighbour to another; hostile_arrived() - have all that were sent come? */
void hostile_send(struct hostile_guest *from, struct hostile_guest *to);
bool hostile_arrived(struct hostile_bed *b);

/* hostile_offer() - any frame from a neighbour, which is not one of the numbered */
void hostile_offer(struct hostile_guest *from, const uint8_t *frame, uint32_t len);

void hostile_kick(struct hostile_guest *g);

/* hostile_start() - @g's rings as new; hostile_reset() - stopped first: its driver begins anew, which ends a fault */
void hostile_start(struct hostile_guest *g);
void hostile_reset(struct hostile_guest *g);

/* hostile_spawn() - a process of the hostile guest's: it does @run until hostile_kill(). Memory and rings are shared, nothing else */
pid_t hostile_spawn(struct hostile_bed *b, void (*run)(struct hostile_bed *b));
void hostile_kill(pid_t pid);

/* hostile_pace() - in such a process, before each frame: wait rather than fill up a receiving ring, where frames of others would
 * have no room. A switch cannot see to that for its guests, and this is not about it. */
void hostile_pace(struct hostile_bed *b);

uint64_t hostile_verdict(const struct hostile_guest *g, enum verdict v);

/* hostile_fill() - a frame of @len bytes: Ethernet and IPv4 headers, @number behind them, and a pattern that it makes */
void hostile_fill(uint8_t *frame, uint32_t len, const uint8_t dst[6], const uint8_t src[6], uint32_t number);

#endif
