// SPDX-License-Identifier: GPL-2.0-or-later
/* Two workers, two guests with two queue pairs each that talk without pause, and a control thread that meanwhile moves queues
 * between the workers, pauses and resumes ports, and takes a third port out and puts another in. Each flow is
 * numbered: nothing may come twice, out of order or changed. Under SAN=thread this is the proof of who may touch what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "switch/fdb.h"
#include "switch/forward.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"
#include "tests/packet/guest_attach.h"

#define BIT(n) (1ull << (n))

enum { WORKERS = 2, PAIRS = 2, PORTS = 3, RING = 256, LEN = 200, NUMBER_AT = 60, ROUNDS = 600, PATIENCE_MS = 10000 };

struct guest {
	struct port *port;
	struct driver *d;
	struct vhost_memory *memory;
	struct vring_saved saved[2 * PAIRS];
	int kick[2 * PAIRS], call;
	uint8_t mac[6];
	uint32_t sent[PAIRS];			/* by flow; pair i sends flow i */
	uint32_t last[PAIRS][PAIRS];		/* by receive queue and flow: a flow may change its queue when it is learnt */
	_Atomic unsigned long got;
};

static struct {
	struct worker *workers[WORKERS];
	struct snapshot *snapshot;
	struct fdb *fdb;
	struct guest a, b;
	struct port *third;
	atomic_bool stop;
	const char *_Atomic wrong;
} bed;

static void told(struct port *port, int rc)
{
	(void)rc;
	bed.wrong = vhost_fault(port);
}

static struct port *new_port(unsigned id)
{
	struct port *port = vhost_port_new(PAIRS, WORKERS);

	assert_non_null(port);
	port->id = id;
	port->notify = told;
	return port;
}

/* publish() - a snapshot with both guests and, if there is one, the third port. Return: the one before */
static struct snapshot *publish(void)
{
	struct port *const ports[PORTS] = { bed.a.port, bed.b.port, bed.third };
	struct snapshot *s = snapshot_new(PORTS, 1);

	assert_non_null(s);
	s->nets[0] = (struct net_view){ .net_id = 1, .mtu = 1500, .fdb = bed.fdb, .members = calloc(PORTS, sizeof(void *)) };
	for (unsigned i = 0; i < PORTS; i++) {
		if (!ports[i])
			continue;
		s->ports[i] = (struct port_view){ .port = ports[i], .net = &s->nets[0], .vlan = { .pvid = 1 }, .link_up = true };
		s->nets[0].members[s->nets[0].nmembers++] = &s->ports[i];
	}
	return rcu_xchg_pointer(&bed.snapshot, s);
}

static void plug(struct guest *g)
{
	vhost_pause(g->port);
	for (unsigned ring = 0; ring < 2 * PAIRS; ring++)
		assert_true(guest_start_ring(g->port, g->d, g->memory, ring, g->kick[ring], g->call, &g->saved[ring]));
	vhost_resume(g->port);
}

static void guest_begin(struct guest *g, unsigned id, bool packed)
{
	uint64_t features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF) | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0);
	struct driver_conf conf = { .features = features, .pairs = PAIRS, .size = RING };

	g->port = new_port(id);
	g->d = driver_new(&conf);
	assert_non_null(g->d);
	g->memory = guest_memory(g->d);
	assert_non_null(g->memory);
	g->mac[0] = 2;
	g->mac[5] = (uint8_t)(id + 1);
	g->call = eventfd(0, EFD_NONBLOCK);
	for (unsigned i = 0; i < 2 * PAIRS; i++)
		g->kick[i] = eventfd(0, EFD_NONBLOCK);
	vhost_set_features(g->port, features);
	vhost_set_memory(g->port, g->memory);
	plug(g);
}

/* ---- a guest's own thread ---- */

static void wrong(const char *what)
{
	if (!bed.wrong)
		bed.wrong = what;
}

static void send_some(struct guest *g, const struct guest *to, unsigned flow)
{
	uint8_t frame[LEN] = { 0 };
	unsigned ring = 2 * flow + 1;
	uint64_t one = 1;

	if (driver_reap(g->d, ring) < 0)
		wrong(driver_fault(g->d));
	memcpy(frame, to->mac, 6);
	memcpy(frame + 6, g->mac, 6);
	put_u16(frame + 12, 0x0800);
	frame[14] = 0x45;
	frame[23] = 17;
	put_u16(frame + 34, (uint16_t)(1000 + flow));	/* a flow of its own for each pair */
	frame[NUMBER_AT - 1] = (uint8_t)flow;
	for (unsigned i = 0; i < 32; i++) {
		put_u32(frame + NUMBER_AT, g->sent[flow] + 1);
		if (driver_send(g->d, ring, frame, LEN, NULL, &DRIVER_PLAIN) < 0)
			break;
		g->sent[flow]++;
	}
	if (driver_kick_needed(g->d, ring) && write(g->kick[ring], &one, sizeof(one)) < 0)
		wrong("kick");
}

