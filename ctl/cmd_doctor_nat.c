// SPDX-License-Identifier: GPL-2.0-or-later
/* What this host's kernel has for `nat: kernel`, tried with nft(8) in a namespace that ends with the child that made it. */
#define _GNU_SOURCE	/* unshare() */
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/cmd_doctor_checks.h"

enum { UNKNOWN = 0x80 };	/* the child's exit status is one bit for each probe that failed, or this */

static const struct probe {
	unsigned bit;
	const char *ruleset;		/* what nft is to make of the namespace */
	const char *without;		/* what one has not, in a row behind "works without"; and the kernel's module */
} probes[] = {
	{ 1, "table inet t { chain c { type nat hook postrouting priority srcnat; masquerade; }; }", NULL },
	{ 2, "table inet t { ct timeout x { protocol udp; l3proto ip\n policy = { replied : 300 }\n }\n }", "timeouts of its own (nfnetlink_cttimeout)" },
	{ 4, "table inet t { flowtable f { hook ingress priority filter; devices = { lo }; }\n }", "its fast path (nf_flow_table)" },
	{ 8, "table inet t { ct helper x { type \"ftp\" protocol tcp; }\n }", "ftp (nf_conntrack_ftp)" },
	{ 16, "table inet t { ct helper x { type \"tftp\" protocol udp; }\n }", "tftp (nf_conntrack_tftp)" },
	{ 32, "table inet t { ct helper x { type \"sip\" protocol udp; }\n }", "sip (nf_conntrack_sip)" },
};

/* own_namespace() - a network namespace to try in; who is not root becomes root of a user namespace for that */
static bool own_namespace(void)
{
	unsigned uid = getuid();
	int map;
	char text[32];

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	map = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	snprintf(text, sizeof(text), "0 %u 1", uid);
	return map >= 0 && write(map, text, strlen(text)) > 0;
}

/* nft_takes() - Return: 1, 0, or -1: there is no nft */
static int nft_takes(const char *ruleset)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);	/* an ordinary user's does not have it */
		execlp("nft", "nft", ruleset, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return -1;
	return WEXITSTATUS(status) == 0;
}

static _Noreturn void try_all(void)
{
	int lacking = own_namespace() ? 0 : UNKNOWN;

	for (size_t i = 0; i < ARRAY_SIZE(probes) && !(lacking & UNKNOWN); i++) {
		int takes = nft_takes(probes[i].ruleset);

		lacking |= takes < 0 ? UNKNOWN : takes ? 0 : (int)probes[i].bit;
		nft_takes("flush ruleset");
	}
	_exit(lacking);
}

/* tell() - what a network with `nat: kernel` has here, of the probes that failed */
static void tell(struct finding *f, unsigned lacking)
{
	size_t n;

	if (lacking & probes[0].bit) {
		snprintf(f->text, sizeof(f->text), "nat: kernel does not work here: the kernel has no nftables with NAT (nf_tables, nft_masq); nat: user does");
		return;
	}
	n = (size_t)snprintf(f->text, sizeof(f->text), "nat: kernel works%s", lacking ? " without " : ", with all that it can use");
	for (size_t i = 1, said = 0; i < ARRAY_SIZE(probes) && n < sizeof(f->text); i++)
		if (lacking & probes[i].bit)
			n += (size_t)snprintf(f->text + n, sizeof(f->text) - n, "%s%s", said++ ? ", " : "", probes[i].without);
}

void doctor_look_nat(struct finding *f)
{
	pid_t pid = fork();
	int status = 0;
	unsigned lacking;

	if (pid == 0)
		try_all();
	lacking = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : UNKNOWN;
	f->state = FINDING_OK;
	if (lacking & UNKNOWN) {
		snprintf(f->text, sizeof(f->text), "not known whether nat: kernel works: nft(8), or a namespace to try it in, is missing");
		return;
	}
	f->state = lacking & (probes[0].bit | probes[1].bit) ? FINDING_WARN : FINDING_OK;
	tell(f, lacking);
}
