// SPDX-License-Identifier: GPL-2.0-or-later
/* A driver and a device play with a packed ring, by the book; at every moment the ring must tell where the device stands. */
#include "tap/vhost_packed_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/virtio_ring.h>

#include "base/array.h"

enum { SIZE_MAX_HERE = 64, AVAIL = 1 << VRING_PACKED_DESC_F_AVAIL, USED = 1 << VRING_PACKED_DESC_F_USED };

struct side {
	unsigned at, wrap;
};

struct play {
	struct vring_packed_desc ring[SIZE_MAX_HERE];
	unsigned size, in_flight;
	struct side driver, device;
};

static void step(struct side *s, unsigned size)
{
	if (++s->at == size)
		*s = (struct side){ 0, !s->wrap };
}

static void begin(struct play *p, unsigned size)
{
	memset(p, 0, sizeof(*p));
	p->size = size;
	p->driver.wrap = p->device.wrap = 1;
}

/* virtio 1.2, 2.8.1: the driver sets AVAIL to its wrap counter and USED to the inverse, the device both to its own */
static void offer(struct play *p, unsigned n)
{
	for (; n && p->in_flight < p->size; n--, p->in_flight++) {
		p->ring[p->driver.at].flags = (uint16_t)((p->driver.wrap ? AVAIL : USED) | VRING_DESC_F_WRITE);
		step(&p->driver, p->size);
	}
}

static void use(struct play *p, unsigned n)
{
	for (; n && p->in_flight; n--, p->in_flight--) {
		p->ring[p->device.at].flags = p->device.wrap ? AVAIL | USED : 0;
		step(&p->device, p->size);
	}
}

static void check(const struct play *p)
{
	uint16_t at = 12345;

	assert_true(vhost_packed_place((const uint8_t *)p->ring, (uint16_t)p->size, &at));
	assert_int_equal(at, p->device.at | p->device.wrap << 15);
}

static void test_every_moment(void **state)
{
	static const unsigned sizes[] = { 1, 2, 3, 4, 7, 16, 64 };
	struct play p;

	(void)state;
	srandom(1);
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		begin(&p, sizes[s]);
		check(&p);
		for (int i = 0; i < 5000; i++) {
			offer(&p, (unsigned)random() % (p.size + 1));
			check(&p);
			use(&p, (unsigned)random() % (p.size + 1));
			check(&p);
		}
	}
}

static void test_full_and_empty_laps(void **state)
{
	struct play p;

	(void)state;
	begin(&p, 8);
	for (int lap = 0; lap < 6; lap++) {
		offer(&p, 8);
		check(&p);
		use(&p, 8);
		check(&p);
	}
}

/* Anything else is not read: a chain leaves descriptors that nobody marks as used. */
static void test_unreadable(void **state)
{
	static const uint16_t rings[][4] = {
		{ AVAIL | USED, AVAIL, AVAIL | USED, 0 },	/* a chain of two, used, between others */
		{ AVAIL | USED, 0, AVAIL, 0 },
		{ 0, AVAIL | USED, AVAIL, AVAIL },
		{ AVAIL, USED, AVAIL, USED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
		struct vring_packed_desc ring[4] = { 0 };
		uint16_t at = 77;

		for (unsigned j = 0; j < 4; j++)
			ring[j].flags = rings[i][j];
		assert_false(vhost_packed_place((const uint8_t *)ring, 4, &at));
		assert_int_equal(at, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_moment), cmocka_unit_test(test_full_and_empty_laps), cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
