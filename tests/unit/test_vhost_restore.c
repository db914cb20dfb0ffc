// SPDX-License-Identifier: GPL-2.0-or-later
/* What outlives an engine: the state in `saved` with the keeper's descriptors, which the next engine goes on from. */
#define _GNU_SOURCE
#include "tap/vhost_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tap/vhost_saved.h"
#include "tests/unit/vhost_front_end.h"

#define ALL (VERSION_1 | BIT(30))
enum { DESC_FLAGS = 14, AVAIL_BIT = 0x80, USED_BIT = 0x8000 };

/* ---- a killed engine ---- */

static struct vhost_saved *saved_map(void)
{
	int i = kept_find("saved");
	void *at;

	assert_true(i >= 0);
	at = mmap(NULL, sizeof(struct vhost_saved), PROT_READ | PROT_WRITE, MAP_SHARED, t.kept[i].fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}

/* kill_engine() - all that a process has goes; `saved` and what the keeper holds is as it was at that moment */
static void kill_engine(void)
{
	struct vhost_saved *saved = saved_map(), *then = malloc(sizeof(*saved));

	assert_non_null(then);
	memcpy(then, saved, sizeof(*then));
	vhost_session_leave(t.s);
	t.s = NULL;
	memcpy(saved, then, sizeof(*then));
	munmap(saved, sizeof(*saved));
	free(then);
	fake_reset();
}

static bool restore(struct error *err)
{
	struct vhost_session_conf conf = session_conf();

	t.s = vhost_session_restore(&conf, err);
	return t.s != NULL;
}

static bool next_engine(void)
{
	struct error err = { 0 };

	kill_engine();
	return restore(&err);
}

static void check_gone(const struct error *err, const char *why)
{
	uint8_t byte;

	if (!strstr(err->message, why))
		fail_msg("\"%s\" is not in \"%s\"", why, err->message);
	assert_int_equal(t.nkept, 0);
	assert_int_equal(recv(t.peer, &byte, 1, 0), 0);		/* the front-end sees it end */
}

static void test_goes_on(void **unused)
{
	int fds, fd, call;

	(void)unused;
	start_all(ALL);
	assert_true(set_file(VHOST_SET_VRING_CALL, 1, &call));
	fds = count_fds();
	for (unsigned i = 0; i < 3; i++) {
		*fake.rings[0].conf.saved = (struct vring_saved){ 900, 900 };
		put16(USED + 2, 900);
		assert_true(next_engine());
		assert_true(vhost_session_running(t.s) && !fake.paused);
		assert_int_equal(fake.features, VERSION_1);
		assert_int_equal(fake.rings[0].conf.saved->next_used, 900);
		assert_int_equal(fake.rings[1].conf.saved->next_used, 0);
		assert_int_equal(count_fds(), fds);
		assert_int_equal(ask(VHOST_GET_QUEUE_NUM), PAIRS);	/* the same connection, and it can go on */
		assert_true(set_file(VHOST_SET_VRING_KICK, 0, NULL));
	}
	/* the very eventfd: what is written to ours can be read from the front-end's */
	assert_int_equal(eventfd_write(fake.rings[1].conf.call, 5), 0);
	assert_int_equal(eventfd_read(call, &(eventfd_t){ 0 }), 0);
	assert_true(set_memory());
	assert_int_equal(stop_ring(0), 900);
	assert_int_equal(stop_ring(1), 0);
	close(call);
	fd = vhost_session_fd(t.s);
	assert_true(fd >= 0);
}

static void test_none_is_held(void **unused)
{
	struct vhost_session_conf conf = session_conf();
	struct error err = { 0 };

	(void)unused;
	vhost_session_free(t.s);
	assert_false(restore(&err));
	assert_int_equal(err.rc, -ENOENT);
	conf.pairs = 0;
	assert_null(vhost_session_restore(&conf, &err));
	assert_int_equal(err.rc, -EINVAL);
}

/* The engine ends, with time to put things in order. */
static void test_leave(void **unused)
{
	struct error err = { 0 };

	(void)unused;
	start_all(ALL);
	vhost_session_leave(t.s);
	fake_reset();
	assert_true(restore(&err));
	assert_true(vhost_session_running(t.s));
}

/* Engines that die of it one after another are ten at most; one that ends in peace is none of them. */
static void test_too_many_deaths(void **unused)
{
	struct error err = { 0 };

	(void)unused;
	start_all(ALL);
	for (int i = 0; i < 9; i++)
		assert_true(next_engine());
	vhost_session_leave(t.s);
	fake_reset();
	for (int i = 0; i < 10; i++) {
		assert_true(i ? next_engine() : restore(&err));
		assert_true(vhost_session_running(t.s));
	}
	kill_engine();
	assert_false(restore(&err));
	check_gone(&err, "10 engines in a row");
}

/* A session that has ended is not handed on. */
static void test_leave_after_the_end(void **unused)
{
	struct error err = { 0 };

	(void)unused;
	start_all(ALL);
	send_bytes("............", 12, NULL, 0);
	assert_true(input() < 0);
	vhost_session_leave(t.s);
	assert_int_equal(t.nkept, 0);
	assert_false(restore(&err));
}

static void test_split_places(void **unused)
{
	static const struct {
		uint16_t saved, used, goes_on;
	} cases[] = {
		{ 100, 100, 100 }, { 100, 101, 101 }, { 100, 356, 356 }, { 100, 357, 100 }, { 100, 99, 100 },
		{ 65500, 220, 220 }, { 65500, 221, 65500 },
	};

	(void)unused;
	start_all(ALL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		*fake.rings[0].conf.saved = (struct vring_saved){ cases[i].saved, cases[i].saved };
		put16(USED + 2, cases[i].used);
		assert_true(next_engine());
		assert_int_equal(fake.rings[0].conf.saved->next_used, cases[i].goes_on);
		assert_int_equal(fake.rings[0].conf.saved->next_avail, cases[i].goes_on);
	}
}

/* mark_used() - @n descriptors of ring 0 from @at on are given back, for the lap with that wrap counter */
static void mark_used(unsigned at, unsigned n, bool wrap)
{
	for (unsigned i = at; i < at + n; i++)
		put16(DESC + 16 * i + DESC_FLAGS, wrap ? AVAIL_BIT | USED_BIT : 0);
}

static void test_packed_places(void **unused)
{
	(void)unused;
	start_all(ALL | PACKED);
	for (unsigned i = 0; i < 256; i++)
		put16(DESC + 16 * i + DESC_FLAGS, AVAIL_BIT);		/* available in the first lap */
	mark_used(0, 250, true);
	*fake.rings[0].conf.saved = (struct vring_saved){ 0x8000 | 247, 0x8000 | 247 };
	assert_true(next_engine());
	assert_int_equal(fake.rings[0].conf.saved->next_used, 0x8000 | 250);
	/* over the end, into the lap with the other counter */
	mark_used(250, 6, true);
	mark_used(0, 2, false);
	assert_true(next_engine());
	assert_int_equal(fake.rings[0].conf.saved->next_used, 2);
	/* once around, and no more than that */
	mark_used(0, 256, false);
	assert_true(next_engine());
	assert_int_equal(fake.rings[0].conf.saved->next_used, 0x8000);
	assert_int_equal(stop_ring(0), 0x80008000);
}

/* ---- what cannot go on ---- */

static void test_request_at_work(void **unused)
{
	struct error err = { 0 };

	(void)unused;
	start_all(ALL);
	send_bytes("\1\0\0\0\1", 5, NULL, 0);			/* half a message is lost with the engine */
	assert_int_equal(input(), 1);
	kill_engine();
	assert_false(restore(&err));
	check_gone(&err, "the engine ended in the middle of a request");
}

static const struct {
	const char *what;
	size_t offset, size;
	uint64_t value;
	const char *why;
} forged[] = {
#define FIELD(f, v, why) { #f, offsetof(struct vhost_saved, f), sizeof(((struct vhost_saved *)0)->f), v, why }
	FIELD(magic, 1, "another version"), FIELD(version, 2, "another version"), FIELD(size, 100, "another version"),
	FIELD(at_work, 1, "middle of a request"), FIELD(features, BIT(33), "no longer offered"),
	FIELD(protocol, BIT(40), "no longer offered"), FIELD(nregions, 510, "too many memory regions"),
	FIELD(nregions, 0xffffffff, "too many memory regions"), FIELD(regions[0].slot, 509, "a memory region without"),
	FIELD(regions[0].slot, 5, "no descriptor \"mem5\""), FIELD(regions[0].size, 1ull << 40, "the file ends"),
	FIELD(regions[0].gpa, ~0ull, "wrap"), FIELD(rings[0].size, 65536, "a ring that cannot be"),
	FIELD(rings[0].size, 100, "not a power of two"), FIELD(rings[0].desc, 0, "not in one region"),
	FIELD(rings[0].fds, 255, "a ring that cannot be"), FIELD(rings[0].fds, 7, "no descriptor \"err0\""),
	FIELD(rings[4].kicked, 1, "more rings than the port has"), FIELD(has_log, 1, "no descriptor \"log\""),
	FIELD(has_inflight, 1, "no descriptor \"inflight\""),
};

static void test_forged(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		struct vhost_saved *saved;
		struct error err = { 0 };

		print_message("  %s\n", forged[i].what);
		start_all(ALL);
		kill_engine();
		saved = saved_map();
		memcpy((uint8_t *)saved + forged[i].offset, &forged[i].value, forged[i].size);
		munmap(saved, sizeof(*saved));
		assert_false(restore(&err));
		check_gone(&err, forged[i].why);
		close(t.peer);
		connect_session();
	}
}

