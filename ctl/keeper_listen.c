// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/keeper.h"

enum { BACKLOG = 4096, NEXT_PORTS = 100 };

static socklen_t address(const struct host_listen *m, uint16_t port, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (m->family == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, m->addr, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, m->addr, 16);
	return sizeof(*v6);
}

/* SO_REUSEADDR lets TCP listen beside connections of an earlier daemon; to UDP it would mean sharing the port. */
static int bind_to(const struct host_listen *m, uint16_t port)
{
	struct sockaddr_storage to;
	socklen_t size = address(m, port, &to);
	int tcp = m->proto == HOST_TCP, on = 1;
	int fd = socket(to.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	if ((m->family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    (tcp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    bind(fd, (struct sockaddr *)&to, size) < 0 || (tcp && listen(fd, BACKLOG) < 0)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static uint16_t next_free_port(const struct host_listen *m)
{
	for (unsigned port = m->port + 1u; port <= 65535 && port <= m->port + (unsigned)NEXT_PORTS; port++) {
		int fd = bind_to(m, (uint16_t)port);

		if (fd >= 0) {
			close(fd);
			return (uint16_t)port;
		}
	}
	return 0;
}

/* --- the request -------------------------------------------------------------------------------------- */

static void name_of(const struct host_listen *m, uint16_t port, char text[80])
{
	char addr[INET6_ADDRSTRLEN] = "?";

	inet_ntop(m->family == 6 ? AF_INET6 : AF_INET, m->addr, addr, sizeof(addr));
	snprintf(text, 80, m->family == 6 ? "%s [%s]:%u" : "%s %s:%u", m->proto == HOST_TCP ? "tcp" : "udp", addr, port);
}

static unsigned first_free_port(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned port = 1024;

	if (f && fscanf(f, "%u", &port) != 1)
		port = 1024;
	if (f)
		fclose(f);
	return port;
}

/* may_search() - finding the owner of a port takes milliseconds: for the many parts of a range that is refused, not each time */
static bool may_search(const struct host_listen *m)
{
	enum { PAUSE_MS = 300 };
	static uint64_t next_ms;
	uint64_t now = clock_now_ms();

	if (m->count > 1 && now < next_ms)
		return false;
	next_ms = now + PAUSE_MS;
	return true;
}

static void explain(const struct host_listen *m, uint16_t port, int rc, struct host_reply *r)
{
	char name[80], owner[64] = "another process";

	name_of(m, port, name);
	if (rc == -EADDRINUSE) {
		if (may_search(m))
			owner_describe(m, port, owner, sizeof(owner));
		snprintf(r->message, sizeof(r->message), "%s is used by %s", name, owner);
		r->value = m->count == 1 ? next_free_port(m) : 0;
		if (r->value)
			snprintf(r->hint, sizeof(r->hint), "port %u is free", r->value);
	} else if (rc == -EACCES) {
		snprintf(r->message, sizeof(r->message), "%s: ports below %u are for root", name, first_free_port());
		snprintf(r->hint, sizeof(r->hint),
			 "a port from %u up; or as root: sysctl net.ipv4.ip_unprivileged_port_start=%u, or setcap cap_net_bind_service=ep "
			 "lanyardd, or a socket handed over at the start", first_free_port(), m->port);
	} else if (rc == -EMFILE || rc == -ENFILE) {
		snprintf(r->message, sizeof(r->message), "%s: the limit of open files is reached", name);
		snprintf(r->hint, sizeof(r->hint), "a higher LimitNOFILE= or ulimit -n for lanyardd");
	} else {
		snprintf(r->message, sizeof(r->message), "%s: %s", name, strerror(-rc));
	}
}

/* open_one() - a socket that was handed over, or one of our own. A root daemon lends low ports to root alone. */
static int open_one(const struct host_listen *m, uint16_t port)
{
	int fd;

	if (geteuid() == 0 && m->uid != 0 && port < first_free_port())
		return -EACCES;
	fd = given_find(m, port);
	return fd >= 0 ? fd : bind_to(m, port);
}

int listen_open(const struct host_listen *m, int *fds, struct host_reply *r)
{
	int there = 0, first_rc = 0;

	for (unsigned i = 0; i < m->count; i++) {
		uint16_t port = (uint16_t)(m->port + i);
		int fd = fds[i] >= 0 ? fds[i] : first_rc == -EMFILE ? -EMFILE : open_one(m, port);

		if (fd >= 0) {
			fds[i] = fd;
			there++;
			continue;
		}
		r->missing[i / 8] |= (uint8_t)(1 << (i % 8));
		if (!first_rc)
			explain(m, port, fd, r);
		first_rc = first_rc ? first_rc : fd;
	}
	return there ? there : first_rc;
}
