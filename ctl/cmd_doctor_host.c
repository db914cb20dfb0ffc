// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel has to shut the engine in, and what other programs do with packets that this host passes on. */
#define _GNU_SOURCE	/* pipe2() */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/cmd_doctor_checks.h"

/* ---- the kernel ---- */

void doctor_look_kernel(struct finding *f)
{
	long landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint32_t action = SECCOMP_RET_KILL_PROCESS;
	int error = errno;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0) {
		f->state = FINDING_WARN;
		snprintf(f->text, sizeof(f->text), "no seccomp filters: the engine's system calls are not limited");
	} else if (landlock < 0) {
		f->state = FINDING_WARN;
		snprintf(f->text, sizeof(f->text), "Landlock is %s: the engine can open what its user can",
			 error == EOPNOTSUPP ? "switched off" : "not in this kernel");
		if (error == EOPNOTSUPP)
			snprintf(f->command, sizeof(f->command), "lsm=landlock,$(cat /sys/kernel/security/lsm)   (on the kernel command line)");
	} else {
		f->state = FINDING_OK;
		snprintf(f->text, sizeof(f->text), "seccomp and Landlock (version %ld) shut the engine in", landlock);
	}
}

/* ---- packets passed on ---- */

/* list_rules() - of nftables, iptables' among them, without the sets' elements; NULL: there is no nft, or it may not be asked */
static json_t *list_rules(void)
{
	json_t *tree = NULL;
	int fds[2], status = -1;
	FILE *from;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_RDWR), STDERR_FILENO);
		execlp("nft", "nft", "-j", "-t", "list", "ruleset", NULL);
		_exit(127);
	}
	close(fds[1]);
	from = fdopen(fds[0], "r");
	if (pid > 0 && from)
		tree = json_loadf(from, 0, NULL);
	if (from)
		fclose(from);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status) {
		json_decref(tree);
		tree = NULL;
	}
	return tree;
}

static bool equal(const json_t *a, const json_t *b, const char *key)
{
	return json_equal(json_object_get(a, key), json_object_get(b, key));
}

/* lets_us() - has the chain a rule about the interfaces that are ours? */
static bool lets_us(json_t *tree, const json_t *chain)
{
	bool found = false;
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(tree, "nftables"), i, entry) {
		json_t *rule = json_object_get(entry, "rule");
		char *text = NULL;

		if (rule && equal(rule, chain, "family") && equal(rule, chain, "table") &&
		    json_equal(json_object_get(rule, "chain"), json_object_get(chain, "name")))
			text = json_dumps(json_object_get(rule, "expr"), 0);
		found |= text && strstr(text, "\"ly-*\"");
		free(text);
	}
	return found;
}

/* dropping() - a chain that drops what it does not know of the packets passed on: us; and is not ours */
static json_t *dropping(json_t *tree)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(tree, "nftables"), i, entry) {
		const char *hook = NULL, *policy = NULL, *table = "";
		json_t *chain = json_object_get(entry, "chain");

		if (chain && json_unpack(chain, "{s?s s?s s?s}", "hook", &hook, "policy", &policy, "table", &table) == 0 && hook && policy &&
		    !strcmp(hook, "forward") && !strcmp(policy, "drop") && strncmp(table, "lanyard", 7) && !lets_us(tree, chain))
			return chain;
	}
	return NULL;
}

void doctor_look_forwarding(struct finding *f)
{
	json_t *tree = list_rules(), *chain = dropping(tree);
	const char *family = "", *table = "", *name = "";

	f->state = FINDING_OK;
	if (!tree) {
		snprintf(f->text, sizeof(f->text), "unknown: who drops packets that this host passes on is for root to ask (nft list ruleset)");
	} else if (chain && json_unpack(chain, "{s:s s:s s:s}", "family", &family, "table", &table, "name", &name) == 0) {
		f->state = FINDING_WARN;
		snprintf(f->text, sizeof(f->text), "chain %.20s %.40s %.40s drops what this host passes on, of routed and kernel-NAT networks, too",
			 family, table, name);
		snprintf(f->command, sizeof(f->command), "for d in iifname oifname; do nft insert rule %.20s %.40s %.40s $d 'ly-*' accept; done",
			 family, table, name);
	} else {
		snprintf(f->text, sizeof(f->text), "no firewall drops all that this host passes on for us");
	}
	json_decref(tree);
}

/* ---- who else looks after interfaces ---- */

/* denies_ours() - has dhcpcd's one file a line that keeps it from interfaces of ours? */
static bool denies_ours(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "denyinterfaces", strlen("denyinterfaces")) && strstr(line, "ly-*");
	if (f)
		fclose(f);
	return found;
}

/* NetworkManager, networkd and udev are told by files when an interface is made (ctl/act_managers.c); dhcpcd has to be told once. */
void doctor_look_managers(struct finding *f)
{
	bool runs = access("/run/dhcpcd", F_OK) == 0 || access("/run/dhcpcd.pid", F_OK) == 0;

	f->state = FINDING_OK;
	if (!runs || denies_ours("/etc/dhcpcd.conf")) {
		snprintf(f->text, sizeof(f->text), "nobody here takes interfaces ly-* for its own");
		return;
	}
	f->state = FINDING_WARN;
	snprintf(f->text, sizeof(f->text), "dhcpcd runs, and would ask for addresses on the interfaces ly-* of networks");
	snprintf(f->command, sizeof(f->command), "echo 'denyinterfaces ly-*' >>/etc/dhcpcd.conf && dhcpcd -n");
}
