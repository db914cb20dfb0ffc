// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/fdb.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"

enum { PORTS = 16, ENTRIES = 1024, SECOND = 1000, AGE = 300 * SECOND, START = 1000 * SECOND };

/* station() - the address 02:KIND:N; good until the eighth call after this one */
static const uint8_t *station(uint8_t kind, uint32_t n)
{
	static _Thread_local uint8_t macs[8][6];
	static _Thread_local unsigned turn;
	uint8_t *mac = macs[turn++ % ARRAY_SIZE(macs)];

	mac[0] = 0x02;
	mac[1] = kind;
	put_u32(mac + 2, n);
	return mac;
}

/* One step of a story about one table: learn, static, flush or sweep; then ask. */
enum act { LEARN, STATIC, FLUSH, SWEEP, ASK };

static const struct step {
	const char *what;
	enum act act;
	uint16_t vid;
	uint32_t mac, port;
	uint64_t at;			/* seconds after the start */
	int answer;			/* of the call; ASK: port or -ENOENT */
} story[] = {
	{ "an empty table knows nobody",		ASK,	1, 1, 0, 0, -ENOENT },
	{ "a new station is news",			LEARN,	1, 1, 3, 0, true },
	{ "and is found",				ASK,	1, 1, 0, 0, 3 },
	{ "in its VLAN only",				ASK,	2, 1, 0, 0, -ENOENT },
	{ "VLANs learn apart",				LEARN,	2, 1, 4, 0, true },
	{ "so the first one is where it was",		ASK,	1, 1, 0, 0, 3 },
	{ "and the second is elsewhere",		ASK,	2, 1, 0, 0, 4 },
	{ "seen again is no news",			LEARN,	1, 1, 3, 100, false },
	{ "it is fresh until it is 300 s old",		ASK,	1, 1, 0, 400, 3 },
	{ "and too old after that",			ASK,	1, 1, 0, 401, -ENOENT },
	{ "the one not seen again went earlier",	ASK,	2, 1, 0, 301, -ENOENT },
	{ "a station moves with its frames",		LEARN,	1, 1, 5, 402, true },
	{ "and is found where it is now",		ASK,	1, 1, 0, 402, 5 },
	{ "a static entry takes the place of a learnt one", STATIC, 1, 1, 6, 402, 0 },
	{ "it is found",				ASK,	1, 1, 0, 402, 6 },
	{ "no frame moves it",				LEARN,	1, 1, 7, 403, false },
	{ "it is where it was",				ASK,	1, 1, 0, 403, 6 },
	{ "and never ages",				ASK,	1, 1, 0, 1000000, 6 },
	{ "a sweep forgets what is too old",		SWEEP,	0, 0, 0, 1000, 1 },
	{ "and nothing more the second time",		SWEEP,	0, 0, 0, 1000, 0 },
	{ "a port that goes takes its entries along",	FLUSH,	0, 0, 6, 1000, 1 },
	{ "static ones too",				ASK,	1, 1, 0, 1000, -ENOENT },
	{ "time may lag behind another worker's",	LEARN,	1, 2, 1, 2000, true },
	{ "by a second",				ASK,	1, 2, 0, 1999, 1 },
	{ "VID 4094 is a VLAN like any other",		LEARN,	4094, 2, 2, 2000, true },
	{ "and is found",				ASK,	4094, 2, 0, 2000, 2 },
};

static int act(struct fdb *fdb, const struct step *s)
{
	const uint8_t *mac = station(0, s->mac);
	uint64_t now = START + s->at * SECOND;

	switch (s->act) {
	case LEARN:
		return fdb_learn(fdb, s->vid, mac, s->port, now);
	case STATIC:
		return fdb_add_static(fdb, s->vid, mac, s->port);
	case FLUSH:
		return (int)fdb_flush_port(fdb, s->port);
	case SWEEP:
		return (int)fdb_sweep(fdb, now);
	default:
		return fdb_lookup(fdb, s->vid, mac, now);
	}
}

static void test_story(void **state)
{
	struct fdb *fdb = fdb_new(ENTRIES, PORTS, AGE);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(story); i++) {
		print_message("  %s\n", story[i].what);
		assert_int_equal(act(fdb, &story[i]), story[i].answer);
	}
	fdb_free(fdb);
}

