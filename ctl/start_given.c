// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/text.h"
#include "ctl/start.h"

enum { FIRST_FD = 3 };

/* look() - what kind of socket is it, and where is it bound? */
static bool look(int fd, struct start_given *g)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} at = { .any.sa_family = AF_UNSPEC };
	socklen_t size = sizeof(at), int_size = sizeof(int);
	int type = 0;

	if (getsockname(fd, &at.any, &size) < 0 || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &int_size) < 0 ||
	    (type != SOCK_STREAM && type != SOCK_DGRAM) || (at.any.sa_family != AF_INET && at.any.sa_family != AF_INET6))
		return false;
	g->proto = type == SOCK_STREAM ? HOST_TCP : HOST_UDP;
	g->family = at.any.sa_family == AF_INET ? 4 : 6;
	g->port = ntohs(g->family == 4 ? at.in.sin_port : at.in6.sin6_port);
	if (g->family == 4)
		memcpy(g->addr, &at.in.sin_addr, 4);
	else
		memcpy(g->addr, &at.in6.sin6_addr, 16);
	return g->port != 0;
}

static void take_one(struct started *to, int fd, const char *label, size_t size)
{
	struct start_given g = { .port = 0 };
	uint32_t n = to->message.ngiven;

	if (size < sizeof(g.label))
		memcpy(g.label, label, size);
	if (!look(fd, &g)) {
		log_warn("event=socket-not-used fd=%d name=%.*s reason=\"not a bound TCP or UDP socket\"", fd, (int)size, label);
		return;
	}
	to->given[n] = g;
	to->given_fds[n] = fd;
	to->message.ngiven++;
}

void given_take(struct started *to)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
	unsigned long n = 0, whose = 0;

	if (pid && fds && number_parse(pid, 1, INT32_MAX, &whose) == 0 && whose == (unsigned long)getpid() &&
	    number_parse(fds, 1, START_GIVEN_MAX, &n) == 0) {
		to->given = calloc(n, sizeof(*to->given));
		to->given_fds = calloc(n, sizeof(*to->given_fds));
	}
	for (unsigned long i = 0; to->given && to->given_fds && i < n; i++) {
		size_t size = names ? strcspn(names, ":") : 0;

		fcntl((int)(FIRST_FD + i), F_SETFD, FD_CLOEXEC);
		take_one(to, (int)(FIRST_FD + i), names, size);
		if (names)
			names = names[size] ? names + size + 1 : NULL;
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}
