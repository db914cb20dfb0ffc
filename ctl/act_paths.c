// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths that clients named: sockets, and files that guests boot from; and ports of the host. */
#define _GNU_SOURCE	/* O_PATH */
#include "ctl/act_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/act_socket.h"

static int unix_failed(const struct host_unix *m, int rc, struct host_reply *r)
{
	const char *what = m->head.type == HOST_UNIX_CONNECT ? "connect" : m->head.type == HOST_UNIX_BIND ? "bind" : "listen";
	struct error err;

	error_set(&err, rc, "%s: cannot %s: %s", m->path, what, rc == -EEXIST ? "what is there is no socket" : strerror(-rc));
	return act_refuse(r, rc == -EEXIST ? -EADDRINUSE : rc, &err);
}

static int open_unix(const struct host_unix *m, struct host_reply *r)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int type = m->head.type == HOST_UNIX_BIND ? SOCK_DGRAM : SOCK_STREAM;
	bool server = m->head.type != HOST_UNIX_CONNECT;
	struct stat st;
	int fd;

	memcpy(at.sun_path, m->path, sizeof(at.sun_path));
	fd = server ? act_unix_listen(&at, type) : act_unix_connect(&at, type);
	if (fd < 0)
		return unix_failed(m, fd, r);
	if (server && lstat(m->path, &st) == 0)
		r->value = (uint32_t)st.st_ino;		/* act_undo() knows it again by this */
	return fd;
}

/* connect_file() - to the socket whose file @at is, whatever its path means by now */
static int connect_file(int fd, int at)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;

	if (fstat(at, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTSOCK;
	snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d", at);
	return connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ? -errno : 0;
}

/* A client may have a path looked up, but not swap what is there between the look and the call, nor lead us on by a link. */
static int unix_peer(const struct host_unix *m, const struct act_about *h, struct host_reply *r)
{
	int at = open(m->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int rc = at < 0 ? -errno : connect_file(h->fd, at);
	struct error err;

	if (rc == 0)
		return at;
	error_set(&err, rc, "%s: cannot connect: %s", m->path, strerror(-rc));
	if (at >= 0)
		close(at);
	return act_refuse(r, rc, &err);
}

static int run(const struct act_call *call, const struct act_about *about, struct host_reply *r)
{
	const struct host_header *head = (const void *)call->request;

	switch (head->type) {
	case HOST_UNIX_LISTEN:
	case HOST_UNIX_CONNECT:
	case HOST_UNIX_BIND:
		return open_unix((const void *)head, r);
	case HOST_UNIX_PEER:
		return unix_peer((const void *)head, about, r);
	case HOST_OPEN_FILE:
		return file_open((const void *)head, r);
	case HOST_LISTEN:
		return listen_open(call, (const void *)head, r);
	default:
		return -EPROTO;
	}
}

/* undo() - ours still, not one that somebody put there since */
static int undo(const struct act_call *call, const struct act_about *about)
{
	const struct host_unix *m = about->request;
	struct stat st;

	(void)call;
	if ((m->head.type == HOST_UNIX_LISTEN || m->head.type == HOST_UNIX_BIND) && lstat(m->path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    (uint32_t)st.st_ino == about->value)
		unlink(m->path);
	return 0;
}

const struct act_program act_paths = { .name = "lanyard-paths", .run = run, .undo = undo, .stays = HOST_LISTEN };
