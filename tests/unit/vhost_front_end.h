/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/vhost_front_end.h - a session over a socket pair, its front-end and its keeper; once per test */
#ifndef TESTS_UNIT_VHOST_FRONT_END_H
#define TESTS_UNIT_VHOST_FRONT_END_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "tap/vhost_message.h"
#include "tap/vhost_session.h"
#include "tests/unit/vhost_port_fake.h"

enum {
	PAIRS = 2, VERSION = 1, REPLY = 4, NEED_REPLY = 8, NONE = 0x100,
	MEMORY = 1 << 20, KEPT_MAX = 700,
	DESC = 0x1000, AVAIL = 0x3000, USED = 0x4000, RING_STEP = 0x8000,	/* a ring's areas in the memory */
};
#define USER 0x7f0000000000ull		/* where the front-end has its memory */
#define BIT(n) (1ull << (n))
#define VERSION_1 BIT(32)
#define PACKED BIT(34)
#define PROTOCOL_ALL (BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(12) | BIT(13) | BIT(15) | BIT(16))

static struct {
	struct vhost_session *s;
	int peer;			/* the front-end's end */
	int memfd;
	uint8_t *memory;
	int at_start;			/* descriptors open before the session */
	struct {
		char name[VHOST_HELD_NAME];
		int fd;
	} kept[KEPT_MAX];
	unsigned nkept;
	bool refuse;			/* the keeper has no room */
} t;

static inline int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* ---- the keeper ---- */

static inline int kept_find(const char *name)
{
	for (unsigned i = 0; i < t.nkept; i++)
		if (strcmp(t.kept[i].name, name) == 0)
			return (int)i;
	return -1;
}

static inline void keeper_drop(void *arg, const char *name)
{
	int i = kept_find(name);

	(void)arg;
	if (i < 0)
		return;
	close(t.kept[i].fd);
	t.kept[i] = t.kept[--t.nkept];
}

static inline int keeper_hold(void *arg, const char *name, int fd)
{
	keeper_drop(arg, name);
	if (t.refuse || t.nkept == KEPT_MAX)
		return -ENOSPC;
	assert_true(strlen(name) < VHOST_HELD_NAME);
	strcpy(t.kept[t.nkept].name, name);
	t.kept[t.nkept].fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	assert_true(t.kept[t.nkept].fd >= 0);
	t.nkept++;
	return 0;
}

static inline int keeper_recall(void *arg, const char *name)
{
	int i = kept_find(name);

	(void)arg;
	return i < 0 ? -ENOENT : fcntl(t.kept[i].fd, F_DUPFD_CLOEXEC, 3);
}

static inline struct vhost_session_conf session_conf(void)
{
	return (struct vhost_session_conf){ .port = &fake.port, .pairs = PAIRS, .mtu = 1500, .hold = keeper_hold,
					    .drop = keeper_drop, .recall = keeper_recall };
}

/* ---- life ---- */

static inline void connect_session(void)
{
	struct vhost_session_conf conf = session_conf();
	struct error err = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	t.peer = pair[1];
	assert_int_equal(fcntl(t.peer, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	t.s = vhost_session_new(&conf, pair[0], &err);
	assert_non_null(t.s);
}

static inline int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	fake_reset();
	t.at_start = count_fds();
	t.memfd = memfd_create("guest", MFD_CLOEXEC);
	assert_int_equal(ftruncate(t.memfd, MEMORY), 0);
	t.memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, t.memfd, 0);
	assert_ptr_not_equal(t.memory, MAP_FAILED);
	connect_session();
	return 0;
}

/* teardown() - and see that nothing is left behind */
static inline int teardown(void **state)
{
	(void)state;
	vhost_session_free(t.s);
	assert_int_equal(t.nkept, 0);
	if (t.peer >= 0)
		close(t.peer);
	munmap(t.memory, MEMORY);
	close(t.memfd);
	assert_int_equal(count_fds(), t.at_start);
	return 0;
}

/* ---- messages ---- */

static inline void send_bytes(const void *data, size_t size, const int *fds, unsigned n)
{
	struct iovec iov = { (void *)data, size };
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE(32 * sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		control.align = (struct cmsghdr){ CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), fds, n * sizeof(int));
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	assert_int_equal(sendmsg(t.peer, &m, MSG_NOSIGNAL), size);
}

static inline size_t make_message(uint8_t *to, uint32_t request, uint32_t flags, const void *payload, uint32_t size)
{
	const uint32_t header[] = { request, flags, size };

	memcpy(to, header, sizeof(header));
	if (size)
		memcpy(to + sizeof(header), payload, size);
	return sizeof(header) + size;
}

static inline void say_fds(uint32_t request, uint32_t flags, const void *payload, uint32_t size, const int *fds, unsigned n)
{
	uint8_t data[VHOST_HEADER + VHOST_PAYLOAD_MAX];

	send_bytes(data, make_message(data, request, VERSION | flags, payload, size), fds, n);
}

static inline int input(void)
{
	int rc;

	do
		rc = vhost_session_input(t.s);
	while (rc == 2);
	return rc;
}

