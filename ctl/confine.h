/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/confine.h - the engine shuts itself in, so that whoever takes it over has little more than its sockets
 *
 * At the start, while the process has one thread and has read nothing of a stranger: all that comes later is confined, too.
 * Two fences, each of which may be missing where the kernel has it not, which `lanyard doctor` then says:
 *
 * files	Landlock: but for a few files of /proc, /sys and /dev only the state directory can be opened. Descriptors that
 *		the keeper hands over are not concerned.
 * calls	seccomp: what is on the list of confine_calls.c; the program's start, tracing, namespaces and the like end the
 *		process at once, any other call fails with EPERM and is told.
 *
 * A build with a sanitizer, whose runtime needs more than any list says, has neither.
 */
#ifndef CTL_CONFINE_H
#define CTL_CONFINE_H

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONFINE_BUILT 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CONFINE_BUILT 0
#endif
#endif
#ifndef CONFINE_BUILT
#define CONFINE_BUILT 1
#endif

/* confined - what holds */
struct confined {
	int files;			/* version of Landlock's interface, or a negative errno */
	int calls;			/* 0, or a negative errno */
};

/* confine_engine() - both fences, with a line in the log. @lowered: root's engine, as another user: nobody else of that user may look in */
struct confined confine_engine(const char *state_dir, bool lowered);

/* confine_files() - @state_dir NULL: there is no store. Return: version of the interface, or negative errno: -ENOSYS, -EOPNOTSUPP (switched off), -ENOENT (no @state_dir) */
int confine_files(const char *state_dir);

/* confine_calls() - Return: 0 or negative errno */
int confine_calls(void);

/* confine_refused() - the name of the next call that was refused since the last question and is new, or NULL
 * For free(). A call is told once. Control thread.
 */
char *confine_refused(void);

#endif
