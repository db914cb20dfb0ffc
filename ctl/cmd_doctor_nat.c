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
	const char *lacks;
} probes[] = {
	{ 1, "table inet t { chain c { type nat hook postrouting priority srcnat; masquerade; }; }", "nftables or its NAT (nf_tables, nft_masq)" },
	{ 2, "table inet t { ct timeout x { protocol udp; l3proto ip\n policy = { replied : 300 }\n }\n }", "timeouts of our own (nfnetlink_cttimeout)" },
	{ 4, "table inet t { flowtable f { hook ingress priority filter; devices = { lo }; }\n }", "a software flowtable (nf_flow_table)" },
	{ 8, "table inet t { ct helper x { type \"ftp\" protocol tcp; }\n }", "the helper for ftp (nf_conntrack_ftp)" },
	{ 16, "table inet t { ct helper x { type \"tftp\" protocol udp; }\n }", "for tftp (nf_conntrack_tftp)" },
	{ 32, "table inet t { ct helper x { type \"sip\" protocol udp; }\n }", "for sip (nf_conntrack_sip)" },
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

void doctor_look_nat(struct finding *f)
{
	pid_t pid = fork();
	int status = 0, lacking;
	size_t n;

	if (pid == 0)
		try_all();
	lacking = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : UNKNOWN;
	f->state = lacking & (probes[0].bit | probes[1].bit) && !(lacking & UNKNOWN) ? FINDING_WARN : FINDING_OK;
	n = (size_t)snprintf(f->text, sizeof(f->text), "%s", lacking & UNKNOWN ? "unknown: it takes nft(8) and a namespace to try in" : lacking ?
			     "for kernel NAT this kernel has no: " : "this kernel has all that kernel NAT uses");
	for (size_t i = 0, said = 0; i < ARRAY_SIZE(probes) && !(lacking & UNKNOWN) && n < sizeof(f->text); i++)
		if (lacking & (int)probes[i].bit)
			n += (size_t)snprintf(f->text + n, sizeof(f->text) - n, "%s%s", said++ ? "; " : "", probes[i].lacks);
}
