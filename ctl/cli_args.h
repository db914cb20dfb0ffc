/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli_args.h - words and flags of one command line, by a table of flags
 *
 * Flags may stand anywhere among the words, as `--flag value` or `--flag=value`; a lone `--` ends them, and what
 * follows is somebody else's command. A flag that names a field of the API becomes that field, so that a
 * command's table of flags is also its table of settings. Strings are borrowed from argv. No thread, no I/O.
 */
#ifndef CTL_CLI_ARGS_H
#define CTL_CLI_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct error;

enum flag_kind {
	FLAG_SWITCH,	/* stands alone */
	FLAG_TEXT,
	FLAG_BOOL,	/* true or false */
	FLAG_NUMBER,	/* a whole number, 0..2^32-1 */
	FLAG_DURATION,	/* a number with its unit: "30s" */
	FLAG_LIST,	/* text, may be repeated */
};

struct flag {
	const char *name;	/* "--mtu"; NULL ends a table */
	char letter;		/* 'f' for -f, or 0 */
	enum flag_kind kind;
	const char *value;	/* how help names the value: "N", "true|false" */
	const char *field;	/* of the API's object: "mtu", "dhcp.pool"; NULL when it is no setting */
	const char *help;
};

enum { ARGS_MAX = 64 };		/* words, and flags given, on one line */

struct args {
	struct {
		const struct flag *flag;
		const char *value;	/* NULL for a switch */
	} given[ARGS_MAX];
	unsigned ngiven;
	const char *words[ARGS_MAX];
	unsigned nwords;
	char **rest;			/* what follows "--", ended by NULL; NULL without "--" */
};

/* args_parse() - add what argv says to @args, which starts as all zeros
 * @flags:	what this command knows
 * @general:	what every command knows, or NULL
 * @argv:	ended by NULL
 * @stop:	end at the first word, which is not taken
 *
 * Return: how many of argv were taken, or -EINVAL with @err, code "usage".
 */
int args_parse(struct args *args, const struct flag *flags, const struct flag *general, char **argv, bool stop,
	       struct error *err);

/* args_has(), args_text() - was the flag given; its (first) value, or NULL */
bool args_has(const struct args *args, const char *name);
const char *args_text(const struct args *args, const char *name);

/* args_seconds() - value of a FLAG_DURATION, or @otherwise when it was not given */
uint32_t args_seconds(const struct args *args, const char *name, uint32_t otherwise);

/* args_settings() - every flag given that names a field, as the object the API takes
 *
 * Return: a new reference, or NULL with @err when a value is no UTF-8.
 */
json_t *args_settings(const struct args *args, struct error *err);

#endif
