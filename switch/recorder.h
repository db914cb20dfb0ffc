/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/recorder.h - the last frames of a port that tell what went wrong, kept until somebody asks
 *
 * A ring of slots for each worker, taken by mmap(): memory only as far as it was written to. By default a port keeps what was dropped,
 * with the reason, and what it said to the gateway and the services, and heard from them, when conversations begin and end: ARP, neighbour
 * discovery, ICMP, DHCP, DNS, and of TCP what opens or ends a connection. Plain forwarding passes this by: nothing is asked about a frame
 * that was forwarded to a station. A port that keeps all is an observer (switch/observe.h).
 *
 * The memory may be a file's (ctl/recorder_file.h): then what was kept outlives the process, up to the last record that was whole.
 *
 * A worker writes its own ring; who reads asks it to copy (recorder_copy()), so that nobody meets another there.
 */
#ifndef SWITCH_RECORDER_H
#define SWITCH_RECORDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <urcu/urcu-qsbr.h>

#include "switch/capture.h"
#include "switch/verdict.h"

struct burst;
struct port_view;
struct worker;

enum {
	RECORD_SIZE = 256,
	RECORD_BYTES = RECORD_SIZE - (int)sizeof(struct sighting),	/* of a frame */
	RECORDS_OF_DROPS = 64,		/* slots of a worker: 16 KiB of a port */
	RECORDS_OF_ALL = 512,		/* 128 KiB */
	RECORDS_OF_BURST = 8,		/* of one burst's drops, so that a flood of them costs little */
};

struct record {
	struct sighting s;
	uint8_t bytes[RECORD_BYTES];
};

struct recorder {
	struct recorder_part {
		_Atomic uint64_t written;	/* ever; the worker's */
	} __attribute__((aligned(64))) *parts;	/* the memory begins with them */
	struct record *records;		/* nslots for each part */
	uint32_t nslots;
	unsigned nparts;
	void (*gone)(void *arg, struct recorder *r);	/* nobody uses its memory any more; any thread; or NULL */
	void *arg;
	uint64_t at;			/* whatever gone() wants to know */
	struct rcu_head rcu;
};

/* recorder_size() - bytes of memory that a recorder takes, a multiple of a page
 * recorder_new() - in memory of its own; recorder_at() - in @fd's from the byte @at on, a multiple of a page, as it is there; @prot as for mmap().
 *	NULL: no memory
 * recorder_free(); recorder_release() - free it when no worker can see it any more. Control thread.
 */
size_t recorder_size(uint32_t nslots, unsigned nworkers);
struct recorder *recorder_new(uint32_t nslots, unsigned nworkers);
struct recorder *recorder_at(int fd, uint64_t at, int prot, uint32_t nslots, unsigned nworkers);
void recorder_free(struct recorder *r);
void recorder_release(struct recorder *r);

/* recorder_put() - @s as for capture_put(); worker @worker */
void recorder_put(struct recorder *r, unsigned worker, const struct wire *wire, const struct sighting *s);

/* recorder_copy() - up to @n of the records of part @part, the newest of them, oldest first; on that worker, or of a file
 * that no process writes any more. Return: how many */
uint32_t recorder_copy(const struct recorder *r, unsigned part, struct record *to, uint32_t n);

/* recorder_kept() - how many a part has; any thread */
static inline uint32_t recorder_kept(const struct recorder *r, unsigned part)
{
	uint64_t n = atomic_load_explicit(&r->parts[part].written, memory_order_relaxed);

	return n < r->nslots ? (uint32_t)n : r->nslots;
}

/* record_burst() - what is to be kept of a burst that was not just forwarded; record_made() - of a frame that services made for @to
 * @wall_ns:	the time, or 0: it is looked at where it is needed, once for the frames of a burst
 * Return: was it kept?
 */
void record_burst(const struct burst *b, const struct frame *frames, unsigned n);
bool record_made(struct worker *w, const struct port_view *to, const struct frame *frame, enum verdict verdict, uint64_t *wall_ns);

#endif
