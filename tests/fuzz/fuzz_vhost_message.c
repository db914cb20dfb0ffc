// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole vhost-user conversations with a session: messages of any kind in any order, whole, wrong or in pieces, with descriptors that
 * are memory, eventfds or neither; memory that changes and is cut; engines that die and are followed by others.
 * covers: tap/vhost_message.c tap/vhost_session.c tap/vhost_session_io.c tap/vhost_session_ring.c tap/vhost_session_vring.c tap/vhost_session_memory.c tap/vhost_session_inflight.c tap/vhost_session_device.c tap/vhost_session_keep.c tap/vhost_session_restore.c tap/vhost_inflight.c tap/vhost_saved.c
 * Input: steps of a byte for what and what it takes. The port traps when the session breaks its rules, and no descriptor stays open. */
#define _GNU_SOURCE
#include "tap/vhost_session.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "tap/vhost_message.h"
#include "tap/vhost_saved.h"
#include "tests/unit/vhost_port_fake.h"

enum {
	MESSAGE, ODD_MESSAGE, START, RAW, POKE, READ, CUT, NEXT_ENGINE, FORGE, REFUSE, FAULT, CLOSE, STEPS,
	STEPS_MAX = 96, PAIRS = 2, MEMORY = 1 << 18, KEPT_MAX = 64, FDS = 6, MESSAGE_MAX = VHOST_HEADER + VHOST_PAYLOAD_MAX,
};
#define USER 0x7f0000000000ull
#define PROTOCOL_ALL 0x1b01full

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	struct vhost_session *s;
	int peer;
	int fds[FDS];			/* memory, memory, eventfd, eventfd, socket, area of buffers in flight */
	uint8_t *memory;
	bool refuse;
	struct {
		char name[VHOST_HELD_NAME];
		int fd;
	} kept[KEPT_MAX];
	unsigned nkept;
} t;

/* ---- the keeper ---- */

static void drop(void *arg, const char *name)
{
	(void)arg;
	for (unsigned i = 0; i < t.nkept; i++)
		if (strcmp(t.kept[i].name, name) == 0) {
			close(t.kept[i].fd);
			t.kept[i] = t.kept[--t.nkept];
		}
}

static int hold(void *arg, const char *name, int fd)
{
	drop(arg, name);
	if (t.refuse || t.nkept == KEPT_MAX)
		return -ENOSPC;
	must(strlen(name) < VHOST_HELD_NAME);
	strcpy(t.kept[t.nkept].name, name);
	t.kept[t.nkept].fd = dup(fd);
	must(t.kept[t.nkept++].fd >= 0);
	return 0;
}

static int recall(void *arg, const char *name)
{
	(void)arg;
	for (unsigned i = 0; i < t.nkept; i++)
		if (strcmp(t.kept[i].name, name) == 0)
			return dup(t.kept[i].fd);
	return -ENOENT;
}

static const struct vhost_session_conf conf = {
	.port = &fake.port, .pairs = PAIRS, .mtu = 1500, .hold = hold, .drop = drop, .recall = recall,
};

static void connect_session(void)
{
	struct error err;
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
	t.peer = pair[1];
	t.s = vhost_session_new(&conf, pair[0], &err);
	must(t.s != NULL);
}

/* ---- messages ---- */

static void put(const void *data, size_t size, const int *fds, unsigned n)
{
	struct iovec iov = { (void *)data, size };
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n) {
		control.align = (struct cmsghdr){ CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), fds, n * sizeof(int));
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	if (size && sendmsg(t.peer, &m, MSG_NOSIGNAL) < 0)
		return;			/* it does not read any more */
}

static void input(void)
{
	int rc = 2;

	for (unsigned i = 0; i < 100 && rc == 2; i++)
		rc = vhost_session_input(t.s);
	must(rc <= 2 && (rc >= 0 || vhost_session_reason(t.s)[0]));
	must(!vhost_session_running(t.s) || (fake.rings[0].started && fake.rings[1].started));
}

