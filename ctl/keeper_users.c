// SPDX-License-Identifier: GPL-2.0-or-later
/* For which users root's keeper acts: those who were there. An engine that somebody else steers can say of any request whose it is, and has no way
 * to have a connection that another user made to the daemon's own listener, unless he did. */
#define _GNU_SOURCE	/* struct ucred */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/keeper.h"

/* is_accepted() - a connection that @listener accepted has its name, which nothing else can get while it is there; itself it has no peer */
static bool is_accepted(int fd, int listener)
{
	struct sockaddr_un at = { .sun_family = AF_UNSPEC }, own = at, peer;
	socklen_t size = sizeof(at), own_size = sizeof(own), peer_size = sizeof(peer);

	return getsockname(fd, (struct sockaddr *)&at, &size) == 0 && getsockname(listener, (struct sockaddr *)&own, &own_size) == 0 &&
	       size == own_size && own.sun_family == AF_UNIX && size > offsetof(struct sockaddr_un, sun_path) && !memcmp(&at, &own, size) &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0;
}

bool users_have(const struct users *u, uint32_t uid)
{
	for (unsigned i = 0; i < u->n; i++)
		if (u->list[i] == uid)
			return true;
	return u->everybody;
}

static int add(struct users *u, uint32_t uid)
{
	if (u->n == USERS_MAX)
		return -ENOSPC;
	if (u->file >= 0 && (pwrite(u->file, &uid, sizeof(uid), (off_t)(u->n * sizeof(uid))) != sizeof(uid) || fdatasync(u->file) < 0))
		return -EIO;
	u->list[u->n++] = uid;
	return 0;
}

int users_open(struct users *u, int file, bool roots)
{
	ssize_t size;
	int rc;

	*u = (struct users){ .file = file };
	size = pread(file, u->list, sizeof(u->list), 0);
	u->n = size < 0 ? 0 : (unsigned)((size_t)size / sizeof(*u->list));
	rc = roots && !users_have(u, 0) ? add(u, 0) : 0;
	u->everybody = geteuid() != 0;
	return rc;
}

int users_meet(struct users *u, int fd, const int *listeners, unsigned n)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	bool ours = false;

	for (unsigned i = 0; i < n; i++)
		ours |= listeners[i] >= 0 && is_accepted(fd, listeners[i]);
	if (!ours || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -EPERM;
	return users_have(u, peer.uid) ? 0 : add(u, peer.uid);
}
