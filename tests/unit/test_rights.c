// SPDX-License-Identifier: GPL-2.0-or-later
/* What the keeper gives up, and what it lends to a program that acts; as root, or else as far as a user sees of it. */
#define _GNU_SOURCE
#include "ctl/keeper.h"
#include "ctl/start.h"

#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"

#define BIT(c) (1ull << (c))

enum { NOT_SO = 1 };

static uint64_t kept_of_root = BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_ADMIN) |
			       BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_KILL);

/* status() - a line of /proc/self/status, as a number */
static uint64_t status(const char *key)
{
	unsigned long long value = UINT64_MAX;
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			sscanf(line + strlen(key) + 1, "%llx", &value);
	if (f)
		fclose(f);
	return value;
}

static bool has_just(uint64_t set)
{
	return status("CapPrm") == set && status("CapEff") == set && status("CapInh") == 0 && status("CapAmb") == 0;
}

static int in_child(int (*try)(uint64_t had), uint64_t had)
{
	int how;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		rights_keep_few();
		_exit(try(had));
	}
	assert_int_equal(waitpid(pid, &how, 0), pid);
	return how;
}

static int try_keeping(uint64_t had)
{
	return !has_just(had & kept_of_root) || status("NoNewPrivs") != 1 || (had && status("CapBnd") & ~kept_of_root);
}

static int try_becoming(uint64_t had)
{
	struct rights_user nobody = { .uid = 65534, .gid = 65534 };

	int rc = had ? rights_become(&nobody) : 0;

	if (rc == -EINVAL || rc == -EPERM)
		return getuid() != 0;		/* in a user namespace that has no other user */
	return had && (rc < 0 || getuid() != 65534 || getegid() != 65534 || getgroups(0, NULL) || !has_just(0));
}

static bool lends_just(uint64_t set)
{
	return status("CapPrm") == set && status("CapEff") == set && status("CapInh") == set && status("CapAmb") == set;
}

static int try_lending(uint64_t had)
{
	static const uint32_t types[] = { HOST_OPEN_NETNS, HOST_OPEN_UPLINK, HOST_OPEN_TAP, HOST_OPEN_FILE };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (rights_lend(acts_kind(types[i])->rights, false) < 0 || !lends_just(had & kept_of_root & acts_kind(types[i])->rights))
			return NOT_SO;
	return rights_lend(BIT(CAP_NET_ADMIN), false) < 0 || !lends_just(0);	/* what was given up does not come back */
}

static int try_by_file(uint64_t had)
{
	return rights_lend(BIT(CAP_DAC_OVERRIDE), true) < 0 || !has_just(had & BIT(CAP_DAC_OVERRIDE));
}

static void test_rights_given_up(void **state)
{
	uint64_t had = status("CapPrm");

	(void)state;
	assert_int_equal(in_child(try_keeping, had), 0);
	assert_int_equal(in_child(try_becoming, had & BIT(CAP_SETUID) && had & BIT(CAP_SETGID) ? had : 0), 0);
	assert_int_equal(in_child(try_lending, had), 0);
	assert_int_equal(in_child(try_by_file, had), 0);
}

static void test_users(void **state)
{
	struct rights_user u = { 1, 1 };

	(void)state;
	assert_int_equal(home_user_find("0", &u), 0);
	assert_int_equal(u.uid, 0);
	assert_int_equal(home_user_find("root", &u), 0);
	assert_int_equal(u.uid, 0);
	assert_int_equal(home_user_find("3999999999", &u), 0);	/* a number that nobody has is its own group */
	assert_int_equal(u.uid, 3999999999u);
	assert_int_equal(u.gid, 3999999999u);
	assert_int_equal(home_user_find("4294967295", &u), -ENOENT);	/* -1 would mean: leave it as it is */
	assert_int_equal(home_user_find("no such user", &u), -ENOENT);
	assert_int_equal(home_user_find(NULL, &u), 0);
	assert_true(u.uid != 0);
}

static void test_hint(void **state)
{
	static struct act_call call = { .program = "/usr/libexec/lanyard/lanyard-keeper", .rights = BIT(CAP_NET_BIND_SERVICE) };
	struct error err = { 0 };

	(void)state;
	rights_told(&call);
	rights_hint(&err, BIT(CAP_NET_RAW) | BIT(CAP_NET_ADMIN));
	assert_non_null(strstr(err.hint, "setcap cap_"));
	assert_non_null(strstr(err.hint, "cap_net_admin,cap_net_raw"));
	assert_non_null(strstr(err.hint, "=ep /usr/libexec/lanyard/lanyard-keeper; then"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights_given_up),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
