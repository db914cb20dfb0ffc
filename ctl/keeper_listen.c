// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <unistd.h>

#include "ctl/act_port.h"
#include "ctl/keeper.h"

/* open_one() - a socket that was handed over, or one of our own. A root daemon lends low ports to root alone. */
static int open_one(const struct host_listen *m, uint16_t port)
{
	int fd;

	if (geteuid() == 0 && m->uid != 0 && port < port_first_free())
		return -EACCES;
	fd = given_find(m, port);
	return fd >= 0 ? fd : port_bind(m, port);
}

int listen_open(const struct host_listen *m, int *fds, struct host_reply *r, uint16_t *port)
{
	int there = 0;

	for (unsigned i = 0; i < m->count; i++) {
		uint16_t at = (uint16_t)(m->port + i);
		int fd = fds[i] >= 0 ? fds[i] : r->rc == -EMFILE ? -EMFILE : open_one(m, at);

		if (fd >= 0) {
			fds[i] = fd;
			there++;
			continue;
		}
		r->missing[i / 8] |= (uint8_t)(1 << (i % 8));
		if (!r->rc)
			*port = at;
		r->rc = r->rc ? r->rc : fd;
	}
	return there;
}