/* field() - a number that means something more often than a random one */
static uint64_t field(struct reader *r)
{
	uint8_t kind = read_u8(r);
	uint64_t v = read_u16(r);

	switch (kind % 8) {
	case 0:
		return v;
	case 1:
		return USER + v * 16;
	case 2:
		return v * 4096;
	case 3:
		return ~0ull - v;
	case 4:
		return 1ull << (v % 64);
	case 5:
		return v >> 8 | (v & 0xff) << 32;
	case 6:
		return v << 16;
	default:
		return v >> 8 | (v & 0xff) << 16;
	}
}

/* natural() - size and number of descriptors that the request has when it is sent as it should be */
static uint32_t natural(uint32_t request, uint64_t first, unsigned *nfds)
{
	*nfds = 0;
	switch (request) {
	case VHOST_SET_MEM_TABLE:
		*nfds = first % 9;
		return 8 + 32 * *nfds;
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
	case VHOST_SET_VRING_ERR:
		*nfds = !(first & 0x100);
		return 8;
	case VHOST_SET_LOG_BASE:
		*nfds = 1;
		return 16;
	case VHOST_SET_LOG_FD:
	case VHOST_SET_BACKEND_REQ_FD:
		*nfds = 1;
		return 0;
	case VHOST_ADD_MEM_REG:
		*nfds = 1;
		return 40;
	case VHOST_REM_MEM_REG:
	case VHOST_SET_VRING_ADDR:
		return 40;
	case VHOST_SET_INFLIGHT_FD:
		*nfds = 1;
		return 24;
	case VHOST_GET_INFLIGHT_FD:
		return 24;
	case VHOST_GET_FEATURES:
	case VHOST_SET_OWNER:
	case VHOST_RESET_OWNER:
	case VHOST_GET_PROTOCOL_FEATURES:
	case VHOST_GET_QUEUE_NUM:
	case VHOST_RESET_DEVICE:
	case VHOST_GET_MAX_MEM_SLOTS:
	case VHOST_GET_STATUS:
		return 0;
	default:
		return 8;
	}
}

static void message(struct reader *r, bool odd)
{
	uint32_t header[3] = { read_u8(r) % 44, 1 | (read_u8(r) & 8), 0 };
	uint8_t data[MESSAGE_MAX] = { 0 }, kind = read_u8(r);
	uint64_t payload[33] = { field(r) };
	int fds[16];
	unsigned n;

	header[2] = natural(header[0], payload[0], &n);
	if (odd) {
		header[1] = read_u8(r);
		header[2] = read_u16(r);
		n = read_u8(r) % 13;
	}
	for (unsigned i = 1; i < MIN_OF(header[2] / 8, 33u); i++)
		payload[i] = field(r);
	for (unsigned i = 0; i < n; i++)
		fds[i] = t.fds[(kind + (odd ? i : 0)) % FDS];
	memcpy(data, header, VHOST_HEADER);
	memcpy(data + VHOST_HEADER, payload, sizeof(payload));
	put(data, MIN_OF(VHOST_HEADER + header[2], (uint32_t)MESSAGE_MAX), fds, n);
	input();
}

/* ask() - as it should be */
static void ask(uint32_t request, const void *payload, uint32_t size, int fd)
{
	const uint32_t header[3] = { request, 9, size };
	uint8_t data[64];

	memcpy(data, header, VHOST_HEADER);
	memcpy(data + VHOST_HEADER, payload, size);
	put(data, VHOST_HEADER + size, &fd, fd >= 0);
}

/* start() - a driver that does all right, so that more can be done wrong from there */
static void start(uint8_t how)
{
	uint64_t features = 1ull << 32 | (how & 1 ? 1ull << 34 : 0) | (how & 2 ? 1ull << 30 : 0), protocol = PROTOCOL_ALL;
	const uint64_t table[5] = { 1, 0, MEMORY, USER, 0 };

	ask(VHOST_SET_PROTOCOL_FEATURES, &protocol, 8, -1);
	ask(VHOST_SET_FEATURES, &features, 8, -1);
	ask(VHOST_SET_MEM_TABLE, table, sizeof(table), t.fds[how >> 2 & 1]);
	for (uint64_t i = 0; i < 2; i++) {
		const uint64_t addr[5] = { i, USER + 0x1000, USER + 0x3000, USER + 0x2000, 0 };
		const uint32_t num[2] = { (uint32_t)i, 64 }, base[2] = { (uint32_t)i, how & 1 ? 0x8000 : 0 }, on[2] = { (uint32_t)i, 1 };

		ask(VHOST_SET_VRING_NUM, num, 8, -1);
		ask(VHOST_SET_VRING_BASE, base, 8, -1);
		ask(VHOST_SET_VRING_ADDR, addr, 40, -1);
		ask(VHOST_SET_VRING_CALL, &i, 8, t.fds[2]);
		ask(VHOST_SET_VRING_KICK, &i, 8, t.fds[3]);
		ask(VHOST_SET_VRING_ENABLE, on, 8, -1);
	}
	input();
}

