// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* How a TCP connection through the NAT may end, under each load and on a wire that loses, doubles and reorders: whatever an end has
 * sent before it ended in order arrives, as it was; after a reset what arrived is a beginning of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "tests/packet/conversation.h"

enum ending {
	GUEST_FIRST,			/* the guest ends its side; the remote goes on and then ends too */
	REMOTE_FIRST,
	BOTH_AT_ONCE,			/* FINs cross */
	GUEST_RESETS, REMOTE_RESETS,	/* in the middle */
	REMOTE_CLOSES,			/* close() once its last byte is out, with the guest's bytes still coming: a reset follows the data */
	ENDINGS,
};

static const char *const ending_names[ENDINGS] = {
	"the guest ends first", "the remote ends first", "both end at once", "the guest resets", "the remote resets", "the remote is closed",
};

static const struct {
	const char *what;
	size_t to_remote, to_guest;
} loads[] = {
	{ "no data", 0, 0 },
	{ "one byte each way", 1, 1 },
	{ "load up", CONVERSATION_BYTES, 0 },
	{ "load down", 0, CONVERSATION_BYTES },
	{ "load both ways", CONVERSATION_BYTES / 2, CONVERSATION_BYTES / 2 },
};

static const struct {
	const char *what;
	struct manners manners;
	bool gso, reread;
	uint32_t window;
	size_t read_at_once;
} wires[] = {
	{ "clean", { 0, 0, 0 }, true, false, 1 << 20, 0 },
	{ "clean, no peek offset", { 0, 0, 0 }, true, true, 512 << 10, 0 },
	{ "lossy", { 3, 0, 0 }, true, false, 512 << 10, 0 },
	{ "doubling and reordering", { 0, 5, 5 }, true, false, 512 << 10, 0 },
	{ "all of it, small segments", { 1, 2, 3 }, false, false, 256 << 10, 0 },
	{ "a narrow guest and a slow remote", { 0, 0, 0 }, false, false, 6000, 20000 },
};

static uint8_t *pattern;

static void begin_case(struct conversation *c, unsigned ending, unsigned load, unsigned wire)
{
	struct nat_conf conf = conversation_conf;

	conf.no_peek_offset = wires[wire].reread;
	conversation_begin(c, &conf);
	c->bed.random += ending * 64 + load * 8 + wire;
	c->g.use_gso = wires[wire].gso;
	c->g.window = wires[wire].window;
	conversation_connect(c);
	c->up.manners = c->down.manners = wires[wire].manners;
	c->r.read_at_once = wires[wire].read_at_once;
	c->g.out = c->r.out = pattern;
	c->g.out_size = loads[load].to_remote;
	c->r.out_size = loads[load].to_guest;
	guest_send(&c->g);
}

/* half() - has about half of the load arrived? */
static bool half(const struct conversation *c)
{
	return c->r.in_size >= c->g.out_size / 2 && c->g.in_size >= c->r.out_size / 2;
}

static void assert_all_arrived(const struct conversation *c)
{
	assert_int_equal(c->r.in_size, c->g.out_size);
	assert_int_equal(c->g.in_size, c->r.out_size);
	assert_memory_equal(c->r.in, pattern, c->r.in_size);
	assert_memory_equal(c->g.in, pattern, c->g.in_size);
}

static void assert_beginnings(const struct conversation *c)
{
	assert_true(c->r.in_size <= c->g.out_size && c->g.in_size <= c->r.out_size);
	assert_memory_equal(c->r.in, pattern, c->r.in_size);
	assert_memory_equal(c->g.in, pattern, c->g.in_size);
}

/* end_in_order() - each end has ended its side and seen the other's end; nothing of the connection is left */
static void end_in_order(struct conversation *c)
{
	CONVERSE_UNTIL(c, c->g.fin_seen && c->g.fin_acked && c->r.eof);
	assert_all_arrived(c);
	assert_false(c->g.reset);
	CONVERSE_UNTIL(c, budget_used() == 0);
}

static void guest_first(struct conversation *c)
{
	c->g.want_fin = true;
	guest_send(&c->g);
	CONVERSE_UNTIL(c, c->r.eof);
	assert_int_equal(c->r.in_size, c->g.out_size);
	c->r.shut_at_end = true;
	end_in_order(c);
}

static void remote_first(struct conversation *c)
{
	c->r.shut_at_end = true;
	CONVERSE_UNTIL(c, c->g.fin_seen);
	assert_int_equal(c->g.in_size, c->r.out_size);
	c->g.want_fin = true;
	guest_send(&c->g);
	end_in_order(c);
}

static void both_at_once(struct conversation *c)
{
	c->r.shut_at_end = c->g.want_fin = true;
	remote_step(&c->r);
	guest_send(&c->g);
	end_in_order(c);
}

/* guest_resets() - a reset may get lost like any segment: it is then found out by the answer to what comes next */
static void guest_resets(struct conversation *c)
{
	CONVERSE_UNTIL(c, half(c));
	c->g.out_size = c->g.snd_nxt - c->g.iss - 1;	/* nothing more */
	c->up.manners = c->down.manners = (struct manners){ 0, 0, 0 };
	guest_put(&c->g, TCP_RST | TCP_ACK, c->g.snd_una, NULL, 0);	/* as far as the NAT is known to be */
	for (int i = 0; i < 20; i++)
		conversation_step(c);
	guest_put(&c->g, TCP_RST | TCP_ACK, c->g.snd_una, NULL, 0);
	CONVERSE_UNTIL(c, c->r.error && conversation_flows(c) == 0);
	assert_beginnings(c);
}

static void remote_resets(struct conversation *c)
{
	CONVERSE_UNTIL(c, half(c));
	c->up.manners = c->down.manners = (struct manners){ 0, 0, 0 };
	remote_reset(&c->r);
	CONVERSE_UNTIL(c, c->g.reset);
	assert_beginnings(c);
	CONVERSE_UNTIL(c, conversation_flows(c) == 0);
}

/* remote_closes() - its last bytes stand before the reset, also those that the guest had no window for when it came */
static void remote_closes(struct conversation *c)
{
	c->r.close_at_end = true;
	CONVERSE_UNTIL(c, c->g.in_size == c->r.out_size && (c->g.reset || c->g.fin_seen));
	assert_memory_equal(c->g.in, pattern, c->g.in_size);
	c->g.want_fin = true;
	guest_send(&c->g);
	CONVERSE_UNTIL(c, budget_used() == 0 || c->g.reset);
	CONVERSE_UNTIL(c, budget_used() == 0);
}

static void test_endings(void **state)
{
	static void (*const play[ENDINGS])(struct conversation *c) = {
		guest_first, remote_first, both_at_once, guest_resets, remote_resets, remote_closes,
	};
	static struct conversation c;

	(void)state;
	for (unsigned ending = 0; ending < ENDINGS; ending++) {
		for (unsigned load = 0; load < ARRAY_SIZE(loads); load++) {
			for (unsigned wire = 0; wire < ARRAY_SIZE(wires); wire++) {
				print_message("  %s, %s, %s\n", ending_names[ending], loads[load].what, wires[wire].what);
				begin_case(&c, ending, load, wire);
				play[ending](&c);
				conversation_end(&c);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endings),
	};
	int rc;

	urcu_qsbr_register_thread();
	pattern = conversation_pattern(CONVERSATION_BYTES);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	free(pattern);
	return rc;
}