static void test_listing(void **state)
{
	struct fdb *fdb = fdb_new(ENTRIES, PORTS, AGE);
	struct fdb_entry e[4];

	(void)state;
	assert_int_equal(fdb_each(fdb, START, e, 4), 0);
	fdb_learn(fdb, 7, station(1, 0x01020304), 3, START);
	for (unsigned i = 0; i < 300; i++)
		fdb_learn(fdb, 7, station(1, 0x01020304), 4 + i % 2, START + i);
	assert_int_equal(fdb_each(fdb, START + 20 * SECOND, e, 4), 1);
	assert_memory_equal(e[0].mac, station(1, 0x01020304), 6);
	assert_int_equal(e[0].vid, 7);
	assert_int_equal(e[0].port, 5);
	assert_int_equal(e[0].origin, FDB_LEARNED);
	assert_int_equal(e[0].moves, 255);		/* it stays there */
	assert_int_equal(e[0].age_s, 20);
	assert_int_equal(fdb_count(fdb, 3) + fdb_count(fdb, 4), 0);
	assert_int_equal(fdb_count(fdb, 5), 1);
	for (unsigned i = 0; i < 9; i++)
		fdb_learn(fdb, 1, station(2, i), 1, START);
	assert_int_equal(fdb_each(fdb, START, e, 4), 10);	/* more than there was room for */
	assert_int_equal(fdb_each(fdb, START + 2 * AGE, e, 4), 0);
	fdb_free(fdb);
}

static unsigned known(const struct fdb *fdb, uint8_t kind, uint32_t n, uint32_t port, uint64_t now)
{
	unsigned found = 0;

	for (uint32_t i = 0; i < n; i++)
		found += fdb_lookup(fdb, 1, station(kind, i), now) == (int)port;
	return found;
}

static void learn(struct fdb *fdb, uint8_t kind, uint32_t n, uint32_t port, uint64_t now)
{
	for (uint32_t i = 0; i < n; i++)
		fdb_learn(fdb, 1, station(kind, i), port, now);
}

/* A guest inventing addresses pushes out its own: DESIGN promise 7. */
static void test_fairness(void **state)
{
	struct fdb *fdb = fdb_new(ENTRIES, PORTS, AGE);

	(void)state;
	learn(fdb, 1, 100, 1, START);
	learn(fdb, 2, 1000000, 2, START + SECOND);
	assert_int_equal(known(fdb, 1, 100, 1, START + SECOND), 100);
	assert_int_equal(fdb_count(fdb, 1), 100);
	assert_in_range(fdb_count(fdb, 2), ENTRIES / 2, 4 * ENTRIES);
	print_message("  a neighbour that comes later finds room in the full table\n");
	learn(fdb, 3, 100, 3, START + 2 * SECOND);
	learn(fdb, 4, 1000000, 2, START + 3 * SECOND);
	assert_int_equal(known(fdb, 3, 100, 3, START + 3 * SECOND), 100);
	assert_int_equal(known(fdb, 1, 100, 1, START + 3 * SECOND), 100);
	fdb_free(fdb);
}

/* What it is sized for fits, one port or many. */
static void test_capacity(void **state)
{
	struct fdb *fdb = fdb_new(ENTRIES, PORTS, AGE);
	struct fdb_entry *e = calloc(16 * ENTRIES, sizeof(*e));
	unsigned n;

	(void)state;
	learn(fdb, 1, ENTRIES, 1, START);
	assert_in_range(known(fdb, 1, ENTRIES, 1, START), ENTRIES - ENTRIES / 100, ENTRIES);	/* two full buckets are rare */
	learn(fdb, 2, 100000, 2, START);
	n = fdb_each(fdb, START, e, 16 * ENTRIES);
	assert_in_range(n, ENTRIES, 4 * ENTRIES);	/* bounded */
	assert_int_equal(fdb_count(fdb, 1) + fdb_count(fdb, 2), n);
	print_message("  the stalest go first\n");
	fdb_flush_port(fdb, 2);
	fdb_flush_port(fdb, 1);
	learn(fdb, 3, 2 * ENTRIES, 1, START);
	learn(fdb, 4, 100, 1, START + 10 * SECOND);
	learn(fdb, 5, 300, 1, START + 11 * SECOND);
	assert_in_range(known(fdb, 4, 100, 1, START + 11 * SECOND), 99, 100);
	assert_in_range(known(fdb, 5, 300, 1, START + 11 * SECOND), 299, 300);
	print_message("  statics stay, and a table of nothing else is full\n");
	for (n = 0; fdb_add_static(fdb, 1, station(6, n), 4) == 0; n++)
		assert_true(n < 16 * ENTRIES);
	assert_true(n > ENTRIES / 4);
	assert_int_equal(fdb_count(fdb, 4), n);
	assert_int_equal(known(fdb, 6, n, 4, START), n);
	free(e);
	fdb_free(fdb);
}

/* ---- many threads: workers learn and look up, the control thread sweeps and flushes ---- */

