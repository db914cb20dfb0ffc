// SPDX-License-Identifier: GPL-2.0-or-later
/* The test driver against a device of a few lines, which loops frames back and misbehaves when asked to */
#include "tests/packet/vring_driver.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"

#define BIT(n) (1ull << (n))

enum trick { HONEST, WRONG_ID, TOO_LONG, BESIDE, USED_BEYOND, HALF_FILLED, FEWER_BUFFERS };

/* device - one ring of it; free-running indices, or place and wrap */
struct device {
	struct driver *d;
	const struct driver_ring *ring;
	uint16_t avail, used;
	bool avail_wrap, used_wrap;
};

struct piece {
	uint64_t gpa;
	uint32_t len;
};

struct chain {
	struct piece pieces[DRIVER_PIECES_MAX];
	unsigned n, places;
	uint16_t id;
	uint32_t total;
};

static struct device device(struct driver *d, unsigned ring)
{
	return (struct device){ .d = d, .ring = driver_ring(d, ring), .avail_wrap = true, .used_wrap = true };
}

/* each() - copy between a chain and @bytes, byte by byte */
static void each(struct driver *d, const struct chain *c, uint32_t from, uint8_t *bytes, uint32_t n, bool into)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < c->n; i++)
		for (uint32_t b = 0; b < c->pieces[i].len; b++, at++) {
			uint8_t *p = driver_at(d, c->pieces[i].gpa + b, NULL);

			assert_non_null(p);
			if (at >= from && at < from + n && into)
				*p = bytes[at - from];
			else if (at >= from && at < from + n)
				bytes[at - from] = *p;
		}
}

static void add_piece(struct chain *c, uint64_t gpa, uint32_t len)
{
	c->pieces[c->n++] = (struct piece){ gpa, len };
	c->total += len;
}

static void read_table(struct driver *d, struct chain *c, uint64_t gpa, uint32_t size, bool packed)
{
	for (uint32_t at = 0; at < size; at += 16) {
		struct vring_desc desc;
		uint8_t *to = (void *)&desc;

		for (unsigned i = 0; i < 16; i++)
			to[i] = *driver_at(d, gpa + at + i, NULL);
		add_piece(c, desc.addr, desc.len);
		if (!packed)
			assert_int_equal(!!(desc.flags & VRING_DESC_F_NEXT), at + 16 < size);
	}
}

static bool get_split(struct device *v, struct chain *c)
{
	const struct driver_ring *r = v->ring;
	struct vring_desc *desc;

	if (r->avail->idx == v->avail)
		return false;
	c->id = r->avail->ring[v->avail++ % r->size];
	desc = &r->desc[c->id];
	for (;; desc = &r->desc[desc->next]) {
		c->places++;
		if (desc->flags & VRING_DESC_F_INDIRECT)
			read_table(v->d, c, desc->addr, desc->len, false);
		else
			add_piece(c, desc->addr, desc->len);
		if (!(desc->flags & VRING_DESC_F_NEXT))
			return true;
	}
}

static bool get_packed(struct device *v, struct chain *c)
{
	bool more = true;

	if (!!(v->ring->packed_desc[v->avail].flags & 1 << 7) != v->avail_wrap ||
	    !!(v->ring->packed_desc[v->avail].flags & 1 << 15) == v->avail_wrap)
		return false;
	for (; more; c->places++) {
		const struct vring_packed_desc *desc = &v->ring->packed_desc[v->avail];

		if (desc->flags & VRING_DESC_F_INDIRECT)
			read_table(v->d, c, desc->addr, desc->len, true);
		else
			add_piece(c, desc->addr, desc->len);
		c->id = desc->id;
		more = desc->flags & VRING_DESC_F_NEXT;
		if (++v->avail == v->ring->size) {
			v->avail = 0;
			v->avail_wrap = !v->avail_wrap;
		}
	}
	return true;
}

static bool get(struct device *v, struct chain *c)
{
	c->n = c->places = c->total = 0;
	return v->ring->packed ? get_packed(v, c) : get_split(v, c);
}

