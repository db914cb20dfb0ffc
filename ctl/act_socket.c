// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int act_unix_connect(const struct sockaddr_un *at, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* clear_dead() - remove a socket that nobody listens on; anything else at the path is kept */
static int clear_dead(const struct sockaddr_un *at, int type)
{
	struct stat st;
	int fd;

	if (lstat(at->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = act_unix_connect(at, type);
	if (fd >= 0)
		close(fd);
	if (fd != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(at->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

int act_unix_listen(const struct sockaddr_un *at, int type)
{
	int rc = clear_dead(at, type);
	mode_t before;
	int fd;

	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	before = umask(0177);
	rc = bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 || (type != SOCK_DGRAM && listen(fd, SOMAXCONN) < 0) ? -errno : fd;
	umask(before);
	if (rc < 0)
		close(fd);
	return rc;
}
