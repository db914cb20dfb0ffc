// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that are lent to guests: from one directory, and nothing beside it. */
#define _GNU_SOURCE	/* O_PATH, memrchr() */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/act_paths.h"

/* below() - what is at @file, as a descriptor that opens nothing. Links may lead to other places below @dir, and nowhere else. */
static int below(int dir, const char *file)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, dir, file, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* all_may_reach() - is every directory above it open to all? A file in root's home is root's, whatever its own mode says. */
static bool all_may_reach(int at)
{
	char self[40], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", at);
	n = readlink(self, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	for (char *end = path + n; (end = memrchr(path, '/', (size_t)(end - path)));) {
		end[end == path] = '\0';
		if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

/* may_lend() - a device may act on being opened, and a pipe wait; what root has not made readable for all is no guest's */
static int may_lend(int at)
{
	struct stat st;

	if (fstat(at, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EACCES;
	return geteuid() == 0 && !(st.st_mode & S_IROTH && all_may_reach(at)) ? -EACCES : 0;
}

/* open_at() - the very file that was looked at */
static int open_at(int at)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", at);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int failed(const struct host_file *m, int rc, bool dir, struct host_reply *r)
{
	struct error err;

	error_set(&err, rc == -EXDEV ? -EACCES : rc, "%.120s%s%.60s: %s", m->dir, dir ? "" : ": ", dir ? "" : m->file,
		  rc == -EXDEV ? "Leads out of the directory" : strerror(-rc));
	return act_refuse(r, err.rc, &err);
}

int file_open(const struct host_file *m, struct host_reply *r)
{
	int dir = open(m->dir, O_PATH | O_DIRECTORY | O_CLOEXEC), at, rc;

	if (dir < 0)
		return failed(m, errno == ENOENT ? -ENOTDIR : -errno, true, r);
	at = below(dir, m->file);
	close(dir);
	if (at < 0)
		return failed(m, at, false, r);
	rc = may_lend(at);
	if (rc == 0)
		rc = open_at(at);
	close(at);
	return rc < 0 ? failed(m, rc, false, r) : rc;
}