/* put() - use @c; @buffers and @places are those that lie behind this one element, in order */
static void put(struct device *v, const struct chain *c, uint32_t len, unsigned buffers, unsigned places)
{
	const struct driver_ring *r = v->ring;

	if (!r->packed) {
		r->used->ring[v->used % r->size] = (struct vring_used_elem){ c->id, len };
		v->used = (uint16_t)(v->used + buffers);
		__atomic_store_n(&r->used->idx, v->used, __ATOMIC_RELEASE);
		return;
	}
	r->packed_desc[v->used].id = c->id;
	r->packed_desc[v->used].len = len;
	__atomic_store_n(&r->packed_desc[v->used].flags, v->used_wrap ? 1 << 7 | 1 << 15 : 0, __ATOMIC_RELEASE);
	v->used = (uint16_t)(v->used + places);
	if (v->used >= r->size) {
		v->used = (uint16_t)(v->used - r->size);
		v->used_wrap = !v->used_wrap;
	}
}

static const struct {
	const char *what;
	uint64_t features;
} kinds[] = {
	{ "legacy split",		0 },
	{ "split",			BIT(VIRTIO_F_VERSION_1) },
	{ "split, mergeable",		BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_RING_F_EVENT_IDX) },
	{ "split, in order",		BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_IN_ORDER) },
	{ "packed",			BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_RING_PACKED) },
	{ "packed, mergeable",		BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_NET_F_MRG_RXBUF) },
	{ "packed, in order",		BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER) |
					BIT(VIRTIO_RING_F_EVENT_IDX) },
};

static const struct driver_layout *const layouts[] = {
	&DRIVER_PLAIN, &DRIVER_HEADER_APART, &DRIVER_HEADER_BYTES, &DRIVER_HEADER_SPLIT, &DRIVER_INDIRECT,
	&(const struct driver_layout){ .even = 7 }, &(const struct driver_layout){ .even = 60, .indirect = true },
};

/* deliver() - @frame into receive buffers, as many as it takes where they are mergeable */
static void deliver(struct device *rx, const struct driver_conf *conf, uint8_t *bytes, uint32_t len, enum trick trick)
{
	static struct chain c;
	bool mergeable = conf->features & BIT(VIRTIO_NET_F_MRG_RXBUF), header12 = conf->features & BIT(VIRTIO_F_VERSION_1);
	uint32_t done = 0;
	unsigned n = 0;

	assert_true(get(rx, &c));
	if (header12) {
		bytes[10] = (uint8_t)(mergeable ? (len + c.total - 1) / c.total : 1);
		bytes[10] = (uint8_t)(bytes[10] + (trick == FEWER_BUFFERS));
		bytes[11] = 0;
	}
	do {
		uint32_t part, said;

		if (n++ > 0)
			assert_true(mergeable && get(rx, &c));
		part = MIN_OF(len - done, c.total) - (trick == HALF_FILLED && done == 0);
		each(rx->d, &c, 0, bytes + done, part, true);
		if (trick == BESIDE)
			*driver_at(rx->d, c.pieces[c.n - 1].gpa + c.pieces[c.n - 1].len, NULL) = 0;
		said = trick == TOO_LONG ? c.total + 1 : part;
		c.id = trick == WRONG_ID ? c.id ^ 32 : c.id;
		put(rx, &c, said, trick == USED_BEYOND ? rx->ring->size + 1 : 1, c.places);
		done += part;
	} while (done < len);
}

static struct driver_conf conf_of(uint64_t features, unsigned regions)
{
	return (struct driver_conf){ .features = features, .size = 64, .regions = regions, .room = 8192, .file_offset = 5000 };
}

/* echo() - one frame from the transmit ring to the receive ring */
static void echo(struct device *tx, struct device *rx, const struct driver_conf *conf, uint32_t expect)
{
	static struct chain c;
	static uint8_t bytes[8192];

	assert_true(get(tx, &c));
	assert_int_equal(c.total, expect);
	each(tx->d, &c, 0, bytes, c.total, false);
	deliver(rx, conf, bytes, c.total, HONEST);
	put(tx, &c, 0, 1, c.places);
}

