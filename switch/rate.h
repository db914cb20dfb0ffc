/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/rate.h - how fast: average, peak and burst of a shaper, and the clock that keeps to them
 *
 * Bytes are those of layer 2, from the destination address to the end of the payload, a tag included, without preamble and frame
 * check sequence; a large segment counts as the frames that it would be cut into, each with its headers (rate_bytes()).
 *
 * A meter is the virtual scheduling form of the leaky bucket (ITU-T I.371 A): one number, the time at which all that was let pass would
 * have gone at the average rate. It may lie ahead of now by what the burst takes; who finds it further ahead waits. What passes is
 * charged afterwards, so that a frame larger than the burst passes and is paid for. Any thread; a meter may be shared.
 */
#ifndef SWITCH_RATE_H
#define SWITCH_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct frame;

enum { RATE_TEXT = 96 };
#define RATE_MIN_BPS 8000ull
#define RATE_MAX_BPS 1000000000000ull

/* rate_conf - all zero: no limit */
struct rate_conf {
	uint64_t average_bps;
	uint64_t peak_bps;		/* while the burst lasts; 0: as fast as it comes */
	uint64_t burst_bytes;		/* 0: rate_burst() */
};

/* rate_parse() - "10mbit", "10mbit peak 20mbit burst 64kB", or "none". Return: 0, or -EINVAL with *why, a sentence
 * rate_format() - the same back; Return: @text
 */
int rate_parse(const char *text, struct rate_conf *rate, const char **why);
char *rate_format(const struct rate_conf *rate, char text[RATE_TEXT]);

/* rate_burst() - the burst in force: what was given, or what the average carries in BURST_MS, and at least two full frames */
enum { RATE_BURST_MS = 20, RATE_BURST_LEAST_MS = 4, RATE_BURST_LEAST = 3200 };
uint64_t rate_burst(const struct rate_conf *rate);

struct meter {
	_Atomic uint64_t paid;		/* in units of 1/256 ns since the clock's start */
	uint64_t bps;			/* 0: no limit */
	uint64_t ahead;			/* how far paid may lie ahead of now */
};

/* rate_meter - both meters of one direction */
struct rate_meter {
	struct meter average, peak;
};

void rate_meter_init(struct rate_meter *m, const struct rate_conf *rate);

/* rate_wait_ns() - how long until something may pass: 0 for now
 * rate_charge() - @bytes passed at @now_ns
 * rate_room() - bytes that may pass now before the meter says to wait; UINT64_MAX without a limit
 */
uint64_t rate_wait_ns(const struct rate_meter *m, uint64_t now_ns);
void rate_charge(struct rate_meter *m, uint64_t bytes, uint64_t now_ns);
uint64_t rate_room(const struct rate_meter *m, uint64_t now_ns);

/* rate_bytes() - what a frame counts; @tagged: with a tag on this wire */
uint64_t rate_bytes(const struct frame *f, bool tagged);

#endif
