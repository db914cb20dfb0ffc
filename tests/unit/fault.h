/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/fault.h - have one system call of an act fail, whichever it is
 *
 * A child does the act under a seccomp filter that asks this process about each call by which a file or the host is changed or the kernel is
 * spoken to. All are let through but the n-th, which returns the error as if the kernel had said so, and is not done.
 */
#ifndef TESTS_UNIT_FAULT_H
#define TESTS_UNIT_FAULT_H

#include <stdbool.h>
#include <sys/types.h>

enum { FAULT_TEXT = 200 };

struct fault {
	unsigned at;			/* which call is to fail, from 0 on */
	int error;			/* ENOMEM, ... */
	void (*look)(void);		/* or NULL: called in this process where the act calls fault_look() */
	bool (*counts)(pid_t pid);	/* or NULL: are calls of this process, among those under the filter, counted and made to fail? */
	unsigned calls;			/* so many were counted */
	/* what came of it */
	bool struck;			/* false: the act makes fewer calls */
	bool died;			/* a library ended the child: rc is -EIO, and there is no message */
	int rc;				/* of the act */
	char call[32];			/* that failed */
	char message[FAULT_TEXT];	/* the act's own */
};

/* fault_step() - from which call to the next: a sample of them has to do in `make check`, and a smaller one with sanitizers, which look for
 * other things. `make check-faults` has every one fail: FAULT_STEP=1 in the environment. */
unsigned fault_step(void);

/* fault_run() - in a child: @act, which returns its rc and may put text into @message. Return: false when that cannot be done here
 * The child's descriptors are closed when this returns, and interfaces that hang on them gone.
 */
typedef int fault_act(void *arg, char message[FAULT_TEXT]);
bool fault_run(struct fault *f, fault_act *act, void *arg);

/* fault_fork() - a child under the filter, with all that it starts. Return: 0 there; else its pid, and *fd to decide by; or -1
 * fault_decide() - one call, for which this waits. Return: false when there are no more, because all have ended
 */
pid_t fault_fork(int *fd);
bool fault_decide(int fd, struct fault *f);

/* fault_look() - within an act, with all that it has open: now is the time to look at what it has done */
void fault_look(void);

#endif
