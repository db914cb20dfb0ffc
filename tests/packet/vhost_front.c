// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tests/packet/vhost_front.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vhost_types.h>

#include "base/clock.h"

enum request {
	GET_FEATURES = 1, SET_FEATURES, SET_OWNER, SET_MEM_TABLE = 5, SET_VRING_NUM = 8, SET_VRING_ADDR, SET_VRING_BASE,
	GET_VRING_BASE, SET_VRING_KICK, SET_VRING_CALL, GET_PROTOCOL_FEATURES = 15, SET_PROTOCOL_FEATURES, GET_QUEUE_NUM,
	SET_VRING_ENABLE,
};
enum { VERSION = 1, REPLY = 4, NEED_REPLY = 8, HEADER = 12, DIAL_AGAIN_MS = 20 };
enum { PROTOCOL_MQ = 1 << 0, PROTOCOL_REPLY_ACK = 1 << 3 };

struct message {
	uint32_t request, flags, size;
	union {
		uint64_t u64;
		struct vhost_vring_state state;
		struct vhost_vring_addr addr;
		struct {
			uint32_t count, padding;
			uint64_t gpa, size, user, offset;
		} memory;
	};
} __attribute__((packed));

/* --- connecting ----------------------------------------------------------------------------------------- */

static int unix_socket(const char *path, struct sockaddr_un *to)
{
	int sock;

	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(to->sun_path))
		return -ENAMETOOLONG;
	strcpy(to->sun_path, path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return sock < 0 ? -errno : sock;
}

