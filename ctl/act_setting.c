// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/act_journal.h"

int change_setting(const char *path, char value[HOST_VALUE_SIZE])
{
	char full[HOST_TARGET_SIZE + 16];
	ssize_t n;
	int fd;

	snprintf(full, sizeof(full), "/proc/sys/%s", path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, value, HOST_VALUE_SIZE - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

int setting_put_back(const struct host_change *c, int (*set)(const char *path, const char *value))
{
	char now[HOST_VALUE_SIZE];
	int rc = change_setting(c->target, now);

	return rc == 0 && !strcmp(now, c->after) ? set(c->target, c->before) : rc;
}

bool host_has_ip6(void)
{
	char value[HOST_VALUE_SIZE];

	return change_setting("net/ipv6/conf/default/disable_ipv6", value) == 0 && !strcmp(value, "0");
}
