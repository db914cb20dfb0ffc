// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/station.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

enum { ROOM = 1024 };

/* station() - address 10.0.x.y as number @ip, at @port with a MAC that ends in @mac */
static struct station station(uint32_t ip, uint32_t port, uint8_t mac, uint8_t source, uint64_t seen_ms)
{
	return (struct station){
		.ip = addr4(0x0a000000 + ip), .port = port, .mac = { 2, 0, 0, 0, 0, mac }, .source = source, .seen_ms = seen_ms,
	};
}

enum act { NOTE, FORGET, FORGET_PORT, FIND, OF_PORT };

static const struct step {
	const char *what;
	enum act act;
	uint32_t ip, port;
	uint8_t mac, source;
	uint64_t seen_ms;
	int answer;			/* NOTE: news? FIND: port or -1; OF_PORT: ip or -1 */
} story[] = {
	{ "nobody is known", FIND, 1, 0, 0, 0, 0, -1 },
	{ "an address seen by ARP is news", NOTE, 1, 3, 7, STATION_ARP, 10, true },
	{ "and is found", FIND, 1, 0, 0, 0, 0, 3 },
	{ "seen again is none", NOTE, 1, 3, 7, STATION_ARP, 20, false },
	{ "another MAC is", NOTE, 1, 3, 8, STATION_ARP, 30, true },
	{ "ARP moves what ARP told", NOTE, 1, 4, 8, STATION_ARP, 40, true },
	{ "it is there now", FIND, 1, 0, 0, 0, 0, 4 },
	{ "a lease takes an address over", NOTE, 1, 5, 9, STATION_DHCP, 50, true },
	{ "it is found where the lease is", FIND, 1, 0, 0, 0, 0, 5 },
	{ "ARP from another port does not take a lease", NOTE, 1, 4, 8, STATION_ARP, 60, false },
	{ "nor with another MAC from the same", NOTE, 1, 5, 8, STATION_ARP, 60, false },
	{ "nor with the same MAC from another", NOTE, 1, 4, 9, STATION_ARP, 60, false },
	{ "so it stays", FIND, 1, 0, 0, 0, 0, 5 },
	{ "ARP that agrees is no news", NOTE, 1, 5, 9, STATION_ARP, 70, false },
	{ "and leaves it a lease", NOTE, 1, 4, 8, STATION_ARP, 80, false },
	{ "another lease moves it", NOTE, 1, 6, 9, STATION_DHCP, 90, true },
	{ "there", FIND, 1, 0, 0, 0, 0, 6 },
	{ "a second address of the port", NOTE, 2, 6, 9, STATION_ARP, 1000, true },
	{ "the leased one is named first, if older", OF_PORT, 0, 6, 0, 0, 0, 1 },
	{ "a port of addresses by ARP", NOTE, 3, 7, 1, STATION_ARP, 100, true },
	{ "that has two of them", NOTE, 4, 7, 1, STATION_ARP, 200, true },
	{ "is known by the one seen last", OF_PORT, 0, 7, 0, 0, 0, 4 },
	{ "forgotten", FORGET, 1, 0, 0, 0, 0, 0 },
	{ "is forgotten", FIND, 1, 0, 0, 0, 0, -1 },
	{ "twice does no harm", FORGET, 1, 0, 0, 0, 0, 0 },
	{ "a port forgotten", FORGET_PORT, 0, 7, 0, 0, 0, 0 },
	{ "has no address", OF_PORT, 0, 7, 0, 0, 0, -1 },
	{ "neither of them is known", FIND, 4, 0, 0, 0, 0, -1 },
	{ "others are", FIND, 2, 0, 0, 0, 0, 6 },
};

static int act(struct stations *t, const struct step *p)
{
	struct station s = station(p->ip, p->port, p->mac, p->source, p->seen_ms);

	switch (p->act) {
	case NOTE:
		return station_note(t, &s, p->seen_ms % 20 == 0);
	case FORGET:
		station_forget(t, s.ip);
		return 0;
	case FORGET_PORT:
		stations_forget_port(t, p->port);
		return 0;
	case FIND:
		return station_find(t, addr4(0x0a000000 + p->ip), &s) ? (int)s.port : -1;
	default:
		return station_of_port(t, p->port, &s) ? (int)(addr_4(s.ip) - 0x0a000000) : -1;
	}
}

static void test_story(void **state)
{
	struct stations *t = stations_new(ROOM);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(story); i++) {
		print_message("  %s\n", story[i].what);
		assert_int_equal(act(t, &story[i]), story[i].answer);
	}
	stations_free(t);
	stations_free(NULL);
}

static void test_families(void **state)
{
	struct stations *t = stations_new(ROOM);
	struct station four = station(5, 1, 1, STATION_ARP, 100), link = four, six = four, found;

	(void)state;
	assert_int_equal(addr_parse("fe80::1", &link.ip) | addr_parse("fd00::5", &six.ip), 0);
	link.seen_ms = 300;
	assert_true(station_note(t, &four, true));
	assert_true(station_note(t, &link, true));
	assert_false(station_of_family(t, 1, AF_INET6, &found));	/* link-local is none that others could be shown beside */
	six.seen_ms = 200;
	assert_true(station_note(t, &six, true));
	assert_true(station_of_family(t, 1, AF_INET6, &found) && addr_equal(found.ip, six.ip));
	assert_true(station_of_family(t, 1, AF_INET, &found) && addr_equal(found.ip, four.ip));
	assert_false(station_of_family(t, 2, AF_INET, &found));
	stations_free(t);
}

