// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* A guest's TCP through the NAT to real loopback sockets: open, data both ways with loss, every way to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "nat/budget.h"
#include "tests/packet/guest_tcp.h"

static const struct nat_conf loopback = { .host_access = HOST_LOOPBACK, .uplink = true };

/* remote - the server's end */
struct remote {
	int listener, fd;
	uint16_t port;
	const uint8_t *out;
	size_t out_size, sent;
	uint8_t *in;
	size_t in_size;
	bool eof, error;
	bool shut, shut_at_end;
	bool hold;			/* do not read */
};

static uint8_t *pattern(size_t size)
{
	uint8_t *p = malloc(size);
	uint64_t x = 1;

	for (size_t i = 0; i < size; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		p[i] = (uint8_t)(x >> 56);
	}
	return p;
}

static void remote_init(struct remote *r)
{
	*r = (struct remote){ .fd = -1, .in = malloc(12 << 20) };
	r->listener = bed_listen(SOCK_STREAM, &r->port);
}

static void remote_fini(struct remote *r)
{
	if (r->fd >= 0)
		close(r->fd);
	close(r->listener);
	free(r->in);
}

static void remote_step(struct remote *r)
{
	ssize_t n;

	if (r->fd < 0)
		r->fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (r->fd < 0)
		return;
	if (r->sent < r->out_size) {
		n = send(r->fd, r->out + r->sent, r->out_size - r->sent, MSG_NOSIGNAL);
		if (n > 0)
			r->sent += (size_t)n;
	}
	if (r->shut_at_end && r->sent == r->out_size && !r->shut) {
		shutdown(r->fd, SHUT_WR);
		r->shut = true;
	}
	while (!r->hold && !r->eof && !r->error) {
		n = recv(r->fd, r->in + r->in_size, (12 << 20) - r->in_size, 0);
		if (n == 0)
			r->eof = true;
		else if (n > 0)
			r->in_size += (size_t)n;
		else if (errno != EAGAIN)
			r->error = true;
		else
			break;
	}
}

struct case_state {
	struct bed bed;
	struct remote r;
	struct guest_tcp g, *guests[1];
	unsigned descriptors;
};

static void begin_with(struct case_state *c, const struct nat_conf *conf)
{
	c->descriptors = bed_descriptors();
	bed_init(&c->bed, conf, 1);
	remote_init(&c->r);
	guest_init(&c->g, &c->bed, 40000, c->r.port);
	c->guests[0] = &c->g;
}

static void begin(struct case_state *c)
{
	begin_with(c, &loopback);
}

static uint64_t flows(struct bed *bed)
{
	struct nat_counts counts;

	nat_count(bed->nat, &counts);
	return counts.flows;
}

static void end(struct case_state *c)
{
	assert_int_equal(c->bed.bad, 0);
	assert_int_equal(c->g.wrong, 0);
	guest_fini(&c->g);
	remote_fini(&c->r);
	bed_fini(&c->bed);
	assert_int_equal(budget_used(), 0);
	assert_int_equal(bed_descriptors(), c->descriptors);
}

#define STEP_UNTIL(c, cond) UNTIL(&(c)->bed, (c)->guests, 1, remote_step(&(c)->r), cond)

static void connect_both(struct case_state *c)
{
	guest_connect(&c->g);
	STEP_UNTIL(c, c->g.connected && c->r.fd >= 0);
}

