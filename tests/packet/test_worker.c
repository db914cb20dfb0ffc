// SPDX-License-Identifier: GPL-2.0-or-later
/* A worker's life: ports that come and go, peers that vanish, descriptors, timers and messages. */
#include "switch/worker.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "tests/packet/rig.h"

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t one[6] = { 2, 0, 0, 0, 0, 1 }, two[6] = { 2, 0, 0, 0, 0, 2 };

static void offer(struct rig_port *p, const uint8_t *dst, const uint8_t *src)
{
	uint8_t bytes[128];

	rig_offer(p, bytes, rig_eth(bytes, dst, src, -1, 0x1234, 46));
}

static uint64_t received(const struct rig_port *p)
{
	struct port_stats s = rig_stats(&p->port);

	return s.rx_frames;
}

/* ---- ports ---- */

static void test_gone(void **state)
{
	struct rig *rig = rig_new();
	struct rig_port *a, *b;

	(void)state;
	rig_net(rig, 1500, false);
	a = rig_port(rig, 0, rig_access(1));
	b = rig_port(rig, 0, rig_access(1));
	rig_publish(rig);
	print_message("  what waited is moved first, then the peer is missed\n");
	offer(a, everybody, one);
	a->gone = -EPIPE;
	rig_run(rig);
	assert_int_equal(b->nsent, 1);
	assert_int_equal(a->told, -EPIPE);
	print_message("  and nobody listens to the port any more, while frames still go there\n");
	a->gone = a->told = 0;
	rig_offer(a, one, 6);
	worker_turn(rig->w, 0);
	worker_turn(rig->w, 0);
	assert_int_equal(received(a), 1);
	offer(b, one, two);
	worker_turn(rig->w, 0);
	assert_int_equal(a->nsent, 1);
	rig_remove(a);			/* twice unwatched is no trouble */
	rig_run(rig);
	rig_free(rig);
}

static void test_remove_while_busy(void **state)
{
	struct rig *rig = rig_new();
	struct rig_port *a, *b;

	(void)state;
	rig_net(rig, 1500, false);
	a = rig_port(rig, 0, rig_access(1));
	b = rig_port(rig, 0, rig_access(1));
	rig_publish(rig);
	for (unsigned i = 0; i < 10000; i++)
		offer(a, everybody, one);
	worker_turn(rig->w, 0);		/* a few bursts in */
	assert_in_range(b->nsent, 1, 9999);
	rig_remove(a);			/* its frames that still wait go with it */
	rig_run(rig);
	urcu_qsbr_barrier();		/* freed: the address sanitizer watches */
	offer(b, one, two);
	rig_run(rig);
	assert_int_equal(rig_verdict(b, VERDICT_DROP_NO_DESTINATION), 1);
	rig_free(rig);
}

/* A port that is not in the snapshot yet, or no more, is drained and moves nothing. */
static void test_unpublished(void **state)
{
	struct rig *rig = rig_new();
	struct rig_port *a, *b;

	(void)state;
	rig_net(rig, 1500, false);
	b = rig_port(rig, 0, rig_access(1));
	rig_publish(rig);
	a = rig_port(rig, 0, rig_access(1));
	worker_turn(rig->w, 0);
	offer(a, everybody, one);
	rig_run(rig);
	assert_int_equal(a->nwire + b->nsent, 0);
	rig_free(rig);
}

/* A busy port does not keep a quiet one waiting for more than its few bursts. */
static void test_turns(void **state)
{
	struct rig *rig = rig_new();
	struct rig_port *busy, *quiet, *out;

	(void)state;
	rig_net(rig, 1500, false);
	busy = rig_port(rig, 0, rig_access(1));
	quiet = rig_port(rig, 0, rig_access(1));
	out = rig_port(rig, 0, rig_access(1));
	rig_publish(rig);
	for (unsigned i = 0; i < 5000; i++)
		offer(busy, everybody, one);
	offer(quiet, everybody, two);
	worker_turn(rig->w, 0);
	worker_turn(rig->w, 0);
	assert_int_equal(quiet->nwire, 0);
	assert_in_range(out->nsent, 2, 2 * 4 * 4 * BURST_MAX + 1);	/* rounds of four bursts, four in a turn */
	assert_int_equal(received(quiet), 1);
	rig_free(rig);
}