static void take_some(struct guest *g, unsigned pair)
{
	struct driver_frame f;
	int rc;

	while ((rc = driver_take(g->d, 2 * pair, &f)) > 0) {
		unsigned flow = f.data[NUMBER_AT - 1];
		uint32_t number = get_u32(f.data + NUMBER_AT);

		if (f.len != LEN || flow >= PAIRS || memcmp(f.data, g->mac, 6) != 0)
			wrong("a changed frame");
		else if (number <= g->last[pair][flow])
			wrong("a frame that came twice, or late");
		else
			g->last[pair][flow] = number;
		g->got++;
	}
	if (rc < 0)
		wrong(driver_fault(g->d));
	if (driver_post(g->d, 2 * pair, RING, 1536, &DRIVER_PLAIN) < 0)
		wrong("post");
}

static void *guest_main(void *arg)
{
	struct guest *g = arg, *to = g == &bed.a ? &bed.b : &bed.a;

	while (!bed.stop && !bed.wrong) {
		for (unsigned i = 0; i < PAIRS; i++) {
			take_some(g, i);
			send_some(g, to, i);
		}
	}
	return NULL;
}

/* ---- the control thread ---- */

static void swap_third(void)
{
	struct port *gone = bed.third;

	bed.third = gone ? NULL : new_port(2);
	snapshot_release(publish());
	if (gone)
		worker_remove_port(gone);
	else
		assert_int_equal(worker_add_port(bed.workers, WORKERS, bed.third), 0);
}

/* swap_guest() - a guest's port goes while frames run through it, and another takes its place on the same rings */
static void swap_guest(struct guest *g)
{
	struct port *gone = g->port;
	struct port *next = new_port(gone->id);

	vhost_pause(gone);
	for (unsigned ring = 0; ring < 2 * PAIRS; ring++)
		vhost_ring_stop(gone, ring);
	g->port = next;
	vhost_pause(next);
	vhost_set_features(next, BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF));
	vhost_set_memory(next, g->memory);
	for (unsigned ring = 0; ring < 2 * PAIRS; ring++)
		assert_true(guest_go_on(next, g->d, g->memory, ring, g->kick[ring], g->call, &g->saved[ring]));
	snapshot_release(publish());
	worker_remove_port(gone);
	assert_int_equal(worker_add_port(bed.workers, WORKERS, next), 0);
	vhost_resume(next);
}

static void one_round(unsigned i)
{
	struct guest *g = i % 2 ? &bed.a : &bed.b;
	unsigned long before = bed.a.got + bed.b.got;
	uint64_t until = clock_now_ms() + PATIENCE_MS;

	worker_move_queue(&g->port->queues[i / 2 % PAIRS], bed.workers[i / 4 % WORKERS]);
	if (i % 3 == 0) {
		vhost_pause(g->port);
		vhost_resume(g->port);
	}
	if (i % 5 == 0)
		swap_third();
	if (i % 7 == 0)
		swap_guest(&bed.a);
	while (bed.a.got + bed.b.got < before + 50 && !bed.wrong && clock_now_ms() < until)
		usleep(100);
	if (bed.a.got + bed.b.got < before + 50 && !bed.wrong)
		print_error("round %u: %lu frames came to a, %lu to b; sent %u %u, %u %u\n", i, bed.a.got, bed.b.got, bed.a.sent[0],
			    bed.a.sent[1], bed.b.sent[0], bed.b.sent[1]);
	assert_true(bed.a.got + bed.b.got >= before + 50 || bed.wrong);
}

static void test_moved_and_detached(void **state)
{
	pthread_t threads[2];

	(void)state;
	bed.fdb = fdb_new(64, PORT_IDS, 300000);
	for (unsigned i = 0; i < WORKERS; i++)
		bed.workers[i] = worker_new(i, &bed.snapshot);
	guest_begin(&bed.a, 0, false);
	guest_begin(&bed.b, 1, true);
	publish();
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(worker_start(bed.workers[i]), 0);
	assert_int_equal(worker_add_port(bed.workers, WORKERS, bed.a.port), 0);
	assert_int_equal(worker_add_port(bed.workers, WORKERS, bed.b.port), 0);
	assert_int_equal(worker_nqueues(bed.workers[0]), PAIRS);	/* spread evenly */
	pthread_create(&threads[0], NULL, guest_main, &bed.a);
	pthread_create(&threads[1], NULL, guest_main, &bed.b);
	for (unsigned i = 0; i < ROUNDS && !bed.wrong; i++)
		one_round(i);
	bed.stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	if (bed.wrong)
		print_error("%s\n", bed.wrong);
	assert_null(bed.wrong);
	for (unsigned i = 0; i < WORKERS; i++)
		worker_stop(bed.workers[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_moved_and_detached) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
