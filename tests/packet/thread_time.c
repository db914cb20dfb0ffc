// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/thread_time.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS_MAX = 256 };

struct thread_time {
	pid_t pid;
	unsigned n;
	struct {
		pid_t tid;
		uint64_t ns;
	} threads[THREADS_MAX];
};

/* on_core_ns() - first number of schedstat: nanoseconds on a core, user and system (kernel: sched-stats) */
static uint64_t on_core_ns(pid_t pid, pid_t tid)
{
	char path[64];
	uint64_t ns = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%" SCNu64, &ns) != 1)
		ns = 0;
	fclose(f);
	return ns;
}

struct thread_time *thread_time_now(pid_t pid)
{
	struct thread_time *t = calloc(1, sizeof(*t));
	char path[64];
	DIR *dir;

	if (!t)
		return NULL;
	t->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir) {
		free(t);
		return NULL;
	}
	for (struct dirent *e; t->n < THREADS_MAX && (e = readdir(dir));) {
		pid_t tid = atoi(e->d_name);

		if (tid > 0) {
			t->threads[t->n].tid = tid;
			t->threads[t->n++].ns = on_core_ns(pid, tid);
		}
	}
	closedir(dir);
	return t;
}

static uint64_t then_ns(const struct thread_time *then, pid_t tid)
{
	for (unsigned i = 0; i < then->n; i++)
		if (then->threads[i].tid == tid)
			return then->threads[i].ns;
	return 0;
}

struct thread_usage thread_time_since(const struct thread_time *then)
{
	struct thread_usage used = { 0 };
	struct thread_time *now = thread_time_now(then->pid);

	for (unsigned i = 0; now && i < now->n; i++) {
		uint64_t was = then_ns(then, now->threads[i].tid), ns = now->threads[i].ns > was ? now->threads[i].ns - was : 0;

		used.all_ns += ns;
		if (ns > used.busiest_ns)
			used.busiest_ns = ns;
	}
	free(now);
	return used;
}
