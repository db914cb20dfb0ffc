// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses that somebody has whom nobody gave them: they are not offered, they rest, and whoever claims many is not believed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "dhcp/lease.h"

enum { NET = 0x0a4d0000, FIRST = NET + 2, POOL = 20, NOW = 1000, REST = 600 };

/* world - addresses of the pool that somebody was seen with, by the squatter's port: "s0", "s1" ... */
struct world {
	struct lease_table *t;
	int port[POOL];			/* of who has it, -1: nobody */
	unsigned asked, told;
	uint32_t wanted;
};

static bool taken(void *arg, uint32_t ip, const struct lease_guest *who, struct lease_squatter *by)
{
	static const char *const names[] = { "s0", "s1", "s2" };
	struct world *w = arg;

	(void)who;
	w->asked++;
	if (w->port[ip - FIRST] < 0)
		return false;
	by->port = names[w->port[ip - FIRST]];
	memset(by->mac, (int)(ip - FIRST) + 2, sizeof(by->mac));
	return true;
}

static void on_changed(void *arg, const struct lease_record *record)
{
	struct world *w = arg;

	(void)record;
	w->told++;
}

static void begin(struct world *w)
{
	struct lease_conf conf = {
		.subnet = { NET, 24 }, .ranges = { { FIRST, FIRST + POOL - 1, 0 } }, .nranges = 1, .taken = taken, .taken_arg = w, .declines = 3,
	};

	memset(w, 0, sizeof(*w));
	memset(w->port, -1, sizeof(w->port));
	w->t = lease_table_new(&conf, on_changed, w);
	assert_non_null(w->t);
}

static struct lease_guest guest(unsigned n)
{
	static uint8_t mac[6] = { 2 };
	static char name[8];

	mac[5] = (uint8_t)n;
	name[0] = 'g';
	name[1] = (char)('a' + n);
	return (struct lease_guest){ .port = name, .mac = mac };
}

static int offer(struct world *w, unsigned n, int64_t now, uint32_t *ip)
{
	struct lease_guest g = guest(n);

	return lease_offer(w->t, &g, w->wanted, now, ip);
}

static int bind(struct world *w, unsigned n, uint32_t ip, int64_t now)
{
	struct lease_guest g = guest(n);
	struct lease_record r;
	bool durable;

	return lease_bind(w->t, &g, ip, false, 3600, now, &r, &durable);
}

static int state_of(const struct world *w, uint32_t ip)
{
	struct lease_record r;

	return lease_find(w->t, ip, &r) < 0 ? -1 : r.state;
}

static void test_offer(void **state)
{
	struct world w;
	uint32_t ip;

	(void)state;
	begin(&w);
	print_message("  the first address that nobody has\n");
	w.port[0] = w.port[1] = 0;
	assert_int_equal(offer(&w, 1, NOW, &ip), 0);
	assert_int_equal(ip, FIRST + 2);
	assert_int_equal(bind(&w, 1, ip, NOW), 0);
	assert_int_equal(state_of(&w, FIRST), LEASE_DECLINED);
	assert_int_equal(state_of(&w, FIRST + 1), LEASE_DECLINED);
	print_message("  those that are taken rest, without a question, and nobody is told of a lease that ended\n");
	w.asked = 0;
	assert_int_equal(offer(&w, 2, NOW, &ip), 0);
	assert_int_equal(ip, FIRST + 3);
	assert_int_equal(w.asked, 1);
	lease_expire(w.t, NOW + REST - 1);
	assert_int_equal(state_of(&w, FIRST), LEASE_DECLINED);
	w.told = 0;
	lease_expire(w.t, NOW + REST);
	assert_int_equal(state_of(&w, FIRST), -1);
	assert_int_equal(w.told, 0);
	print_message("  what a guest wishes for is asked about, too\n");
	w.port[9] = 1;
	w.wanted = FIRST + 9;
	assert_int_equal(offer(&w, 3, NOW + REST, &ip), 0);
	assert_int_not_equal(ip, FIRST + 9);
	assert_int_equal(state_of(&w, FIRST + 9), LEASE_DECLINED);
	lease_table_free(w.t);
}

/* What the guest has, had or shall have is its own, whoever claims it. */
static void test_own(void **state)
{
	struct world w;
	struct lease_guest g = guest(1);
	struct lease_record r;
	uint32_t ip, again;

	(void)state;
	begin(&w);
	assert_int_equal(offer(&w, 1, NOW, &ip), 0);
	assert_int_equal(bind(&w, 1, ip, NOW), 0);
	w.port[ip - FIRST] = 0;
	assert_int_equal(bind(&w, 1, ip, NOW + 10), 0);
	assert_int_equal(lease_release(w.t, &g, ip, NOW + 20, &r), 0);
	assert_int_equal(offer(&w, 1, NOW + 30, &again), 0);
	assert_int_equal(again, ip);
	lease_table_free(w.t);
}

static void test_request(void **state)
{
	struct world w;
	uint32_t ip, other;

	(void)state;
	begin(&w);
	print_message("  who is heard after the offer: the request is refused, and the next offer is another\n");
	assert_int_equal(offer(&w, 1, NOW, &ip), 0);
	w.port[ip - FIRST] = 0;
	assert_int_equal(bind(&w, 1, ip, NOW), -EADDRINUSE);
	assert_int_equal(state_of(&w, ip), LEASE_DECLINED);
	assert_int_equal(bind(&w, 1, ip, NOW), -ENOENT);
	assert_int_equal(offer(&w, 1, NOW, &other), 0);
	assert_int_not_equal(other, ip);
	assert_int_equal(bind(&w, 1, other, NOW), 0);
	lease_table_free(w.t);
}

/* One port cannot claim a pool away: three addresses rest, as many as it may decline. */
static void test_claimer(void **state)
{
	struct world w;
	uint32_t ip;
	unsigned resting = 0;

	(void)state;
	begin(&w);
	for (unsigned i = 0; i < POOL; i++)
		w.port[i] = 0;
	for (unsigned n = 0; n < 10; n++) {
		assert_int_equal(offer(&w, n, NOW, &ip), 0);
		assert_int_equal(bind(&w, n, ip, NOW), 0);
	}
	for (unsigned i = 0; i < POOL; i++)
		resting += state_of(&w, FIRST + i) == LEASE_DECLINED;
	assert_int_equal(resting, 3);
	print_message("  an idle address of somebody's, in a pool where nothing else is left, is asked about likewise\n");
	for (unsigned i = 0; i < POOL; i++)
		w.port[i] = -1;
	for (unsigned n = 10; n < 17; n++) {
		assert_int_equal(offer(&w, n, NOW, &ip), 0);
		assert_int_equal(bind(&w, n, ip, NOW), 0);
	}
	assert_int_equal(offer(&w, 18, NOW, &ip), -ENOSPC);
	assert_int_equal(lease_find_port(w.t, "gb", &(struct lease_record){ 0 }), 0);
	lease_port_gone(w.t, "gb", NOW);
	w.port[4] = 1;			/* gb's: three rest before it */
	w.told = 0;
	assert_int_equal(offer(&w, 18, NOW, &ip), -ENOSPC);
	assert_int_equal(state_of(&w, FIRST + 4), LEASE_DECLINED);
	lease_table_free(w.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offer), cmocka_unit_test(test_own), cmocka_unit_test(test_request), cmocka_unit_test(test_claimer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
