// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* setresuid() */
#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"
#include "ctl/keeper.h"

#define BIT(capability) (1ull << (capability))

/* What requests need, each with the one that does; all else is given up at the start, from the bounding set, too. */
static const unsigned kept[] = {
	CAP_NET_ADMIN,		/* TAPs, interfaces in namespaces, the guard of a VMM's TAP */
	CAP_NET_RAW,		/* packet sockets */
	CAP_NET_BIND_SERVICE,	/* forwards on low ports */
	CAP_SYS_ADMIN,		/* setns() */
	CAP_SYS_PTRACE,		/* /proc/PID/ns/net of another user's process; whose a taken port is */
	CAP_DAC_OVERRIDE,	/* root names sockets that are other users' */
	CAP_SETUID, CAP_SETGID,	/* acts with a client's rights; the engine's user */
	CAP_KILL,		/* these are other users' processes then */
};

static uint64_t left;		/* to the keeper */

static void add_all(capng_type_t sets, uint64_t capabilities)
{
	for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
		if (capabilities & BIT(i))
			capng_update(CAPNG_ADD, sets, i);
}

void rights_keep_few(void)
{
	bool bounds;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	capng_get_caps_process();
	bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (capng_have_capability(CAPNG_PERMITTED, kept[i]))
			left |= BIT(kept[i]);
	/* Uid 0 stops meaning "all capabilities" at an exec(): the engine has none, whoever it runs as. */
	if (geteuid() == 0 && prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) < 0)
		log_warn("event=engine-keeps-rights reason=\"%s\"", strerror(errno));
	capng_clear(CAPNG_SELECT_ALL);
	add_all(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, left);
	if (capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT | (bounds ? CAPNG_SELECT_BOUNDS : 0)) < 0)
		log_warn("event=keeper-keeps-rights reason=\"%s\"", strerror(errno));
}

uint64_t rights_left(void)
{
	return left;
}

/* What is started keeps nothing by its user's number (SECBIT_NOROOT): it has what is ambient, or what its own file says. */
int rights_lend(uint64_t wanted, bool by_file)
{
	uint64_t have = 0;

	capng_get_caps_process();
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (wanted & BIT(kept[i]) && capng_have_capability(CAPNG_PERMITTED, kept[i]))
			have |= BIT(kept[i]);
	capng_clear(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
	add_all(CAPNG_EFFECTIVE | CAPNG_PERMITTED | (by_file ? 0 : CAPNG_INHERITABLE | CAPNG_AMBIENT), have);
	return capng_apply(by_file ? CAPNG_SELECT_CAPS : CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) < 0 ? -EPERM : 0;
}

int rights_become(const struct rights_user *user)
{
	if (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	return 0;
}
