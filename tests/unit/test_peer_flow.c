// SPDX-License-Identifier: GPL-2.0-or-later
/* What was opened across a peering, and for how long; and packets that wait for a guest to be heard of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "nat/peer_flow.h"
#include "nat/peer_wait.h"
#include "switch/packet.h"

enum { PORT = 7, OTHER = 8 };

static struct peer_flow flow_of(uint8_t proto, uint16_t sport)
{
	return (struct peer_flow){ addr4(0x0a010002), addr4(0x0a020002), sport, 80, proto };
}

/* step - after @s seconds: 'o' the opener sends, 'a' an answer comes, 'e' an error is looked up */
struct step {
	uint32_t s;
	char what;
	uint8_t flags;
	bool there;			/* a and e: as the table says */
};

static const struct {
	const char *what;
	uint8_t proto;
	struct step steps[10];
} lives[] = {
	{ "nothing was opened", PROTO_TCP, { { 0, 'a', TCP_ACK, false }, { 0, 'e', 0, false } } },
	{ "TCP lasts two hours without a packet", PROTO_TCP,
	  { { 0, 'o', TCP_SYN, 0 }, { 0, 'a', TCP_SYN | TCP_ACK, true }, { 1, 'o', TCP_ACK, 0 }, { 7439, 'a', TCP_ACK, true }, { 7439, 'e', 0, true },
	    { 2, 'e', 0, false } } },
	{ "a SYN that nobody answers four minutes", PROTO_TCP, { { 0, 'o', TCP_SYN, 0 }, { 239, 'e', 0, true }, { 2, 'a', TCP_ACK, false } } },
	{ "four minutes after a FIN, whatever comes then", PROTO_TCP,
	  { { 0, 'o', TCP_ACK, 0 }, { 9, 'a', TCP_FIN | TCP_ACK, true }, { 200, 'o', TCP_ACK, 0 }, { 30, 'a', TCP_ACK, true }, { 20, 'a', TCP_ACK, false } } },
	{ "or a reset", PROTO_TCP, { { 0, 'o', TCP_ACK, 0 }, { 9, 'o', TCP_RST, 0 }, { 239, 'e', 0, true }, { 2, 'e', 0, false } } },
	{ "which a SYN begins anew", PROTO_TCP,
	  { { 0, 'o', TCP_ACK, 0 }, { 9, 'o', TCP_FIN, 0 }, { 9, 'o', TCP_SYN, 0 }, { 9, 'o', TCP_ACK, 0 }, { 7000, 'e', 0, true } } },
	{ "UDP five minutes, which answers do not prolong", PROTO_UDP,
	  { { 0, 'o', 0, 0 }, { 200, 'a', 0, true }, { 99, 'a', 0, true }, { 2, 'a', 0, false } } },
	{ "pings one minute", PROTO_ICMP, { { 0, 'o', 0, 0 }, { 59, 'a', 0, true }, { 2, 'a', 0, false } } },
};

static void test_lives(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lives); i++) {
		struct peer_flows *t = peer_flows_new();
		struct peer_flow f = flow_of(lives[i].proto, 40000), g = flow_of(lives[i].proto, 40001);
		uint64_t now_ms = 5000000;

		print_message("  %s\n", lives[i].what);
		for (const struct step *s = lives[i].steps; s->what; s++) {
			now_ms += s->s * 1000ull;
			if (s->what == 'o')
				peer_flows_note(t, PORT, &f, s->flags, now_ms);
			else if (s->what == 'a')
				assert_int_equal(peer_flows_answer(t, PORT, &f, s->flags, now_ms), s->there);
			else
				assert_int_equal(peer_flows_has(t, PORT, &f, now_ms), s->there);
			assert_false(peer_flows_has(t, OTHER, &f, now_ms));	/* it is this port's alone */
			assert_false(peer_flows_has(t, PORT, &g, now_ms));
		}
		peer_flows_free(t);
	}
}

