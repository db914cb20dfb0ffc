/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/hostile_case.h - tables of what a hostile driver does, played on every format of ring beside guests at work
 *
 * A case ends with the device stopped for a reason, or with frames that are dropped or forwarded while the ring goes on. In
 * between and afterwards the neighbours lose nothing (tests/packet/hostile_bed.h), and the driver that has begun anew, or the
 * ring that went on, takes an honest frame.
 */
#ifndef TESTS_PACKET_HOSTILE_CASE_H
#define TESTS_PACKET_HOSTILE_CASE_H

#include "tests/packet/hostile_bed.h"

enum {
	ON_SPLIT = 1, ON_PACKED = 2, ON_BOTH = 3,
	ADJACENT = 4, APART = 8,	/* only where regions of memory touch, or do not */
	SCRIBBLES = 16,			/* it writes into the rings by itself: they are not compared with what the driver wrote */
	SPOILS = 32,			/* likewise, and the driver begins anew, for the ring is not as it remembers it */
	CASE_SIZE = 64, CASE_FRAME = 100, CASE_BUFFER = DRIVER_HEADER + CASE_FRAME, CASE_BIG = 200 * 1024, CASE_TABLE = 2048,
	NX = DRIVER_NEXT, F_NEXT = VRING_DESC_F_NEXT, F_WRITE = VRING_DESC_F_WRITE, F_INDIRECT = VRING_DESC_F_INDIRECT,
};

struct hostile_case {
	const char *what;
	unsigned where;			/* the flags above */
	void (*play)(void);		/* makes available what is to be, no kick needed */
	const char *fault;		/* the device is stopped for this, or NULL: it goes on, and */
	enum verdict verdict;		/* so many frames end so */
	unsigned n;
};

/* case_at - what a case finds in the hostile guest's memory */
struct case_at {
	struct hostile_bed *b;
	bool packed;
	uint64_t frame;			/* CASE_BUFFER bytes: an honest frame to the first neighbour, with its header */
	uint64_t table;			/* room for CASE_TABLE descriptors */
	uint64_t big;			/* CASE_BIG bytes: a header, and a frame of that length to the first neighbour */
	uint64_t end;			/* behind the last region */
	uint64_t border;		/* behind the first one; a hole begins here, or the second one does */
};
extern struct case_at at;

/* PUT() - a chain available on the transmit ring, as it stands; NX: the next place of a split table, and some id of a packed ring */
void case_put(unsigned ring, const struct driver_desc *descs, unsigned n);
#define PUT(...) case_put(HOSTILE_TX, (const struct driver_desc[]){ __VA_ARGS__ }, \
			  sizeof((const struct driver_desc[]){ __VA_ARGS__ }) / sizeof(struct driver_desc))

/* case_table() - entry @i of the indirect table; @next is for split rings */
void case_table(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next);

/* case_frame() - an honest frame of CASE_FRAME bytes, or @len of them, with its header at guest address @gpa */
void case_frame(uint64_t gpa, uint32_t len);

/* case_memory() - write into the hostile guest's memory; case_wait() - give the worker time to take what is available */
void case_memory(uint64_t gpa, const void *from, uint64_t n);
void case_wait(void);

/* case_honest() - fails the test unless a frame of an honest driver goes through, and its buffer comes back */
void case_honest(const char *what, bool check);

/* hostile_cases() - all of them on all formats, with and without IN_ORDER and INDIRECT_DESC among @features */
void hostile_cases(const struct hostile_case *cases, unsigned n, uint64_t features);

#endif