/* ---- descriptors, messages, timers ---- */

static struct rung {
	struct watch watch, other, third;
	unsigned rung;
	uint32_t events;
	bool drop_other;
} bell;

static void on_bell(struct worker *w, struct watch *watch, uint32_t events)
{
	struct rung *b = container_of(watch, struct rung, watch);

	b->rung++;
	b->events = events;
	if (b->drop_other) {
		worker_unwatch(w, &b->watch);
		worker_unwatch(w, &b->other);
		worker_watch(w, &b->third, EPOLLIN);
	}
}

static void on_other(struct worker *w, struct watch *watch, uint32_t events)
{
	(void)events;
	container_of(watch, struct rung, other)->rung++;
	worker_unwatch(w, watch);
	worker_unwatch(w, &bell.watch);
	worker_watch(w, &bell.third, EPOLLIN);
}

static void on_third(struct worker *w, struct watch *watch, uint32_t events)
{
	(void)w, (void)events;
	container_of(watch, struct rung, third)->rung += 100;
}

static void test_watch(void **state)
{
	struct rig *rig = rig_new();
	uint64_t n = 1;

	(void)state;
	bell = (struct rung){ .watch = { .ready = on_bell, .fd = eventfd(0, EFD_NONBLOCK) } };
	rig_publish(rig);
	assert_int_equal(worker_watch(rig->w, &bell.watch, EPOLLIN), 0);
	worker_turn(rig->w, 0);
	assert_int_equal(bell.rung, 0);
	assert_int_equal(write(bell.watch.fd, &n, sizeof(n)), sizeof(n));
	worker_turn(rig->w, 0);
	worker_turn(rig->w, 0);
	assert_int_equal(bell.rung, 2);		/* level-triggered */
	assert_int_equal(bell.events, EPOLLIN);
	assert_int_equal(worker_rewatch(rig->w, &bell.watch, 0), 0);
	worker_turn(rig->w, 0);
	assert_int_equal(bell.rung, 2);
	assert_int_equal(worker_rewatch(rig->w, &bell.watch, EPOLLIN | EPOLLOUT), 0);
	worker_turn(rig->w, 0);
	assert_int_equal(bell.rung, 3);
	assert_int_equal(bell.events, EPOLLIN | EPOLLOUT);
	worker_unwatch(rig->w, &bell.watch);
	worker_unwatch(rig->w, &bell.watch);
	worker_turn(rig->w, 0);
	assert_int_equal(bell.rung, 3);
	print_message("  and two that come after it have a place each\n");
	bell.third = (struct watch){ .ready = on_third, .fd = eventfd(1, EFD_NONBLOCK) };
	worker_watch(rig->w, &bell.watch, EPOLLIN);
	worker_watch(rig->w, &bell.third, EPOLLIN);
	worker_turn(rig->w, 0);
	assert_int_equal(bell.rung, 104);
	worker_unwatch(rig->w, &bell.watch);
	worker_unwatch(rig->w, &bell.third);
	close(bell.third.fd);
	close(bell.watch.fd);
	bell.watch.fd = 1 << 20;		/* no such descriptor */
	assert_int_equal(worker_watch(rig->w, &bell.watch, EPOLLIN), -EBADF);
	rig_free(rig);
}

/* Two descriptors ready at once; whichever comes first takes the other one away and sets a third in its place: the event of
 * the other is delivered to neither. */
