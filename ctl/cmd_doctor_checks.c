// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/cmd_doctor_checks.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/paths.h"

enum { DESCRIPTORS_MIN = 256, DESCRIPTORS_GOOD = 4096, WEB_PORT = 80 };

__attribute__((format(printf, 3, 4)))
static void tell(struct finding *f, enum finding_state state, const char *fmt, ...)
{
	va_list args;

	f->state = state;
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

__attribute__((format(printf, 2, 3)))
static void advise(struct finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->command, sizeof(f->command), fmt, args);
	va_end(args);
}

/* setting() - a number under /proc/sys, or @missing */
static long setting(const char *name, long missing)
{
	char path[128];
	FILE *file;
	long value;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	file = fopen(path, "re");
	if (!file)
		return missing;
	if (fscanf(file, "%ld", &value) != 1)
		value = missing;
	fclose(file);
	return value;
}

/* ---- what networks need ---- */

/* parent_of() - the nearest directory above @path that is there */
static void parent_of(char *path)
{
	while (access(path, F_OK) < 0 && strrchr(path, '/') > path)
		*strrchr(path, '/') = '\0';
}

static void look_directory(struct finding *f)
{
	char path[PATHS_SIZE], at[PATHS_SIZE];

	if (paths_runtime(getuid(), path, sizeof(path)) < 0) {
		tell(f, FINDING_FAIL, "no directory for the daemon's sockets");
		advise(f, "export XDG_RUNTIME_DIR=/run/user/%u", getuid());
		return;
	}
	strcpy(at, path);
	parent_of(at);
	if (access(at, W_OK | X_OK) == 0) {
		tell(f, FINDING_OK, "sockets go to %.150s", path);
		return;
	}
	tell(f, FINDING_FAIL, "%.120s: cannot be written: %s", at, strerror(errno));
	advise(f, "lanyardd --runtime-dir DIRECTORY");
}

static void look_descriptors(struct finding *f)
{
	struct rlimit limit = { 0, 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	tell(f, limit.rlim_max < DESCRIPTORS_MIN ? FINDING_FAIL : limit.rlim_max < DESCRIPTORS_GOOD ? FINDING_WARN : FINDING_OK,
	     "%llu open files at most; each connection and each forwarded port is one", (unsigned long long)limit.rlim_max);
	if (f->state != FINDING_OK)
		advise(f, "prlimit --nofile=%u:%u --pid $$   (as root; LimitNOFILE= in a unit)", 16 * DESCRIPTORS_GOOD, 16 * DESCRIPTORS_GOOD);
}

static void look_sockets(struct finding *f)
{
	static const struct {
		int family, type;
		const char *name;
	} kinds[] = {
		{ AF_INET, SOCK_STREAM, "TCP" }, { AF_INET, SOCK_DGRAM, "UDP" }, { AF_INET6, SOCK_DGRAM, "IPv6" },
	};

	tell(f, FINDING_OK, "guests' connections leave from ordinary sockets");
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && f->state == FINDING_OK; i++) {
		int fd = socket(kinds[i].family, kinds[i].type | SOCK_CLOEXEC, 0);

		if (fd < 0)
			tell(f, kinds[i].family == AF_INET ? FINDING_FAIL : FINDING_WARN, "no sockets for %s: %s", kinds[i].name,
			     strerror(errno));
		else
			close(fd);
	}
}

/* ---- what guests gain ---- */

/* Ping sockets are for the groups in the range; the daemon's is the one it is started with. A raw socket is for who has CAP_NET_RAW. */
static void look_ping(struct finding *f)
{
	static const int types[] = { SOCK_DGRAM, SOCK_RAW };

	for (unsigned i = 0; i < 2; i++) {
		int fd = socket(AF_INET, types[i] | SOCK_CLOEXEC, IPPROTO_ICMP);

		if (fd < 0)
			continue;
		close(fd);
		tell(f, FINDING_OK, "guests can ping the outside%s", types[i] == SOCK_RAW ? ", by raw sockets" : "");
		return;
	}
	tell(f, FINDING_WARN, "guests cannot ping the outside: ping sockets are closed to group %u", getgid());
	advise(f, "sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"");
}

static void look_low_ports(struct finding *f)
{
	long first = setting("net/ipv4/ip_unprivileged_port_start", 1024);

	if (geteuid() == 0 || first <= WEB_PORT) {
		tell(f, FINDING_OK, "every port from %ld on can be forwarded", geteuid() == 0 ? 1 : first);
		return;
	}
	tell(f, FINDING_WARN, "ports below %ld cannot be forwarded", first);
	advise(f, "sysctl -w net.ipv4.ip_unprivileged_port_start=%d", WEB_PORT);
}

/* ---- what guests are plugged in by ---- */

static void look_tun(struct finding *f)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), error = errno;

	if (fd >= 0) {
		close(fd);
		tell(f, FINDING_OK, "/dev/net/tun opens: TAPs carry large segments");
		return;
	}
	tell(f, FINDING_WARN, "/dev/net/tun: %s; namespaces get a slower kind of port", strerror(error));
	if (error == EACCES || error == EPERM)
		advise(f, "chmod 666 /dev/net/tun");
	else
		advise(f, "modprobe tun");
}

/* can_unshare() - in a child, which ends with the namespaces */
static int can_unshare(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : errno);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
}

static void look_namespaces(struct finding *f)
{
	int error = can_unshare();

	if (error == 0) {
		tell(f, FINDING_OK, "user namespaces can be made: lanyard run works");
		return;
	}
	tell(f, FINDING_WARN, "no user namespaces: %s; lanyard run needs them", strerror(error));
	if (setting("kernel/unprivileged_userns_clone", 1) == 0)
		advise(f, "sysctl -w kernel.unprivileged_userns_clone=1");
	else if (setting("kernel/apparmor_restrict_unprivileged_userns", 0) == 1)
		advise(f, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	else if (setting("user/max_user_namespaces", 1) == 0)
		advise(f, "sysctl -w user.max_user_namespaces=10000");
}

static void look_kvm(struct finding *f)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), error = errno;
	const struct passwd *user = getpwuid(getuid());

	if (fd >= 0) {
		close(fd);
		tell(f, FINDING_OK, "/dev/kvm opens: virtual machines run at full speed");
		return;
	}
	tell(f, FINDING_WARN, "/dev/kvm: %s; virtual machines are emulated", strerror(error));
	if (error == EACCES || error == EPERM)
		advise(f, "usermod -aG kvm %.60s   (and log in again)", user ? user->pw_name : "USER");
	else
		advise(f, "modprobe -a kvm_intel kvm_amd");
}

const struct check doctor_checks[] = {
	{ "directory", look_directory },
	{ "sockets", look_sockets },
	{ "descriptors", look_descriptors },
	{ "ping", look_ping },
	{ "low-ports", look_low_ports },
	{ "tap", look_tun },
	{ "namespaces", look_namespaces },
	{ "kvm", look_kvm },
	{ "kernel", doctor_look_kernel },
	{ "forwarding", doctor_look_forwarding },
	{ "kernel-nat", doctor_look_nat },
	{ "managers", doctor_look_managers },
	{ "names", doctor_look_names },
	{ 0 },
};
