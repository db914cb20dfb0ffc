// SPDX-License-Identifier: GPL-2.0-or-later
/* Rings as a session sets them up: their states, sizes, addresses, places and descriptors, and what a driver may not ask for. */
#define _GNU_SOURCE
#include "tap/vhost_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/vhost_front_end.h"

#define ALL (VERSION_1 | BIT(30))

static struct vring_saved *place_of(unsigned ring)
{
	return fake.rings[ring].conf.saved;
}

static void runs_to(unsigned ring, uint16_t at)
{
	*place_of(ring) = (struct vring_saved){ at, at };
}

/* ---- states ---- */

static void test_states(void **unused)
{
	(void)unused;
	negotiate(ALL);
	assert_true(set_memory());
	put16(RING_STEP + USED + 2, 7);
	assert_true(start_ring(1, 256, 7));
	assert_true(fake.rings[1].started && !fake.paused);
	assert_false(fake.rings[1].enabled);			/* until it is told */
	assert_int_equal(place_of(1)->next_avail, 7);
	assert_true(state(VHOST_SET_VRING_ENABLE, 1, 1));
	assert_true(fake.rings[1].enabled);
	assert_false(vhost_session_running(t.s));		/* it takes both of the pair */
	assert_true(start_ring(0, 256, 0));
	assert_true(state(VHOST_SET_VRING_ENABLE, 0, 1));
	assert_true(vhost_session_running(t.s));
	assert_false(state(VHOST_SET_VRING_ENABLE, 0, 2));
	assert_true(state(VHOST_SET_VRING_ENABLE, 0, 0));	/* disabled, not stopped */
	assert_true(fake.rings[0].started && !fake.rings[0].enabled && !vhost_session_running(t.s));
	runs_to(1, 40000);
	assert_int_equal(stop_ring(1), 40000);
	assert_false(fake.rings[1].started);
	assert_true(fake.rings[1].enabled);			/* two states, not one */
	assert_int_equal(stop_ring(1), 40000);
	stop_ring(0);
	assert_true(fake.paused);				/* nothing can run */
}

/* Without VHOST_USER_F_PROTOCOL_FEATURES rings start enabled. */
static void test_enabled_at_once(void **unused)
{
	(void)unused;
	negotiate(VERSION_1);
	assert_true(set_memory());
	assert_true(start_ring(0, 256, 0) && start_ring(1, 256, 0));
	assert_true(fake.rings[0].enabled && fake.rings[1].enabled && vhost_session_running(t.s));
}

/* QEMU enables queues before the guest has chosen features. */
static void test_enabled_early(void **unused)
{
	const uint32_t payload[] = { 0, 1 };

	(void)unused;
	say_fds(VHOST_SET_VRING_ENABLE, 0, payload, 8, NULL, 0);
	assert_int_equal(input(), 0);
	negotiate(ALL);
	assert_true(set_memory() && start_ring(0, 256, 0));
	assert_true(fake.rings[0].enabled);
}

/* Whatever order they come in: a ring runs once everything is known, and not before. */
static void test_any_order(void **unused)
{
	uint64_t protocol = PROTOCOL_ALL;

	(void)unused;
	say_fds(VHOST_SET_PROTOCOL_FEATURES, 0, &protocol, 8, NULL, 0);
	assert_int_equal(input(), 0);
	assert_true(set_file(VHOST_SET_VRING_KICK, 0, NULL));
	assert_true(set_addr(addr_of(0)));
	assert_true(state(VHOST_SET_VRING_NUM, 0, 256));
	assert_false(fake.rings[0].started);
	assert_true(set_memory());
	assert_false(fake.rings[0].started);
	assert_true(done_u64(VHOST_SET_FEATURES, ALL));
	assert_true(fake.rings[0].started && !fake.paused);
}

static void test_features_while_running(void **unused)
{
	(void)unused;
	start_all(ALL);
	assert_true(done_u64(VHOST_SET_FEATURES, ALL));		/* the same */
	assert_false(done_u64(VHOST_SET_FEATURES, ALL | BIT(29)));
	assert_non_null(strstr(vhost_session_reason(t.s), "change while rings run"));
	assert_false(done_u64(VHOST_SET_FEATURES, VERSION_1));
	assert_int_equal(fake.features, VERSION_1);
	stop_ring(0), stop_ring(1);
	assert_true(done_u64(VHOST_SET_FEATURES, ALL | BIT(29)));
}

