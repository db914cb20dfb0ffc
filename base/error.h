/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/error.h - an error that a person will read
 *
 * Inside, functions return a negative errno. At the control edge the code that knows the names fills in a
 * struct error once: a stable code for programs, a message that names the object, and the command that helps.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>

struct error {
	int rc;			/* negative errno; 0 while nothing went wrong */
	char code[40];		/* stable word for programs: "port-in-use" */
	char message[320];	/* "network lab: subnet: not a prefix: 10.0.0" */
	char hint[200];		/* exact command or setting that helps, or empty */
};

/* error_set() - note what went wrong, with the code that fits @rc
 *
 * Return: @rc, so that a caller can write `return error_set(err, -EEXIST, ...)`. @err may be NULL.
 */
int error_set(struct error *err, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* error_code() - replace the code that error_set() chose; error_hint() - add the hint */
void error_code(struct error *err, const char *code);
void error_hint(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* error_prefix() - put "PREFIX" and ": " in front of the message */
void error_prefix(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
