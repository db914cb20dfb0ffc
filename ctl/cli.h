/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli.h - the `lanyard` command: a table of commands over the daemon's API
 *
 * A command line is OBJECT VERB WORDS, or a shortcut of one word. Each ctl/cmd_*.c holds the commands of one
 * object as a table, ended by a row without function. Results go to standard output, all else to standard error.
 * One thread; a command may block.
 */
#ifndef CTL_CLI_H
#define CTL_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "ctl/cli_args.h"
#include "ctl/client.h"

/* Exit statuses, the same for all commands. */
enum {
	CLI_DONE = 0,		/* done, or already so */
	CLI_REFUSED = 1,	/* refused or failed */
	CLI_USAGE = 2,
	CLI_EXISTS = 3,		/* exists with other settings */
	CLI_NOT_FOUND = 4,
	CLI_PERMISSION = 5,
	CLI_UNREACHABLE = 6,	/* no daemon */
	CLI_TIMED_OUT = 7,
	CLI_PROBLEMS = 8,	/* a check found problems, or a difference */
};

struct cli {
	bool json;		/* --json: the API's answers, errors too */
	bool quiet;		/* no line about a change that went well */
	bool no_header;		/* tables without their first line */
	const char *socket_given;	/* --socket, or NULL */
	char socket[CLIENT_PATH_MAX];	/* set with client */
	struct client *client;	/* made by cli_client() at first use */
	char **line;		/* the words of the command, without general flags in front; ended by NULL */
	struct error err;	/* of the command that failed */
};

struct command {
	const char *object;	/* "net", or NULL for a shortcut */
	const char *verb;	/* "add"; a shortcut's own word */
	const char *args;	/* how usage writes the words: "NET/NAME" */
	const char *help;	/* one line */
	const char *example;	/* a line to copy */
	unsigned min_words, max_words;
	bool rest;		/* takes "-- COMMAND..." */
	const struct flag *flags;	/* ended by a row without name, or NULL */

	/* Return: an exit status, or a negative errno with cli->err set */
	int (*run)(struct cli *cli, const struct args *args);
};

extern const struct command cmd_why[], cmd_flows[];
extern const struct command cmd_net[], cmd_port[], cmd_forward[], cmd_lease[], cmd_dns[], cmd_fdb[], cmd_daemon[];
extern const struct command cmd_ps[], cmd_wait[], cmd_run[], cmd_qemu[], cmd_config[], cmd_events[], cmd_doctor[], cmd_check[];
extern const struct command cmd_policy[], cmd_class[], cmd_shaper[], cmd_guard[], cmd_segment[], cmd_group[], cmd_host[], cmd_capture[], cmd_mirror[], cmd_top[], cmd_complete[];

/* Every flag that all commands know: --json, --socket, --quiet, --no-header, --help, --version. */
extern const struct flag cli_general[];

/* cli_run() - the whole command; Return: its exit status */
int cli_run(int argc, char **argv);

/* cli_status() - the exit status for an error's code */
int cli_status(const struct error *err);

#endif
