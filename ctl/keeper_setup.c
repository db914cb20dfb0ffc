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
#include "ctl/keeper.h"
#include "ctl/paths.h"

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

static int open_listener(const char *dir, const char *file, int type, const char *name, struct held_table *held)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, rc;

	rc = paths_join(at.sun_path, sizeof(at.sun_path), dir, file);
	if (rc < 0)
		return fail(rc, "too long for the path of a socket", dir);
	fd = act_unix_listen(&at, type);
	if (fd < 0)
		return fail(fd, fd == -EADDRINUSE ? "another daemon serves this runtime directory" : "cannot listen", at.sun_path);
	share_with_group(at.sun_path);
	return held_add(held, name, fd, 0, NULL, 0);
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

/* open_journal() - we have the lock: what is in there was done by a keeper that was killed, and its interfaces went with it */
static int open_journal(struct serve *serve, const char *state_dir)
{
	serve->journal = journal_create(state_dir);
	if (serve->journal < 0)
		return fail(serve->journal, "cannot open the journal of host changes in", state_dir);
	serve_undo_changes(serve);
	return 0;
}

int setup_open(const struct keeper_conf *conf, struct serve *serve, int *lock, struct engine_home *home)
{
	int rc = prepare_dir(conf->runtime_dir, geteuid() == 0 ? 0755 : 0700);

	if (rc == 0)
		rc = prepare_dir(conf->state_dir, 0700);
	if (rc == 0)
		rc = take_lock(conf->state_dir, lock);
	if (rc == 0 && (rc = home_prepare(conf, home)) < 0)
		fail(rc, "cannot prepare the engine's directory", home->state_dir);
	if (rc == 0)
		rc = open_journal(serve, conf->state_dir);
	if (rc == 0)
		rc = open_listener(conf->runtime_dir, PATHS_API_SOCKET, SOCK_STREAM, HOST_API_LISTENER, &serve->held);
	if (rc == 0)
		rc = open_listener(conf->runtime_dir, PATHS_ATTACH_SOCKET, SOCK_SEQPACKET, HOST_ATTACH_LISTENER, &serve->held);
	return rc == 0 ? write_pid(conf->runtime_dir) : rc;
}

void setup_close(const struct keeper_conf *conf)
{
	static const char *const files[] = { PATHS_API_SOCKET, PATHS_ATTACH_SOCKET, PATHS_PID_FILE };
	char path[PATHS_SIZE];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (paths_join(path, sizeof(path), conf->runtime_dir, files[i]) == 0)
			unlink(path);
}

void setup_notify(const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || n > sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		log_warn("event=notify-failed reason=\"%s\"", strerror(errno));
	close(fd);
}