static void test_open_and_close(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	connect_both(&c);
	assert_int_equal(c.g.peer_mss, bed_ip6 ? 1440 : 1460);
	assert_int_equal(c.g.peer_scale, 7);
	c.g.out = (const uint8_t *)"hello";
	c.g.out_size = 5;
	guest_send(&c.g);
	STEP_UNTIL(&c, c.r.in_size == 5);
	assert_memory_equal(c.r.in, "hello", 5);
	c.r.out = (const uint8_t *)"world!";
	c.r.out_size = 6;
	STEP_UNTIL(&c, c.g.in_size == 6);
	assert_memory_equal(c.g.in, "world!", 6);

	c.g.want_fin = true;
	guest_send(&c.g);
	STEP_UNTIL(&c, c.r.eof && c.g.fin_acked);
	assert_false(c.g.fin_seen);		/* half closed: the other way goes on */
	c.r.out = (const uint8_t *)"world!more";
	c.r.out_size = 10;
	STEP_UNTIL(&c, c.g.in_size == 10);
	c.r.shut_at_end = true;
	STEP_UNTIL(&c, c.g.fin_seen);
	bed_settle(&c.bed);
	assert_int_equal(budget_used(), 0);	/* the socket is closed, the flow waits for late segments */
	assert_int_equal(flows(&c.bed), 1);
	guest_put(&c.g, TCP_FIN | TCP_ACK, c.g.snd_nxt - 1, NULL, 0);
	assert_int_equal(c.bed.queued, 1);	/* acknowledged again */
	bed_skip(&c.bed, 11000, 1000);
	assert_int_equal(flows(&c.bed), 0);
	end(&c);
}

static void test_remote_closes_first(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	connect_both(&c);
	c.r.out = pattern(100000);
	c.r.out_size = 100000;
	c.r.shut_at_end = true;
	STEP_UNTIL(&c, c.g.fin_seen);
	assert_int_equal(c.g.in_size, 100000);
	assert_memory_equal(c.g.in, c.r.out, 100000);
	c.g.out = c.r.out;
	c.g.out_size = 50000;
	c.g.want_fin = true;
	guest_send(&c.g);
	STEP_UNTIL(&c, c.r.eof);
	assert_int_equal(c.r.in_size, 50000);
	assert_memory_equal(c.r.in, c.g.out, 50000);
	free((void *)(uintptr_t)c.r.out);
	bed_settle(&c.bed);
	assert_int_equal(budget_used(), 0);
	end(&c);
}

static bool lose_some(struct bed *bed, const struct frame *frame)
{
	(void)frame;
	return bed_random(bed) % 100 < 3;
}

static const struct {
	const char *what;
	bool loss, gso, scale, reread;
	uint32_t window;
	size_t size;
} bulk[] = {
	{ "large segments, no loss", false, true, true, false, 1 << 20, 10 << 20 },
	{ "large segments, 3 % of frames lost", true, true, true, false, 1 << 20, 10 << 20 },
	{ "small segments, 3 % lost", true, false, true, false, 256 << 10, 4 << 20 },
	{ "no window scaling, 3 % lost", true, true, false, false, 65535, 4 << 20 },
	{ "kernel without peek offset", false, true, true, true, 1 << 20, 10 << 20 },
	{ "kernel without peek offset, 3 % lost", true, true, true, true, 512 << 10, 4 << 20 },
	{ "a window smaller than a segment", false, false, true, false, 1000, 200 << 10 },
};

static void test_bulk_both_ways(void **state)
{
	uint8_t *data = pattern(10 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(bulk) / sizeof(bulk[0]); i++) {
		struct nat_conf conf = loopback;
		struct nat_counts counts;
		struct case_state c;

		print_message("  %s\n", bulk[i].what);
		conf.no_peek_offset = bulk[i].reread;
		begin_with(&c, &conf);
		c.g.scale = bulk[i].scale;
		c.g.window = bulk[i].window;
		c.g.use_gso = bulk[i].gso;
		connect_both(&c);
		c.bed.lose = bulk[i].loss ? lose_some : NULL;
		c.g.out = c.r.out = data;
		c.g.out_size = c.r.out_size = bulk[i].size;
		c.g.want_fin = c.r.shut_at_end = true;
		guest_send(&c.g);
		STEP_UNTIL(&c, c.g.fin_seen && c.g.fin_acked && c.r.eof);
		assert_int_equal(c.g.in_size, bulk[i].size);
		assert_int_equal(c.r.in_size, bulk[i].size);
		assert_memory_equal(c.g.in, data, bulk[i].size);
		assert_memory_equal(c.r.in, data, bulk[i].size);
		nat_count(c.bed.nat, &counts);
		assert_true(bulk[i].loss || counts.retransmits == 0);
		c.bed.lose = NULL;
		end(&c);
	}
	free(data);
}