static void loop_frames(const struct driver_conf *conf, const struct driver_layout *layout)
{
	bool mergeable = conf->features & BIT(VIRTIO_NET_F_MRG_RXBUF);
	uint8_t frame[1514], header[DRIVER_HEADER] = { 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
	unsigned hlen = conf->features & BIT(VIRTIO_F_VERSION_1) ? 12 : 10;
	struct driver *d = driver_new(conf);
	struct device tx = device(d, 1), rx = device(d, 0);
	struct driver_frame got;

	for (unsigned i = 0; i < 500; i++) {
		uint32_t len = 60 + i * 13 % 1454;

		memset(frame, (int)i, sizeof(frame));
		assert_true(driver_post(d, 0, 30, mergeable ? 500 : 1600, layout) >= 0);
		assert_int_equal(driver_send(d, 1, frame, len, header, layout), 0);
		assert_int_equal(driver_check(d), 0);
		echo(&tx, &rx, conf, hlen + len);
		if (driver_reap(d, 1) != 1 || driver_take(d, 0, &got) != 1)
			fail_msg("%s", driver_fault(d));
		assert_int_equal(got.len, len);
		assert_memory_equal(got.data, frame, len);
		assert_memory_equal(got.header, header, 10);
		assert_int_equal(got.buffers, mergeable ? (hlen + len + 499) / 500 : 1);
		assert_int_equal(driver_take(d, 0, &got), 0);
		assert_int_equal(driver_pending(d, 1), 0);
		assert_int_equal(driver_check(d), 0);
	}
	assert_string_equal(driver_fault(d), "");
	driver_free(d);
}

static void test_loop(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (size_t l = 0; l < ARRAY_SIZE(layouts); l++)
			for (unsigned regions = 1; regions <= 16; regions += 15) {
				struct driver_conf conf = conf_of(kinds[k].features, regions);

				print_message("  %s, layout %zu, %u regions\n", kinds[k].what, l, regions);
				loop_frames(&conf, layouts[l]);
			}
}

/* In order, a used element may stand for many: all before it came back too. */
static void test_batches(void **state)
{
	static struct chain c;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct driver_conf conf = conf_of(kinds[k].features, 1);
		struct driver *d = driver_new(&conf);
		struct device tx = device(d, 1);

		if (!(kinds[k].features & BIT(VIRTIO_F_IN_ORDER))) {
			driver_free(d);
			continue;
		}
		for (unsigned round = 0; round < 50; round++) {
			unsigned places = 0;

			driver_hold(d, 1);
			for (unsigned i = 0; i < 20; i++)
				assert_int_equal(driver_send(d, 1, "x", 1, NULL, i % 2 ? &DRIVER_PLAIN : &DRIVER_HEADER_APART), 0);
			assert_false(get(&tx, &c));
			driver_publish(d, 1);
			for (unsigned i = 0; i < 20; i++, places += c.places)
				assert_true(get(&tx, &c));
			put(&tx, &c, 0, 20, places);
			assert_int_equal(driver_reap(d, 1), 20);
		}
		driver_free(d);
	}
}

/* Any other ring takes buffers back in any order. */
static void test_disorder(void **state)
{
	static struct chain c[5];

	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		struct driver_conf conf = conf_of(packed ? BIT(VIRTIO_F_RING_PACKED) : 0, 1);
		struct driver *d = driver_new(&conf);
		struct device tx = device(d, 1);

		for (unsigned round = 0; round < 100; round++) {
			for (unsigned i = 0; i < 5; i++) {
				assert_int_equal(driver_send(d, 1, "x", 1, NULL, &DRIVER_HEADER_APART), 0);
				assert_true(get(&tx, &c[i]));
			}
			for (unsigned i = 0; i < 5; i++)
				put(&tx, &c[i * 3 % 5], 0, 1, c[i * 3 % 5].places);
			assert_int_equal(driver_reap(d, 1), 5);
		}
		driver_free(d);
	}
}

