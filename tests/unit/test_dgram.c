// SPDX-License-Identifier: GPL-2.0-or-later
/* The datagram port: a socket of ours is the port, another one the peer, a third one a stranger. Unix and UDP. */
#include "tap/dgram.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"
#include "tests/unit/offload_frame.h"

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
};

static struct {
	bool udp;
	char dir[40];
	struct snapshot *snapshot;
	struct worker *w;
	struct port *port;
	int ours, peer, stranger;
	union address at_ours, at_peer, at_stranger;
	uint8_t space[RX_SPACE];
	struct frame frames[BURST_MAX];
	int gone, gone_rc;
} t;

static socklen_t size_of(const union address *a)
{
	return a->any.sa_family == AF_UNIX ? sizeof(a->un) : sizeof(a->in);
}

/* bound() - a socket at a place of its own */
static int bound(const char *name, union address *at)
{
	int fd = socket(t.udp ? AF_INET : AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memset(at, 0, sizeof(*at));
	if (t.udp) {
		at->in.sin_family = AF_INET;
		at->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	} else {
		at->un.sun_family = AF_UNIX;
		snprintf(at->un.sun_path, sizeof(at->un.sun_path), "%s/%s", t.dir, name);
		unlink(at->un.sun_path);
	}
	assert_int_equal(bind(fd, &at->any, size_of(at)), 0);
	if (t.udp)
		getsockname(fd, &at->any, &(socklen_t){ sizeof(*at) });
	return fd;
}

static void on_gone(struct port *port, int rc)
{
	(void)port;
	t.gone++;
	t.gone_rc = rc;
}

static void make_port(void)
{
	assert_int_equal(connect(t.ours, &t.at_peer.any, size_of(&t.at_peer)), 0);
	t.port = dgram_new(t.ours, 1);
	assert_non_null(t.port);
	t.port->notify = on_gone;
	t.gone = 0;
}

static int setup(void **state)
{
	t.udp = *state != NULL;
	strcpy(t.dir, "/tmp/test_dgram.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	t.w = worker_new(0, &t.snapshot);
	assert_non_null(t.w);
	t.ours = bound("ours", &t.at_ours);
	t.peer = bound("peer", &t.at_peer);
	t.stranger = bound("stranger", &t.at_stranger);
	t.port = NULL;
	return 0;
}

static int setup_port(void **state)
{
	setup(state);
	make_port();
	return 0;
}

static int teardown(void **state)
{
	char path[64];
	static const char *const names[] = { "ours", "peer", "stranger" };

	(void)state;
	if (t.port)
		t.port->ops->free(t.port);
	else
		close(t.ours);
	close(t.peer);
	close(t.stranger);
	worker_free(t.w);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", t.dir, names[i]);
		unlink(path);
	}
	rmdir(t.dir);
	return 0;
}

static int rx(unsigned n)
{
	struct rx_space space = { t.space, sizeof(t.space) };

	return t.port->ops->rx(&t.port->queues[0], &space, t.frames, n);
}

static uint64_t tx(struct frame *frames, unsigned n, uint16_t tci, uint64_t *segments)
{
	struct tx_frame list[BURST_MAX];

	for (unsigned i = 0; i < n; i++)
		list[i] = (struct tx_frame){ .frame = &frames[i], .tci = tci };
	return t.port->ops->tx(&t.port->queues[0], t.w, list, n, segments);
}

static long put(int from, const void *data, size_t size)
{
	return sendto(from, data, size, 0, &t.at_ours.any, size_of(&t.at_ours));
}

static long get(uint8_t *to, size_t room)
{
	struct pollfd p = { .fd = t.peer, .events = POLLIN };

	poll(&p, 1, 1000);
	return recv(t.peer, to, room, 0);
}

/* strangers() - counted so far; the port counts them itself, all other frames are counted by who forwards them */
static uint64_t strangers(void)
{
	return counter_get(&t.port->stats[0].verdicts[VERDICT_DROP_STRANGER]);
}

static void fill(uint8_t *bytes, size_t size, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 7 + seed);
}

