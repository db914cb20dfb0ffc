/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/thread_time.h - time that the threads of another process took on their cores, from /proc/PID/task */
#ifndef TESTS_PACKET_THREAD_TIME_H
#define TESTS_PACKET_THREAD_TIME_H

#include <stdint.h>
#include <sys/types.h>

struct thread_time;

struct thread_usage {
	uint64_t all_ns, busiest_ns;
};

/* thread_time_now() - where every thread of @pid stands; Return: for free(), or NULL with errno */
struct thread_time *thread_time_now(pid_t pid);

/* thread_time_since() - what they took since @then; a thread that is new or gone counts as far as it can be seen */
struct thread_usage thread_time_since(const struct thread_time *then);

#endif