enum { LEARNERS = 2, SHARED = 64, TURNS = 200000 };

static struct shared {
	struct fdb *fdb;
	atomic_bool stop;
} shared;

/* Stations 0..31 of kind 9 live at ports 1 and 2 in turn; each of kind 10 + port at its own port. */
static void *learner(void *arg)
{
	uint32_t port = (uint32_t)(uintptr_t)arg;

	for (uint32_t i = 0; i < TURNS; i++) {
		uint64_t now = START + i / 100;

		fdb_learn(shared.fdb, 1, station(9, i % 32), port, now);
		fdb_learn(shared.fdb, 1, station((uint8_t)(10 + port), i % 500), port, now);
	}
	return NULL;
}

static void *asker(void *arg)
{
	(void)arg;
	while (!atomic_load(&shared.stop)) {
		for (uint32_t i = 0; i < 500; i++) {
			int other = fdb_lookup(shared.fdb, 1, station(11, i), START);
			int both = fdb_lookup(shared.fdb, 1, station(9, i % 32), START);

			if (other != -ENOENT && other != 1)
				return "a station of port 1 was said to be elsewhere";
			if (both != -ENOENT && both != 1 && both != 2)
				return "a station of ports 1 and 2 was said to be elsewhere";
		}
	}
	return NULL;
}

static void count_ports(const struct fdb *fdb, unsigned per_port[PORTS])
{
	static struct fdb_entry e[16 * ENTRIES];
	unsigned n = fdb_each(fdb, START, e, ARRAY_SIZE(e));

	memset(per_port, 0, PORTS * sizeof(*per_port));
	for (unsigned i = 0; i < n; i++)
		per_port[e[i].port]++;
}

static void test_threads(void **state)
{
	pthread_t learners[LEARNERS], ask;
	unsigned per_port[PORTS];
	void *wrong;

	(void)state;
	shared.fdb = fdb_new(64, PORTS, AGE);		/* small: keys displace one another all the time */
	pthread_create(&ask, NULL, asker, NULL);
	for (uintptr_t i = 0; i < LEARNERS; i++)
		pthread_create(&learners[i], NULL, learner, (void *)(i + 1));
	for (unsigned i = 0; i < 2000; i++) {
		fdb_flush_port(shared.fdb, 1 + i % 2);
		fdb_add_static(shared.fdb, 1, station(13, i % 8), 3);
		fdb_flush_port(shared.fdb, 3);
		fdb_sweep(shared.fdb, START);
	}
	for (unsigned i = 0; i < LEARNERS; i++)
		pthread_join(learners[i], NULL);
	atomic_store(&shared.stop, true);
	pthread_join(ask, &wrong);
	if (wrong)
		fail_msg("%s", (const char *)wrong);
	count_ports(shared.fdb, per_port);
	for (uint32_t port = 0; port < PORTS; port++)
		assert_int_equal(fdb_count(shared.fdb, port), per_port[port]);
	fdb_free(shared.fdb);
}

/* A table of another size knows what the former one knew, and in a second look what came there later. */
static void test_take_over(void **state)
{
	struct fdb *small = fdb_new(ENTRIES, PORTS, AGE), *large = fdb_new(16 * ENTRIES, PORTS, AGE), *tiny = fdb_new(16, PORTS, AGE);

	(void)state;
	learn(small, 1, 200, 1, START);
	learn(small, 2, 50, 2, START + 5 * SECOND);
	fdb_add_static(small, 1, station(3, 0), 3);
	fdb_take_over(large, small, START + 6 * SECOND);
	assert_int_equal(known(large, 1, 200, 1, START + 6 * SECOND), 200);
	assert_int_equal(known(large, 2, 50, 2, START + 6 * SECOND), 50);
	assert_int_equal(known(large, 3, 1, 3, START + 6 * SECOND), 1);
	print_message("  with their age: what is too old is not there a moment later\n");
	assert_int_equal(known(large, 1, 200, 1, START + AGE + SECOND), 0);
	assert_int_equal(known(large, 2, 50, 2, START + AGE + SECOND), 50);
	print_message("  the second time: the newer word counts, whichever table has it\n");
	learn(small, 4, 10, 4, START + 7 * SECOND);
	fdb_learn(small, 1, station(1, 0), 4, START + 7 * SECOND);
	fdb_learn(large, 1, station(1, 1), 5, START + 8 * SECOND);
	fdb_catch_up(large, small, START + 8 * SECOND);
	assert_int_equal(known(large, 4, 10, 4, START + 8 * SECOND), 10);
	assert_int_equal(fdb_lookup(large, 1, station(1, 0), START + 8 * SECOND), 4);
	assert_int_equal(fdb_lookup(large, 1, station(1, 1), START + 8 * SECOND), 5);
	assert_int_equal(fdb_count(large, 1) + fdb_count(large, 4) + fdb_count(large, 5), 210);
	print_message("  what was taken out by hand in between stays out\n");
	fdb_remove_static(large, 1, station(3, 0), 3);
	fdb_catch_up(large, small, START + 8 * SECOND);
	assert_int_equal(known(large, 3, 1, 3, START + 8 * SECOND), 0);
	fdb_add_static(large, 1, station(3, 0), 3);
	print_message("  a smaller one takes what fits, statics before all else\n");
	fdb_take_over(tiny, large, START + 8 * SECOND);
	assert_int_equal(fdb_lookup(tiny, 1, station(3, 0), START + 8 * SECOND), 3);
	assert_in_range(known(tiny, 1, 200, 1, START + 8 * SECOND), 1, 64);
	fdb_free(small);
	fdb_free(large);
	fdb_free(tiny);
}

