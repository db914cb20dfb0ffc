// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "base/text.h"
#include "ctl/keeper.h"

static const char subdirectory[] = "engine";

/* ---- whose the engine is ---- */

enum { NOBODY = 65534 };
enum { NO_USER = 1, NO_DIRECTORY, NO_PROGRAM };

static int of_passwd(const struct passwd *pw, struct rights_user *to)
{
	if (!pw)
		return -ENOENT;
	*to = (struct rights_user){ .uid = pw->pw_uid, .gid = pw->pw_gid };
	return 0;
}

int home_user_find(const char *name, struct rights_user *to)
{
	unsigned long uid;

	if (name && number_parse(name, 0, UINT32_MAX - 1, &uid) < 0)
		return of_passwd(getpwnam(name), to);
	if (name && of_passwd(getpwuid((uid_t)uid), to) < 0)
		*to = (struct rights_user){ .uid = (uid_t)uid, .gid = (gid_t)uid };
	if (!name && of_passwd(getpwnam("lanyard"), to) < 0 && of_passwd(getpwnam("nobody"), to) < 0)
		*to = (struct rights_user){ .uid = NOBODY, .gid = NOBODY };
	return 0;
}

/* obstacle() - what keeps that user from being the engine's; asked by a child that becomes the user. 0: nothing */
static int obstacle(const struct start_conf *conf, const struct rights_user *user)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(rights_become(user) < 0 ? NO_USER : access(conf->state_dir, X_OK) < 0 ? NO_DIRECTORY :
		      access(conf->engine, X_OK) < 0 ? NO_PROGRAM : 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : NO_USER;
}

/* choose_user() - root's engine is another user's where that one can do its work; it has no capability in any case */
static void choose_user(const struct start_conf *conf, struct rights_user *to)
{
	int what;

	*to = (struct rights_user){ .uid = geteuid(), .gid = getegid() };
	if (to->uid != 0 || conf->engine_user.uid == 0)
		return;
	what = obstacle(conf, &conf->engine_user);
	if (!what)
		*to = conf->engine_user;
	else if (what == NO_USER)	/* in a user namespace with root alone, who is an ordinary user outside */
		log_info("event=engine-as-root reason=\"there is no user %u here\"", (unsigned)conf->engine_user.uid);
	else
		log_warn("event=engine-as-root reason=\"user %u cannot reach %s\" hint=\"chmod o+x on the directories above it\"",
			 (unsigned)conf->engine_user.uid, what == NO_DIRECTORY ? conf->state_dir : conf->engine);
}

/* ---- its directory ---- */

/* move_store() - where an earlier version had it. The store's log goes first: without the store itself it is found again. */
static int move_store(int from, int to)
{
	static const char *const files[] = { "lanyard.db-wal", "lanyard.db-shm", "lanyard.db" };
	struct stat st;

	if (fstatat(from, "lanyard.db", &st, AT_SYMLINK_NOFOLLOW) < 0 || fstatat(to, "lanyard.db", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (renameat(from, files[i], to, files[i]) < 0 && errno != ENOENT)
			return -errno;
	return 0;
}

/* give_files() - what is in the directory becomes the engine's; never a file that has a name elsewhere, too */
static int give_files(int fd, const struct rights_user *user)
{
	DIR *dir = fdopendir(dup(fd));
	int rc = dir ? 0 : -errno;
	struct dirent *e;
	struct stat st;

	while (dir && rc == 0 && (e = readdir(dir)))
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
		    st.st_uid != user->uid && fchownat(fd, e->d_name, user->uid, user->gid, AT_SYMLINK_NOFOLLOW) < 0)
			rc = -errno;
	if (dir)
		closedir(dir);
	return rc;
}

/* make_directory() - the keeper's own files are beside it, out of the engine's reach. Until it is whole, it is root's. */
static int make_directory(int state, const struct rights_user *user)
{
	int fd, rc;

	if (mkdirat(state, subdirectory, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(state, subdirectory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = fchown(fd, 0, 0) < 0 ? -errno : move_store(state, fd);
	if (rc == 0)
		rc = give_files(fd, user);
	if (rc == 0 && fchown(fd, user->uid, user->gid) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* root_home() - root's state directory lets the engine through to its part, and shows nothing */
static int root_home(const struct start_conf *conf, struct started *to)
{
	int state = open(conf->state_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc;
	const struct group *admins = getgrnam("lanyard");

	if (state < 0)
		return -errno;
	to->has_admins = admins != NULL;
	to->admins = admins ? admins->gr_gid : 0;
	rc = conf->engine_user.uid && fchmod(state, 0711) < 0 ? -errno : 0;
	choose_user(conf, &to->message.engine);
	if (rc == 0)
		rc = make_directory(state, &to->message.engine);
	close(state);
	return rc;
}

int home_prepare(const struct start_conf *conf, struct started *to)
{
	bool root = geteuid() == 0;
	int rc = 0;

	to->message.engine = (struct rights_user){ .uid = geteuid(), .gid = getegid() };
	if (snprintf(to->engine_dir, sizeof(to->engine_dir), "%s%s%s", conf->state_dir, root ? "/" : "", root ? subdirectory : "") >=
	    (int)sizeof(to->engine_dir))
		rc = -ENAMETOOLONG;
	return rc == 0 && root ? root_home(conf, to) : rc;
}
