// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* eaccess() */
/* Programs that look after a host's interfaces by themselves would give ours addresses, or take theirs. Each reads settings below /run, which
 * last until the next boot at most; udev's rule is in force for an interface that comes after it, the others once their program reads its
 * settings again. dhcpcd reads nothing but its one file: there the administrator says "denyinterfaces ly-*".
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/act_journal.h"

static const struct manager {
	const char *runs;		/* is there where it runs */
	const char *dir;		/* with a slash */
	const char *before, *after;	/* the file's name without the interface's */
	const char *text;		/* with the interface's name in the place of each % */
} managers[] = {
	{ "/run/udev/control", "/run/udev/rules.d/", "84-", ".rules",
	  "SUBSYSTEM==\"net\", ENV{INTERFACE}==\"%\", ENV{NM_UNMANAGED}=\"1\", ENV{ID_NET_MANAGED_BY}=\"lanyard\"\n" },
	{ "/run/NetworkManager", "/run/NetworkManager/conf.d/", "90-", ".conf",
	  "[device-%]\nmatch-device=interface-name:=%\nmanaged=0\n" },
	{ "/run/systemd/netif", "/run/systemd/network/", "05-", ".network", "[Match]\nName=%\n\n[Link]\nUnmanaged=yes\n" },
};

static void add_file(struct host_change *to, const char *target)
{
	*to = (struct host_change){ .kind = HOST_CHANGE_FILE };
	snprintf(to->target, sizeof(to->target), "%s", target);
}

/* writable() - the directory, or the one above that it would be made in */
static bool writable(const char *dir)
{
	char above[HOST_TARGET_SIZE];

	snprintf(above, sizeof(above), "%.*s", (int)(strlen(dir) - 1), dir);
	if (access(above, F_OK) == 0)
		return eaccess(above, W_OK) == 0;
	*strrchr(above, '/') = '\0';
	return eaccess(above, W_OK) == 0;
}

unsigned managers_plan(const char *ifname, struct host_change *plan, unsigned room)
{
	char file[HOST_TARGET_SIZE], before[HOST_VALUE_SIZE];
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(managers) && n + 2 <= room; i++) {
		const struct manager *m = &managers[i];

		if (access(m->runs, F_OK) < 0 || !writable(m->dir))
			continue;
		if (access(m->dir, F_OK) < 0 || journal_before(m->dir, before))
			add_file(&plan[n++], m->dir);
		snprintf(file, sizeof(file), "%s%s%s%s", m->dir, m->before, ifname, m->after);
		add_file(&plan[n++], file);
	}
	return n;
}

/* inner() - the interface's name in the path of @m's file for it; Return: its length, 0: it is another path */
static size_t inner(const struct manager *m, const char *path, const char **ifname)
{
	size_t dir = strlen(m->dir), before = strlen(m->before), after = strlen(m->after), n = strlen(path);

	if (n <= dir + before + after || strncmp(path, m->dir, dir) || strncmp(path + dir, m->before, before) ||
	    strcmp(path + n - after, m->after))
		return 0;
	*ifname = path + dir + before;
	return n - dir - before - after;
}

static void write_text(const char *text, const char *ifname, size_t n, char *to, unsigned room)
{
	unsigned used = 0;

	for (; *text; text++)
		used += (unsigned)snprintf(to + used, room > used ? room - used : 0, "%.*s", *text == '%' ? (int)n : 1,
					   *text == '%' ? ifname : text);
}

bool managers_text(const char *path, char *text, unsigned room)
{
	for (size_t i = 0; i < ARRAY_SIZE(managers); i++) {
		const char *ifname;
		size_t n = inner(&managers[i], path, &ifname);

		if (n && n < HOST_IFNAME_SIZE) {
			write_text(managers[i].text, ifname, n, text, room);
			return true;
		}
	}
	return false;
}
