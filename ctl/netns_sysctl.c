// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int netns_sysctl(const char *path, const char *value)
{
	char full[PATH_MAX];
	ssize_t n;
	int fd, rc;

	if (snprintf(full, sizeof(full), "/proc/sys/%s", path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	rc = n < 0 ? -errno : 0;
	close(fd);
	return rc;
}
