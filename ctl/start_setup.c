// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ctl/act_socket.h"
#include "ctl/start.h"

enum { LOCK_WAIT_MS = 2000 };

static int fail(int rc, const char *what, const char *path)
{
	log_error("event=start-failed what=\"%s\" path=%s reason=\"%s\"", what, path, strerror(-rc));
	return rc;
}

/* make_parents() - as mkdir -p does, for all but the last part of @path */
static void make_parents(const char *path)
{
	char part[PATHS_SIZE];

	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(p - path), path);
		mkdir(part, 0755);
	}
}

/* A directory that somebody else can write to would let him put his socket or his state in place of ours. */
static int prepare_dir(const char *path, mode_t mode)
{
	struct stat st;
	int fd, rc = 0;

	make_parents(path);
	if (mkdir(path, 0700) == 0 && chmod(path, mode) < 0)
		return fail(-errno, "cannot set the mode of the directory", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		rc = fail(-errno, "cannot make or open the directory", path);
	else if (st.st_uid != geteuid())
		rc = fail(-EPERM, "the directory belongs to another user", path);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		rc = fail(-EPERM, "others can write to the directory (chmod go-w)", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* lock_owner() - the pid that the daemon before us wrote; 0 when it is dead and just its engine is about to end */
static pid_t lock_owner(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return kill(atoi(text), 0) < 0 && errno == ESRCH ? 0 : atoi(text);
}

static int take_lock(const char *state_dir, int *lock)
{
	uint64_t until = clock_now_ms() + LOCK_WAIT_MS;
	char path[PATHS_SIZE + 8];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(-errno, "cannot open the lock", path);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (lock_owner(fd) || clock_now_ms() >= until) {
			log_error("event=start-failed reason=\"another lanyardd (pid %d) runs on this state directory\" path=%s",
				  (int)lock_owner(fd), state_dir);
			close(fd);
			return -EBUSY;
		}
		poll(NULL, 0, 10);
	}
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return fail(-errno, "cannot write the lock", path);
	*lock = fd;
	return 0;
}

/* Root's sockets are for the group lanyard, where there is one; the engine asks each caller's uid besides. */
static void share_with_group(const char *path)
{
	const struct group *group = geteuid() == 0 ? getgrnam("lanyard") : NULL;

	if (group && (chown(path, (uid_t)-1, group->gr_gid) < 0 || chmod(path, 0660) < 0))
		log_warn("event=socket-not-shared path=%s reason=\"%s\"", path, strerror(errno));
}

/* is_served() - does the daemon live that wrote the pid file? */
static bool is_served(const char *dir)
{
	char path[PATHS_SIZE];
	int fd = paths_join(path, sizeof(path), dir, PATHS_PID_FILE) < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	pid_t owner = fd < 0 ? 0 : lock_owner(fd);

	if (fd >= 0)
		close(fd);
	return owner != 0;
}

/* listen_at() - an engine that is about to end has let go of the lock, and not yet of this */
static int listen_at(const char *dir, const struct sockaddr_un *at, int type)
{
	uint64_t until = clock_now_ms() + LOCK_WAIT_MS;
	int fd;

	while ((fd = act_unix_listen(at, type)) == -EADDRINUSE && !is_served(dir) && clock_now_ms() < until)
		poll(NULL, 0, 10);
	return fd;
}

static int open_listener(const char *dir, const char *file, int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, rc;

	rc = paths_join(at.sun_path, sizeof(at.sun_path), dir, file);
	if (rc < 0)
		return fail(rc, "too long for the path of a socket", dir);
	fd = listen_at(dir, &at, type);
	if (fd < 0)
		return fail(fd, fd == -EADDRINUSE ? "another daemon serves this runtime directory" : "cannot listen", at.sun_path);
	share_with_group(at.sun_path);
	return fd;
}

static int write_pid(const char *dir)
{
	char path[PATHS_SIZE];
	int fd, rc = paths_join(path, sizeof(path), dir, PATHS_PID_FILE);

	if (rc < 0)
		return fail(rc, "path", dir);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		return fail(-errno, "cannot write the pid file", path);
	close(fd);
	return 0;
}

/* ---- what is in the state directory ---- */

/* sync_dir() - a file that was just made has to be found again after a power cut */
static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int create(const char *state_dir, const char *name)
{
	char path[PATHS_SIZE];
	int rc = paths_join(path, sizeof(path), state_dir, name), fd;

	if (rc < 0)
		return rc;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = sync_dir(state_dir);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int journal_create(const char *state_dir)
{
	return create(state_dir, "host-changes");
}

int setup_open(const struct start_conf *conf, struct started *to)
{
	int rc = prepare_dir(conf->runtime_dir, geteuid() == 0 ? 0755 : 0700);

	if (rc == 0)
		rc = prepare_dir(conf->state_dir, 0700);
	if (rc == 0)
		rc = take_lock(conf->state_dir, &to->lock);
	if (rc == 0 && (rc = home_prepare(conf, to)) < 0)
		fail(rc, "cannot prepare the engine's directory", to->engine_dir);
	if (rc == 0 && (rc = to->journal = journal_create(conf->state_dir)) < 0)
		fail(rc, "cannot open the journal of host changes in", conf->state_dir);
	if (rc >= 0 && (rc = to->users = create(conf->state_dir, "users")) < 0)
		fail(rc, "cannot open the list of users in", conf->state_dir);
	if (rc >= 0)
		rc = to->api = open_listener(conf->runtime_dir, PATHS_API_SOCKET, SOCK_STREAM);
	if (rc >= 0)
		rc = to->attach = open_listener(conf->runtime_dir, PATHS_ATTACH_SOCKET, SOCK_SEQPACKET);
	return rc >= 0 ? write_pid(conf->runtime_dir) : rc;
}