static void test_watch_taken_away(void **state)
{
	struct rig *rig = rig_new();

	(void)state;
	bell = (struct rung){
		.watch = { .ready = on_bell, .fd = eventfd(1, EFD_NONBLOCK) },
		.other = { .ready = on_other, .fd = eventfd(1, EFD_NONBLOCK) }, .drop_other = true,
		.third = { .ready = on_third, .fd = eventfd(0, EFD_NONBLOCK) },
	};
	rig_publish(rig);
	worker_watch(rig->w, &bell.watch, EPOLLIN);
	worker_watch(rig->w, &bell.other, EPOLLIN);
	worker_turn(rig->w, 0);
	worker_turn(rig->w, 0);
	assert_int_equal(bell.rung, 1);
	worker_unwatch(rig->w, &bell.third);
	close(bell.watch.fd);
	close(bell.other.fd);
	close(bell.third.fd);
	rig_free(rig);
}

static void test_many_watches(void **state)
{
	enum { MANY = 300 };
	static struct rung bells[MANY];
	struct rig *rig = rig_new();

	(void)state;
	rig_publish(rig);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < MANY; i++) {
			bells[i] = (struct rung){ .watch = { .ready = on_bell, .fd = eventfd(1, EFD_NONBLOCK) } };
			assert_int_equal(worker_watch(rig->w, &bells[i].watch, EPOLLIN | EPOLLET), 0);
		}
		for (unsigned i = 0; i < MANY; i++)
			worker_turn(rig->w, 0);
		for (unsigned i = 0; i < MANY; i++) {
			assert_int_equal(bells[i].rung, 1);
			worker_unwatch(rig->w, &bells[i].watch);
			close(bells[i].watch.fd);
		}
	}
	rig_free(rig);
}

static void add_to(struct worker *w, void *arg)
{
	(void)w;
	++*(unsigned *)arg;
}

static void test_post(void **state)
{
	struct rig *rig = rig_new();
	unsigned n = 0, sent = 0;

	(void)state;
	rig_publish(rig);
	while (worker_post(rig->w, add_to, &n))
		sent++;
	assert_in_range(sent, 256, 65536);		/* bounded */
	assert_int_equal(n, 0);
	for (unsigned i = 0; i < sent && n < sent; i++)
		worker_turn(rig->w, 0);
	assert_int_equal(n, sent);
	assert_true(worker_post(rig->w, add_to, &n));
	worker_turn(rig->w, -1);			/* there is something: it does not sleep */
	assert_int_equal(n, sent + 1);
	rig_free(rig);
}

static struct timer tick;
static uint64_t ticked_at;

static void on_tick(struct timer *timer, uint64_t now_ms, void *context)
{
	(void)timer;
	ticked_at = now_ms;
	assert_non_null(context);
}

static void test_timer_wakes(void **state)
{
	struct rig *rig = rig_new();
	uint64_t start = clock_now_ms();

	(void)state;
	rig_publish(rig);
	tick.expired = on_tick;
	timer_set(worker_timers(rig->w), &tick, start + 20);
	for (unsigned i = 0; i < 100 && !ticked_at; i++)
		worker_turn(rig->w, -1);
	assert_in_range(ticked_at, start + 20, start + 5000);
	assert_in_range(worker_now_ms(rig->w), ticked_at, start + 5000);
	rig_free(rig);
}

static unsigned posted;

static void *poster(void *w)
{
	return worker_post(w, add_to, &posted) ? NULL : "refused";
}

/* A worker that sleeps without limit is woken by a message of another thread. */
static void test_wakes(void **state)
{
	struct rig *rig = rig_new();
	pthread_t thread;
	void *wrong;

	(void)state;
	rig_publish(rig);
	pthread_create(&thread, NULL, poster, rig->w);
	while (!posted)
		worker_turn(rig->w, -1);
	pthread_join(thread, &wrong);
	assert_null(wrong);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gone),	     cmocka_unit_test(test_remove_while_busy),
		cmocka_unit_test(test_unpublished),  cmocka_unit_test(test_turns),
		cmocka_unit_test(test_watch),	     cmocka_unit_test(test_watch_taken_away),
		cmocka_unit_test(test_many_watches), cmocka_unit_test(test_post),
		cmocka_unit_test(test_timer_wakes),  cmocka_unit_test(test_wakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
