// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/hostile_bed.h"

#include <sched.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "switch/fdb.h"

enum {
	VID = 1, RING = 256, RX_BUFFERS = 192, PATIENCE_MS = 10000, FDB_ENTRIES = 256, FDB_AGE_MS = 300000,
	NUMBER = 42, SHORTEST = NUMBER + 4, WINDOW = 32,
};

/* ---- a guest ---- */

static void share_memory(struct hostile_guest *g)
{
	struct driver_region from[DRIVER_REGIONS_MAX];
	struct vhost_region to[DRIVER_REGIONS_MAX];
	unsigned n = driver_regions(g->d, from);
	struct error err = { 0 };

	for (unsigned i = 0; i < n; i++) {
		g->mappings[i] = vhost_mapping_new(driver_fd(g->d), from[i].offset, from[i].size, &err);
		assert_non_null(g->mappings[i]);
		to[i] = (struct vhost_region){ .gpa = from[i].gpa, .size = from[i].size, .user = from[i].user,
					       .offset = from[i].offset, .mapping = g->mappings[i] };
	}
	g->memory = vhost_memory_new(to, n, NULL, 0, &err);
	assert_non_null(g->memory);
	vhost_set_memory(g->port, g->memory);
}

static void start_ring(struct hostile_guest *g, unsigned ring)
{
	const struct driver_ring *r = driver_ring(g->d, ring);
	struct vhost_ring_conf conf = {
		.size = r->size, .device_gpa = r->device_gpa, .kick = g->kick, .call = g->call, .err = -1, .saved = &g->saved[ring],
	};

	conf.desc = vhost_user_at(g->memory, r->desc_user, r->size * 16u, NULL);
	conf.driver = vhost_user_at(g->memory, r->driver_user, r->packed ? 4 : 6 + 2u * r->size, NULL);
	conf.device = vhost_user_at(g->memory, r->device_user, r->packed ? 4 : 6 + 8u * r->size, NULL);
	assert_true(conf.desc && conf.driver && conf.device);
	/* both wrap counters begin as 1 (virtio 1.2, 2.8.1) */
	g->saved[ring] = r->packed ? (struct vring_saved){ 0x8000, 0x8000 } : (struct vring_saved){ 0, 0 };
	driver_reset(g->d, ring);
	vhost_ring_start(g->port, ring, &conf);
	vhost_ring_enable(g->port, ring, true);
}

void hostile_start(struct hostile_guest *g)
{
	vhost_pause(g->port);
	start_ring(g, HOSTILE_RX);
	start_ring(g, HOSTILE_TX);
	vhost_resume(g->port);
}

void hostile_reset(struct hostile_guest *g)
{
	vhost_pause(g->port);
	vhost_ring_stop(g->port, HOSTILE_RX);
	vhost_ring_stop(g->port, HOSTILE_TX);
	vhost_resume(g->port);
	hostile_start(g);
}

static void told(struct port *port, int rc)
{
	(void)port, (void)rc;
}

static void open_guest(struct hostile_guest *g, const struct driver_conf *conf, unsigned id)
{
	g->port = vhost_port_new(1, 1);
	g->d = driver_new(conf);
	g->saved = aligned_alloc(64, 2 * sizeof(*g->saved));
	g->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	g->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(g->port && g->d && g->saved && g->kick >= 0 && g->call >= 0);
	memcpy(g->mac, (uint8_t[6]){ 2, 0, 0, 0, 0, (uint8_t)(id + 1) }, 6);
	g->port->id = id;
	g->port->notify = told;
	vhost_set_features(g->port, conf->features);
	share_memory(g);
}

static void close_guest(struct hostile_guest *g)
{
	close(g->kick);
	close(g->call);
	driver_free(g->d);
	vhost_memory_free(g->memory);
	for (unsigned i = 0; i < DRIVER_REGIONS_MAX; i++)
		vhost_mapping_put(g->mappings[i]);
	free(g->saved);
}

void hostile_kick(struct hostile_guest *g)
{
	eventfd_write(g->kick, 1);
}

/* ---- the network ---- */

static void member(struct snapshot *s, struct hostile_guest *g)
{
	struct net_view *net = &s->nets[0];

	s->ports[g->port->id] = (struct port_view){ .vlan = { .pvid = VID }, .link_up = true, .port = g->port, .net = net };
	net->members[net->nmembers++] = &s->ports[g->port->id];
}

static void publish(struct hostile_bed *b)
{
	struct snapshot *s = snapshot_new(3, 1);

	assert_non_null(s);
	s->nets[0] = (struct net_view){ .net_id = 1, .mtu = HOSTILE_MTU, .fdb = b->fdb };
	s->nets[0].members = calloc(3, sizeof(*s->nets[0].members));
	s->nets[0].segments = calloc(1, sizeof(b->segment));
	assert_true(s->nets[0].members && s->nets[0].segments);
	s->nets[0].segments[0] = b->segment;
	s->nets[0].nsegments = 1;
	member(s, &b->evil);
	member(s, &b->one);
	member(s, &b->two);
	rcu_xchg_pointer(&b->snapshot, s);
}

