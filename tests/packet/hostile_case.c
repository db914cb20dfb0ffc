// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/hostile_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

enum { REGIONS = 4, TALK = 6 };

struct case_at at;
static const struct hostile_case *playing;
static uint64_t before;

/* ---- memory ---- */

void case_memory(uint64_t gpa, const void *from, uint64_t n)
{
	const uint8_t *p = from;

	for (uint64_t room; n > 0; n -= room, gpa += room, p += room) {
		uint8_t *to = driver_at(at.b->evil.d, gpa, &room);

		assert_non_null(to);
		room = MIN_OF(room, n);
		memcpy(to, p, room);
	}
}

void case_frame(uint64_t gpa, uint32_t len)
{
	static const uint8_t header[DRIVER_HEADER];
	uint8_t *frame = malloc(len);

	assert_non_null(frame);
	hostile_fill(frame, len, at.b->one.mac, at.b->evil.mac, 7);
	case_memory(gpa, header, sizeof(header));
	case_memory(gpa + sizeof(header), frame, len);
	free(frame);
}

void case_table(unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t next)
{
	const struct vring_desc split = { addr, len, flags, next };
	const struct vring_packed_desc packed = { addr, len, 0, flags };

	case_memory(at.table + 16ull * i, at.packed ? (const void *)&packed : (const void *)&split, 16);
}

void case_put(unsigned ring, const struct driver_desc *descs, unsigned n)
{
	static uint16_t id;
	struct driver_desc *copy = calloc(n, sizeof(*copy));

	assert_non_null(copy);
	memcpy(copy, descs, n * sizeof(*copy));
	for (unsigned i = 0; at.packed && i < n; i++)
		if (copy[i].next == NX)
			copy[i].next = id;
	id = (uint16_t)((id + 1) % CASE_SIZE);
	driver_put(at.b->evil.d, ring, copy, n);
	free(copy);
}

static void prepare_memory(void)
{
	struct driver_region r[DRIVER_REGIONS_MAX];
	unsigned n = driver_regions(at.b->evil.d, r);

	at.frame = driver_alloc(at.b->evil.d, CASE_BUFFER, 64);
	at.table = driver_alloc(at.b->evil.d, CASE_TABLE * 16, 16);
	at.big = driver_alloc(at.b->evil.d, CASE_BIG, 64);
	assert_true(at.frame && at.table && at.big);
	at.end = r[n - 1].gpa + r[n - 1].size;
	at.border = r[0].gpa + r[0].size;
}

/* ---- a case ---- */

static bool ended(struct hostile_bed *b)
{
	return vhost_fault(b->evil.port) || (!playing->fault && hostile_verdict(&b->evil, playing->verdict) - before >= playing->n);
}

static unsigned wanted;
static bool it_came(struct hostile_bed *b)
{
	return b->came >= wanted || vhost_fault(b->evil.port);
}

void case_honest(const char *what, bool check)
{
	struct hostile_bed *b = at.b;
	uint8_t want[CASE_FRAME];

	driver_used(b->evil.d, HOSTILE_TX);
	wanted = b->came + 1;
	case_frame(at.frame, CASE_FRAME);
	PUT({ at.frame, CASE_BUFFER, 0, NX });
	hostile_kick(&b->evil);
	if (!hostile_until(b, it_came) || b->came < wanted)
		fail_msg("%s: an honest frame did not come: %s", what, vhost_fault(b->evil.port));
	hostile_fill(want, sizeof(want), b->one.mac, b->evil.mac, 7);
	assert_int_equal(b->last.len, sizeof(want));
	assert_memory_equal(b->last.data, want, sizeof(want));
	assert_int_equal(driver_used(b->evil.d, HOSTILE_TX), 1);
	if (check)
		assert_int_equal(driver_check(b->evil.d), 0);
}

void case_wait(void)
{
	hostile_kick(&at.b->evil);
	for (unsigned i = 0; i < 10; i++)
		hostile_turn(at.b);
	hostile_listen(at.b);
	driver_used(at.b->evil.d, HOSTILE_TX);
}

/* check_stopped() - a device that was stopped touches nothing any more, whatever its rings hold */
static void check_stopped(const struct hostile_case *c)
{
	struct hostile_bed *b = at.b;
	uint64_t rx = counter_get(&b->evil.port->stats[0].rx_frames), drops = counter_get(&b->evil.port->stats[0].tx_drops);
	uint8_t frame[CASE_FRAME];

	driver_reset(b->evil.d, HOSTILE_TX);
	hostile_fill(frame, sizeof(frame), (const uint8_t[6]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, b->two.mac, 0);
	PUT({ at.frame, CASE_BUFFER, 0, NX });
	case_put(HOSTILE_RX, &(const struct driver_desc){ at.big, 2048, F_WRITE, NX }, 1);
	hostile_offer(&b->two, frame, sizeof(frame));
	case_wait();
	if (counter_get(&b->evil.port->stats[0].rx_frames) != rx || counter_get(&b->evil.port->stats[0].tx_drops) != drops + 1)
		fail_msg("%s: it goes on", c->what);
}

static void play(const struct hostile_case *c)
{
	struct hostile_bed *b = at.b;
	const char *fault;

	playing = c;
	case_frame(at.frame, CASE_FRAME);
	case_frame(at.big, CASE_BIG - DRIVER_HEADER);
	before = hostile_verdict(&b->evil, c->verdict);
	hostile_neighbours(b, TALK);
	c->play();
	hostile_kick(&b->evil);
	hostile_neighbours(b, TALK);
	if (!hostile_until(b, ended))
		fail_msg("%s: nothing became of it", c->what);
	hostile_turn(b);
	fault = vhost_fault(b->evil.port);
	if (fault != c->fault)
		fail_msg("%s: \"%s\" in place of \"%s\"", c->what, fault ? fault : "no fault", c->fault ? c->fault : "no fault");
	if (!fault && hostile_verdict(&b->evil, c->verdict) - before != c->n)
		fail_msg("%s: %u frames ended so, not %u", c->what, (unsigned)(hostile_verdict(&b->evil, c->verdict) - before), c->n);
	hostile_neighbours(b, TALK);
	if (fault)
		check_stopped(c);
	if (fault || c->where & SPOILS)
		hostile_reset(&b->evil);
	case_honest(c->what, !(c->where & SCRIBBLES));
	hostile_neighbours(b, TALK);
	hostile_reset(&b->evil);
}

static void play_all(const struct hostile_case *cases, unsigned n, bool packed, bool apart, uint64_t features)
{
	struct driver_conf conf = {
		.features = features | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0), .size = CASE_SIZE, .regions = REGIONS,
		.gap = apart ? 1 << 20 : 0, .file_offset = 4096,
	};

	at.b = hostile_bed_new(&conf, false);
	at.packed = packed;
	prepare_memory();
	for (unsigned i = 0; i < n; i++) {
		if (!(cases[i].where & (packed ? ON_PACKED : ON_SPLIT)) || cases[i].where & (apart ? ADJACENT : APART))
			continue;
		print_message("  %s%s: %s\n", packed ? "packed" : "split", features >> HOSTILE_IN_ORDER & 1 ? ", in order" : "",
			      cases[i].what);
		play(&cases[i]);
	}
	hostile_bed_free(at.b);
}

void hostile_cases(const struct hostile_case *cases, unsigned n, uint64_t features)
{
	for (unsigned i = 0; i < 8; i++)
		play_all(cases, n, i & 1, i & 2, features | (i & 4 ? BIT(HOSTILE_IN_ORDER) : 0));
}
