// SPDX-License-Identifier: GPL-2.0-or-later
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
#include "ctl/act_journal.h"
#include "ctl/netns.h"
#include "ctl/netns_link.h"

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

/* ---- one change ---- */

int change_make(const struct host_change *c, struct error *err)
{
	int rc = 0;

	if (c->kind == HOST_CHANGE_ADDRESS)
		return netns_address(c->target, c->after, true, err);
	if (c->kind == HOST_CHANGE_FILE)
		rc = make_file(c->target);
	else if (c->kind == HOST_CHANGE_SYSCTL)
		rc = setting_set(c->target, c->after);
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

/* remove_file() - a directory that others have put something into by now is theirs */
static int remove_file(const struct host_change *c)
{
	int rc = is_dir(c->target) ? rmdir(c->target) : unlink(c->target);

	return rc < 0 && errno != ENOTEMPTY ? -errno : 0;
}

/* is_links() - what lanyard-iface makes; the table, its settings, names and ways are others' */
static bool is_links(const struct host_change *c)
{
	return c->kind == HOST_CHANGE_FILE || c->kind == HOST_CHANGE_INTERFACE || c->kind == HOST_CHANGE_ADDRESS ||
	       (c->kind == HOST_CHANGE_SYSCTL && strncmp(c->target, HOST_NAT_SETTINGS, strlen(HOST_NAT_SETTINGS)));
}

static int undo(const struct host_change *c, int tap)
{
	int rc = 0;

	if (c->kind == HOST_CHANGE_FILE)
		rc = remove_file(c);
	else if (c->kind == HOST_CHANGE_INTERFACE)
		remove_tap(tap);
	else if (c->kind == HOST_CHANGE_ADDRESS && tap >= 0)
		rc = remove_address(c);
	else if (c->kind == HOST_CHANGE_SYSCTL && c->before[0])
		rc = setting_put_back(c, setting_set);
	return rc == -ENOENT || rc == -ENODEV ? 0 : rc;
}

const struct journal_part journal_links = { .has = is_links, .undo = undo };