/* keep_handler() - cmocka sets handlers of its own before each test, tap/vhost_memory.h its one once per process */
static void keep_handler(void)
{
	static struct sigaction ours;

	if (ours.sa_flags & SA_SIGINFO)
		sigaction(SIGBUS, &ours, NULL);
	else
		sigaction(SIGBUS, NULL, &ours);
}

struct hostile_bed *hostile_bed_new(const struct driver_conf *conf, bool thread)
{
	const struct driver_conf neighbour = {
		.features = HOSTILE_BASIC | BIT(VIRTIO_NET_F_MRG_RXBUF) | BIT(VIRTIO_RING_F_EVENT_IDX), .size = RING,
	};
	struct hostile_bed *b = calloc(1, sizeof(*b));
	struct hostile_guest *guests[3];
	static bool registered;

	assert_non_null(b);
	if (!registered)		/* a test that failed may have left its bed behind */
		urcu_qsbr_register_thread();
	registered = true;
	b->thread = thread;
	b->features = conf->features;
	b->heard = mmap(NULL, sizeof(*b->heard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(b->heard, MAP_FAILED);
	b->w = worker_new(0, &b->snapshot);
	b->fdb = fdb_new(FDB_ENTRIES, 3, FDB_AGE_MS);
	assert_true(b->w && b->fdb);
	guests[0] = &b->evil, guests[1] = &b->one, guests[2] = &b->two;
	for (unsigned i = 0; i < 3; i++)
		open_guest(guests[i], i ? &neighbour : conf, i);
	keep_handler();
	b->segment = (struct segment){ .vid = VID, .has_subnet = true, .subnet = { 0x0a000000, 24 }, .gateway = 0x0a000001,
				       .gateway_mac = { 2, 0x67, 0x77, 0, 0, 1 } };
	publish(b);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(worker_add_port(&b->w, 1, guests[i]->port), 0);
	if (thread)
		assert_int_equal(worker_start(b->w), 0);
	else
		worker_turn(b->w, 0);
	for (unsigned i = 0; i < 3; i++)
		hostile_start(guests[i]);
	assert_int_equal(driver_post(b->one.d, HOSTILE_RX, RX_BUFFERS, 2048 - 64, &DRIVER_PLAIN), RX_BUFFERS);
	assert_int_equal(driver_post(b->two.d, HOSTILE_RX, RX_BUFFERS, 2048 - 64, &DRIVER_PLAIN), RX_BUFFERS);
	return b;
}

void hostile_bed_free(struct hostile_bed *b)
{
	struct hostile_guest *guests[3] = { &b->evil, &b->one, &b->two };
	struct snapshot *old = rcu_xchg_pointer(&b->snapshot, NULL);
	struct snapshot *empty = snapshot_new(0, 0);

	rcu_xchg_pointer(&b->snapshot, empty);
	snapshot_release(old);
	for (unsigned i = 0; i < 3; i++) {
		vhost_pause(guests[i]->port);
		worker_remove_port(guests[i]->port);
	}
	if (b->thread)
		worker_stop(b->w);
	else
		worker_turn(b->w, 0);
	snapshot_release(rcu_xchg_pointer(&b->snapshot, NULL));
	urcu_qsbr_barrier();
	for (unsigned i = 0; i < 3; i++)
		close_guest(guests[i]);
	fdb_free(b->fdb);
	worker_free(b->w);
	munmap(b->heard, sizeof(*b->heard));
	free(b);
}

pid_t hostile_spawn(struct hostile_bed *b, void (*run)(struct hostile_bed *b))
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGBUS, SIG_DFL);
	if (getppid() == parent)
		run(b);
	_exit(0);
}

void hostile_pace(struct hostile_bed *b)
{
	static unsigned when, n;

	while (n == WINDOW && atomic_load(b->heard) == when)
		sched_yield();
	if (atomic_load(b->heard) != when) {
		when = atomic_load(b->heard);
		n = 0;
	}
	n++;
}

void hostile_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

uint64_t hostile_verdict(const struct hostile_guest *g, enum verdict v)
{
	return counter_get(&g->port->stats[0].verdicts[v]);
}

/* ---- time ---- */

