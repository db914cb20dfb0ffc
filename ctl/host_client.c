// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/host_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { DEADLINE_MS = 6000 };

struct host {
	int sock;
	uint32_t serial;
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

static void close_fds(const int *fds, unsigned n)
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
		close_fds(fds, count);
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
		close_fds(fds, *count);
		if ((size_t)n != sizeof(*reply) || reply->head.serial == request->serial)
			return -EPROTO;
	}
}

/* call_many() - @fds of room for *count; they are those of a reply whose rc is 0 */
static int call_many(struct host *host, void *request, size_t size, int fd_out, struct host_reply *reply, int *fds, unsigned *count)
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
		close_fds(fds, *count);
		*count = 0;
	}
	return reply->rc;
}

int host_call(struct host *host, void *request, size_t size, int fd_out, struct host_reply *reply, int *fd_in)
{
	unsigned count = 1;
	int fd = -1, rc = call_many(host, request, size, fd_out, reply, &fd, &count);

	if (fd_in)
		*fd_in = rc == 0 && count ? fd : -1;
	else if (rc == 0 && count)
		close_fd(fd);
	return rc;
}

/* explain() - @rc with the keeper's own words, or ours where it said nothing */
static int explain(struct error *err, int rc, const struct host_reply *reply)
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

/* open_call() - a request whose answer is a descriptor */
static int open_call(struct host *host, void *request, size_t size, struct host_reply *reply, struct error *err)
{
	int fd;
	int rc;

	reply->rc = 0;
	reply->message[0] = '\0';
	rc = host_call(host, request, size, -1, reply, &fd);
	if (rc == 0 && fd < 0)
		rc = -EPROTO;
	return rc < 0 ? explain(err, rc, reply) : fd;
}

/* put() - a text into its field; -ENAMETOOLONG rather than half of it */
static int put(char *to, size_t room, const char *text, struct error *err)
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
	int rc = put(m.name, sizeof(m.name), name, err);

	if (rc < 0)
		return rc;
	return explain(err, host_call(host, &m, sizeof(m), fd, &reply, NULL), &reply);
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

int host_recall(struct host *host, const char *name, uint32_t *value)
{
	struct host_recall m = { .head.type = HOST_RECALL };
	struct host_reply reply;
	int rc = put(m.name, sizeof(m.name), name, NULL);
	int fd;

	if (rc < 0)
		return rc;
	fd = open_call(host, &m, sizeof(m), &reply, NULL);
	if (fd >= 0 && value)
		*value = reply.value;
	return fd;
}

int host_recall_all(struct host *host, host_recall_fn *fn, void *arg)
{
	struct host_recall m = { .head.type = HOST_RECALL };
	struct host_reply reply;
	int shown = 0;

	for (;;) {
		int fd = open_call(host, &m, sizeof(m), &reply, NULL);

		if (fd < 0)
			return fd == -ENOENT ? shown : fd;
		shown++;
		if (fn(arg, reply.name, fd, reply.value))
			m.index++;
		else if (host_drop(host, reply.name) < 0)
			return -EPROTO;		/* it would be shown again, for ever */
	}
}

static int link_call(struct host *host, struct host_link *m, const char *name, const char *ifname, const uint8_t *mac,
		     struct host_reply *reply, struct error *err)
{
	int rc = put(m->name, sizeof(m->name), name, err);

	if (rc == 0)
		rc = put(m->ifname, sizeof(m->ifname), ifname, err);
	if (rc < 0)
		return rc;
	if (mac)
		memcpy(m->mac, mac, sizeof(m->mac));
	return open_call(host, m, sizeof(*m), reply, err);
}

int host_open_tap(struct host *host, const char *name, const char *ifname, const uint8_t *mac, uint32_t mtu, bool queues,
		  uid_t uid, struct error *err)
{
	struct host_link m = { .head.type = HOST_OPEN_TAP, .uid = uid, .mtu = mtu, .queues = queues };
	struct host_reply reply;

	return link_call(host, &m, name, ifname, mac, &reply, err);
}

int host_open_vmm_tap(struct host *host, const char *name, const char *ifname, uid_t uid, struct error *err)
{
	struct host_link m = { .head.type = HOST_OPEN_VMM_TAP, .uid = uid };
	struct host_reply reply;

	return link_call(host, &m, name, ifname, NULL, &reply, err);
}

