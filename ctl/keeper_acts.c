// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "ctl/keeper.h"

#define BIT(capability) (1ull << (capability))
#define NET BIT(CAP_NET_ADMIN)

static const struct act_kind kinds[HOST_TYPES] = {
	[HOST_OPEN_TAP] = { "opening a TAP", ACT_PLUG, AS_USER, .kept = true, .opens = true, .rights = NET },
	[HOST_OPEN_NETNS] = { "opening an interface in a namespace", ACT_PLUG, AS_USER, .kept = true, .opens = true, .leaves = true,
			      .rights = NET | BIT(CAP_NET_RAW) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_OVERRIDE) },
	[HOST_OPEN_VMM_TAP] = { "opening a VMM's TAP", ACT_PLUG, AS_ROOT_OR_USER, .kept = true, .opens = true, .leaves = true, .rights = NET | BIT(CAP_NET_RAW) },
	[HOST_OPEN_UPLINK] = { "opening the uplink", ACT_PLUG, .kept = true, .opens = true, .rights = NET | BIT(CAP_NET_RAW) },
	[HOST_OPEN_ICMP] = { "opening a socket for ICMP", ACT_PLUG, .opens = true, .rights = BIT(CAP_NET_RAW) },
	[HOST_OPEN_IFACE] = { "making the host's interface", ACT_IFACE, .opens = true, .leaves = true,	/* and a note to each network manager, in its directory */
			      .rights = NET | BIT(CAP_NET_RAW) | BIT(CAP_DAC_OVERRIDE) },
	[HOST_WIRE] = { "leading packets to guests", ACT_WAYS, .rights = NET | BIT(CAP_NET_RAW) },
	[HOST_DELEGATED] = { "setting routes", ACT_WAYS, .rights = NET },
	[HOST_NAT] = { "setting the rules of nftables", ACT_NAT, .rights = NET },
	[HOST_NAT_WATCH] = { "watching the rules of nftables", ACT_NAT, .opens = true, .rights = NET },
	[HOST_RULESET] = { "reading the rules of nftables", ACT_NAT, .opens = true, .rights = NET },
	[HOST_FLOWS] = { "reading the connections of the host", ACT_NAT, .opens = true, .rights = NET },
	[HOST_NAMES] = { "writing guests' names", ACT_NAMES, .rights = BIT(CAP_DAC_OVERRIDE) },
	[HOST_OPEN_RESOLV] = { "reading what the host resolves by", ACT_NAMES, .opens = true },
	[HOST_UNIX_LISTEN] = { "opening a socket", ACT_PATHS, AS_USER, .kept = true, .opens = true, .leaves = true, .rights = BIT(CAP_DAC_OVERRIDE) },
	[HOST_UNIX_CONNECT] = { "opening a socket", ACT_PATHS, AS_USER, .kept = true, .opens = true, .rights = BIT(CAP_DAC_OVERRIDE) },
	[HOST_UNIX_BIND] = { "opening a socket", ACT_PATHS, AS_USER, .kept = true, .opens = true, .leaves = true, .rights = BIT(CAP_DAC_OVERRIDE) },
	[HOST_UNIX_PEER] = { "connecting a socket", ACT_PATHS, AS_USER, .opens = true, .rights = BIT(CAP_DAC_OVERRIDE) },
	[HOST_OPEN_FILE] = { "opening a file", ACT_PATHS, AS_USER, .opens = true },	/* nothing that its user may not read */
	[HOST_LISTEN] = { "opening ports", ACT_PATHS, .kept = true, .opens = true, .given = true,	/* and looking for who has one */
			  .rights = BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_NET_BIND_SERVICE) },
};

const struct act_kind *acts_kind(uint32_t type)
{
	return &kinds[type];
}

const struct act_kind *acts_undo(enum act_number number)
{
	static const uint32_t types[] = { [ACT_NAMES] = HOST_NAMES, [ACT_NAT] = HOST_NAT, [ACT_WAYS] = HOST_WIRE, [ACT_IFACE] = HOST_OPEN_IFACE };

	return &kinds[types[number]];
}

/* ---- the programs ---- */

static const char *const names[ACT_PROGRAMS] = { "lanyard-names", "lanyard-nat", "lanyard-ways", "lanyard-iface", "lanyard-plug", "lanyard-paths" };

static struct program {
	int fd;				/* 0: it is not open */
	bool roots;
} programs[ACT_PROGRAMS];

static bool roots_alone(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static bool look(int dir, const char *name, struct program *to)
{
	struct stat file, above;
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode) || fstat(dir, &above) < 0) {
		close(fd);
		return false;
	}
	*to = (struct program){ .fd = fd, .roots = roots_alone(&file) && roots_alone(&above) };
	return true;
}

void acts_path(const char *name, char *to, size_t room)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n < 0 ? 0 : n] = '\0';
	slash = strrchr(self, '/');
	snprintf(to, room, "%.*s%s", slash ? (int)(slash - self) + 1 : 0, self, name);
}

int acts_open(void)
{
	char path[PATH_MAX];
	unsigned found = 0;
	int dir;

	acts_path("", path, sizeof(path));
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; dir >= 0 && i < ACT_PROGRAMS; i++)
		found += look(dir, names[i], &programs[i]);
	if (dir >= 0)
		close(dir);
	return found == ACT_PROGRAMS ? 0 : -ENOENT;
}

void acts_use(int fd)
{
	for (unsigned i = 0; i < ACT_PROGRAMS; i++)
		programs[i] = (struct program){ .fd = fd, .roots = true };
}

const char *acts_name(enum act_number number)
{
	return names[number];
}

int acts_program(enum act_number number, bool *roots)
{
	*roots = programs[number].roots;
	return programs[number].fd > 0 ? programs[number].fd : -1;
}
