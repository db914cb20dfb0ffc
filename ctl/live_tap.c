// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_tap.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/host_client.h"
#include "tap/tap.h"

static bool takes_several(int fd)
{
	struct ifreq ifr = { 0 };

	return ioctl(fd, TUNGETIFF, &ifr) == 0 && ifr.ifr_flags & IFF_MULTI_QUEUE;
}

static const char *name_of(const struct live_port *p, unsigned i, char to[HOST_NAME_SIZE])
{
	snprintf(to, HOST_NAME_SIZE, "%s#%u", p->held, i);
	return to;
}

/* open_more() - queue @i of the interface that the port has. Return: descriptor or negative errno */
static int open_more(const struct live_port *p, unsigned i)
{
	struct host *host = p->net->engine->host;
	uid_t uid = p->conf->kind == PORT_KIND_HOST ? 0 : p->net->conf->owner;
	enum host_medium medium;
	char name[HOST_NAME_SIZE];

	name_of(p, i, name);
	if (p->conf->kind == PORT_KIND_NETNS)
		return host_open_netns(host, name, p->conf->netns, p->conf->ifname, NULL, 0, true, uid, &medium, NULL);
	return host_open_tap(host, name, p->conf->ifname, NULL, 0, true, uid, NULL);
}

struct port *live_tap_new(struct live_port *p, int fd)
{
	unsigned wanted = MIN_OF(p->net->engine->nworkers, (unsigned)TAP_QUEUES_MAX), n = 1;
	int fds[TAP_QUEUES_MAX] = { fd };
	struct port *port;

	if (p->conf->kind == PORT_KIND_ATTACHED || !takes_several(fd))
		wanted = 1;
	while (n < wanted && (fds[n] = open_more(p, n)) >= 0)
		n++;
	port = tap_new_queues(fds, n, p->net->engine->nworkers);
	p->nheld = n - 1;
	if (!port) {
		int rc = errno;

		while (n > 1)
			close(fds[--n]);
		live_tap_drop_more(p);
		errno = rc;
	}
	return port;
}

bool live_tap_holds(const struct live_port *p, const char *name)
{
	char held[HOST_NAME_SIZE];

	for (unsigned i = 1; i <= p->nheld; i++)
		if (!strcmp(name_of(p, i, held), name))
			return true;
	return false;
}

void live_tap_drop_more(struct live_port *p)
{
	char held[HOST_NAME_SIZE];

	for (; p->nheld; p->nheld--)
		host_drop(p->net->engine->host, name_of(p, p->nheld, held));
}
