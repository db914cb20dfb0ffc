// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/qemu.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_MTU = 1500 };

int qemu_version_parse(const char *text, struct qemu_version *version)
{
	const char *v = strstr(text, "version ");
	struct qemu_version found;

	if (!v || sscanf(v, "version %u.%u", &found.major, &found.minor) != 2 || !found.major)
		return -EINVAL;
	*version = found;
	return 0;
}

/* --- asking the program --------------------------------------------------------------------------------- */

static void exec_version(const char *program, int out)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDERR_FILENO);
	dup2(out, STDOUT_FILENO);
	execlp(program, program, "--version", (char *)NULL);
	_exit(127);
}

/* ask_version() - what `@program --version` prints; 0 or a negative errno */
static int ask_version(const char *program, char *text, size_t room)
{
	size_t n = 0;
	ssize_t got;
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fflush(stdout);
	child = fork();
	if (child == 0)
		exec_version(program, fds[1]);
	close(fds[1]);
	while (child > 0 && n < room - 1 && (got = read(fds[0], text + n, room - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fds[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return n ? 0 : -ENOENT;
}

/* system_program() - the emulator for this machine's own processor */
static void system_program(char name[64])
{
	struct utsname uts;

	snprintf(name, 64, "qemu-system-%.40s", uname(&uts) == 0 ? uts.machine : "x86_64");
}

int qemu_find(struct qemu_version *version, struct error *err)
{
	const char *given = getenv("LANYARD_QEMU");
	char text[512], own[64];
	int rc;

	*version = (struct qemu_version){ 0, 0 };
	system_program(own);
	if (given && *given) {
		rc = ask_version(given, text, sizeof(text));
		if (rc < 0 || qemu_version_parse(text, version) < 0)
			return error_set(err, -ENOENT, "qemu: LANYARD_QEMU=%.100s does not tell the version of a QEMU", given);
	} else if (ask_version("qemu-system-x86_64", text, sizeof(text)) == 0 || ask_version(own, text, sizeof(text)) == 0) {
		qemu_version_parse(text, version);
	}
	if (version->major && (version->major < 7 || (version->major == 7 && version->minor < 2))) {
		error_set(err, -ENOTSUP, "qemu: version %u.%u has no -netdev stream; 7.2 has", version->major, version->minor);
		error_hint(err, "lanyard port add NET/NAME --tap IF, and qemu -netdev tap");
		return -ENOTSUP;
	}
	return 0;
}

bool qemu_dials(struct qemu_version version)
{
	return version.major >= 8;
}

/* --- arguments ------------------------------------------------------------------------------------------ */

/* double_commas() - a comma ends a value in QEMU's options, two of them are one */
static int double_commas(char *to, size_t room, const char *from)
{
	size_t n = 0;

	for (; *from; from++) {
		if (n + 3 > room)
			return -ENAMETOOLONG;
		to[n++] = *from;
		if (*from == ',')
			to[n++] = ',';
	}
	to[n] = '\0';
	return 0;
}

static const char *reconnect_option(struct qemu_version v)
{
	return v.major > 9 || (v.major == 9 && v.minor >= 2) ? ",reconnect-ms=1000" : v.major >= 8 ? ",reconnect=1" : "";
}

int qemu_args(const struct qemu_port *port, struct qemu_version version, char args[QEMU_ARGS][QEMU_ARG_TEXT])
{
	char path[256], mtu[32] = "";
	int netdev, device;

	if (double_commas(path, sizeof(path), port->path) < 0)
		return -ENAMETOOLONG;
	if (port->mtu && port->mtu != DEFAULT_MTU)
		snprintf(mtu, sizeof(mtu), ",host_mtu=%u", port->mtu);
	strcpy(args[0], "-netdev");
	netdev = snprintf(args[1], QEMU_ARG_TEXT, "stream,id=%s.%s,server=%s,addr.type=unix,addr.path=%s%s", port->net,
			  port->port, port->dials ? "off" : "on", path, port->dials ? reconnect_option(version) : "");
	strcpy(args[2], "-device");
	device = snprintf(args[3], QEMU_ARG_TEXT, "virtio-net-pci,netdev=%s.%s,mac=%s%s", port->net, port->port, port->mac, mtu);
	return netdev < QEMU_ARG_TEXT && device < QEMU_ARG_TEXT ? 0 : -ENAMETOOLONG;
}

char *shell_quote(char *to, size_t room, const char *word)
{
	size_t n = 0;

	if (*word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%")]) {
		snprintf(to, room, "%s", word);
		return to;
	}
	to[n++] = '\'';
	for (; *word && n + 6 < room; word++) {
		if (*word == '\'')
			n += (size_t)snprintf(to + n, room - n, "'\\''");
		else
			to[n++] = *word;
	}
	to[n++] = '\'';
	to[n] = '\0';
	return to;
}