/* reply() - read one reply to @request into @payload; Return: bytes of it, -1 when none is there */
static inline int reply(uint32_t request, void *payload, uint32_t room, int *fd)
{
	uint8_t data[VHOST_REPLY_MAX];
	uint32_t header[3];
	struct iovec iov = { data, VHOST_HEADER };
	union {
		struct cmsghdr align;
		uint8_t space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(t.peer, &m, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return -1;
	assert_int_equal(n, VHOST_HEADER);
	memcpy(header, data, sizeof(header));
	assert_int_equal(header[0], request);
	assert_int_equal(header[1], VERSION | REPLY);
	assert_true(header[2] <= room);
	assert_int_equal(recv(t.peer, payload, header[2], 0), header[2]);
	if (CMSG_FIRSTHDR(&m)) {
		assert_non_null(fd);
		memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	}
	return (int)header[2];
}

static inline void no_reply(void)
{
	uint8_t byte;

	assert_int_equal(recv(t.peer, &byte, 1, 0), -1);
	assert_int_equal(errno, EAGAIN);
}

/* done_fds() - ask for an acknowledgement; Return: was it done? */
static inline bool done_fds(uint32_t request, const void *payload, uint32_t size, const int *fds, unsigned n)
{
	uint64_t value = 99;

	say_fds(request, NEED_REPLY, payload, size, fds, n);
	assert_int_equal(input(), 0);
	assert_int_equal(reply(request, &value, 8, NULL), 8);
	no_reply();
	return value == 0;
}

static inline bool done(uint32_t request, const void *payload, uint32_t size)
{
	return done_fds(request, payload, size, NULL, 0);
}

static inline bool done_u64(uint32_t request, uint64_t value)
{
	return done(request, &value, sizeof(value));
}

static inline uint64_t ask(uint32_t request)
{
	uint64_t value = 0;

	say_fds(request, 0, NULL, 0, NULL, 0);
	assert_int_equal(input(), 0);
	assert_int_equal(reply(request, &value, 8, NULL), 8);
	return value;
}

/* ends() - the connection ends for the session, with @why somewhere in its reason */
static inline void ends(const char *why)
{
	assert_true(input() < 0);
	if (!strstr(vhost_session_reason(t.s), why))
		fail_msg("\"%s\" is not in \"%s\"", why, vhost_session_reason(t.s));
}

/* ---- what a driver does ---- */

static inline bool state(uint32_t request, uint32_t index, uint32_t num)
{
	const uint32_t payload[] = { index, num };

	return done(request, payload, sizeof(payload));
}

static inline void negotiate(uint64_t features)
{
	uint64_t protocol = PROTOCOL_ALL;

	say_fds(VHOST_SET_PROTOCOL_FEATURES, 0, &protocol, 8, NULL, 0);
	assert_int_equal(input(), 0);
	assert_true(done_u64(VHOST_SET_FEATURES, features));
}

static inline bool set_table(const uint64_t (*regions)[4], uint32_t n, int fd)
{
	uint8_t payload[8 + 32 * 8] = { 0 };
	int fds[8];

	memcpy(payload, &n, 4);
	memcpy(payload + 8, regions, 32 * n);
	for (uint32_t i = 0; i < n; i++)
		fds[i] = fd;
	return done_fds(VHOST_SET_MEM_TABLE, payload, 8 + 32 * n, fds, n);
}

static inline bool set_memory(void)
{
	const uint64_t whole[1][4] = { { 0, MEMORY, USER, 0 } };

	return set_table(whole, 1, t.memfd);
}

struct ring_addr {
	uint32_t index, flags;
	uint64_t desc, used, avail, log;
};

static inline struct ring_addr addr_of(uint32_t ring)
{
	uint64_t at = USER + (uint64_t)ring * RING_STEP;

	return (struct ring_addr){ ring, 0, at + DESC, at + USED, at + AVAIL, 0 };
}

static inline bool set_addr(struct ring_addr a)
{
	return done(VHOST_SET_VRING_ADDR, &a, sizeof(a));
}

/* set_file() - with a fresh eventfd, whose front-end's copy is *@to, or closed */
static inline bool set_file(uint32_t request, uint32_t ring, int *to)
{
	uint64_t payload = ring;
	int fd = eventfd(0, EFD_CLOEXEC);
	bool ok = done_fds(request, &payload, 8, &fd, 1);

	if (to)
		*to = fd;
	else
		close(fd);
	return ok;
}

static inline bool start_ring(uint32_t ring, uint32_t size, uint32_t base)
{
	return state(VHOST_SET_VRING_NUM, ring, size) && state(VHOST_SET_VRING_BASE, ring, base) && set_addr(addr_of(ring)) &&
	       set_file(VHOST_SET_VRING_CALL, ring, NULL) && set_file(VHOST_SET_VRING_KICK, ring, NULL);
}

static inline uint32_t stop_ring(uint32_t ring)
{
	const uint32_t payload[] = { ring, 0 };
	uint32_t answer[2] = { 99, 99 };

	say_fds(VHOST_GET_VRING_BASE, 0, payload, 8, NULL, 0);
	assert_int_equal(input(), 0);
	assert_int_equal(reply(VHOST_GET_VRING_BASE, answer, 8, NULL), 8);
	assert_int_equal(answer[0], ring);
	return answer[1];
}

/* start_all() - both rings of the first pair, enabled */
static inline void start_all(uint64_t features)
{
	uint32_t base = features & PACKED ? 0x8000 : 0;

	negotiate(features);
	assert_true(set_memory());
	for (uint32_t i = 0; i < 2; i++) {
		assert_true(start_ring(i, 256, base));
		assert_true(state(VHOST_SET_VRING_ENABLE, i, 1));
	}
	assert_true(vhost_session_running(t.s));
}

static inline void put16(uint64_t at, uint16_t v)
{
	memcpy(t.memory + at, &v, sizeof(v));
}

#endif
