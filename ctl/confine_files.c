// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/confine.h"

/* Debian 12 has the headers of version 2. */
enum {
	TRUNCATE = 1 << 14,		/* version 3 */
	IOCTL_DEV = 1 << 15,		/* version 5 */
	SCOPE_ABSTRACT_UNIX = 1 << 0,	/* version 6 */
	SCOPE_SIGNAL = 1 << 1,
	READ = LANDLOCK_ACCESS_FS_READ_FILE,
	WRITE = LANDLOCK_ACCESS_FS_WRITE_FILE,
	LIST = LANDLOCK_ACCESS_FS_READ_DIR,
	STORE = READ | WRITE | TRUNCATE | LIST | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE,
};

/* What the kernel is asked; one that knows less of it wants the rest to be zero. */
struct ruleset {
	uint64_t files, ports, scoped;
};

/* The engine opens nothing else; whatever belongs to a user, a guest or the host is opened by the keeper. */
static const struct {
	const char *path;
	uint64_t allowed;
} rules[] = {
	{ "/proc/self/fdinfo", READ },			/* is it an eventfd? (tap/vhost_call.c) */
	{ "/proc/self/net", READ },			/* routes */
	{ "/proc/sys/net", READ },
	{ "/proc/sys/vm/overcommit_memory", READ },	/* malloc() */
	{ "/sys/devices/system/cpu", READ | LIST },	/* how many there are: sysconf(), liburcu */
	{ "/dev/null", READ | WRITE },
	{ "/dev/urandom", READ },
};

/* all_of() - every right over files that this version knows: what no rule gives is refused */
static uint64_t all_of(long version)
{
	uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (version >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all |= TRUNCATE;
	if (version >= 5)
		all |= IOCTL_DEV;
	return all;
}

static int add_rule(int ruleset, const char *path, uint64_t allowed)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = allowed, .parent_fd = open(path, O_PATH | O_CLOEXEC) };
	int rc = 0;

	if (rule.parent_fd < 0)
		return -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		rc = -errno;
	close(rule.parent_fd);
	return rc;
}

/* add_rules() - what a host does not have, nobody opens there; without the store the engine has nothing to do */
static int add_rules(int ruleset, const char *state_dir, uint64_t all)
{
	int rc = state_dir ? add_rule(ruleset, state_dir, STORE & all) : 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(rules); i++) {
		rc = add_rule(ruleset, rules[i].path, rules[i].allowed);
		rc = rc == -ENOENT || rc == -EACCES ? 0 : rc;
	}
	return rc;
}

int confine_files(const char *state_dir)
{
	struct ruleset set = { 0 };
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int fd, rc;

	if (version < 0)
		return -errno;
	set.files = all_of(version);
	set.scoped = version >= 6 ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0);
	if (fd < 0)
		return -errno;
	rc = add_rules(fd, state_dir, set.files);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		rc = -errno;
	close(fd);
	return rc < 0 ? rc : (int)version;
}