static void test_refused(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	close(c.r.listener);
	guest_connect(&c.g);
	STEP_UNTIL(&c, c.g.reset);
	assert_int_equal(flows(&c.bed), 0);
	c.r.listener = dup(2);
	end(&c);
}

static void test_unreachable(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	c.g.remote = bed_ip6 ? (struct addr){ .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 7 } } : addr4(0xc6336407);	/* no route there */
	guest_connect(&c.g);
	STEP_UNTIL(&c, c.g.unreachable);
	assert_int_equal(c.g.icmp_code, 0);
	assert_int_equal(flows(&c.bed), 0);
	end(&c);
}

static void test_reset_by_guest(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	connect_both(&c);
	guest_put(&c.g, TCP_RST | TCP_ACK, c.g.snd_nxt + 1000, NULL, 0);	/* blind: asked back, not believed */
	bed_settle(&c.bed);
	assert_int_equal(flows(&c.bed), 1);
	assert_int_equal(c.bed.queued, 1);
	guest_put(&c.g, TCP_RST | TCP_ACK, c.g.snd_nxt + (64 << 20), NULL, 0);	/* far outside: not even asked */
	bed_settle(&c.bed);
	assert_int_equal(c.bed.queued, 1);
	assert_false(c.r.error);
	guest_put(&c.g, TCP_RST | TCP_ACK, c.g.snd_nxt, NULL, 0);
	STEP_UNTIL(&c, c.r.error);
	assert_int_equal(flows(&c.bed), 0);
	end(&c);
}

