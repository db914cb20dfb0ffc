/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/resolved_look.h - has systemd-resolved come or gone, or does the host ask somebody else now?
 *
 * Asked of the file system, and of the address at which resolved answers the host's programs, so that nobody has to be on the bus for it: a TCP
 * connection there is begun and given up without a word. What resolved writes whenever it learns something is not looked at: it does so, too, when
 * we tell it something. Any thread.
 */
#ifndef CTL_RESOLVED_LOOK_H
#define CTL_RESOLVED_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#define RESOLVED_SOCKET "/run/systemd/resolve/io.systemd.Resolve"	/* made anew each time it starts */

enum { RESOLVED_PORT = 53 };

struct resolved_seen {
	uint64_t conf, socket;		/* sums of what the file system says of the two; 0: there is none */
	bool listens;
};

/* resolved_look() - of the file that says whom the host asks, of resolved's socket, and of 127.0.0.53
 * @port:	RESOLVED_PORT, but in a test
 *
 * Return: is it another state than *seen, which becomes it?
 */
bool resolved_look(const char *resolv_conf, const char *socket_path, uint16_t port, struct resolved_seen *seen);

#endif