/* ---- receiving ---- */

static void test_receives(void **state)
{
	static const size_t sizes[] = { 1, 13, 14, 60, 1514, 1518, 9014 };
	uint8_t data[9014];

	(void)state;
	assert_int_equal(rx(BURST_MAX), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		fill(data, sizes[i], (unsigned)i);
		assert_int_equal(put(t.peer, data, sizes[i]), sizes[i]);
	}
	assert_int_equal(rx(3), 3);
	assert_int_equal(t.frames[2].len, 14);
	assert_int_equal(rx(BURST_MAX), 4);
	for (size_t i = 3; i < ARRAY_SIZE(sizes); i++) {
		const struct frame *f = &t.frames[i - 3];

		fill(data, sizes[i], (unsigned)i);
		assert_int_equal(f->len, sizes[i]);
		assert_int_equal(f->head_len, sizes[i]);
		assert_memory_equal(f->head, data, sizes[i]);
		assert_int_equal(f->nbody, 0);
		assert_int_equal(f->offload.flags, 0);
		assert_int_equal(f->vid, 0);
	}
	assert_int_equal(rx(BURST_MAX), 0);
}

/* An empty datagram is a frame without a byte, and no stranger's. */
static void test_empty(void **state)
{
	(void)state;
	assert_int_equal(put(t.peer, "", 0), 0);
	assert_int_equal(rx(BURST_MAX), 1);
	assert_int_equal(t.frames[0].len, 0);
	assert_int_equal(strangers(), 0);
}

/* What is longer than any frame comes out longer than any network's MTU allows, and no longer than its place. */
static void test_too_long(void **state)
{
	static uint8_t data[100000];
	size_t size = t.udp ? 65507 : sizeof(data);

	(void)state;
	assert_int_equal(put(t.peer, data, size), size);
	assert_int_equal(put(t.peer, data, 60), 60);
	assert_int_equal(rx(BURST_MAX), 2);
	if (t.udp)
		assert_int_equal(t.frames[0].len, size);
	else
		assert_in_range(t.frames[0].len, 65535 + ETH_HEADER + VLAN_TAG + 1, FRAME_MAX + 1);
	assert_int_equal(t.frames[1].len, 60);
}

static void test_strangers_wait_before(void **state)
{
	uint8_t data[60] = { 1 };
	int nameless;

	(void)state;
	assert_int_equal(put(t.stranger, data, 60), 60);
	assert_int_equal(put(t.peer, data, 60), 60);
	nameless = socket(t.udp ? AF_INET : AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(put(nameless, data, 60), 60);
	close(nameless);
	make_port();
	assert_int_equal(rx(1), 1);		/* past the first stranger */
	assert_int_equal(t.frames[0].len, 60);
	assert_int_equal(strangers(), 1);
	assert_int_equal(rx(BURST_MAX), 0);
	assert_int_equal(strangers(), 2);
	assert_int_equal(counter_get(&t.port->stats[0].rx_frames), 2);
	assert_int_equal(counter_get(&t.port->stats[0].rx_bytes), 120);
}

static void test_strangers_after(void **state)
{
	uint8_t data[60] = { 1 };

	(void)state;
	if (t.udp) {
		put(t.stranger, data, 60);
	} else {
		assert_int_equal(put(t.stranger, data, 60), -1);
		assert_int_equal(errno, EPERM);
	}
	assert_int_equal(rx(BURST_MAX), 0);
	assert_int_equal(put(t.peer, data, 60), 60);
	assert_int_equal(rx(BURST_MAX), 1);
	assert_int_equal(t.frames[0].len, 60);
}

/* ---- sending ---- */

static void test_sends(void **state)
{
	uint8_t data[BURST_MAX][100], got[200];
	struct frame frames[BURST_MAX];
	uint64_t segments = 0;
	unsigned n = t.udp ? BURST_MAX : 8;

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		fill(data[i], 60 + i % 40, i);
		frame_init(&frames[i], data[i], 60 + i % 40);
	}
	assert_true(tx(frames, n, 0, &segments) == (n == 64 ? ~0ull : (1ull << n) - 1));
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(get(got, sizeof(got)), 60 + i % 40);
		assert_memory_equal(got, data[i], 60 + i % 40);
	}
	assert_int_equal(segments, 0);
}

