/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/own_namespace.h - a network namespace for a test that changes the host, with the rights over it, where one may be made */
#ifndef TESTS_UNIT_OWN_NAMESPACE_H
#define TESTS_UNIT_OWN_NAMESPACE_H

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* own_namespace() - this process goes into a new one; a caller who is not root becomes root of a user namespace */
static inline bool own_namespace(void)
{
	unsigned uid = getuid();
	FILE *map;
	bool ok;

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	map = fopen("/proc/self/uid_map", "w");
	if (!map)
		return false;
	ok = fprintf(map, "0 %u 1", uid) > 0;
	return fclose(map) == 0 && ok;
}

/* own_run() - a shell command; Return: did it succeed? */
static inline bool own_run(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "PATH=/usr/sbin:/usr/bin:/sbin:/bin; %s", command);
	return system(line) == 0;
}

#endif