/* What is held is another thing than it was, or is not there. */
static void test_wrong_descriptors(void **unused)
{
	static const char *const names[] = { "conn", "mem0", "kick0", "call1", "saved" };

	(void)unused;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(names); i++) {
		struct error err = { 0 };

		start_all(ALL);
		kill_engine();
		keeper_drop(NULL, names[i / 2]);
		if (i % 2) {
			int fd = open("/dev/null", O_RDWR);

			keeper_hold(NULL, names[i / 2], fd);
			close(fd);
		}
		/* "conn" is whatever it is: the first message will tell */
		if (restore(&err)) {
			assert_string_equal(names[i / 2], "conn");
			assert_true(vhost_session_input(t.s) < 0);
			vhost_session_free(t.s);
		}
		assert_int_equal(t.nkept, 0);
		close(t.peer);
		connect_session();
	}
}

/* The state in a file that its owner could cut short is not taken; in one that he could not, it is. */
static void test_file_that_can_be_cut(void **unused)
{
	(void)unused;
	for (unsigned sealed = 0; sealed < 2; sealed++) {
		int fd = memfd_create("saved", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		struct vhost_saved *saved;
		struct error err = { 0 };

		start_all(ALL);
		kill_engine();
		saved = saved_map();
		assert_int_equal(write(fd, saved, sizeof(*saved)), sizeof(*saved));
		munmap(saved, sizeof(*saved));
		if (sealed)
			assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
		keeper_hold(NULL, "saved", fd);
		close(fd);
		assert_int_equal(restore(&err), sealed);
		if (sealed)
			break;
		check_gone(&err, "another version of lanyard wrote it");
		close(t.peer);
		connect_session();
	}
}

/* A keeper without room: the session lives, and its connection ends with the engine. */
static void test_keeper_refuses(void **unused)
{
	(void)unused;
	start_all(ALL);
	t.refuse = true;
	assert_true(set_memory());
	assert_int_equal(t.nkept, 0);
	assert_true(vhost_session_running(t.s));
	t.refuse = false;
	assert_true(set_memory() && set_file(VHOST_SET_VRING_CALL, 0, NULL));
	assert_int_equal(t.nkept, 0);				/* half of it would be of no use */
}

static void test_log_is_restored(void **unused)
{
	const uint64_t payload[2] = { 4096, 0 };
	int fd = memfd_create("log", 0);
	uint64_t value;

	(void)unused;
	assert_int_equal(ftruncate(fd, 4096), 0);
	start_all(ALL);
	say_fds(VHOST_SET_LOG_BASE, 0, payload, 16, &fd, 1);
	assert_int_equal(input(), 0);
	reply(VHOST_SET_LOG_BASE, &value, 8, NULL);
	assert_true(done_u64(VHOST_SET_FEATURES, ALL | BIT(26)));
	assert_true(next_engine());
	assert_int_equal(fake.memory->log_size, 4096);
	close(fd);
}

static void test_area_is_restored(void **unused)
{
	/* bytes, offset, 2 rings of 256 */
	const uint64_t payload[3] = { 65536, 0, 2 | 256 << 16 };
	int fd = memfd_create("in flight", 0);
	uint8_t version = 0;

	(void)unused;
	assert_int_equal(ftruncate(fd, 65536), 0);
	negotiate(ALL);
	assert_true(done_fds(VHOST_SET_INFLIGHT_FD, payload, sizeof(payload), &fd, 1));
	start_all(ALL);
	assert_int_equal(pwrite(fd, &version, 1, 8), 1);
	assert_true(next_engine());
	assert_true(vhost_session_running(t.s));
	assert_int_equal(pread(fd, &version, 1, 8), 1);
	assert_int_equal(version, 1);				/* it is in use again */
	assert_false(state(VHOST_SET_VRING_NUM, 0, 512));
	close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_goes_on), TEST(test_none_is_held), TEST(test_leave), TEST(test_too_many_deaths),
		TEST(test_leave_after_the_end), TEST(test_split_places),
		TEST(test_packed_places), TEST(test_request_at_work), TEST(test_forged), TEST(test_wrong_descriptors), TEST(test_file_that_can_be_cut),
		TEST(test_keeper_refuses), TEST(test_log_is_restored), TEST(test_area_is_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
