// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/qemu.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
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
	return 0;
}

int qemu_check(struct qemu_version v, bool vhost, struct error *err)
{
	if (!v.major || v.major > 7 || (v.major == 7 && v.minor >= 2) || (vhost && v.major >= 5))
		return 0;
	error_set(err, -ENOTSUP, "qemu: version %u.%u has no %s", v.major, v.minor,
		  vhost ? "-machine memory-backend; 5.0 has" : "-netdev stream; 7.2 has");
	error_hint(err, "lanyard port add NET/NAME --tap IF, and qemu -netdev tap");
	return -ENOTSUP;
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

bool qemu_memory_valid(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 15 || strspn(text, "0") == digits)
		return false;
	return !text[digits] || (strchr("KMGT", text[digits]) && !text[digits + 1]);
}

/* words - the command line as it grows; what does not fit is remembered */
struct words {
	char (*args)[QEMU_ARG_TEXT];
	int n;
	bool cut;
};

static void __attribute__((format(printf, 3, 4))) add(struct words *w, const char *option, const char *fmt, ...)
{
	va_list ap;

	strcpy(w->args[w->n++], option);
	va_start(ap, fmt);
	w->cut |= vsnprintf(w->args[w->n++], QEMU_ARG_TEXT, fmt, ap) >= QEMU_ARG_TEXT;
	va_end(ap);
}

static const char *reconnect_option(struct qemu_version v)
{
	return v.major > 9 || (v.major == 9 && v.minor >= 2) ? ",reconnect-ms=1000" : ",reconnect=1";
}

static void add_stream(struct words *w, const struct qemu_port *port, const char *id, const char *path, struct qemu_version v)
{
	add(w, "-netdev", "stream,id=%s,server=%s,addr.type=unix,addr.path=%s%s", id, port->dials ? "off" : "on", path,
	    port->dials && v.major >= 8 ? reconnect_option(v) : "");
}

static void add_vhost(struct words *w, const struct qemu_port *port, const char *id, const char *path, struct qemu_version v)
{
	char queues[24] = "";

	if (port->memory) {
		add(w, "-object", "memory-backend-memfd,id=mem,size=%s,share=on", port->memory);
		add(w, "-machine", "memory-backend=mem");
	}
	add(w, "-chardev", "socket,id=%s.chr,path=%s%s", id, path, port->dials ? reconnect_option(v) : ",server=on,wait=off");
	if (port->queues > 1)
		snprintf(queues, sizeof(queues), ",queues=%u", port->queues);
	add(w, "-netdev", "vhost-user,id=%s,chardev=%s.chr%s", id, id, queues);
}

static void add_device(struct words *w, const struct qemu_port *port, const char *id, struct qemu_version v)
{
	char mtu[32] = "", queues[16] = "", vectors[24] = "";

	if (port->mtu && port->mtu != DEFAULT_MTU)
		snprintf(mtu, sizeof(mtu), ",host_mtu=%u", port->mtu);
	if (port->vhost && port->queues > 1)
		snprintf(queues, sizeof(queues), ",mq=on");
	if (port->vhost && port->emulated && v.major == 7)
		snprintf(vectors, sizeof(vectors), ",vectors=0");
	else if (port->vhost && port->queues > 1)	/* an interrupt for each ring, and two for configuration and control */
		snprintf(vectors, sizeof(vectors), ",vectors=%u", 2 * port->queues + 2);
	add(w, "-device", "virtio-net-pci,netdev=%s,mac=%s%s%s%s%s", id, port->mac, mtu, queues, vectors,
	    port->vhost && port->packed ? ",packed=on" : "");
}

int qemu_args(const struct qemu_port *port, struct qemu_version version, char args[QEMU_ARGS][QEMU_ARG_TEXT])
{
	struct words w = { .args = args };
	char path[256], id[160];
	int n = snprintf(id, sizeof(id), "%s%s.%s", isdigit((unsigned char)port->net[0]) ? "n" : "", port->net, port->port);

	if (n >= (int)sizeof(id) || double_commas(path, sizeof(path), port->path) < 0)
		return -ENAMETOOLONG;
	if (port->vhost)
		add_vhost(&w, port, id, path, version);
	else
		add_stream(&w, port, id, path, version);
	add_device(&w, port, id, version);
	return w.cut ? -ENAMETOOLONG : w.n;
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
