/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/paths.h - where the daemon's files are, for root and for a user (the same answer for keeper, engine and CLI)
 *
 *		root			user
 * runtime	/run/lanyard		$XDG_RUNTIME_DIR/lanyard, /run/user/UID/lanyard, or /tmp/lanyard-UID
 * state	/var/lib/lanyard	$XDG_STATE_HOME/lanyard, or ~/.local/state/lanyard
 * config	/etc/lanyard		$XDG_CONFIG_HOME/lanyard, or ~/.config/lanyard
 *
 * Nothing is made here. Each function writes a terminated absolute path to @to and returns 0, or -ENAMETOOLONG, or
 * -ENOENT where there is neither the variable nor a home directory.
 */
#ifndef CTL_PATHS_H
#define CTL_PATHS_H

#include <stddef.h>
#include <sys/types.h>

enum { PATHS_SIZE = 1024 };

#define PATHS_API_SOCKET "lanyard.sock"
#define PATHS_ATTACH_SOCKET "attach.sock"
#define PATHS_PID_FILE "lanyardd.pid"

int paths_runtime(uid_t uid, char *to, size_t room);
int paths_state(uid_t uid, char *to, size_t room);
int paths_config(uid_t uid, char *to, size_t room);

/* paths_join() - "DIR/NAME" */
int paths_join(char *to, size_t room, const char *dir, const char *name);

#endif