int host_open_netns(struct host *host, const char *name, const char *netns, const char *ifname, const uint8_t *mac,
		    uint32_t mtu, bool queues, uid_t uid, enum host_medium *medium, struct error *err)
{
	struct host_link m = { .head.type = HOST_OPEN_NETNS, .uid = uid, .mtu = mtu, .queues = queues };
	struct host_reply reply;
	int rc = put(m.netns, sizeof(m.netns), netns, err);

	if (rc < 0)
		return rc;
	rc = link_call(host, &m, name, ifname, mac, &reply, err);
	if (rc >= 0)
		*medium = reply.value == HOST_MEDIUM_PACKET ? HOST_MEDIUM_PACKET : HOST_MEDIUM_TAP;
	return rc;
}

int host_open_iface(struct host *host, const char *name, struct host_iface *iface, struct error *err)
{
	struct host_reply reply;
	int rc = put(iface->name, sizeof(iface->name), name, err);

	iface->head.type = HOST_OPEN_IFACE;
	return rc < 0 ? rc : open_call(host, iface, sizeof(*iface), &reply, err);
}

int host_open_uplink(struct host *host, const char *name, const char *ifname, enum host_hears hears, bool *all, struct error *err)
{
	struct host_uplink m = { .head.type = HOST_OPEN_UPLINK, .hears = (uint8_t)hears };
	struct host_reply reply;
	int rc = put(m.ifname, sizeof(m.ifname), ifname, err);

	if (rc == 0)
		rc = put(m.name, sizeof(m.name), name, err);
	if (rc == 0)
		rc = open_call(host, &m, sizeof(m), &reply, err);
	if (rc >= 0)
		*all = reply.value == 1;
	return rc;
}

int host_wire(struct host *host, const char *name, struct host_wire *wire, struct error *err)
{
	struct host_reply reply;
	int rc = put(wire->name, sizeof(wire->name), name, err);

	wire->head.type = HOST_WIRE;
	if (rc == 0)
		rc = open_call(host, wire, sizeof(*wire), &reply, err);
	if (rc >= 0)
		close(rc);
	return rc < 0 ? rc : 0;
}

/* send_forwards() - those of @list, as many at a time as a message holds */
static int send_forwards(struct host *host, const struct host_forward *list, size_t n)
{
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < n; at += HOST_FORWARDS_MAX) {
		struct host_forwards m = { .head.type = HOST_NAT_FORWARDS };
		struct host_reply reply;

		m.n = n - at < HOST_FORWARDS_MAX ? (uint32_t)(n - at) : HOST_FORWARDS_MAX;
		memcpy(m.list, list + at, m.n * sizeof(*list));
		rc = host_call(host, &m, sizeof(m), -1, &reply, NULL);
	}
	return rc;
}

int host_nat(struct host *host, struct host_nat *nat, const struct host_forward *list, size_t n, char warning[HOST_TEXT_SIZE],
	     struct error *err)
{
	struct host_reply reply = { .rc = 0 };
	int rc = send_forwards(host, list, n);

	if (rc < 0)
		return error_set(err, rc, "%zu forwards: %s", n, strerror(-rc));
	nat->head.type = HOST_NAT;
	nat->nforwards = (uint32_t)n;
	rc = host_call(host, nat, sizeof(*nat), -1, &reply, NULL);
	if (rc < 0)
		return explain(err, rc, &reply);
	memcpy(warning, reply.message, HOST_TEXT_SIZE);
	return 0;
}

int host_nat_watch(struct host *host)
{
	struct host_header m = { .type = HOST_NAT_WATCH };
	struct host_reply reply;

	return open_call(host, &m, sizeof(m), &reply, NULL);
}

int host_changes(struct host *host, struct error *err)
{
	struct host_header m = { .type = HOST_CHANGES };
	struct host_reply reply;

	return open_call(host, &m, sizeof(m), &reply, err);
}

int host_open_resolv(struct host *host)
{
	struct host_header m = { .type = HOST_OPEN_RESOLV };
	struct host_reply reply;

	return open_call(host, &m, sizeof(m), &reply, NULL);
}