static void test_reset_by_remote(void **state)
{
	struct linger now = { 1, 0 };
	struct case_state c;

	(void)state;
	begin(&c);
	connect_both(&c);
	setsockopt(c.r.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(c.r.fd);
	c.r.fd = -1;
	STEP_UNTIL(&c, c.g.reset);
	assert_int_equal(flows(&c.bed), 0);
	end(&c);
}

static void test_guest_window_closed(void **state)
{
	struct case_state c;
	unsigned wakeups = 0;

	(void)state;
	begin(&c);
	c.g.window = 0;
	connect_both(&c);
	c.r.out = pattern(1 << 20);
	c.r.out_size = 1 << 20;
	for (int i = 0; i < 200; i++)
		guests_step(&c.bed, c.guests, 1), remote_step(&c.r);
	assert_int_equal(c.g.in_size, 0);
	for (int i = 0; i < 100; i++)		/* data waits in the socket, and nobody spins over it */
		wakeups += bed_turn(&c.bed, 0);
	assert_true(wakeups < 5);
	for (int i = 0; i < 300; i++) {		/* probed for longer than a silent guest is kept: it answers */
		bed_advance(&c.bed, 5000);
		guests_step(&c.bed, c.guests, 1);
	}
	assert_int_equal(flows(&c.bed), 1);
	c.g.window = 100000;
	guest_ack(&c.g);
	STEP_UNTIL(&c, c.g.in_size == c.r.out_size);
	assert_memory_equal(c.g.in, c.r.out, c.r.out_size);
	free((void *)(uintptr_t)c.r.out);
	end(&c);
}

static void test_remote_does_not_read(void **state)
{
	struct case_state c;
	size_t taken;

	(void)state;
	begin(&c);
	c.r.hold = true;
	c.g.use_gso = true;
	connect_both(&c);
	c.g.out = pattern(10 << 20);
	c.g.out_size = 10 << 20;
	guest_send(&c.g);
	STEP_UNTIL(&c, c.g.peer_window == 0);
	taken = c.g.snd_una - c.g.iss - 1;
	assert_true(taken < c.g.out_size);
	for (int i = 0; i < 300; i++)
		guests_step(&c.bed, c.guests, 1);
	assert_int_equal(flows(&c.bed), 1);
	c.r.hold = false;
	STEP_UNTIL(&c, c.r.in_size == c.g.out_size);
	assert_memory_equal(c.r.in, c.g.out, c.g.out_size);
	free((void *)(uintptr_t)c.g.out);
	end(&c);
}

static void test_port_full(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	connect_both(&c);
	c.r.out = pattern(1 << 20);
	c.r.out_size = 1 << 20;
	c.bed.full = true;
	for (int i = 0; i < 100; i++)
		guests_step(&c.bed, c.guests, 1), remote_step(&c.r);
	assert_int_equal(c.g.in_size, 0);
	c.bed.full = false;
	STEP_UNTIL(&c, c.g.in_size == c.r.out_size);
	assert_memory_equal(c.g.in, c.r.out, c.r.out_size);
	free((void *)(uintptr_t)c.r.out);
	end(&c);
}

static void test_idle(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	connect_both(&c);
	bed_settle(&c.bed);
	bed_skip(&c.bed, 7439000, 60000);	/* RFC 5382 REQ-5: 2 hours 4 minutes */
	assert_int_equal(flows(&c.bed), 1);
	bed_skip(&c.bed, 2000, 1000);
	assert_int_equal(flows(&c.bed), 0);
	STEP_UNTIL(&c, c.g.reset && c.r.error);
	end(&c);
}

static void test_answer_lost(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
	bed_settle(&c.bed);
	bed_flush(&c.bed);
	bed_skip(&c.bed, 1100, 100);
	assert_int_equal(c.bed.queued, 1);	/* SYN-ACK again, by time */
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
	assert_int_equal(c.bed.queued, 2);	/* and asked for */
	bed_flush(&c.bed);
	bed_skip(&c.bed, 60000, 500);
	assert_int_equal(flows(&c.bed), 0);
	remote_step(&c.r);
	if (c.r.fd >= 0)		/* as a rule it never hears of a guest that did not answer */
		STEP_UNTIL(&c, c.r.error || c.r.eof);
	end(&c);
}

static void test_data_before_open(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
	bed_settle(&c.bed);
	guest_put(&c.g, TCP_ACK | TCP_PSH, c.g.iss + 1, (const uint8_t *)"blind", 5);	/* acknowledges nothing that we sent */
	bed_settle(&c.bed);
	remote_step(&c.r);
	assert_int_equal(c.r.in_size, 0);
	assert_int_equal(c.bed.verdicts[VERDICT_DROP_NO_SESSION], 1);
	end(&c);
}

static void test_ports_are_apart(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	connect_both(&c);
	c.g.port_id = 2;			/* a neighbour speaks in the guest's name */
	guest_put(&c.g, TCP_RST, c.g.snd_nxt, NULL, 0);
	guest_put(&c.g, TCP_ACK | TCP_PSH, c.g.snd_nxt, (const uint8_t *)"evil", 4);
	bed_settle(&c.bed);
	remote_step(&c.r);
	assert_int_equal(c.r.in_size, 0);
	assert_false(c.r.error);
	assert_int_equal(flows(&c.bed), 1);
	assert_int_equal(c.bed.verdicts[VERDICT_DROP_NO_SESSION], 2);
	end(&c);
}

static void test_quota(void **state)
{
	struct nat_conf conf = loopback;
	struct guest_tcp g;
	struct case_state c;
	struct nat_counts counts;

	(void)state;
	conf.flows_max = 20;
	conf.half_open_max = 5;
	begin_with(&c, &conf);
	for (uint16_t i = 0; i < 40; i++) {	/* never acknowledged */
		guest_init(&g, &c.bed, 1000 + i, c.r.port);
		guest_put(&g, TCP_SYN, g.iss, NULL, 0);
		guest_fini(&g);
	}
	assert_int_equal(c.bed.verdicts[VERDICT_DROP_QUOTA], 35);
	bed_skip(&c.bed, 60000, 500);
	assert_int_equal(flows(&c.bed), 0);
	bed_flush(&c.bed);
	for (uint16_t i = 0; i < 40; i++) {
		guest_init(&g, &c.bed, 2000 + i, c.r.port);
		guest_put(&g, TCP_SYN, g.iss, NULL, 0);
		bed_settle(&c.bed);
		for (struct bed_frame *f = bed_next(&c.bed); f; f = bed_next(&c.bed)) {
			guest_input(&g, f);
			free(f);
		}
		guest_fini(&g);
	}
	assert_int_equal(flows(&c.bed), 20);
	assert_int_equal(c.bed.verdicts[VERDICT_DROP_QUOTA], 35 + 20);
	assert_true(nat_forget_port(c.bed.nat, 1));
	bed_settle(&c.bed);
	assert_int_equal(flows(&c.bed), 0);
	nat_count(c.bed.nat, &counts);
	assert_int_equal(counts.opened, 25);
	end(&c);
}

static void test_reopened_port(void **state)
{
	struct case_state c;

	(void)state;
	begin(&c);
	connect_both(&c);
	c.g.want_fin = c.r.shut_at_end = true;
	guest_send(&c.g);
	STEP_UNTIL(&c, c.g.fin_seen && c.g.fin_acked && c.r.eof);
	bed_settle(&c.bed);
	assert_int_equal(flows(&c.bed), 1);
	close(c.r.fd);
	c.r.fd = -1;
	c.r.eof = c.r.shut = c.r.shut_at_end = false;
	guest_fini(&c.g);
	guest_init(&c.g, &c.bed, 40000, c.r.port);
	c.g.iss += 70000;			/* same ports, a higher sequence number: new at once */
	c.g.snd_una = c.g.iss;
	c.g.snd_nxt = c.g.iss + 1;
	connect_both(&c);
	assert_int_equal(flows(&c.bed), 1);
	end(&c);
}

/* Data that overtook other data, and the FIN behind it, wait for what is missing: nothing has to be sent twice. */
static void test_out_of_order(void **state)
{
	struct case_state c;
	uint32_t seq;

	(void)state;
	begin(&c);
	connect_both(&c);
	seq = c.g.snd_nxt;
	c.g.out = (const uint8_t *)"one..two..three";
	c.g.out_size = 15;
	c.g.want_fin = c.g.fin_sent = true;
	c.g.snd_nxt += 16;		/* sent here by hand */
	guest_put(&c.g, TCP_ACK | TCP_FIN, seq + 10, (const uint8_t *)"three", 5);
	guest_put(&c.g, TCP_ACK, seq + 5, (const uint8_t *)"two..", 5);
	guest_put(&c.g, TCP_ACK, seq + 5, (const uint8_t *)"two..", 5);	/* twice is no more than once */
	for (int i = 0; i < 5; i++)
		guests_step(&c.bed, c.guests, 1);
	assert_int_equal(c.r.in_size, 0);
	guest_put(&c.g, TCP_ACK, seq, (const uint8_t *)"one..", 5);
	STEP_UNTIL(&c, c.r.in_size == 15 && c.r.eof);
	assert_memory_equal(c.r.in, "one..two..three", 15);
	end(&c);
}

/* What lies beyond the window that was told is not kept. */
static void test_beyond_window(void **state)
{
	struct case_state c;
	uint32_t seq;

	(void)state;
	begin(&c);
	connect_both(&c);
	seq = c.g.snd_nxt;
	c.g.out = (const uint8_t *)"near.";
	c.g.out_size = 5;
	c.g.snd_nxt += 5;		/* sent here by hand */
	guest_put(&c.g, TCP_ACK, seq + 5 + (64u << 20), (const uint8_t *)"far..", 5);
	guest_put(&c.g, TCP_ACK, seq, (const uint8_t *)"near.", 5);
	STEP_UNTIL(&c, c.r.in_size == 5);
	for (int i = 0; i < 5; i++)
		guests_step(&c.bed, c.guests, 1);
	assert_int_equal(c.r.in_size, 5);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_and_close),
		cmocka_unit_test(test_remote_closes_first),
		cmocka_unit_test(test_bulk_both_ways),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_reset_by_guest),
		cmocka_unit_test(test_reset_by_remote),
		cmocka_unit_test(test_guest_window_closed),
		cmocka_unit_test(test_remote_does_not_read),
		cmocka_unit_test(test_port_full),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_answer_lost),
		cmocka_unit_test(test_data_before_open),
		cmocka_unit_test(test_ports_are_apart),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_reopened_port),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_beyond_window),
	};

	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
