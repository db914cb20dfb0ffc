// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/paths.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* home_of() - $HOME, or what the user database says; NULL where there is neither */
static const char *home_of(uid_t uid)
{
	const char *home = getenv("HOME");
	struct passwd *pw;

	if (home && home[0] == '/')
		return home;
	pw = getpwuid(uid);
	return pw && pw->pw_dir && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

static int fits(int n, size_t room)
{
	return n >= 0 && (size_t)n < room ? 0 : -ENAMETOOLONG;
}

/* The XDG rules: a variable that is not an absolute path does not count. */
static int user_path(const char *variable, const char *below_home, uid_t uid, char *to, size_t room)
{
	const char *dir = getenv(variable);
	const char *home;

	if (dir && dir[0] == '/')
		return paths_join(to, room, dir, "lanyard");
	home = home_of(uid);
	if (!home)
		return -ENOENT;
	return fits(snprintf(to, room, "%s/%s/lanyard", home, below_home), room);
}

int paths_runtime(uid_t uid, char *to, size_t room)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char run[64];

	if (uid == 0)
		return fits(snprintf(to, room, "/run/lanyard"), room);
	if (dir && dir[0] == '/')
		return paths_join(to, room, dir, "lanyard");
	snprintf(run, sizeof(run), "/run/user/%lu", (unsigned long)uid);
	if (access(run, W_OK | X_OK) == 0)
		return paths_join(to, room, run, "lanyard");
	return fits(snprintf(to, room, "/tmp/lanyard-%lu", (unsigned long)uid), room);
}

int paths_state(uid_t uid, char *to, size_t room)
{
	if (uid == 0)
		return fits(snprintf(to, room, "/var/lib/lanyard"), room);
	return user_path("XDG_STATE_HOME", ".local/state", uid, to, room);
}

int paths_config(uid_t uid, char *to, size_t room)
{
	if (uid == 0)
		return fits(snprintf(to, room, "/etc/lanyard"), room);
	return user_path("XDG_CONFIG_HOME", ".config", uid, to, room);
}

int paths_join(char *to, size_t room, const char *dir, const char *name)
{
	return fits(snprintf(to, room, "%s/%s", dir, name), room);
}