/* A device that was stopped for a fault begins anew when its driver does. */
static void test_fault(void **unused)
{
	(void)unused;
	start_all(ALL);
	fake.fault = "descriptor out of range";
	assert_false(vhost_session_running(t.s));
	stop_ring(0);
	assert_non_null(fake.fault);
	stop_ring(1);
	assert_null(fake.fault);
	assert_true(start_ring(0, 256, 0) && start_ring(1, 256, 0));
	assert_true(vhost_session_running(t.s));
}

/* ---- sizes, addresses ---- */

static void test_indices(void **unused)
{
	static const uint32_t bad[] = { 4, 5, 255, 256, 65535, 0xffffffff };

	(void)unused;
	negotiate(ALL);
	assert_true(set_memory());
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct ring_addr a = addr_of(0);

		a.index = bad[i];
		assert_false(state(VHOST_SET_VRING_NUM, bad[i], 256));
		assert_false(state(VHOST_SET_VRING_BASE, bad[i], 0));
		assert_false(state(VHOST_SET_VRING_ENABLE, bad[i], 1));
		assert_false(set_addr(a));
		if (bad[i] < 256)
			assert_false(set_file(VHOST_SET_VRING_CALL, bad[i], NULL));
	}
	assert_string_equal(vhost_session_reason(t.s), "SET_VRING_ADDR: ring 4294967295; this port has 4 (2 queue pairs)");
	say_fds(VHOST_GET_VRING_BASE, 0, &(uint64_t){ 4 }, 8, NULL, 0);
	ends("GET_VRING_BASE: ring 4");				/* its reply cannot say no */
}

static void test_sizes(void **unused)
{
	static const struct {
		uint32_t num;
		bool split, packed;
	} cases[] = {
		{ 0, false, false }, { 1, true, true }, { 3, false, true }, { 255, false, true }, { 256, true, true },
		{ 32768, true, true }, { 32769, false, false }, { 65535, false, false }, { 65536, false, false },
		{ 0xffffffff, false, false },
	};

	(void)unused;
	negotiate(ALL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(state(VHOST_SET_VRING_NUM, 0, cases[i].num), cases[i].split);
	assert_true(done_u64(VHOST_SET_FEATURES, ALL | PACKED));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(state(VHOST_SET_VRING_NUM, 0, cases[i].num), cases[i].packed);
}

/* A size that came before the features said that rings are split is seen when the ring would start. */
static void test_size_before_features(void **unused)
{
	uint64_t protocol = PROTOCOL_ALL;

	(void)unused;
	say_fds(VHOST_SET_PROTOCOL_FEATURES, 0, &protocol, 8, NULL, 0);
	assert_int_equal(input(), 0);
	assert_true(state(VHOST_SET_VRING_NUM, 0, 100));
	assert_true(set_memory());
	assert_true(done_u64(VHOST_SET_FEATURES, ALL));
	assert_false(set_addr(addr_of(0)));
	assert_non_null(strstr(vhost_session_reason(t.s), "ring 0: its size, 100, is not a power of two"));
}

static void test_addresses(void **unused)
{
	/* two regions: their user addresses adjoin, their memory does not */
	static const uint64_t two[2][4] = { { 0, 0x10000, USER, 0 }, { 0x10000, 0x10000, USER + 0x10000, 0x40000 } };
	static const struct {
		const char *what;
		uint64_t desc, avail, used;		/* from USER on */
		const char *why;
	} cases[] = {
		{ "as it should be",	0x1000, 0x3000, 0x4000, NULL },
		{ "all in the second",	0x11000, 0x13000, 0x14000, NULL },
		{ "in both",		0x1000, 0x13000, 0x4000, NULL },
		{ "to the last byte",	0x10000 - 4096, 0x3000, 0x4000, NULL },
		{ "one entry too far",	0x10000 - 4096 + 16, 0x3000, 0x4000, "descriptors" },
		{ "avail to the end",	0x1000, 0x20000 - 518, 0x4000, NULL },
		{ "avail beyond",	0x1000, 0x20000 - 516, 0x4000, "avail ring" },
		{ "used to the end",	0x1000, 0x3000, 0x20000 - 2056, NULL },
		{ "used beyond",	0x1000, 0x3000, 0x20000 - 2052, "used ring" },
		{ "desc not at 16",	0x1008, 0x3000, 0x4000, "aligned to 16" },
		{ "avail not at 2",	0x1000, 0x3001, 0x4000, "aligned to 2" },
		{ "avail at 2",		0x1000, 0x3002, 0x4000, NULL },
		{ "used not at 4",	0x1000, 0x3000, 0x4002, "aligned to 4" },
		{ "nowhere",		0x900000, 0x3000, 0x4000, "not in one region" },
		{ "wraps",		-USER - 16, 0x3000, 0x4000, "not in one region" },
		{ "0",			-USER, 0x3000, 0x4000, "not in one region" },
		{ "on one another",	0x1000, 0x1000, 0x1000, NULL },
	};

	(void)unused;
	negotiate(ALL);
	assert_true(set_table(two, 2, t.memfd));
	assert_true(state(VHOST_SET_VRING_NUM, 0, 256));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ring_addr a = { 0, 0, USER + cases[i].desc, USER + cases[i].used, USER + cases[i].avail, 0 };

		print_message("  %s\n", cases[i].what);
		assert_int_equal(set_addr(a), !cases[i].why);
		if (cases[i].why)
			assert_non_null(strstr(vhost_session_reason(t.s), cases[i].why));
	}
}