int vhost_front_listen(const char *path)
{
	struct sockaddr_un at;
	int sock = unix_socket(path, &at), rc;

	if (sock < 0)
		return sock;
	unlink(path);
	if (bind(sock, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(sock, 1) == 0)
		return sock;
	rc = -errno;
	close(sock);
	return rc;
}

static int readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = poll(&p, 1, FRONT_PATIENCE_MS);

	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

int vhost_front_accept(struct vhost_front *front, int listener)
{
	int rc = readable(listener);

	*front = (struct vhost_front){ .sock = -1 };
	if (rc < 0)
		return rc;
	front->sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return front->sock < 0 ? -errno : 0;
}

int vhost_front_dial(struct vhost_front *front, const char *path)
{
	uint64_t deadline = clock_now_ms() + FRONT_PATIENCE_MS;
	struct sockaddr_un to;
	int rc;

	*front = (struct vhost_front){ .sock = unix_socket(path, &to) };
	if (front->sock < 0)
		return front->sock;
	while (connect(front->sock, (struct sockaddr *)&to, sizeof(to)) < 0) {
		rc = -errno;
		if ((rc != -ENOENT && rc != -ECONNREFUSED && rc != -EAGAIN) || clock_now_ms() > deadline) {
			vhost_front_close(front);
			return rc;
		}
		poll(NULL, 0, DIAL_AGAIN_MS);
	}
	return 0;
}

void vhost_front_close(struct vhost_front *front)
{
	if (front->sock >= 0)
		close(front->sock);
	front->sock = -1;
}

/* --- messages ------------------------------------------------------------------------------------------- */

static int send_message(struct vhost_front *front, struct message *m, int fd)
{
	struct iovec v = { .iov_base = m, .iov_len = HEADER + m->size };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	n = sendmsg(front->sock, &h, MSG_NOSIGNAL);
	return n < 0 ? -errno : (size_t)n == v.iov_len ? 0 : -EPROTO;
}

static int receive(struct vhost_front *front, void *data, size_t size)
{
	uint8_t *at = data;

	while (size) {
		int rc = readable(front->sock);
		ssize_t n;

		if (rc < 0)
			return rc;
		n = recv(front->sock, at, size, 0);
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

/* ask() - send @m and put the answer to it in its place */
static int ask(struct vhost_front *front, struct message *m)
{
	uint32_t request = m->request;
	int rc = send_message(front, m, -1);

	if (rc == 0)
		rc = receive(front, m, HEADER);
	if (rc == 0 && (m->request != request || !(m->flags & REPLY) || m->size != 8))
		rc = -EPROTO;
	return rc < 0 ? rc : receive(front, &m->u64, 8);
}

static int get(struct vhost_front *front, enum request request, uint64_t *value)
{
	struct message m = { .request = request, .flags = VERSION };
	int rc = ask(front, &m);

	if (rc == 0)
		*value = m.u64;
	return rc;
}

/* tell() - send @m, and wait for its acknowledgement where there are such */
static int tell(struct vhost_front *front, struct message *m, int fd)
{
	struct message ack;
	int rc;

	m->flags = VERSION | (front->acks ? NEED_REPLY : 0);
	rc = send_message(front, m, fd);
	if (rc < 0 || !front->acks)
		return rc;
	rc = receive(front, &ack, HEADER + 8);
	if (rc < 0)
		return rc;
	return ack.request == m->request && ack.size == 8 && ack.u64 == 0 ? 0 : -EPROTO;
}

static int set(struct vhost_front *front, enum request request, uint64_t value, int fd)
{
	return tell(front, &(struct message){ .request = request, .size = 8, .u64 = value }, fd);
}

static int set_state(struct vhost_front *front, enum request request, unsigned index, uint32_t num)
{
	return tell(front, &(struct message){ .request = request, .size = 8, .state = { index, num } }, -1);
}

/* --- device --------------------------------------------------------------------------------------------- */

static int negotiate_protocol(struct vhost_front *front)
{
	uint64_t offered = 0, queues = 0;
	int rc = get(front, GET_PROTOCOL_FEATURES, &offered);

	if (rc == 0)
		rc = set(front, SET_PROTOCOL_FEATURES, offered & (PROTOCOL_MQ | PROTOCOL_REPLY_ACK), -1);
	if (rc < 0)
		return rc;
	front->enables = true;
	front->acks = offered & PROTOCOL_REPLY_ACK;
	if (!(offered & PROTOCOL_MQ))
		return 0;
	rc = get(front, GET_QUEUE_NUM, &queues);
	if (rc == 0)
		front->queues = (unsigned)queues;
	return rc;
}

int vhost_front_negotiate(struct vhost_front *front, uint64_t wanted)
{
	int rc = tell(front, &(struct message){ .request = SET_OWNER }, -1);

	front->queues = 1;
	if (rc == 0)
		rc = get(front, GET_FEATURES, &front->offered);
	if (rc == 0 && (front->offered & FRONT_PROTOCOL_FEATURES))
		rc = negotiate_protocol(front);
	if (rc < 0)
		return rc;
	front->features = front->offered & (wanted | FRONT_PROTOCOL_FEATURES);
	return set(front, SET_FEATURES, front->features, -1);
}

int vhost_front_memory(struct vhost_front *front, int fd, uint64_t gpa, size_t size, const void *at)
{
	struct message m = { .request = SET_MEM_TABLE, .size = sizeof(m.memory),
			     .memory = { .count = 1, .gpa = gpa, .size = size, .user = (uintptr_t)at } };

	return tell(front, &m, fd);
}

int vhost_front_start(struct vhost_front *front, const struct vhost_front_ring *ring)
{
	struct message where = { .request = SET_VRING_ADDR, .size = sizeof(where.addr),
				 .addr = { .index = ring->index, .desc_user_addr = (uintptr_t)ring->desc,
					   .used_user_addr = (uintptr_t)ring->device, .avail_user_addr = (uintptr_t)ring->driver } };
	int rc = set_state(front, SET_VRING_NUM, ring->index, ring->size);

	if (rc == 0)
		rc = set_state(front, SET_VRING_BASE, ring->index, ring->base);
	if (rc == 0)
		rc = tell(front, &where, -1);
	if (rc == 0)
		rc = set(front, SET_VRING_CALL, ring->index, ring->call);
	if (rc == 0)
		rc = set(front, SET_VRING_KICK, ring->index, ring->kick);
	if (rc == 0 && front->enables)
		rc = set_state(front, SET_VRING_ENABLE, ring->index, 1);
	return rc;
}

int vhost_front_stop(struct vhost_front *front, unsigned index, uint32_t *base)
{
	struct message m = { .request = GET_VRING_BASE, .flags = VERSION, .size = 8, .state = { .index = index } };
	int rc = ask(front, &m);

	if (rc == 0)
		*base = m.state.num;
	return rc;
}
