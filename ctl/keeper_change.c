// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/keeper_delegated.h"
#include "ctl/keeper_journal.h"
#include "ctl/keeper_names.h"
#include "ctl/keeper_nft.h"
#include "ctl/keeper_wire.h"
#include "ctl/netns.h"
#include "ctl/netns_link.h"

#define CONF6 "net/ipv6/conf/"
#define FORWARDING6 CONF6 "all/forwarding"

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

/* ---- IPv6 forwarding of the whole host ---- */

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

static int set(const char *path, const char *value)
{
	return strcmp(path, FORWARDING6) ? netns_sysctl(path, value) : forward6_all(value);
}

/* ---- files ---- */

static bool is_dir(const char *target)
{
	return target[strlen(target) - 1] == '/';
}

static int make_file(const char *target)
{
	char text[512];
	size_t size;
	int fd, rc;

	if (is_dir(target))
		return (mkdir(target, 0755) < 0 || chmod(target, 0755) < 0) && errno != EEXIST ? -errno : 0;
	if (!managers_text(target, text, sizeof(text)))
		return -EINVAL;
	unlink(target);
	fd = open(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	size = strlen(text);
	rc = fchmod(fd, 0644) < 0 || write(fd, text, size) != (ssize_t)size ? -EIO : 0;
	close(fd);
	return rc;
}

/* ---- filters of a NIC ---- */

/* nic_of() - its index as it was noted, and the TAP's name */
static int nic_of(const struct host_change *c, const char **tap)
{
	char *end;
	int nic = (int)strtol(c->after, &end, 10);

	*tap = *end ? end + 1 : end;
	return nic;
}

static int make_wire(const struct host_change *c, struct error *err)
{
	const char *tap;
	int nic = nic_of(c, &tap);

	return wire_set(tap, nic, 0, NULL, 0, err);
}

/* end_wire() - the NIC may have been renamed since, or be another one of that name */
static int end_wire(const struct host_change *c)
{
	const char *tap;
	int nic = nic_of(c, &tap), named = (int)if_nametoindex(c->target);
	int rc = wire_end(nic, c->before[0]);

	return rc == 0 && named && named != nic ? wire_end(named, c->before[0]) : rc;
}

/* ---- one change ---- */

int change_make(const struct host_change *c, struct error *err)
{
	int rc = 0;

	if (c->kind == HOST_CHANGE_ADDRESS)
		return netns_address(c->target, c->after, true, err);
	if (c->kind == HOST_CHANGE_FILTER)
		return make_wire(c, err);
	if (c->kind == HOST_CHANGE_ROUTES)
		return delegated_begin(c, err);
	if (c->kind == HOST_CHANGE_FILE)
		rc = make_file(c->target);
	else if (c->kind == HOST_CHANGE_SYSCTL)
		rc = set(c->target, c->after);
	return rc < 0 ? error_set(err, rc, "cannot set %s: %s", c->target, strerror(-rc)) : 0;
}

/* remove_tap() - at once, although the engine may still have it open; by whatever name it goes by now. With its descriptors it goes in any case. */
static void remove_tap(int tap)
{
	struct ifreq ifr = { .ifr_flags = 0 };

	if (tap >= 0 && ioctl(tap, TUNGETIFF, &ifr) == 0)
		netns_del_link(ifr.ifr_name);
}

static int remove_address(const struct host_change *c)
{
	int rc = netns_address(c->target, c->after, false, NULL);

	return rc == -EADDRNOTAVAIL ? 0 : rc;
}

/* put_back() - unless somebody else has changed it since */
static int put_back(const struct host_change *c)
{
	char now[HOST_VALUE_SIZE];
	int rc = change_setting(c->target, now);

	return rc == 0 && !strcmp(now, c->after) ? set(c->target, c->before) : rc;
}

/* remove_file() - a directory that others have put something into by now is theirs */
static int remove_file(const struct host_change *c)
{
	int rc = is_dir(c->target) ? rmdir(c->target) : unlink(c->target);

	return rc < 0 && errno != ENOTEMPTY ? -errno : 0;
}

int change_undo(const struct host_change *c, int tap)
{
	int rc = 0;

	if (c->kind == HOST_CHANGE_FILE)
		rc = remove_file(c);
	else if (c->kind == HOST_CHANGE_FILTER)
		rc = end_wire(c);
	else if (c->kind == HOST_CHANGE_INTERFACE)
		remove_tap(tap);
	else if (c->kind == HOST_CHANGE_ROUTES)
		rc = delegated_end(c);
	else if (c->kind == HOST_CHANGE_TABLE)
		rc = nft_delete();
	else if (c->kind == HOST_CHANGE_NAMES)
		rc = names_block(c->target, c->name + strlen(NAMES_HELD), "");
	else if (c->kind == HOST_CHANGE_ADDRESS && tap >= 0)
		rc = remove_address(c);
	else if (c->kind == HOST_CHANGE_SYSCTL && c->before[0])
		rc = put_back(c);
	return rc == -ENOENT || rc == -ENODEV ? 0 : rc;
}