/* While a ring runs: a good change is made where it stands, a bad one is none. */
static void test_changes_on_the_fly(void **unused)
{
	struct ring_addr a = addr_of(0), bad = addr_of(0);
	const uint8_t *desc;

	(void)unused;
	start_all(ALL);
	runs_to(0, 1000);
	desc = fake.rings[0].conf.desc;
	a.desc += 0x1000;
	a.used = USER + MEMORY - 0x1000;
	assert_true(set_addr(a));
	assert_ptr_equal(fake.rings[0].conf.desc, desc + 0x1000);
	assert_int_equal(place_of(0)->next_used, 1000);
	bad.used = 0;
	assert_false(set_addr(bad));
	bad = a, bad.flags = 2;
	assert_false(set_addr(bad));
	assert_true(state(VHOST_SET_VRING_NUM, 0, 256));
	assert_false(state(VHOST_SET_VRING_NUM, 0, 32768));	/* they do not lie in the memory so large */
	assert_true(vhost_session_running(t.s));
	assert_ptr_equal(fake.rings[0].conf.desc, desc + 0x1000);
	assert_int_equal(fake.rings[0].conf.size, 256);
	put16(MEMORY - 0x1000 + 2, 2000);
	assert_true(state(VHOST_SET_VRING_BASE, 0, 2000));
	assert_int_equal(place_of(0)->next_used, 2000);
	assert_int_equal(stop_ring(0), 2000);
}

/* ---- places ---- */

static void test_split_bases(void **unused)
{
	static const struct {
		const char *what;
		uint32_t base;
		uint16_t used, begins;
	} cases[] = {
		{ "where it ended",			100, 100, 100 },
		{ "what another took is taken again",	100, 97, 97 },
		{ "a whole ring of it",			300, 44, 44 },
		{ "more than a ring is no such thing",	300, 43, 300 },
		{ "the used index is ahead",		100, 101, 100 },
		{ "over the end",			3, 65533, 65533 },
		{ "reset, with an old used index",	0, 65533, 0 },
		{ "reset",				0, 0, 0 },
		{ "the highest",			65535, 65535, 65535 },
	};

	(void)unused;
	negotiate(ALL);
	assert_true(set_memory());
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		put16(USED + 2, cases[i].used);
		assert_true(start_ring(0, 256, cases[i].base));
		assert_int_equal(place_of(0)->next_avail, cases[i].begins);
		assert_int_equal(place_of(0)->next_used, cases[i].begins);
		assert_int_equal(stop_ring(0), cases[i].begins);
	}
	assert_false(state(VHOST_SET_VRING_BASE, 0, 65536));
	/* A base that no start has used up is told back. */
	assert_true(state(VHOST_SET_VRING_BASE, 0, 4711));
	assert_int_equal(stop_ring(0), 4711);
}

static void test_packed_bases(void **unused)
{
	static const struct {
		const char *what;
		uint32_t base;
		uint32_t begins, told;
	} cases[] = {
		{ "reset, as virtio-user says it",	0x8000, 0x8000, 0x80008000 },
		{ "reset, as QEMU says it",		0x80008000, 0x8000, 0x80008000 },
		{ "the other lap",			0x00050005, 5, 0x00050005 },
		{ "first place of the other lap",	0, 0, 0 },
		{ "what another took is taken again",	0x80058007, 0x8005, 0x80058005 },
	};

	(void)unused;
	negotiate(ALL | PACKED);
	assert_true(set_memory());
	assert_int_equal(stop_ring(0), 0x80008000);		/* never begun */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		assert_true(start_ring(0, 100, cases[i].base));
		assert_int_equal(place_of(0)->next_avail, cases[i].begins);
		assert_int_equal(place_of(0)->next_used, cases[i].begins);
		assert_int_equal(stop_ring(0), cases[i].told);
	}
	assert_true(state(VHOST_SET_VRING_BASE, 0, 0x8000 | 100));
	assert_false(set_file(VHOST_SET_VRING_KICK, 0, NULL));
	assert_non_null(strstr(vhost_session_reason(t.s), "ring 0: place 100 in a packed ring of 100"));
	assert_false(fake.rings[0].started);
}