/* pour() - @n frames from @port, each from an address that was not there before; all to @dst. Return: where that is said to be */
static int32_t pour(struct fdb *fdb, uint32_t first, uint32_t n, uint32_t port, uint64_t dst, uint64_t now)
{
	uint64_t src[32], to_keys[32];
	int32_t to[32] = { 0 };

	for (uint32_t done = 0; done < n; done += 32) {
		for (uint32_t i = 0; i < 32; i++) {
			src[i] = fdb_key(1, station(9, first + done + i));
			to_keys[i] = dst;
		}
		fdb_burst(fdb, src, to_keys, 32, port, now, to);
	}
	return to[31];
}

/* A port that invents addresses is learnt from rarely, for the rest of that second; nobody else is. */
static void test_pace(void **state)
{
	enum { MANY = 1 << 18, KNOWN = 5 };
	struct fdb *fdb = fdb_new(MANY * 2, PORTS, AGE);
	uint64_t src[1] = { fdb_key(1, station(1, KNOWN)) }, none[1] = { 0 }, dst = fdb_key(1, station(2, 1));
	uint32_t held;
	int32_t to[1];

	(void)state;
	fdb_learn(fdb, 1, station(2, 1), 4, START);
	assert_int_equal(pour(fdb, 0, MANY, 3, dst, START), 4);	/* what it sends arrives */
	held = fdb_count(fdb, 3);
	print_message("  of %u new stations in a second %u were learnt\n", MANY, held);
	assert_in_range(held, 1000, MANY / 3);
	pour(fdb, MANY, 4096, 5, dst, START);
	assert_int_equal(fdb_count(fdb, 5), 4096);
	for (unsigned i = 0; i < 1024; i++)				/* one of the port's own is learnt in between */
		fdb_burst(fdb, src, none, 1, 3, START, to);
	assert_int_equal(fdb_lookup(fdb, 1, station(1, KNOWN), START), 3);
	pour(fdb, 2 * MANY, 1024, 3, dst, START + SECOND);	/* and in the next second as ever */
	assert_int_equal(fdb_count(fdb, 3), held + 1 + 1024);
	fdb_free(fdb);
}

/* One that does so in a table that is full of its own is held back sooner. */
static void test_crowded_pace(void **state)
{
	enum { ROOM = 4096, MANY = 1 << 16, LAST = 8192 };
	struct fdb *fdb = fdb_new(ROOM, PORTS, AGE);
	uint64_t dst = fdb_key(1, station(2, 1));
	unsigned known = 0;

	(void)state;
	fdb_learn(fdb, 1, station(2, 1), 4, START);
	assert_int_equal(pour(fdb, 0, MANY, 3, dst, START), 4);
	for (unsigned i = MANY - LAST; i < MANY; i++)
		known += fdb_lookup(fdb, 1, station(9, i), START) == 3;
	print_message("  of the last %u of %u one after another in a small table %u are known\n", LAST, MANY, known);
	assert_in_range(known, 4, LAST / 512);
	pour(fdb, MANY, 64, 3, dst, START + SECOND);
	for (unsigned i = MANY; i < MANY + 64; i++)
		assert_int_equal(fdb_lookup(fdb, 1, station(9, i), START + SECOND), 3);
	fdb_free(fdb);
}

static void test_free_null(void **state)
{
	(void)state;
	fdb_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_story),	 cmocka_unit_test(test_listing), cmocka_unit_test(test_fairness),
		cmocka_unit_test(test_capacity), cmocka_unit_test(test_threads), cmocka_unit_test(test_free_null),
		cmocka_unit_test(test_take_over),
		cmocka_unit_test(test_pace), cmocka_unit_test(test_crowded_pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