void hostile_turn(struct hostile_bed *b)
{
	if (b->thread) {
		sched_yield();
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		worker_turn(b->w, 0);
}

bool hostile_until(struct hostile_bed *b, bool (*done)(struct hostile_bed *b))
{
	const char *patience = getenv("HOSTILE_PATIENCE_MS");	/* tests/mutants/run.py waits in vain often */
	uint64_t end = clock_now_ms() + (patience ? strtoul(patience, NULL, 10) : PATIENCE_MS);

	while (!done(b)) {
		if (clock_now_ms() > end)
			return false;
		hostile_turn(b);
		hostile_listen(b);
	}
	return true;
}

/* ---- numbered frames ---- */

void hostile_fill(uint8_t *f, uint32_t len, const uint8_t dst[6], const uint8_t src[6], uint32_t number)
{
	uint8_t headers[SHORTEST] = { [12] = 0x08, [14] = 0x45, [22] = 64, [23] = 17, [26] = 10, [30] = 10 };

	memcpy(headers, dst, 6);
	memcpy(headers + 6, src, 6);
	put_u16(headers + 16, (uint16_t)(len - 14));
	put_u32(headers + NUMBER, number);
	for (uint32_t i = 0; i < len; i++)
		f[i] = i < SHORTEST ? headers[i] : (uint8_t)(number + i);
}

static uint32_t length_of(uint32_t number)
{
	return SHORTEST + number * 37 % (HOSTILE_MTU + 14 - SHORTEST + 1);
}

void hostile_send(struct hostile_guest *from, struct hostile_guest *to)
{
	static const struct driver_layout *const layouts[] = {
		&DRIVER_PLAIN, &DRIVER_HEADER_APART, &DRIVER_PLAIN, &DRIVER_INDIRECT, &DRIVER_HEADER_SPLIT,
	};
	uint8_t frame[HOSTILE_MTU + 14];
	uint32_t len = length_of(from->sent);

	assert_true(driver_reap(from->d, HOSTILE_TX) >= 0);
	hostile_fill(frame, len, to->mac, from->mac, from->sent);
	assert_int_equal(driver_send(from->d, HOSTILE_TX, frame, len, NULL, layouts[from->sent % ARRAY_SIZE(layouts)]), 0);
	from->sent++;
	if (driver_kick_needed(from->d, HOSTILE_TX))
		hostile_kick(from);
}

void hostile_offer(struct hostile_guest *from, const uint8_t *frame, uint32_t len)
{
	assert_true(driver_reap(from->d, HOSTILE_TX) >= 0);
	assert_int_equal(driver_send(from->d, HOSTILE_TX, frame, len, NULL, &DRIVER_PLAIN), 0);
	if (driver_kick_needed(from->d, HOSTILE_TX))
		hostile_kick(from);
}

static void from_evil(struct hostile_bed *b, const struct driver_frame *f)
{
	b->came++;
	memcpy(b->last.data, f->data, f->len);
	memcpy(b->last.header, f->header, sizeof(b->last.header));
	b->last.len = f->len;
	b->last.buffers = f->buffers;
	if (b->seen)
		b->seen(b, &b->last);
}

/* from_neighbour() - @number more and nothing else, in order: none was lost, none came twice */
static void from_neighbour(struct hostile_guest *g, const struct hostile_guest *peer, const struct driver_frame *f)
{
	static const uint8_t zeros[10];
	uint8_t want[HOSTILE_MTU + 14];

	if (get_u32(f->data + NUMBER) != g->received)
		fail_msg("frame %u of a neighbour came in place of %u", get_u32(f->data + NUMBER), g->received);
	hostile_fill(want, length_of(g->received), g->mac, peer->mac, g->received);
	assert_int_equal(f->len, length_of(g->received));
	assert_memory_equal(f->data, want, f->len);
	assert_memory_equal(f->header, zeros, sizeof(zeros));
	assert_int_equal(f->buffers, 1);
	g->received++;
}

static void listen_to(struct hostile_bed *b, struct hostile_guest *g, const struct hostile_guest *peer)
{
	struct driver_frame f;
	int rc;

	while ((rc = driver_take(g->d, HOSTILE_RX, &f)) == 1) {
		if (f.len >= SHORTEST && memcmp(f.data + 6, peer->mac, 6) == 0 && memcmp(f.data, g->mac, 6) == 0)
			from_neighbour(g, peer, &f);
		else if (g == &b->one)
			from_evil(b, &f);
		driver_post(g->d, HOSTILE_RX, f.buffers, 2048 - 64, &DRIVER_PLAIN);
	}
	if (rc < 0 || driver_reap(g->d, HOSTILE_TX) < 0 || driver_check(g->d) < 0)
		fail_msg("%s", driver_fault(g->d));
	assert_null(vhost_fault(g->port));
}

void hostile_listen(struct hostile_bed *b)
{
	listen_to(b, &b->one, &b->two);
	listen_to(b, &b->two, &b->one);
	atomic_fetch_add(b->heard, 1);
}

bool hostile_arrived(struct hostile_bed *b)
{
	return b->one.received == b->two.sent && b->two.received == b->one.sent;
}

void hostile_neighbours(struct hostile_bed *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		hostile_send(&b->one, &b->two);
		hostile_send(&b->two, &b->one);
		if (b->one.sent - b->two.received < WINDOW && b->two.sent - b->one.received < WINDOW && i + 1 < n) {
			hostile_turn(b);
			hostile_listen(b);
			continue;
		}
		if (!hostile_until(b, hostile_arrived))
			fail_msg("neighbours: %u and %u frames were lost", b->one.sent - b->two.received, b->two.sent - b->one.received);
	}
}