/* A packed ring whose base nobody told begins at its first place, in the first lap. */
static void test_packed_without_base(void **unused)
{
	(void)unused;
	negotiate(ALL | PACKED);
	assert_true(set_memory() && state(VHOST_SET_VRING_NUM, 0, 64) && set_addr(addr_of(0)));
	assert_true(set_file(VHOST_SET_VRING_KICK, 0, NULL));
	assert_int_equal(place_of(0)->next_avail, 0x8000);
}

/* ---- descriptors ---- */

static int file_id(int fd)
{
	char path[64], name[64];
	ssize_t n;
	int id = -1;

	/* eventfds share one inode; their id is in fdinfo */
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	for (n = 0; fgets(name, sizeof(name), f); n++)
		if (sscanf(name, "eventfd-id: %d", &id) == 1)
			break;
	fclose(f);
	return id;
}

static void test_replaced_descriptors(void **unused)
{
	int fd, before;

	(void)unused;
	start_all(ALL);
	before = count_fds();
	for (unsigned i = 0; i < 1000; i++) {
		unsigned resumes = fake.resumes;

		assert_true(set_file(VHOST_SET_VRING_CALL, 0, &fd));
		assert_int_equal(file_id(fake.rings[0].conf.call), file_id(fd));
		close(fd);
		assert_true(set_file(VHOST_SET_VRING_KICK, 1, &fd));
		assert_int_equal(file_id(fake.rings[1].conf.kick), file_id(fd));
		close(fd);
		assert_int_equal(fake.resumes, resumes + 2);	/* looks and calls once after each */
	}
	assert_int_equal(count_fds(), before);
	assert_true(set_file(VHOST_SET_VRING_ERR, 0, &fd));
	assert_int_equal(file_id(fake.rings[0].conf.err), file_id(fd));
	close(fd);
	assert_int_equal(count_fds(), before + 2);	/* ours and the keeper's */
}

static void test_no_descriptors(void **unused)
{
	static const uint32_t requests[] = { VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR };

	(void)unused;
	start_all(ALL);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		assert_true(done_u64(requests[i], NONE | 1));
	assert_int_equal(fake.rings[1].conf.kick, -1);		/* is polled */
	assert_int_equal(fake.rings[1].conf.call, -1);
	assert_int_equal(fake.rings[1].conf.err, -1);
	assert_true(vhost_session_running(t.s));
	stop_ring(1);
	assert_true(done_u64(VHOST_SET_VRING_KICK, NONE | 1));
	assert_true(fake.rings[1].started);
}

static void test_not_eventfds(void **unused)
{
	uint64_t payload = 0;
	int pipes[2];

	(void)unused;
	start_all(ALL);
	assert_int_equal(pipe(pipes), 0);
	for (uint32_t request = VHOST_SET_VRING_KICK; request <= VHOST_SET_VRING_ERR; request++) {
		assert_false(done_fds(request, &payload, 8, &pipes[0], 1));
		assert_false(done_fds(request, &payload, 8, &t.memfd, 1));
		assert_false(done_fds(request, &payload, 8, &t.peer, 1));
	}
	assert_string_equal(vhost_session_reason(t.s), "SET_VRING_ERR: ring 0: the descriptor is not an eventfd");
	assert_true(vhost_session_running(t.s));
	close(pipes[0]), close(pipes[1]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_states), TEST(test_enabled_at_once), TEST(test_enabled_early), TEST(test_any_order),
		TEST(test_features_while_running), TEST(test_fault), TEST(test_indices), TEST(test_sizes),
		TEST(test_size_before_features), TEST(test_addresses), TEST(test_changes_on_the_fly), TEST(test_split_bases),
		TEST(test_packed_bases), TEST(test_packed_without_base), TEST(test_replaced_descriptors), TEST(test_no_descriptors),
		TEST(test_not_eventfds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