/* read_replies() - each of them is one */
static void read_replies(void)
{
	uint32_t header[3];
	uint8_t payload[VHOST_REPLY_MAX];

	while (t.peer >= 0 && recv(t.peer, header, VHOST_HEADER, 0) == VHOST_HEADER) {
		must(header[1] == 5 && header[2] >= 8 && header[2] <= 24);
		must(recv(t.peer, payload, header[2], 0) == (ssize_t)header[2]);
	}
}

/* ---- the world around ---- */

static void poke(struct reader *r)
{
	uint8_t which = read_u8(r);
	size_t at = read_u16(r) % (sizeof(struct vhost_saved) - 1);

	if (which & 1)
		pwrite(t.fds[5], &which, 1, (off_t)(at % 4096));
	else
		pwrite(t.fds[0], &(uint16_t){ read_u16(r) }, 2, (off_t)at);
}

static void next_engine(bool forge, struct reader *r)
{
	uint8_t byte = forge ? read_u8(r) : 0;
	struct error err = { 0 };
	int fd;

	vhost_session_leave(t.s);
	fd = recall(NULL, "saved");
	if (forge && fd >= 0)
		pwrite(fd, &byte, 1, (off_t)(read_u16(r) % sizeof(struct vhost_saved)));
	if (fd >= 0)
		close(fd);
	fake_reset();
	t.s = vhost_session_restore(&conf, &err);
	if (t.s)
		return;
	must(t.nkept == 0 && err.message[0]);
	close(t.peer);
	connect_session();
}

static void raw(struct reader *r)
{
	uint8_t size = read_u8(r), data[256];

	read_copy(r, data, size);
	put(data, size, &t.fds[size % FDS], size % 3 == 0);
	input();
}

static void step(struct reader *r)
{
	switch (read_u8(r) % STEPS) {
	case MESSAGE:
		return message(r, false);
	case ODD_MESSAGE:
		return message(r, true);
	case START:
		return start(read_u8(r));
	case RAW:
		return raw(r);
	case POKE:
		return poke(r);
	case READ:
		return read_replies();
	case CUT:
		must(ftruncate(t.fds[0], (off_t)read_u8(r) * 4096 % MEMORY) == 0);
		return;
	case NEXT_ENGINE:
		return next_engine(false, r);
	case FORGE:
		return next_engine(true, r);
	case REFUSE:
		t.refuse = read_u8(r) & 1;
		return;
	case FAULT:
		fake.fault = "a descriptor that is none";
		return;
	case CLOSE:
		shutdown(t.peer, SHUT_RDWR);
		return input();
	}
}

static void open_files(void)
{
	for (unsigned i = 0; i < 2; i++) {
		t.fds[i] = memfd_create("guest", 0);
		must(t.fds[i] >= 0 && ftruncate(t.fds[i], MEMORY) == 0);
		t.fds[2 + i] = eventfd(0, 0);
	}
	t.fds[4] = socket(AF_UNIX, SOCK_STREAM, 0);
	t.fds[5] = memfd_create("in flight", 0);
	must(ftruncate(t.fds[5], 65536) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	int lowest = dup(STDERR_FILENO);

	close(lowest);
	must(vhost_memory_init() == 0);
	memset(&t, 0, sizeof(t));
	fake_reset();
	open_files();
	connect_session();
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&r); i++)
		step(&r);
	vhost_session_free(t.s);
	must(t.nkept == 0);
	close(t.peer);
	for (unsigned i = 0; i < FDS; i++)
		close(t.fds[i]);
	must(dup(STDERR_FILENO) == lowest);	/* nothing stayed open */
	close(lowest);
	return 0;
}
