/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/start.h - lanyardd: it prepares all that the daemon needs, and becomes the keeper (ctl/keeper.h)
 *
 * What is there to be read before anything is served is read here, by a program that is gone then: the command line, the environment, the user
 * database, directories. The keeper is the same process with another program; it finds descriptors under fixed numbers, and a message about
 * them. It does not trust either: where it has rights of its own file (setcap(8)), anybody can start it.
 */
#ifndef CTL_START_H
#define CTL_START_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/host.h"
#include "ctl/paths.h"

/* Descriptors of a keeper that starts; from START_GIVEN_FD on as many as the message says. The message's own is a file. */
enum { START_MESSAGE_FD = 3, START_LOCK_FD, START_API_FD, START_ATTACH_FD, START_JOURNAL_FD, START_USERS_FD, START_GIVEN_FD };

enum { START_GIVEN_MAX = 4096, START_LABEL_SIZE = 128, START_DOMAINS_SIZE = 2048, START_ARGUMENTS_MAX = 14, START_ARGUMENTS_SIZE = 3 * PATHS_SIZE + 256 };

/* start_given - a TCP or UDP socket that the daemon was started with (sd_listen_fds(3)), and where it is bound */
struct start_given {
	uint8_t family, proto;		/* as in struct host_listen */
	uint16_t port;
	uint8_t addr[16];
	char label[START_LABEL_SIZE];	/* FileDescriptorName=; empty when it has none that fits */
};

struct rights_user {
	uint32_t uid, gid;
};

/* start_message - ngiven of start_given follow. Texts end within their fields. */
struct start_message {
	uint32_t size;			/* of this, bytes */
	uint32_t ngiven;
	struct rights_user engine;	/* whose it is; where the keeper is not root, its own */
	char runtime_dir[PATHS_SIZE];
	char config[PATHS_SIZE];	/* or empty */
	char arguments[START_ARGUMENTS_SIZE];	/* of the engine: texts one behind another, and an empty one */
	char host_domains[START_DOMAINS_SIZE];	/* by commas, or empty */
};

/* start_conf - as the command line says */
struct start_conf {
	const char *runtime_dir, *state_dir;
	const char *config;		/* or NULL */
	const char *host_domains;	/* or NULL */
	uint32_t workers;
	struct rights_user engine_user;	/* where the daemon is root; uid 0: root without capabilities */
	const char *engine, *keeper;	/* paths of the programs */
};

/* started - what was made; descriptors are -1 where there is none */
struct started {
	struct start_message message;
	char engine_dir[PATHS_SIZE];	/* where the engine keeps its state */
	bool has_admins;
	uint32_t admins;		/* a group that administrates */
	int lock, journal, users, api, attach;
	struct start_given *given;
	int *given_fds;
};

/* --- start_setup.c --- */

/* setup_open() - make and check the directories, take the lock, prepare the engine's home, open the journal of host changes and the list of users, listen, write the
 * pid file. Return: 0, or a negative errno after a line on standard error that says what to do.
 */
int setup_open(const struct start_conf *conf, struct started *to);
int journal_create(const char *state_dir);	/* Return: descriptor or negative errno */

/* --- start_home.c: whose the engine is, and where it keeps its state --- */

/* home_user_find() - a name or number; NULL: lanyard, where there is such a user, else nobody. Return: 0 or -ENOENT */
int home_user_find(const char *name, struct rights_user *to);

/* home_prepare() - choose the user, make the directory, move there what an earlier version stored. Return: 0 or negative errno */
int home_prepare(const struct start_conf *conf, struct started *to);

/* --- start_given.c --- */

/* given_take() - note the sockets, and keep them out of what is started; what is no TCP or UDP socket is named and left alone */
void given_take(struct started *to);

/* --- start_keeper.c --- */

/* start_path() - where the program @name is: beside this one, or in ../libexec/lanyard. Return: 0, or -ENOENT, -ENAMETOOLONG
 * start_engine_path() - likewise, or what $LANYARD_ENGINE says
 */
int start_path(const char *name, char *to, size_t room);
int start_engine_path(char *to, size_t room);

/* start_run() - all of it; the process is the keeper then. Return: a negative errno after a line on standard error */
int start_run(const struct start_conf *conf);

#endif
