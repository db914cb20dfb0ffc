// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_look.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/live_dgram.h"
#include "switch/port.h"

enum { LOOK_S = 1 };

static bool is_a(const struct live_port *p, const char *medium)
{
	return p->port && p->medium && !strcmp(p->medium, medium);
}

/* interface_gone() - a packet socket whose interface was deleted is bound to none */
static bool interface_gone(const struct live_port *p)
{
	struct sockaddr_ll at = { 0 };
	socklen_t size = sizeof(at);

	return getsockname(port_fd(p->port), (struct sockaddr *)&at, &size) < 0 || at.sll_ifindex <= 0;
}

/* tap_gone() - a descriptor whose TAP was deleted reports an error for ever */
static bool tap_gone(const struct live_port *p)
{
	struct pollfd at = { .fd = port_fd(p->port) };

	return poll(&at, 1, 0) == 1 && at.revents & POLLERR;
}

/* look_at() - Return: is it to be looked at again? */
static bool look_at(struct engine *e, struct live_port *p)
{
	if (is_a(p, "packet") && interface_gone(p))
		live_port_gone(e, p->id, p->port->plug, -ENETDOWN);
	else if (is_a(p, "tap") && tap_gone(p))
		live_port_gone(e, p->id, p->port->plug, -EBADFD);
	else if (p->port && p->dgram && live_dgram_gone(p))
		live_port_gone(e, p->id, p->port->plug, -ECONNREFUSED);
	return is_a(p, "packet") || is_a(p, "tap") || p->dgram;
}

static void arm(struct engine *e)
{
	if (!evtimer_pending(e->look_timer, NULL))
		event_add(e->look_timer, &(struct timeval){ .tv_sec = LOOK_S });
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct engine *e = arg;
	bool again = false;

	(void)fd, (void)what;
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		for (struct live_port *p = net->ports; p; p = p->hh.next)
			again |= look_at(e, p);
	if (again)
		arm(e);
}

int live_look(struct engine *e)
{
	if (!e->look_timer)
		e->look_timer = evtimer_new(e->base, on_look, e);
	if (!e->look_timer)
		return -ENOMEM;
	arm(e);
	return 0;
}