static void test_full(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		struct driver_conf conf = conf_of(packed ? BIT(VIRTIO_F_RING_PACKED) : 0, 1);
		struct driver *d = driver_new(&conf);
		unsigned n = 0;

		while (driver_send(d, 1, "x", 1, NULL, &(struct driver_layout){ .even = 3 }) == 0)
			n++;
		assert_int_equal(n, 64 / 3);
		assert_int_equal(driver_send(d, 1, "x", 1, NULL, &DRIVER_PLAIN), 0);
		assert_int_equal(driver_send(d, 1, "x", 1, NULL, &DRIVER_PLAIN), -ENOSPC);
		assert_int_equal(driver_pending(d, 1), n + 1);
		assert_int_equal(driver_post(d, 0, 100, 1000, &DRIVER_INDIRECT), 64);
		assert_int_equal(driver_post(d, 0, 100, 9000, &DRIVER_PLAIN), 0);
		driver_reset(d, 0);
		assert_int_equal(driver_post(d, 0, 100, 9000, &DRIVER_PLAIN), -EMSGSIZE);
		assert_int_equal(driver_post(d, 0, 1, 1000, &(struct driver_layout){ .even = 65 }), -EINVAL);
		driver_free(d);
	}
}

/* What a device must not do is seen. */
static void test_tricks(void **state)
{
	static const struct {
		const char *what;
		enum trick trick;
		uint32_t len;		/* of header and frame; a buffer has 300 */
		const char *fault;
	} tricks[] = {
		{ "a buffer it does not have",	WRONG_ID,	512, "names" },
		{ "a length too long",		TOO_LONG,	300, "used length" },
		{ "bytes behind the buffer",	BESIDE,		300, "written behind" },
		{ "more used than there is",	USED_BEYOND,	512, "more than the device was given" },
		{ "buffers not filled",		HALF_FILLED,	512, "was not filled" },
		{ "fewer buffers than said",	FEWER_BUFFERS,	600, "only" },
	};

	(void)state;
	for (unsigned packed = 0; packed < 2; packed++)
		for (size_t i = 0; i < ARRAY_SIZE(tricks); i++) {
			uint64_t features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF) |
					    (packed ? BIT(VIRTIO_F_RING_PACKED) : 0);
			struct driver_conf conf = conf_of(features, 1);
			struct driver *d = driver_new(&conf);
			struct device rx = device(d, 0);
			struct driver_frame got;
			uint8_t bytes[600] = { 0 };

			if (packed && tricks[i].trick == USED_BEYOND) {
				driver_free(d);		/* a packed ring has no index to lie with */
				continue;
			}
			print_message("  %s: %s\n", packed ? "packed" : "split", tricks[i].what);
			driver_post(d, 0, 3, 300, &DRIVER_HEADER_APART);
			deliver(&rx, &conf, bytes, tricks[i].len, tricks[i].trick);
			assert_int_equal(driver_take(d, 0, &got), -EPROTO);
			if (!strstr(driver_fault(d), tricks[i].fault))
				fail_msg("%s", driver_fault(d));
			driver_free(d);
		}
}

static void test_read_only(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++)
		for (unsigned what = 0; what < 3; what++) {
			struct driver_conf conf = conf_of(packed ? BIT(VIRTIO_F_RING_PACKED) : 0, 1);
			struct driver *d = driver_new(&conf);
			struct device tx = device(d, 1);
			static struct chain c;

			driver_send(d, 1, "abc", 3, NULL, &DRIVER_INDIRECT);
			assert_int_equal(driver_check(d), 0);
			assert_true(get(&tx, &c));
			if (what == 0)
				*driver_at(d, c.pieces[1].gpa, NULL) = 'x';
			else if (what == 1)
				*driver_at(d, driver_ring(d, 1)->desc_gpa + (packed ? 0 : 16u * c.id), NULL) ^= 1;
			else
				put(&tx, &c, 3, 1, 1);
			assert_int_equal(what == 2 ? driver_reap(d, 1) : driver_check(d), -EPROTO);
			driver_free(d);
		}
}