/* spread() - the descriptors that came, to the ports they are of. Return: false when they are not as many as the reply says */
static bool spread(const struct host_reply *reply, unsigned count, const int *came, unsigned ncame, int *fds)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += !host_listen_missing(reply, i);
	if (n != ncame)
		return false;
	n = 0;
	for (unsigned i = 0; i < count; i++)
		fds[i] = host_listen_missing(reply, i) ? -1 : came[n++];
	return true;
}

int host_listen_many(struct host *host, const char *name, int family, enum host_proto proto, const uint8_t *addr, uint16_t port,
		     unsigned count, uid_t uid, int *fds, struct error *err)
{
	struct host_listen m = { .head.type = HOST_LISTEN, .uid = uid, .family = (uint8_t)family, .proto = proto, .port = port,
				 .count = (uint16_t)count };
	struct host_reply reply = { .rc = 0 };
	int came[HOST_LISTEN_MAX], rc = put(m.name, sizeof(m.name), name, err);
	unsigned ncame = HOST_LISTEN_MAX;

	if (rc < 0)
		return rc;
	memcpy(m.addr, addr, family == 6 ? 16 : 4);
	rc = call_many(host, &m, sizeof(m), -1, &reply, came, &ncame);
	if (rc < 0)
		return explain(err, rc, &reply);
	if (!spread(&reply, count, came, ncame, fds)) {
		close_fds(came, ncame);
		return explain(err, -EPROTO, &reply);
	}
	if (ncame < count)
		explain(err, -EADDRNOTAVAIL, &(struct host_reply){ .rc = -EADDRNOTAVAIL });
	if (ncame < count && reply.message[0]) {
		error_set(err, -EADDRNOTAVAIL, "%s", reply.message);
		error_hint(err, "%s", reply.hint);
	}
	return (int)ncame;
}

int host_listen(struct host *host, const char *name, int family, enum host_proto proto, const uint8_t *addr, uint16_t port,
		uid_t uid, uint16_t *next_port, struct error *err)
{
	struct host_listen m = { .head.type = HOST_LISTEN, .uid = uid, .family = (uint8_t)family, .proto = proto, .port = port,
				 .count = 1 };
	struct host_reply reply = { .rc = 0 };
	int rc = put(m.name, sizeof(m.name), name, err);

	if (rc < 0)
		return rc;
	memcpy(m.addr, addr, family == 6 ? 16 : 4);
	rc = open_call(host, &m, sizeof(m), &reply, err);
	if (next_port)
		*next_port = rc == -EADDRINUSE ? (uint16_t)reply.value : 0;
	return rc;
}

int host_open_icmp(struct host *host, int family, unsigned share, unsigned shares)
{
	struct host_icmp m = { .head.type = HOST_OPEN_ICMP, .family = (uint8_t)family, .share = (uint16_t)share, .shares = (uint16_t)shares };
	struct host_reply reply;

	return open_call(host, &m, sizeof(m), &reply, NULL);
}

static int unix_call(struct host *host, enum host_type type, const char *name, const char *path, uid_t uid, struct error *err)
{
	struct host_unix m = { .head.type = type, .uid = uid };
	struct host_reply reply;
	int rc = put(m.name, sizeof(m.name), name, err);

	if (rc == 0)
		rc = put(m.path, sizeof(m.path), path, err);
	return rc < 0 ? rc : open_call(host, &m, sizeof(m), &reply, err);
}

int host_unix_listen(struct host *host, const char *name, const char *path, uid_t uid, struct error *err)
{
	return unix_call(host, HOST_UNIX_LISTEN, name, path, uid, err);
}

int host_unix_connect(struct host *host, const char *name, const char *path, uid_t uid, struct error *err)
{
	return unix_call(host, HOST_UNIX_CONNECT, name, path, uid, err);
}

int host_unix_bind(struct host *host, const char *name, const char *path, uid_t uid, struct error *err)
{
	return unix_call(host, HOST_UNIX_BIND, name, path, uid, err);
}

int host_unix_peer(struct host *host, const char *name, const char *path, uid_t uid, struct error *err)
{
	return unix_call(host, HOST_UNIX_PEER, name, path, uid, err);
}
