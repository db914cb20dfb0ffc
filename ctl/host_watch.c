// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/host_watch.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"

enum { GATHER_MS = 100, MESSAGES_AT_ONCE = 1000 };

struct host_watch {
	int fd;
	struct event *readable;		/* pending unless the timer is */
	struct event *gather;		/* while it runs nothing is read: one callback for a whole change */
	host_changed_fn *changed;
	void *arg;
};

/* drain() - take what the kernel has told; the sender is looked at, for any process may write to a netlink socket
 * Return: was there something? */
static bool drain(int fd)
{
	bool some = false;

	for (unsigned i = 0; i < MESSAGES_AT_ONCE; i++) {
		struct sockaddr_nl from = { 0 };
		socklen_t size = sizeof(from);
		char byte;
		ssize_t n = recvfrom(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &size);

		if (n < 0 && errno == ENOBUFS)
			some = true;
		else if (n < 0 && errno != EINTR)
			break;
		else if (n >= 0 && from.nl_pid == 0)
			some = true;
	}
	return some;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct host_watch *w = arg;
	struct timeval tv = { .tv_usec = GATHER_MS * 1000 };

	(void)what;
	if (drain(fd)) {
		event_del(w->readable);
		event_add(w->gather, &tv);
	}
}

static void on_gathered(evutil_socket_t fd, short what, void *arg)
{
	struct host_watch *w = arg;

	(void)fd, (void)what;
	drain(w->fd);			/* before others look at the host: what comes later is told again */
	event_add(w->readable, NULL);
	w->changed(w->arg);
}

static int subscribe(int fd)
{
	static const int groups[] = {
		RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
	};
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };

	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) < 0)
			return -errno;
	return 0;
}

struct host_watch *host_watch_new(struct event_base *base, host_changed_fn *changed, void *arg)
{
	struct host_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return NULL;
	w->changed = changed;
	w->arg = arg;
	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	rc = w->fd < 0 ? -errno : subscribe(w->fd);
	if (rc == 0) {
		w->readable = event_new(base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
		w->gather = evtimer_new(base, on_gathered, w);
		if (!w->readable || !w->gather || event_add(w->readable, NULL) < 0)
			rc = -ENOMEM;
	}
	if (rc == 0)
		return w;
	host_watch_free(w);
	errno = -rc;
	return NULL;
}

void host_watch_free(struct host_watch *w)
{
	if (!w)
		return;
	if (w->readable)
		event_free(w->readable);
	if (w->gather)
		event_free(w->gather);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}