static void test_events(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++)
		for (unsigned event_idx = 0; event_idx < 2; event_idx++) {
			struct driver_conf conf = conf_of((packed ? BIT(VIRTIO_F_RING_PACKED) : 0) |
							  (event_idx ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0), 1);
			struct driver *d = driver_new(&conf);
			const struct driver_ring *r = driver_ring(d, 1);
			uint16_t *avail_event = packed ? NULL : (void *)&r->used->ring[r->size];

			assert_false(driver_kick_needed(d, 1));		/* nothing new */
			driver_send(d, 1, "x", 1, NULL, &DRIVER_PLAIN);
			assert_true(driver_kick_needed(d, 1));		/* as the ring begins */
			if (packed)
				*r->device_event = (struct vring_packed_desc_event){ 0x8003, event_idx ? 2 : 1 };
			else if (event_idx)
				*avail_event = 3;
			else
				r->used->flags = VRING_USED_F_NO_NOTIFY;
			for (unsigned i = 1; i < 6; i++) {		/* the fourth is the one that is waited for */
				driver_send(d, 1, "x", 1, NULL, &DRIVER_PLAIN);
				assert_int_equal(driver_kick_needed(d, 1), event_idx && i == 3);
			}
			assert_false(driver_call_want(d, 1, 0));
			if (packed)
				assert_int_equal(r->driver_event->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
			else
				assert_int_equal(event_idx ? r->avail->ring[r->size] : r->avail->flags, event_idx ? 0xffff : 1);
			assert_false(driver_call_want(d, 1, 4));
			if (packed && event_idx)
				assert_int_equal(r->driver_event->off_wrap, 0x8003);
			else if (event_idx)
				assert_int_equal(r->avail->ring[r->size], 3);
			driver_free(d);
		}
}

/* Descriptors verbatim, counted when used. */
static void test_raw(void **state)
{
	(void)state;
	for (unsigned packed = 0; packed < 2; packed++) {
		struct driver_conf conf = conf_of(packed ? BIT(VIRTIO_F_RING_PACKED) : 0, 1);
		struct driver *d = driver_new(&conf);
		struct device tx = device(d, 1);
		uint64_t gpa = driver_alloc(d, 100, 64);
		static struct chain c;

		assert_true(gpa != 0 && driver_at(d, gpa, NULL));
		for (unsigned i = 0; i < 200; i++) {
			const struct driver_desc descs[] = {
				{ gpa, 12, VRING_DESC_F_NEXT, DRIVER_NEXT }, { gpa + 12, 88, 0, 7 },
			};

			driver_put(d, 1, descs, 2);
			assert_int_equal(driver_used(d, 1), 0);
			assert_true(get(&tx, &c));
			assert_int_equal(c.total, 100);
			put(&tx, &c, 0, 1, c.places);
			assert_int_equal(driver_used(d, 1), 1);
		}
		driver_free(d);
	}
}

/* Regions: sorted, apart, and what a guest address is in each of the other worlds. */
static void test_memory(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 16; n *= 4)
		for (uint64_t gap = 0; gap <= 8192; gap += 8192) {
			struct driver_conf conf = { .regions = n, .gap = gap, .file_offset = 4096 };
			struct driver *d = driver_new(&conf);
			struct driver_region r[DRIVER_REGIONS_MAX];
			uint64_t room;

			assert_int_equal(driver_regions(d, r), n);
			for (unsigned i = 0; i < n; i++) {
				assert_ptr_equal(driver_at(d, r[i].gpa + 1, &room), driver_at(d, r[i].gpa, NULL) + 1);
				assert_int_equal(room, r[i].size - 1);
				assert_int_equal(driver_user(d, r[i].gpa + 1), r[i].user + 1);
				assert_true((driver_at(d, r[i].gpa + r[i].size, NULL) != NULL) == (i + 1 < n && gap == 0));
				if (i > 0)
					assert_int_equal(r[i].gpa, r[i - 1].gpa + r[i - 1].size + gap);
			}
			assert_int_equal(driver_alloc(d, 1ull << 40, 1), 0);
			driver_free(d);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop),	cmocka_unit_test(test_batches),	  cmocka_unit_test(test_disorder),
		cmocka_unit_test(test_full),	cmocka_unit_test(test_tricks),	  cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_events),	cmocka_unit_test(test_raw),	  cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