static void test_tag(void **state)
{
	uint8_t data[60], got[100];
	struct frame f;
	uint64_t segments = 0;

	(void)state;
	fill(data, sizeof(data), 3);
	frame_init(&f, data, sizeof(data));
	assert_int_equal(tx(&f, 1, 0x6005, &segments), 1);
	assert_int_equal(get(got, sizeof(got)), 64);
	assert_memory_equal(got, data, 12);
	assert_int_equal(get_u32(got + 12), 0x81006005);
	assert_memory_equal(got + 16, data + 12, 48);
}

/* gso() - a frame that asks for segments, with its body in pieces */
static void gso(struct frame *f, uint8_t *bytes, unsigned payload)
{
	struct shape s = { .tcp_flags = TCP_ACK, .payload = payload };
	struct offload o;

	frame_init(f, bytes, shape_frame(bytes, &s, &o));
	f->offload = o;
	f->offload.gso_type = TCP4;
	f->offload.gso_size = 1460;
	frame_split(f, 128, 4096);
	assert_int_equal(offload_check(f, 1500), VERDICT_FORWARDED);
}

/* read_segments() - each whole, with a good checksum, in order. Return: bytes of payload */
static size_t read_segments(unsigned wanted)
{
	uint8_t got[2000];
	size_t payload = 0;

	for (unsigned i = 0; i < wanted; i++) {
		long n = get(got, sizeof(got));

		assert_in_range(n, ETH_HEADER + IP4_HEADER + TCP_HEADER + 1, 1514);
		assert_int_equal(plain_sum(plain_pseudo(got, false, PROTO_TCP, (unsigned)n - 34), got + 34, (unsigned)n - 34), 0xffff);
		assert_int_equal(got[54], (uint8_t)(get_u32(got + 38) - 0x01020304));
		payload += (size_t)n - 54;
		t.port->ops->writable(&t.port->queues[0]);
	}
	return payload;
}

/* A burst of super-frames is cut; what a slow reader has no room for waits in order. */
static void test_cuts(void **state)
{
	static uint8_t bytes[4][FRAME_MAX];
	struct frame frames[4];
	uint64_t segments = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		gso(&frames[i], bytes[i], 20000 + i);
	assert_int_equal(tx(frames, 4, 0, &segments), 15);
	assert_int_equal(segments, 4 * 14);
	assert_int_equal(read_segments(4 * 14), 4 * 20000 + 6);
	assert_int_equal(recv(t.peer, bytes, 1, 0), -1);
}

/* A checksum that was left to us is completed, with no segment counted. */
static void test_completes(void **state)
{
	static uint8_t bytes[2000];
	struct shape s = { .tcp_flags = TCP_ACK, .payload = 500 };
	struct frame f;
	uint64_t segments = 0;

	(void)state;
	frame_init(&f, bytes, shape_frame(bytes, &s, &(struct offload){ 0 }));
	shape_frame(bytes, &s, &f.offload);
	assert_int_equal(offload_check(&f, 1500), VERDICT_FORWARDED);
	assert_int_equal(tx(&f, 1, 0, &segments), 1);
	assert_int_equal(segments, 0);
	assert_int_equal(read_segments(1), 500);
}

