// SPDX-License-Identifier: GPL-2.0-or-later
/* IPv6 forwarding of the whole host. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/act_journal.h"
#include "ctl/netns.h"

#define CONF6 "net/ipv6/conf/"
#define FORWARDING6 CONF6 "all/forwarding"

/* Before Linux 6.17 IPv6 is forwarded when "all" says so, and to write that sets every interface. All of them are put back at once, and
 * advertisements go on being accepted in between: the kernel forgets the routes it learnt from them when an interface becomes a
 * router's, unless accept_ra is 2. */
struct link6 {
	char name[NAME_MAX + 1];
	char forwarding[HOST_VALUE_SIZE], accept_ra[HOST_VALUE_SIZE];
};

static void path6(const struct link6 *l, const char *setting, char path[HOST_TARGET_SIZE])
{
	snprintf(path, HOST_TARGET_SIZE, CONF6 "%.100s/%s", l->name, setting);
}

static void set6(const struct link6 *l, const char *setting, const char *value)
{
	char path[HOST_TARGET_SIZE], now[HOST_VALUE_SIZE];

	path6(l, setting, path);
	if (change_setting(path, now) == 0 && strcmp(now, value))
		netns_sysctl(path, value);
}

static bool read6(struct link6 *l, const char *name)
{
	char path[HOST_TARGET_SIZE];

	snprintf(l->name, sizeof(l->name), "%s", name);
	if (name[0] == '.' || !strcmp(name, "all"))
		return false;
	path6(l, "forwarding", path);
	if (change_setting(path, l->forwarding) < 0)
		return false;
	path6(l, "accept_ra", path);
	return change_setting(path, l->accept_ra) == 0;
}

/* links6() - every interface and "default"; Return: how many, the list is the caller's to free, or negative errno */
static int links6(struct link6 **list)
{
	DIR *dir = opendir("/proc/sys/" CONF6);
	struct dirent *entry;
	struct link6 *l;
	int n = 0;

	*list = NULL;
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		l = realloc(*list, (size_t)(n + 1) * sizeof(*l));
		if (!l) {
			closedir(dir);
			free(*list);
			return -ENOMEM;
		}
		*list = l;
		n += read6(&l[n], entry->d_name);
	}
	closedir(dir);
	return n;
}

static int forward6_all(const char *value)
{
	bool on = strcmp(value, "0");
	struct link6 *links;
	int n = links6(&links), rc;

	if (n < 0)
		return n;
	for (int i = 0; on && i < n; i++)
		if (!strcmp(links[i].accept_ra, "1"))
			set6(&links[i], "accept_ra", "2");
	rc = netns_sysctl(FORWARDING6, value);
	for (int i = 0; i < n; i++) {
		set6(&links[i], "forwarding", links[i].forwarding);
		set6(&links[i], "accept_ra", links[i].accept_ra);
	}
	free(links);
	return rc;
}

int setting_set(const char *path, const char *value)
{
	return strcmp(path, FORWARDING6) ? netns_sysctl(path, value) : forward6_all(value);
}
