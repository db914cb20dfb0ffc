/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/qemu.h - QEMU's command line for a stream or vhost-user port, fit for the QEMU that is there
 *
 * -netdev stream came with QEMU 7.2, which cannot connect again once lanyard has restarted: there QEMU listens
 * and lanyard connects. From 8.0 on QEMU can (`reconnect`, seconds; from 9.2 `reconnect-ms`), and lanyard listens,
 * so that either may come first. The character device of -netdev vhost-user always could.
 *
 * A vhost-user back-end works in the guest's memory, which must therefore be a file that can be shared. QEMU 7.2 itself crashes
 * when such a port has MSI-X vectors in a guest without KVM: there it gets none. One thread.
 */
#ifndef CTL_QEMU_H
#define CTL_QEMU_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct qemu_version {
	unsigned major, minor;		/* 0.0: no QEMU was found */
};

/* qemu_version_parse() - from the first line of `qemu-system-x86_64 --version`; 0 or -EINVAL */
int qemu_version_parse(const char *text, struct qemu_version *version);

/* qemu_find() - ask LANYARD_QEMU, or qemu-system-x86_64 (or the host's own machine) on PATH
 *
 * Return: 0, with version 0.0 where there is none; -ENOENT with @err when LANYARD_QEMU names something that does
 * not answer as a QEMU does.
 */
int qemu_find(struct qemu_version *version, struct error *err);

/* qemu_check() - has it what the port needs? -netdev stream (7.2), or a machine's memory in a file (5.0). 0 or -ENOTSUP */
int qemu_check(struct qemu_version version, bool vhost, struct error *err);

/* qemu_dials() - shall QEMU connect and lanyard listen, on a stream port? */
bool qemu_dials(struct qemu_version version);

struct qemu_port {
	const char *net, *port;
	const char *path;	/* of the unix socket */
	const char *mac;
	bool dials;		/* QEMU connects */
	unsigned mtu;		/* told to the guest unless it is 1500 */
	bool vhost;		/* vhost-user; then also */
	unsigned queues;	/* pairs the guest gets */
	bool packed;		/* packed rings */
	bool emulated;		/* the processor is: no KVM */
	const char *memory;	/* the guest's, as QEMU's `size`; NULL: another port's arguments have it */
};

enum { QEMU_ARG_TEXT = 512, QEMU_ARGS = 10 };

/* qemu_memory_valid() - a number, perhaps with K, M, G or T behind it */
bool qemu_memory_valid(const char *text);

/* qemu_args() - "-netdev", its value, "-device", its value; for vhost-user "-object", "-machine" and "-chardev" before them
 *
 * Return: how many words, or -ENAMETOOLONG.
 */
int qemu_args(const struct qemu_port *port, struct qemu_version version, char args[QEMU_ARGS][QEMU_ARG_TEXT]);

/* shell_quote() - as one word of a shell command; quoted only if need be; Return: @to, cut where @room ends */
char *shell_quote(char *to, size_t room, const char *word);

#endif
