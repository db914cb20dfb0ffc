// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/act_paths.h"

/* is_any() - nothing but zeros in the kernel's hexadecimal form */
static bool is_any(const char *hex)
{
	return hex[strspn(hex, "0")] == '\0';
}

/* The kernel prints an address as words of host order: equal text is equal address. */
static void address_hex(const struct host_listen *m, char hex[33])
{
	uint32_t word;

	for (int i = 0; i < (m->family == 6 ? 4 : 1); i++) {
		memcpy(&word, m->addr + 4 * i, 4);
		snprintf(hex + 8 * i, 9, "%08X", word);
	}
}

/* find_inode() - the socket in one of /proc/net's tables that holds the port. @own: the table of our own family */
static unsigned long find_inode(const char *table, const struct host_listen *m, uint16_t want, bool own, unsigned *uid)
{
	char line[512], hex[33], addr[33];
	unsigned port, state;
	unsigned long inode, found = 0;
	FILE *f = fopen(table, "re");

	address_hex(m, hex);
	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %u %*u %lu", addr, &port, &state, uid, &inode) != 5 ||
		    port != want || (m->proto == HOST_TCP && state != 10 /* TCP_LISTEN */))
			continue;
		if (is_any(addr) || (own && (is_any(hex) || !strcmp(addr, hex))))
			found = inode;
	}
	if (f)
		fclose(f);
	return found;
}

static bool process_has(const char *pid, const char *target)
{
	char path[300], link[64];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);

		link[n < 0 ? 0 : n] = '\0';
		found = !strcmp(link, target);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void process_name(const char *pid, char name[32])
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%31[^\n]", name) != 1)
		snprintf(name, 32, "?");
	if (f)
		fclose(f);
}

/* find_process() - which process has socket @inode open? Those of other users are closed to a user's daemon. */
static bool find_process(unsigned long inode, char name[32], int *pid)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	char target[40];
	bool found = false;

	snprintf(target, sizeof(target), "socket:[%lu]", inode);
	while (proc && !found && (e = readdir(proc))) {
		if (!isdigit((unsigned char)e->d_name[0]) || !process_has(e->d_name, target))
			continue;
		found = true;
		*pid = atoi(e->d_name);
		process_name(e->d_name, name);
	}
	if (proc)
		closedir(proc);
	return found;
}

void owner_describe(const struct host_listen *m, uint16_t want, char *to, size_t room)
{
	bool tcp = m->proto == HOST_TCP, six = m->family == 6;
	const char *own = tcp ? (six ? "/proc/net/tcp6" : "/proc/net/tcp") : six ? "/proc/net/udp6" : "/proc/net/udp";
	const char *other = tcp ? (six ? "/proc/net/tcp" : "/proc/net/tcp6") : six ? "/proc/net/udp" : "/proc/net/udp6";
	unsigned uid = 0;
	unsigned long inode = find_inode(own, m, want, true, &uid);
	char name[32];
	int pid = 0;

	if (!inode)
		inode = find_inode(other, m, want, false, &uid);
	if (inode && find_process(inode, name, &pid))
		snprintf(to, room, "%s (pid %d)", name, pid);
	else if (inode && uid != geteuid())
		snprintf(to, room, "another user's process (uid %u)", uid);
	else
		snprintf(to, room, "another process");
}
