// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/keeper.h"

enum { BACKLOG = 4096, NEXT_PORTS = 100 };

static socklen_t address(const struct host_listen *m, uint16_t port, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (m->family == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, m->addr, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, m->addr, 16);
	return sizeof(*v6);
}

/* SO_REUSEADDR lets TCP listen beside connections of an earlier daemon; to UDP it would mean sharing the port. */
static int bind_to(const struct host_listen *m, uint16_t port)
{
	struct sockaddr_storage to;
	socklen_t size = address(m, port, &to);
	int tcp = m->proto == HOST_TCP, on = 1;
	int fd = socket(to.ss_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	if ((m->family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
	    (tcp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) ||
	    bind(fd, (struct sockaddr *)&to, size) < 0 || (tcp && listen(fd, BACKLOG) < 0)) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

/* --- who has the port ------------------------------------------------------------------------------- */

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
static unsigned long find_inode(const char *table, const struct host_listen *m, bool own, unsigned *uid)
{
	char line[512], hex[33], addr[33];
	unsigned port, state;
	unsigned long inode, found = 0;
	FILE *f = fopen(table, "re");

	address_hex(m, hex);
	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %u %*u %lu", addr, &port, &state, uid, &inode) != 5 ||
		    port != m->port || (m->proto == HOST_TCP && state != 10 /* TCP_LISTEN */))
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

static void describe_owner(const struct host_listen *m, char *to, size_t room)
{
	bool tcp = m->proto == HOST_TCP, six = m->family == 6;
	const char *own = tcp ? (six ? "/proc/net/tcp6" : "/proc/net/tcp") : six ? "/proc/net/udp6" : "/proc/net/udp";
	const char *other = tcp ? (six ? "/proc/net/tcp" : "/proc/net/tcp6") : six ? "/proc/net/udp" : "/proc/net/udp6";
	unsigned uid = 0;
	unsigned long inode = find_inode(own, m, true, &uid);
	char name[32];
	int pid = 0;

	if (!inode)
		inode = find_inode(other, m, false, &uid);
	if (inode && find_process(inode, name, &pid))
		snprintf(to, room, "%s (pid %d)", name, pid);
	else if (inode && uid != geteuid())
		snprintf(to, room, "another user's process (uid %u)", uid);
	else
		snprintf(to, room, "another process");
}

static uint16_t next_free_port(const struct host_listen *m)
{
	for (unsigned port = m->port + 1u; port <= 65535 && port <= m->port + (unsigned)NEXT_PORTS; port++) {
		int fd = bind_to(m, (uint16_t)port);

		if (fd >= 0) {
			close(fd);
			return (uint16_t)port;
		}
	}
	return 0;
}

/* --- the request -------------------------------------------------------------------------------------- */

static void name_of(const struct host_listen *m, char text[80])
{
	char addr[INET6_ADDRSTRLEN] = "?";

	inet_ntop(m->family == 6 ? AF_INET6 : AF_INET, m->addr, addr, sizeof(addr));
	snprintf(text, 80, m->family == 6 ? "%s [%s]:%u" : "%s %s:%u", m->proto == HOST_TCP ? "tcp" : "udp", addr, m->port);
}

static unsigned first_free_port(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned port = 1024;

	if (f && fscanf(f, "%u", &port) != 1)
		port = 1024;
	if (f)
		fclose(f);
	return port;
}

static void explain(const struct host_listen *m, int rc, struct host_reply *r)
{
	char name[80], owner[64];

	name_of(m, name);
	if (rc == -EADDRINUSE) {
		describe_owner(m, owner, sizeof(owner));
		snprintf(r->message, sizeof(r->message), "%s is used by %s", name, owner);
		r->value = next_free_port(m);
		if (r->value)
			snprintf(r->hint, sizeof(r->hint), "port %u is free", r->value);
	} else if (rc == -EACCES) {
		snprintf(r->message, sizeof(r->message), "%s: ports below %u are for root", name, first_free_port());
		snprintf(r->hint, sizeof(r->hint),
			 "a port from %u up; or once, as root: sysctl net.ipv4.ip_unprivileged_port_start=%u, or setcap "
			 "cap_net_bind_service=ep on the program lanyardd", first_free_port(), m->port);
	} else {
		snprintf(r->message, sizeof(r->message), "%s: %s", name, strerror(-rc));
	}
}

int listen_open(const struct host_listen *m, struct host_reply *r)
{
	/* A root daemon lends low ports to root alone. */
	bool closed = geteuid() == 0 && m->uid != 0 && m->port < first_free_port();
	int fd = closed ? -EACCES : bind_to(m, m->port);

	if (fd < 0)
		explain(m, fd, r);
	return fd;
}
