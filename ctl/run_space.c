// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* unshare(), open_tree(), move_mount() */
#include "ctl/run_space.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/netns.h"
#include "ctl/netns_link.h"

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

/* --- user namespace ----------------------------------------------------------------------------------- */

/* map_same() - let each id of ours mean the same in the namespace of process @pid */
static int map_same(pid_t pid, const char *which)
{
	char path[64], text[4096];
	unsigned long inside, outside, count;
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/%s", which);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (n < sizeof(text) - 80 && fscanf(f, "%lu %lu %lu", &inside, &outside, &count) == 3)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%lu %lu %lu\n", inside, inside, count);
	fclose(f);
	text[n] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, which);
	return write_file(path, text);
}

/* start_mapper() - a child that stays outside, and maps all ids of the parent once told to through *@go
 *
 * Only a process of the outer namespace may map more than one id (user_namespaces(7)).
 */
static pid_t start_mapper(int *go)
{
	int pipe_fd[2];
	char told;
	pid_t child;

	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		close(pipe_fd[1]);
		if (read(pipe_fd[0], &told, 1) != 1)
			_exit(1);
		_exit(map_same(getppid(), "uid_map") < 0 || map_same(getppid(), "gid_map") < 0);
	}
	close(pipe_fd[0]);
	*go = pipe_fd[1];
	return child;
}

static bool finish_mapper(pid_t child, int go, bool tell)
{
	int status = -1;

	if (tell)
		(void)!write(go, "", 1);
	close(go);
	return waitpid(child, &status, 0) == child && status == 0;
}

/* map_one() - our own ids become root's; setgroups() must be given up first (user_namespaces(7)) */
static int map_one(uid_t uid, gid_t gid)
{
	char map[48];
	int rc;

	rc = write_file("/proc/self/setgroups", "deny");
	if (rc < 0 && rc != -ENOENT)
		return rc;
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
	rc = write_file("/proc/self/uid_map", map);
	if (rc < 0)
		return rc;
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)gid);
	return write_file("/proc/self/gid_map", map);
}

static int enter_user(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	pid_t mapper = -1;
	int go = -1, rc;

	if (uid == 0)
		mapper = start_mapper(&go);
	rc = unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
	if (mapper > 0 && finish_mapper(mapper, go, rc == 0))
		return rc;
	return rc < 0 ? rc : map_one(uid, gid);
}

/* is_set() - does the sysctl hold this number? */
static bool is_set(const char *path, const char *number)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, number);
}

/* refused() - which of the switches that distributions have is it? */
static int refused(struct error *err, const char *what, int rc)
{
	error_set(err, rc, "namespaces: cannot %s: %s", what, strerror(-rc));
	if (is_set("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
		error_hint(err, "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0");
	else if (is_set("/proc/sys/kernel/unprivileged_userns_clone", "0"))
		error_hint(err, "sudo sysctl kernel.unprivileged_userns_clone=1");
	else if (rc == -ENOSPC || is_set("/proc/sys/user/max_user_namespaces", "0"))
		error_hint(err, "sudo sysctl user.max_user_namespaces=16384");
	else
		error_hint(err, "in a container: start it with a seccomp profile that allows unshare(2)");
	error_code(err, rc == -ENOSPC ? "failed" : "permission");
	return rc;
}

/* show_interfaces() - /sys of the new network namespace, with the control groups that are mounted inside it
 *
 * Where the kernel refuses (a container that hides parts of /sys), /sys goes on showing the host's interfaces: few
 * programs look for them there.
 */
static void show_interfaces(void)
{
	static const char cgroups[] = "/sys/fs/cgroup";
	int tree = open_tree(AT_FDCWD, cgroups, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 && tree >= 0)
		(void)!move_mount(tree, "", AT_FDCWD, cgroups, MOVE_MOUNT_F_EMPTY_PATH);
	if (tree >= 0)
		close(tree);
}

int space_enter(struct error *err)
{
	int rc = enter_user();

	if (rc < 0)
		return refused(err, "make a user namespace", rc);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		return refused(err, "make a network and a mount namespace", -errno);
	if (mount("", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return refused(err, "keep mounts apart from the host's", -errno);
	show_interfaces();
	rc = netns_set_link("lo", NULL, 0, true, err);
	if (rc < 0)
		return rc;
	/* ping without rights: every group id there is, or the one there is; where /proc/sys is closed, root pings still */
	if (netns_sysctl("net/ipv4/ping_group_range", "0 4294967294") < 0)
		netns_sysctl("net/ipv4/ping_group_range", "0 0");
	return 0;
}

/* --- resolv.conf --------------------------------------------------------------------------------------- */

static const char resolv_conf[] = "/etc/resolv.conf";

/* scratch_file() - write /tmp/resolv.conf on a filesystem of its own that covers /tmp for a moment */
static int scratch_file(const char *text)
{
	int fd, rc;

	if (mount("lanyard", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755") < 0)
		return -errno;
	fd = open("/tmp/resolv.conf", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
	rc = fd < 0 || fchmod(fd, 0644) < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* cover_file() - over the file, or with @link over the link itself that leads nowhere */
static int cover_file(bool link)
{
	int file = open_tree(AT_FDCWD, "/tmp/resolv.conf", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int rc;

	if (file < 0)
		return -errno;
	rc = move_mount(file, "", AT_FDCWD, resolv_conf, MOVE_MOUNT_F_EMPTY_PATH | (link ? 0 : MOVE_MOUNT_T_SYMLINKS));
	rc = rc < 0 ? -errno : 0;
	close(file);
	return rc;
}

/* cover_etc() - an /etc with our file in front of all that is there, for a host without the file */
static int cover_etc(void)
{
	return mount("lanyard", "/etc", "overlay", 0, "lowerdir=/tmp:/etc") < 0 ? -errno : 0;
}

int space_resolv(const char *text, struct error *err)
{
	struct stat st;
	bool leads = stat(resolv_conf, &st) == 0;
	bool there = leads || lstat(resolv_conf, &st) == 0;
	int rc = scratch_file(text);

	if (rc == 0)
		rc = there ? cover_file(!leads) : cover_etc();
	umount2("/tmp", MNT_DETACH);	/* what covers /etc keeps the filesystem */
	return rc < 0 ? error_set(err, rc, "%s: cannot cover it: %s", resolv_conf, strerror(-rc)) : 0;
}
