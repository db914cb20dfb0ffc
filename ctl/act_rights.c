// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* setresuid() */
#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/act.h"

enum { NOBODY = 65534, LIST_SIZE = 80 };

static const char *keeper = "lanyard-keeper";		/* the program */
static uint64_t keepers;			/* rights */
static bool own;				/* this program needs them in its file */

void rights_told(const struct act_call *call)
{
	keeper = call->program;
	keepers = call->rights;
	own = call->own_rights;
}

bool rights_have(unsigned capability)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, capability);
}

static void write_list(uint64_t capabilities, char list[LIST_SIZE])
{
	list[0] = '\0';
	for (unsigned i = 0, at = 0; i <= CAP_LAST_CAP && at < LIST_SIZE; i++)
		if (capabilities >> i & 1)
			at += (unsigned)snprintf(list + at, LIST_SIZE - at, "%scap_%s", at ? "," : "", capng_capability_to_name(i));
}

/* setcap(8) replaces what a program has: the command names all of it. */
void rights_hint(struct error *err, uint64_t needed)
{
	char all[LIST_SIZE], mine[LIST_SIZE], self[100] = "", more[LIST_SIZE + 110] = "";
	ssize_t n = own ? readlink("/proc/self/exe", self, sizeof(self) - 1) : -1;

	write_list(geteuid() ? needed | keepers : needed, all);
	write_list(needed, mine);
	if (n > 0)
		snprintf(more, sizeof(more), " %s=ep %.*s", mine, (int)n, self);
	error_hint(err, "once: sudo setcap %s=ep %s%s; then start lanyardd again", all, keeper, more);
}

int rights_lose(uint32_t uid, struct host_reply *r)
{
	struct passwd *pw;
	gid_t gid;

	if (uid == geteuid() || uid == 0)
		return 0;
	if (geteuid() != 0) {
		snprintf(r->message, sizeof(r->message), "this daemon runs as user %u and cannot act for user %u", (unsigned)geteuid(), uid);
		return -EPERM;
	}
	pw = getpwuid(uid);
	gid = pw ? pw->pw_gid : NOBODY;
	if ((pw ? initgroups(pw->pw_name, gid) : setgroups(0, NULL)) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
		snprintf(r->message, sizeof(r->message), "cannot take the rights of user %u: %s", uid, strerror(errno));
		return -EPERM;
	}
	return 0;
}
