// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames that are in a socket still: who reads them, and that nobody is shown what has not been read. */
#include "switch/unread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "switch/stage.h"
#include "tests/packet/rig.h"

enum { HEAD = 54, SIZE = 3000 };

static const uint8_t stations[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

/* kept - a frame of SIZE bytes that count up, of which HEAD are there */
struct kept {
	struct unread_frame u;
	uint8_t bytes[SIZE], all[SIZE];
	unsigned reads;
	bool fails;
};

static bool read_kept(struct unread_frame *u, const struct iovec *to, unsigned n)
{
	struct kept *k = container_of(u, struct kept, u);
	const uint8_t *from = k->all + HEAD;

	k->reads++;
	for (unsigned i = 0; i < n && !k->fails; i++) {
		memcpy(to[i].iov_base, from, to[i].iov_len);
		from += to[i].iov_len;
	}
	return !k->fails;
}

static void kept_init(struct kept *k, const uint8_t *dst, const uint8_t *src, bool fails)
{
	*k = (struct kept){ .u.read = read_kept, .fails = fails };
	rig_eth(k->all, dst, src, -1, 0x0800, SIZE - 14);
	memcpy(k->bytes, k->all, HEAD);
	frame_init(&k->u.frame, k->bytes, SIZE);
	k->u.frame.vid = 1;
	k->u.frame.head_len = HEAD;
	k->u.frame.unread = true;
}

static struct {
	struct rig *rig;
	struct rig_service service;
	struct segment *segment;
	struct rig_port *a, *b;
	bool saw_unread, saw;
} bed;

static bool takes(struct rig_port *p, const struct tx_frame *f, unsigned i)
{
	(void)p, (void)i;
	bed.saw = true;
	bed.saw_unread = f->frame->unread;
	return false;
}

static void bed_init(bool by_itself, bool stage)
{
	uint8_t hello[64];

	bed.saw = bed.saw_unread = false;
	bed.rig = rig_new();
	rig_net(bed.rig, 9000, true);
	rig_service_init(&bed.service, VERDICT_COUNT);
	bed.segment = rig_segment(bed.rig, 0, 1, &bed.service.service);
	bed.a = rig_port(bed.rig, 0, rig_access(1));
	bed.b = rig_port(bed.rig, 0, rig_access(1));
	if (by_itself) {
		bed.a->port.offloads |= PORT_UNREAD;
		bed.a->takes = takes;
	}
	bed.a->stages_out = stage ? STAGE_ISOLATED : 0;
	rig_publish(bed.rig);
	rig_offer(bed.a, hello, rig_eth(hello, bed.segment->gateway_mac, stations[0], -1, 0x0800, 46));
	rig_run(bed.rig);
	rig_clear(bed.rig);
}

static unsigned emit(struct kept *k, const uint8_t *dst, bool fails)
{
	kept_init(k, dst, bed.segment->gateway_mac, fails);
	return worker_emit(bed.rig->w, bed.rig->nets[0].local->id, &k->u.frame, 1);
}

static void is_whole(const struct rig_port *p, const struct kept *k)
{
	assert_int_equal(p->nsent, 1);
	assert_int_equal(p->sent[0].len, SIZE);
	assert_memory_equal(p->sent[0].data, k->all, SIZE);
}

static void test_read_on_the_way(void **state)
{
	struct kept k;

	(void)state;
	bed_init(false, false);
	assert_int_equal(emit(&k, stations[0], false), 1);
	is_whole(bed.a, &k);
	assert_int_equal(k.reads, 1);
	print_message("  to all of a flood\n");
	rig_clear(bed.rig);
	assert_int_equal(emit(&k, stations[1], false), 1);
	is_whole(bed.a, &k);
	is_whole(bed.b, &k);
	print_message("  and to nobody, if it cannot be read\n");
	rig_clear(bed.rig);
	assert_int_equal(emit(&k, stations[0], true), 0);
	assert_int_equal(bed.a->nsent, 0);
	assert_true(rig_identities(&bed.a->port));
	rig_free(bed.rig);
}

static void test_read_by_the_port(void **state)
{
	static const struct {
		const char *what;
		bool by_itself, stage, unread;
	} cases[] = {
		{ "a port that reads by itself", true, false, true },
		{ "one with a stage before it", true, true, false },
		{ "one that does not", false, false, false },
	};
	struct kept k;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		bed_init(cases[i].by_itself, cases[i].stage);
		assert_int_equal(unread_is_wanted(bed.rig->w, bed.rig->nets[0].local->id, bed.a->port.id), cases[i].unread);
		emit(&k, stations[0], false);
		assert_int_equal(bed.saw, cases[i].by_itself);
		assert_int_equal(bed.saw_unread, cases[i].unread);
		assert_int_equal(k.reads, !cases[i].unread);
		rig_free(bed.rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_read_on_the_way), cmocka_unit_test(test_read_by_the_port) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