/* Who opens more than it may have loses its own, and nobody else any. */
static void test_crowd(void **state)
{
	struct peer_flows *t = peer_flows_new();
	struct peer_flow mine = flow_of(PROTO_TCP, 1);
	unsigned left = 0;

	(void)state;
	peer_flows_note(t, OTHER, &mine, TCP_ACK, 1000);
	for (unsigned i = 0; i < 20000; i++) {
		struct peer_flow f = flow_of(PROTO_TCP, (uint16_t)i);

		peer_flows_note(t, PORT, &f, TCP_SYN, 1000 + i);
		assert_true(peer_flows_has(t, PORT, &f, 1000 + i));
	}
	for (unsigned i = 0; i < 20000; i++) {
		struct peer_flow f = flow_of(PROTO_TCP, (uint16_t)i);

		left += peer_flows_has(t, PORT, &f, 22000);
	}
	assert_in_range(left, PEER_FLOWS / 2, PEER_FLOWS);
	assert_true(peer_flows_has(t, OTHER, &mine, 22000));
	peer_flows_note(t, UINT32_MAX, &mine, 0, 1);	/* no such port */
	assert_false(peer_flows_has(t, UINT32_MAX, &mine, 1));
	peer_flows_free(t);
}

/* ---- waiting ---- */

static struct peer_wait_said put(struct peer_wait *w, uint8_t low, uint32_t sender, uint32_t len, uint64_t now_ms)
{
	static uint8_t data[2000];
	struct frame f;

	frame_init(&f, data, len);
	f.vid = 1;
	data[20] = low;
	return peer_wait_put(w, addr4(0x0a020000 + low), sender, &f, true, now_ms);
}

static void test_wait(void **state)
{
	struct peer_wait *w = peer_wait_new();
	struct peer_waiting got;
	struct peer_wait_said s;

	(void)state;
	assert_true(peer_wait_is_empty(w));
	s = put(w, 9, PORT, 100, 1000);
	assert_true(s.kept && s.ask && !s.nobody);
	s = put(w, 9, PORT, 101, 1500);
	assert_true(s.kept && !s.ask);
	s = put(w, 9, PORT, 102, 2000);
	assert_true(s.kept && s.ask);			/* a second later it is asked again */
	assert_true(put(w, 9, PORT, 103, 2100).kept);
	print_message("  four of one sender, four for one address\n");
	assert_false(put(w, 9, PORT, 104, 2200).kept);
	assert_false(put(w, 9, OTHER, 104, 2200).kept);
	assert_false(put(w, 10, PORT, 104, 2200).kept);
	assert_false(put(w, 10, OTHER, PEER_WAIT_FRAME + 1, 2200).kept);
	print_message("  taken in the order they came, by who hears the answer on that segment\n");
	assert_false(peer_wait_take(w, addr4(0x0a020009), 2, &got));
	assert_false(peer_wait_take(w, addr4(0x0a02000a), 1, &got));
	for (unsigned i = 0; i < 4; i++) {
		assert_true(peer_wait_take(w, addr4(0x0a020009), 1, &got));
		assert_int_equal(got.len, 100 + i);
		assert_int_equal(got.data[20], 9);
	}
	assert_false(peer_wait_take(w, addr4(0x0a020009), 1, &got));
	assert_true(peer_wait_is_empty(w));
	print_message("  whom nobody answers for is told so once, and asked for anew\n");
	assert_true(put(w, 9, PORT, 100, 5000).ask);
	s = put(w, 9, PORT, 100, 8000);
	assert_true(s.nobody && !s.kept);
	assert_int_equal(s.forgotten, 1);
	assert_true(peer_wait_is_empty(w));
	assert_true(put(w, 9, PORT, 100, 8001).ask);
	print_message("  a full table gives places whose time is over\n");
	for (unsigned i = 1; i < PEER_WAIT_PLACES; i++)
		assert_true(put(w, (uint8_t)(100 + i), 100 + i, 60, 9000).kept);
	assert_false(put(w, 200, 300, 60, 9000).kept);
	s = put(w, 200, 300, 60, 11500);
	assert_true(s.kept);
	assert_int_equal(s.forgotten, 1);
	peer_wait_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lives), cmocka_unit_test(test_crowd), cmocka_unit_test(test_wait) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
