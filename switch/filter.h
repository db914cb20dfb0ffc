/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/filter.h - which frames are meant: programs of the packet filter (McCanne and Jacobson, 1993), run on frames where they lie
 *
 * libpcap compiles them (ctl/capture_filter.h). filter_new() takes only what certainly ends: jumps go forward, memory and divisors are
 * in range. Running one depends on nothing but the bytes that it loads. So a frame in which exactly those have the values of the
 * frame before gets the answer of the frame before, and a conversation that is not meant costs two or three comparisons a frame.
 */
#ifndef SWITCH_FILTER_H
#define SWITCH_FILTER_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "switch/frame.h"

struct bpf_insn;
struct filter;

enum { FILTER_INSNS_MAX = 4096, FILTER_WORDS = 6, FILTER_TAGS = 8 };

/* wire - a frame as it stood on the wire, with the tags back in that are not in frame->head */
struct wire {
	const struct frame *frame;
	uint32_t len;			/* the frame's, and tag_size */
	uint8_t tag_size;		/* 0, 4 or 8; else the frame has both of its addresses in the head */
	uint8_t tag[FILTER_TAGS];	/* from byte 12 on */
};

/* filter_memo - the last answer and what it depended on; one worker's, all zeros at first */
struct filter_memo {
	uint32_t answer;
	uint16_t reach;			/* the head must have so many bytes; 0: nothing is remembered */
	uint16_t nwords;
	struct {
		uint32_t at;		/* a multiple of 8 */
		uint64_t mask, value;
	} words[FILTER_WORDS];
};

/* filter_new() - a copy of @insns for filter_free(); NULL with errno EINVAL (a program that this is not for) or ENOMEM. Any thread. */
struct filter *filter_new(const struct bpf_insn *insns, unsigned n);
void filter_free(struct filter *f);

/* filter_run() - run it and remember. Return: 0 when the frame is not meant, else how many bytes of it are */
uint32_t filter_run(const struct filter *f, const struct wire *wire, struct filter_memo *memo);

/* filter_recalls() - does the last answer hold for this frame, which has no tags to be put back? */
static inline bool filter_recalls(const struct filter_memo *memo, const struct frame *frame)
{
	if (!memo->reach || frame->head_len < memo->reach)
		return false;
	for (unsigned i = 0; i < memo->nwords; i++) {
		uint64_t word;

		memcpy(&word, frame->head + memo->words[i].at, sizeof(word));
		if ((word & memo->words[i].mask) != memo->words[i].value)
			return false;
	}
	return true;
}

/* filter_run_of() - how many of @frames, from the first on and all without tags to be put back, the last answer holds for */
unsigned filter_run_of(const struct filter_memo *memo, const struct frame *frames, unsigned n);

/* wire_copy() - @n bytes from byte @from on, which must be there */
void wire_copy(const struct wire *wire, uint32_t from, uint32_t n, uint8_t *to);

#endif