/* What waits is bounded: a peer that never reads costs DGRAM_KEPT bytes, and frames beyond are drops. */
static void test_waits_bounded(void **state)
{
	static uint8_t data[60000];
	struct frame f;
	uint64_t segments = 0;
	unsigned taken = 0, refused = 0;

	if (*state)
		return;		/* UDP has no back pressure */
	for (unsigned i = 0; i < 1000; i++) {
		frame_init(&f, data, sizeof(data));
		if (tx(&f, 1, 0, &segments))
			taken++;
		else
			refused++;
	}
	assert_in_range(taken, DGRAM_KEPT / sizeof(data), 600);
	assert_true(refused > 300);
	for (unsigned i = 0; i < taken; i++) {
		assert_int_equal(get(data, sizeof(data)), sizeof(data));
		t.port->ops->writable(&t.port->queues[0]);
	}
	assert_int_equal(recv(t.peer, data, 1, 0), -1);
	frame_init(&f, data, 60);
	assert_int_equal(tx(&f, 1, 0, &segments), 1);
	assert_int_equal(get(data, sizeof(data)), 60);
}

/* A unix peer that closes is told once; a UDP peer is not there now and may be in a moment. */
static void test_peer_goes(void **state)
{
	uint8_t data[60] = { 0 };
	struct frame frames[3];
	uint64_t segments = 0, taken = 0;

	close(t.peer);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 3; i++)
			frame_init(&frames[i], data, sizeof(data));
		taken |= tx(frames, 3, 0, &segments);
		assert_int_equal(rx(BURST_MAX), 0);
	}
	if (!*state) {
		assert_int_equal(taken, 0);
		assert_int_equal(t.gone, 1);
		assert_int_equal(t.gone_rc, -ECONNREFUSED);
	} else {
		union address at = t.at_peer;

		assert_int_equal(t.gone, 0);
		t.peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(t.peer, &at.any, sizeof(at.in)), 0);
		assert_int_equal(put(t.peer, data, 60), 60);
		assert_int_equal(rx(BURST_MAX), 1);
		assert_int_equal(tx(frames, 1, 0, &segments), 1);
		assert_int_equal(get(data, sizeof(data)), 60);
		return;
	}
	t.peer = -1;
}

/* A peer that was waited for goes while datagrams wait: they go with it. */
static void test_peer_goes_while_some_wait(void **state)
{
	static uint8_t bytes[FRAME_MAX];
	uint64_t segments = 0;
	struct frame f;

	if (*state)
		return;
	gso(&f, bytes, 60000);
	assert_int_equal(tx(&f, 1, 0, &segments), 1);
	close(t.peer);
	t.peer = -1;
	t.port->ops->writable(&t.port->queues[0]);
	assert_int_equal(t.gone, 1);
	t.port->ops->writable(&t.port->queues[0]);
	assert_int_equal(t.gone, 1);
}

/* ---- what is no datagram socket of ours ---- */

static void test_refuses(void **state)
{
	int pair[2];

	(void)state;
	assert_null(dgram_new(t.ours, 1));
	assert_int_equal(errno, ENOTCONN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_null(dgram_new(pair[0], 1));
	assert_int_equal(errno, EINVAL);
	assert_null(dgram_new(-1, 1));
	assert_int_equal(errno, EINVAL);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(pipe(pair), 0);
	assert_null(dgram_new(pair[0], 1));
	assert_int_equal(errno, EINVAL);
	close(pair[0]);
	close(pair[1]);
}

#define BOTH(test, before)                                                                                            \
	{ "unix: " #test, test, before, teardown, NULL },                                                             \
	{ "udp: " #test, test, before, teardown, (void *)1 }

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_receives, setup_port),
		BOTH(test_empty, setup_port),
		BOTH(test_too_long, setup_port),
		BOTH(test_strangers_wait_before, setup),
		BOTH(test_strangers_after, setup_port),
		BOTH(test_sends, setup_port),
		BOTH(test_tag, setup_port),
		BOTH(test_cuts, setup_port),
		BOTH(test_completes, setup_port),
		BOTH(test_waits_bounded, setup_port),
		BOTH(test_peer_goes, setup_port),
		BOTH(test_peer_goes_while_some_wait, setup_port),
		BOTH(test_refuses, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
