// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/host_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/host_call.h"

enum { DEADLINE_MS = 6000, CLIENTS = 64 };

struct host {
	int sock;
	uint32_t serial;
	uid_t clients[CLIENTS];		/* the keeper was told of; then it is told of some of them again */
	unsigned nclients;
};

struct host *host_new(int sock)
{
	struct host *host = calloc(1, sizeof(*host));

	if (!host)
		return NULL;
	host->sock = sock;
	fcntl(sock, F_SETFD, FD_CLOEXEC);
	fcntl(sock, F_SETFL, fcntl(sock, F_GETFL) | O_NONBLOCK);
	return host;
}

void host_free(struct host *host)
{
	if (!host)
		return;
	close(host->sock);
	free(host);
}

int host_fd(const struct host *host)
{
	return host->sock;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void host_close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

int host_on_readable(struct host *host)
{
	char late[HOST_MESSAGE_MAX];
	int fds[HOST_LISTEN_MAX];
	long n;

	do {
		unsigned count = HOST_LISTEN_MAX;

		n = host_receive_many(host->sock, late, sizeof(late), fds, &count);
		host_close_all(fds, count);
	} while (n >= 0 || n == -EPROTO);
	return n == -EAGAIN ? 0 : -EPIPE;
}

static int wait_for(struct host *host, short events, uint64_t until_ms)
{
	struct pollfd p = { .fd = host->sock, .events = events };
	uint64_t now = clock_now_ms();
	int rc = 0;

	if (now < until_ms)
		rc = poll(&p, 1, (int)(until_ms - now));
	if (rc < 0 && errno != EINTR)
		return -errno;
	return rc == 0 ? -ETIMEDOUT : 0;
}

static int send_request(struct host *host, const void *request, size_t size, int fd, uint64_t until_ms)
{
	int rc;

	while ((rc = host_send(host->sock, request, size, fd)) == -EAGAIN) {
		rc = wait_for(host, POLLOUT, until_ms);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* An answer to an earlier request, given up on, has another serial: it is thrown away. */
static int receive_reply(struct host *host, const struct host_header *request, struct host_reply *reply, int *fds,
			 unsigned *count, uint64_t until_ms)
{
	unsigned room = *count;
	long n;
	int rc;

	for (;;) {
		*count = room;
		n = host_receive_many(host->sock, reply, sizeof(*reply), fds, count);
		if (n == -EAGAIN) {
			rc = wait_for(host, POLLIN, until_ms);
			if (rc < 0)
				return rc;
			continue;
		}
		if (n < 0)
			return (int)n;
		if (host_reply_check(reply, (size_t)n, request) == 0)
			return 0;
		host_close_all(fds, *count);
		if ((size_t)n != sizeof(*reply) || reply->head.serial == request->serial)
			return -EPROTO;
	}
}

int host_call_many(struct host *host, void *request, size_t size, int fd_out, struct host_reply *reply, int *fds, unsigned *count)
{
	uint64_t until_ms = clock_now_ms() + DEADLINE_MS;
	struct host_header head;
	int rc;

	memcpy(&head, request, sizeof(head));
	head.size = (uint32_t)size;
	head.serial = ++host->serial;
	memcpy(request, &head, sizeof(head));
	rc = send_request(host, request, size, fd_out, until_ms);
	if (rc == 0)
		rc = receive_reply(host, &head, reply, fds, count, until_ms);
	else
		*count = 0;
	if (rc < 0)
		return rc;
	if (reply->rc < 0) {
		host_close_all(fds, *count);
		*count = 0;
	}
	return reply->rc;
}

int host_call(struct host *host, void *request, size_t size, int fd_out, struct host_reply *reply, int *fd_in)
{
	unsigned count = 1;
	int fd = -1, rc = host_call_many(host, request, size, fd_out, reply, &fd, &count);

	if (fd_in)
		*fd_in = rc == 0 && count ? fd : -1;
	else if (rc == 0 && count)
		close_fd(fd);
	return rc;
}

int host_call_failed(struct error *err, int rc, const struct host_reply *reply)
{
	if (rc >= 0)
		return rc;
	if (rc != reply->rc || !reply->message[0])
		return error_set(err, rc, "the keeper does not answer: %s", strerror(-rc));
	error_set(err, rc, "%s", reply->message);
	if (reply->hint[0])
		error_hint(err, "%s", reply->hint);
	return rc;
}

int host_call_open(struct host *host, void *request, size_t size, struct host_reply *reply, struct error *err)
{
	int fd;
	int rc;

	reply->rc = 0;
	reply->message[0] = '\0';
	rc = host_call(host, request, size, -1, reply, &fd);
	if (rc == 0 && fd < 0)
		rc = -EPROTO;
	return rc < 0 ? host_call_failed(err, rc, reply) : fd;
}

int host_put(char *to, size_t room, const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n >= room)
		return error_set(err, -ENAMETOOLONG, "%.60s...: longer than %zu bytes", text, room - 1);
	memcpy(to, text, n + 1);
	return 0;
}

static int named_call(struct host *host, enum host_type type, const char *name, int fd, struct error *err)
{
	struct host_named m = { .head.type = type };
	struct host_reply reply = { .rc = 0 };
	int rc = host_put(m.name, sizeof(m.name), name, err);

	if (rc < 0)
		return rc;
	return host_call_failed(err, host_call(host, &m, sizeof(m), fd, &reply, NULL), &reply);
}

int host_ready(struct host *host)
{
	struct host_header m = { .type = HOST_READY };
	struct host_reply reply;
	int rc = host_call(host, &m, sizeof(m), -1, &reply, NULL);

	return rc < 0 ? rc : (int)(reply.value & 0x7fffffff);
}

int host_hold(struct host *host, const char *name, int fd, struct error *err)
{
	return named_call(host, HOST_HOLD, name, fd, err);
}

int host_replace(struct host *host, const char *name, int fd, struct error *err)
{
	return named_call(host, HOST_REPLACE, name, fd, err);
}

int host_drop(struct host *host, const char *name)
{
	return named_call(host, HOST_DROP, name, -1, NULL);
}

void host_client(struct host *host, int fd, uid_t uid)
{
	struct host_header m = { .type = HOST_CLIENT };
	struct host_reply reply;

	for (unsigned i = 0; i < host->nclients && i < CLIENTS; i++)
		if (host->clients[i] == uid)
			return;
	if (host_call(host, &m, sizeof(m), fd, &reply, NULL) == 0)
		host->clients[host->nclients++ % CLIENTS] = uid;
}

int host_recall(struct host *host, const char *name, uint32_t *value)
{
	struct host_recall m = { .head.type = HOST_RECALL };
	struct host_reply reply;
	int rc = host_put(m.name, sizeof(m.name), name, NULL);
	int fd;

	if (rc < 0)
		return rc;
	fd = host_call_open(host, &m, sizeof(m), &reply, NULL);
	if (fd >= 0 && value)
		*value = reply.value;
	return fd;
}

int host_recall_all(struct host *host, host_recall_fn *fn, void *arg)
{
	struct host_recall m = { .head.type = HOST_RECALL, .next = 1 };
	struct host_reply reply;
	int shown = 0;

	for (;;) {
		int fd = host_call_open(host, &m, sizeof(m), &reply, NULL);

		if (fd < 0)
			return fd == -ENOENT ? shown : fd;
		shown++;
		if (fn(arg, reply.name, fd, reply.value))
			memcpy(m.name, reply.name, sizeof(m.name));
		else if (host_drop(host, reply.name) < 0)
			return -EPROTO;		/* it would be shown again, for ever */
	}
}