static bool note(struct stations *t, uint32_t ip, uint32_t port, uint8_t source, uint64_t seen_ms)
{
	struct station s = station(ip, port, (uint8_t)port, source, seen_ms);

	return station_note(t, &s, true);
}

static bool lives_at(struct stations *t, uint32_t ip, uint32_t port)
{
	struct station s;

	return station_find(t, addr4(0x0a000000 + ip), &s) && s.port == port;
}

/* A port holds so many and no more; the stalest of its own goes first, and leases stay. */
static void test_share(void **state)
{
	struct stations *t = stations_new(ROOM);
	struct station s[64];

	(void)state;
	for (uint32_t i = 0; i < MAX_STATIONS_PER_PORT; i++)
		assert_true(note(t, i, 1, STATION_ARP, 1000 - i));
	assert_true(note(t, 5000, 2, STATION_ARP, 1));
	assert_true(note(t, 100, 1, STATION_ARP, 2000));
	assert_int_equal(stations_each(t, 1, s, ARRAY_SIZE(s)), MAX_STATIONS_PER_PORT);
	assert_false(lives_at(t, MAX_STATIONS_PER_PORT - 1, 1));	/* it was the stalest */
	assert_true(lives_at(t, 0, 1) && lives_at(t, 100, 1) && lives_at(t, 5000, 2));
	print_message("  a guest that invents addresses keeps to its share\n");
	for (uint32_t i = 0; i < 10000; i++)
		note(t, 200 + i % 4000, 1, STATION_ARP, 3000 + i);
	assert_int_equal(stations_each(t, 1, s, ARRAY_SIZE(s)), MAX_STATIONS_PER_PORT);
	print_message("  also when it claims those of others\n");
	for (uint32_t port = 10; port < 20; port++)
		for (uint32_t i = 0; i < 10; i++)
			assert_true(note(t, 10000 + port * 10 + i, port, STATION_ARP, 20000));
	for (uint32_t i = 0; i < 100; i++)
		note(t, 10100 + i, 1, STATION_ARP, 30000 + i);
	assert_int_equal(stations_each(t, 1, s, ARRAY_SIZE(s)), MAX_STATIONS_PER_PORT);
	print_message("  leases are not pushed out\n");
	for (uint32_t i = 0; i < MAX_STATIONS_PER_PORT; i++)
		assert_true(note(t, 20000 + i, 3, STATION_DHCP, 10));
	assert_false(note(t, 21000, 3, STATION_ARP, 99));
	for (uint32_t i = 0; i < MAX_STATIONS_PER_PORT; i++)
		assert_true(lives_at(t, 20000 + i, 3));
	stations_free(t);
}

/* A full table is full for newcomers, not for those in it. */
static void test_full(void **state)
{
	struct stations *t = stations_new(20);
	struct station s[32];

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		assert_true(note(t, i, i, STATION_ARP, 1));
	assert_false(note(t, 100, 100, STATION_ARP, 2));
	assert_int_equal(stations_each(t, UINT32_MAX, s, ARRAY_SIZE(s)), 20);
	assert_int_equal(stations_each(t, UINT32_MAX, s, 3), 20);
	print_message("  who is in it may have another address, at the price of the one before\n");
	assert_true(note(t, 200, 7, STATION_ARP, 2));
	assert_true(lives_at(t, 200, 7));
	assert_false(lives_at(t, 7, 7));
	assert_int_equal(stations_each(t, UINT32_MAX, s, ARRAY_SIZE(s)), 20);
	stations_free(t);
}

/* Against a plain array: whatever comes and goes, each address is found where it was put. */
static void test_random(void **state)
{
	enum { IPS = 600 };
	struct stations *t = stations_new(ROOM);
	uint32_t at[IPS] = { 0 }, held[64] = { 0 };

	(void)state;
	srandom(4711);
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t ip = (uint32_t)random() % IPS, port = 1 + (uint32_t)random() % 63;

		if (random() % 3 == 0) {
			station_forget(t, addr4(0x0a000000 + ip));
			held[at[ip]]--;
			at[ip] = 0;
		} else if (at[ip] || held[port] < MAX_STATIONS_PER_PORT) {
			port = at[ip] ? at[ip] : port;
			note(t, ip, port, STATION_ARP, i);
			held[port] += !at[ip];
			at[ip] = port;
		}
		if (i % 1000 == 0) {
			for (uint32_t j = 0; j < IPS; j++)
				assert_true(at[j] ? lives_at(t, j, at[j]) : !lives_at(t, j, at[j]));
		}
	}
	stations_free(t);
}

static struct {
	struct stations *t;
	atomic_bool stop;
} shared;

static void *noter(void *arg)
{
	uint32_t port = (uint32_t)(uintptr_t)arg;

	for (uint32_t i = 0; i < 50000; i++) {
		struct station s = station(i % 40, port, (uint8_t)port, STATION_ARP, i);

		station_note(shared.t, &s, false);
		station_of_port(shared.t, port, &s);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[2];
	struct station s[64];

	(void)state;
	shared.t = stations_new(64);
	for (uintptr_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, noter, (void *)(i + 1));
	for (unsigned i = 0; i < 200; i++) {
		assert_in_range(stations_each(shared.t, 1, s, ARRAY_SIZE(s)), 0, MAX_STATIONS_PER_PORT);
		stations_forget_port(shared.t, 1 + i % 2);
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	stations_free(shared.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_story), cmocka_unit_test(test_families),  cmocka_unit_test(test_share),   cmocka_unit_test(test_full),
		cmocka_unit_test(test_random), cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
