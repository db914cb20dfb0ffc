// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

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
int port_bind(const struct host_listen *m, uint16_t port)
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

unsigned port_first_free(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned port = 1024;

	if (f && fscanf(f, "%u", &port) != 1)
		port = 1024;
	if (f)
		fclose(f);
	return port;
}
