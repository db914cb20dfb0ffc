// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* secure_getenv() */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/text.h"
#include "ctl/keeper.h"

enum { FIRST_FD = 3, GIVEN_MAX = 4096, LABEL_TEXT = 2 * NAME_MAX_SIZE };

struct given {
	int fd;
	uint8_t family, proto;		/* as in struct host_listen */
	uint16_t port;
	uint8_t addr[16];
	char label[LABEL_TEXT];		/* FileDescriptorName=; empty when it has none that fits */
};

static struct given *given;
static unsigned ngiven;

/* look() - what kind of socket is it, and where is it bound? */
static bool look(int fd, struct given *g)
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

static void take_one(int fd, const char *label, size_t size)
{
	struct given g = { .fd = fd };

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (size < sizeof(g.label))
		memcpy(g.label, label, size);
	if (!look(fd, &g)) {
		log_warn("event=socket-not-used fd=%d name=%.*s reason=\"not a bound TCP or UDP socket\"", fd, (int)size, label);
		return;
	}
	given[ngiven++] = g;
}

void given_take(void)
{
	const char *pid = secure_getenv("LISTEN_PID"), *fds = secure_getenv("LISTEN_FDS"), *names = secure_getenv("LISTEN_FDNAMES");
	unsigned long n = 0, whose = 0;

	if (pid && fds && number_parse(pid, 1, INT32_MAX, &whose) == 0 && whose == (unsigned long)getpid() &&
	    number_parse(fds, 1, GIVEN_MAX, &n) == 0)
		given = calloc(n, sizeof(*given));
	for (unsigned long i = 0; given && i < n; i++) {
		size_t size = names ? strcspn(names, ":") : 0;

		take_one((int)(FIRST_FD + i), names, size);
		if (names)
			names = names[size] ? names + size + 1 : NULL;
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

/* is_for() - the engine's name is forward:NET/ID/...; a label is NET/ID, or ID alone */
static bool is_for(const char *label, const char *name)
{
	static const char kind[] = "forward:";
	const char *slash, *end;
	size_t n = strlen(label);

	if (!n || strncmp(name, kind, sizeof(kind) - 1))
		return false;
	name += sizeof(kind) - 1;
	slash = strchr(name, '/');
	end = slash ? strrchr(slash + 1, '/') : NULL;
	if (!end)
		return false;
	return (n == (size_t)(end - name) && !strncmp(label, name, n)) ||
	       (n == (size_t)(end - slash - 1) && !strncmp(label, slash + 1, n));
}

/* One that was given by name serves where the forward has an address of its family, whichever address it is. */
static bool fits(const struct given *g, const struct host_listen *m, uint16_t port)
{
	if (g->family != m->family || g->proto != m->proto)
		return false;
	return (m->count == 1 && is_for(g->label, m->name)) ||
	       (g->port == port && !memcmp(g->addr, m->addr, sizeof(g->addr)));
}

int given_find(const struct host_listen *m, uint16_t port)
{
	enum { BACKLOG = 4096 };

	for (unsigned i = 0; i < ngiven; i++) {
		if (!fits(&given[i], m, port))
			continue;
		if (m->proto == HOST_TCP && listen(given[i].fd, BACKLOG) < 0)	/* again, where an earlier use has ended it */
			return -errno;
		return fcntl(given[i].fd, F_DUPFD_CLOEXEC, 0);
	}
	return -ENOENT;
}
