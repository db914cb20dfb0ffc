// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports of the host: to have them, or to say why not. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/act_paths.h"

enum { NEXT_PORTS = 100, FIRST_FREE = 1024 };

/* ---- one port ---- */

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

/* port_bind() - SO_REUSEADDR lets TCP listen beside connections of an earlier daemon; to UDP it would mean sharing the port */
static int port_bind(const struct host_listen *m, uint16_t port)
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
	    bind(fd, (struct sockaddr *)&to, size) < 0 || (tcp && listen(fd, LISTEN_BACKLOG) < 0)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* first_free() - ports below it are for root; it is read once */
static unsigned first_free(void)
{
	static unsigned port;
	FILE *f = port ? NULL : fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");

	if (!port && (!f || fscanf(f, "%u", &port) != 1))
		port = FIRST_FREE;
	if (f)
		fclose(f);
	return port;
}

/* open_one() - a socket that was handed over, or one of our own. A root daemon lends low ports to root alone. */
static int open_one(const struct host_listen *m, uint16_t port)
{
	int fd;

	if (geteuid() == 0 && m->uid != 0 && port < first_free())
		return -EACCES;
	fd = given_find(m, port);
	return fd >= 0 ? fd : port_bind(m, port);
}

/* ---- why not ---- */

static uint16_t next_free_port(const struct host_listen *m, unsigned after)
{
	for (unsigned port = after + 1; port <= 65535 && port <= after + (unsigned)NEXT_PORTS; port++) {
		int fd = port_bind(m, (uint16_t)port);

		if (fd >= 0) {
			close(fd);
			return (uint16_t)port;
		}
	}
	return 0;
}

static void name_of(const struct host_listen *m, uint16_t port, char text[80])
{
	char addr[INET6_ADDRSTRLEN] = "?";

	inet_ntop(m->family == 6 ? AF_INET6 : AF_INET, m->addr, addr, sizeof(addr));
	snprintf(text, 80, m->family == 6 ? "%s [%s]:%u" : "%s %s:%u", m->proto == HOST_TCP ? "tcp" : "udp", addr, port);
}

/* explain() - @port could not be had; looking for who has it takes milliseconds: for the many parts of a range that is refused, not each time */
static void explain(const struct act_call *call, const struct host_listen *m, uint16_t port, int error, struct host_reply *r)
{
	bool search = m->count == 1 || call->value != LISTEN_EXPLAINED;
	char name[80], owner[64] = "another process";

	name_of(m, port, name);
	if (error == EADDRINUSE) {
		if (search)
			owner_describe(m, port, owner, sizeof(owner));
		snprintf(r->message, sizeof(r->message), "%s is used by %s", name, owner);
		r->value = m->count == 1 ? next_free_port(m, port) : 0;
		if (r->value)
			snprintf(r->hint, sizeof(r->hint), "port %u is free", r->value);
	} else if (error == EACCES) {
		snprintf(r->message, sizeof(r->message), "%s: ports below %u are for root", name, first_free());
		snprintf(r->hint, sizeof(r->hint),
			 "a port from %u up; or as root: sysctl net.ipv4.ip_unprivileged_port_start=%u, or setcap cap_net_bind_service=ep "
			 "lanyard-keeper%s, or a socket handed over at the start", first_free(), port, call->own_rights ? " and lanyard-paths" : "");
	} else if (error == EMFILE || error == ENFILE) {
		snprintf(r->message, sizeof(r->message), "%s: the limit of open files is reached", name);
		snprintf(r->hint, sizeof(r->hint), "a higher LimitNOFILE= or ulimit -n for lanyardd");
	} else {
		snprintf(r->message, sizeof(r->message), "%s: %s", name, strerror(error));
	}
}

/* ---- many ---- */

static bool bit(const uint8_t *bits, unsigned i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

int listen_open(const struct act_call *call, const struct host_listen *m, struct host_reply *r)
{
	static const uint8_t none[sizeof(call->missing)];
	bool again = memcmp(call->missing, none, sizeof(none)) != 0, any = false;
	uint16_t refused = 0;
	int rc = given_read(call->ngiven);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < m->count; i++) {
		uint16_t port = (uint16_t)(m->port + i);
		int fd = again && !bit(call->missing, i) ? 0 : rc == -EMFILE ? rc : open_one(m, port);

		if (fd > 0) {
			act_also(fd);
			any = true;
		} else if (fd < 0) {
			r->missing[i / 8] |= (uint8_t)(1 << (i % 8));
			refused = rc ? refused : port;
			rc = rc ? rc : fd;
		}
	}
	if (rc < 0)
		explain(call, m, refused, -rc, r);
	return any ? 0 : rc;
}
