// SPDX-License-Identifier: GPL-2.0-or-later
/* needs: netns */
/* The journal of host changes: what is in it, what is undone, and a keeper that dies before or after any of its writes and acts. */
#define _GNU_SOURCE	/* unshare() */
#include "ctl/act_journal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/error.h"
#include "ctl/act_iface.h"
#include "tests/unit/acts_bed.h"
#include "tests/unit/own_namespace.h"

static char dir[64], path[96];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_journal.XXXXXX");
	if (!own_namespace() || !mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/host-changes", dir);
	return own_run("sysctl -qw net.ipv6.conf.default.accept_dad=0; ip link add up0 type veth peer name up1 && "
		       "ip link set up0 up && ip link set up1 up") ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static struct host_change change(enum host_change_kind kind, const char *name, const char *target, const char *before, const char *after)
{
	struct host_change c = { .kind = kind };

	snprintf(c.name, sizeof(c.name), "%s", name);
	snprintf(c.target, sizeof(c.target), "%s", target);
	snprintf(c.before, sizeof(c.before), "%s", before);
	snprintf(c.after, sizeof(c.after), "%s", after);
	return c;
}

static struct host_change setting(const char *name, const char *target, const char *before, const char *after)
{
	return change(HOST_CHANGE_SYSCTL, name, target, before, after);
}

static const char *value(const char *setting_path)
{
	static char text[HOST_VALUE_SIZE];

	assert_int_equal(change_setting(setting_path, text), 0);
	return text;
}

static long file_size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void make(struct host_change *c)
{
	assert_int_equal(journal_add(c, 1), 0);
	assert_int_equal(change_make(c, NULL), 0);
}

#define FORWARD "net/ipv4/conf/up0/forwarding"

static void test_undo(void **state)
{
	struct host_change a = setting("host:a", FORWARD, "0", "1");
	struct host_change b = setting("host:a", "net/ipv4/conf/up0/rp_filter", "0", "2");

	(void)state;
	assert_int_equal(bed_journal(dir) < 0, 0);
	make(&a);
	make(&b);
	assert_int_equal(file_size(), 2 * (long)sizeof(a));
	assert_true(b.order > a.order);
	bed_undo("host:b", -1, false);
	assert_string_equal(value(FORWARD), "1");
	assert_int_equal(file_size(), 2 * (long)sizeof(a));
	bed_undo("host:a", -1, false);
	assert_string_equal(value(FORWARD), "0");
	assert_string_equal(value("net/ipv4/conf/up0/rp_filter"), "0");
	assert_int_equal(file_size(), 0);
}

/* A setting that two need has the value from before the first, and goes back with the last, in whatever order they go. */
static void test_shared(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		struct host_change a = setting("host:a", FORWARD, "0", "1"), b = setting("host:b", FORWARD, "", "1");

		make(&a);
		assert_true(journal_before(FORWARD, b.before));
		assert_string_equal(b.before, "0");
		make(&b);
		bed_undo(first ? "host:b" : "host:a", -1, false);
		assert_string_equal(value(FORWARD), "1");
		bed_undo(first ? "host:a" : "host:b", -1, false);
		assert_string_equal(value(FORWARD), "0");
		make(&a);
		make(&b);
		bed_undo(NULL, -1, false);
		assert_string_equal(value(FORWARD), "0");
		assert_int_equal(file_size(), 0);
	}
}

static void test_changed_by_others(void **state)
{
	struct host_change a = setting("host:a", "net/ipv4/conf/up0/rp_filter", "0", "1");

	(void)state;
	make(&a);
	assert_true(own_run("sysctl -qw net.ipv4.conf.up0.rp_filter=2"));
	bed_undo(NULL, -1, false);
	assert_string_equal(value("net/ipv4/conf/up0/rp_filter"), "2");
	assert_true(own_run("sysctl -qw net.ipv4.conf.up0.rp_filter=0"));
}

/* A record that is torn, foreign or not a whole one is a free place, and those beside it count. */
static void test_torn(void **state)
{
	static const char rubbish[700] = "rubbish";
	struct host_change list[3] = {
		setting("host:a", FORWARD, "0", "1"), setting("host:a", "net/ipv4/conf/up0/rp_filter", "0", "1"),
		setting("host:a", "net/ipv4/conf/up0/send_redirects", "1", "0"),
	};
	int fd;

	(void)state;
	assert_int_equal(journal_add(list, 3), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(change_make(&list[i], NULL), 0);
	fd = open(path, O_RDWR);
	for (size_t at = 0; at < sizeof(list[0]); at += 64) {	/* whichever part of it is lost */
		struct host_change torn = list[1];

		memset((char *)&torn + at, 0xaa, 64);
		assert_int_equal(pwrite(fd, &torn, sizeof(torn), sizeof(torn)), sizeof(torn));
		assert_false(host_change_check(&torn));
		assert_false(journal_before(list[1].target, torn.before));
	}
	assert_int_equal(pwrite(fd, rubbish, sizeof(rubbish), 3 * sizeof(list[0])), sizeof(rubbish));
	close(fd);
	assert_int_equal(bed_journal(dir) < 0, 0);
	bed_undo(NULL, -1, false);
	assert_string_equal(value(FORWARD), "0");
	assert_string_equal(value("net/ipv4/conf/up0/send_redirects"), "1");
	assert_string_equal(value("net/ipv4/conf/up0/rp_filter"), "1");	/* nobody knows of it any more */
	assert_true(own_run("sysctl -qw net.ipv4.conf.up0.rp_filter=0"));
	assert_int_equal(file_size(), 0);
}

/* Places are used again: what comes and goes does not make the file grow. */
static void test_places(void **state)
{
	struct host_change stays = setting("host:s", "net/ipv4/conf/up0/send_redirects", "1", "0"), a = setting("host:a", FORWARD, "0", "1");

	(void)state;
	make(&stays);
	for (int i = 0; i < 100; i++) {
		make(&a);
		bed_undo("host:a", -1, false);
	}
	assert_int_equal(file_size(), 2 * (long)sizeof(a));
	bed_undo(NULL, -1, false);
	assert_int_equal(file_size(), 0);
}

/* ---- IPv6 forwarding of the whole host, as kernels before 6.17 have it ---- */

static bool learnt(void)
{
	return own_run("ip -6 route show default proto ra | grep -q up0");
}

/* advertise() - a router behind up1; Return: has the host made it its way out? */
static bool advertise(void)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_scope_id = if_nametoindex("up1") };
	uint8_t ra[16] = { 134, 0, 0, 0, 64, 0, 1800 >> 8, 1800 & 255 };
	int s = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6), hops = 255;

	inet_pton(AF_INET6, "ff02::1", &to.sin6_addr);
	setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops));
	for (int i = 0; i < 200 && !learnt(); i++) {
		sendto(s, ra, sizeof(ra), 0, (struct sockaddr *)&to, sizeof(to));
		poll(NULL, 0, 10);
	}
	close(s);
	return learnt();
}

static void test_all_forwarding(void **state)
{
	static const char *const untouched[] = { "net/ipv6/conf/default/forwarding", "net/ipv6/conf/up1/forwarding", "net/ipv6/conf/lo/forwarding" };
	struct host_change all = setting("host:a", "net/ipv6/conf/all/forwarding", "0", "1");
	struct host_change up = setting("host:a", "net/ipv6/conf/up0/forwarding", "0", "1");

	(void)state;
	assert_true(own_run("sysctl -qw net.ipv6.conf.up1.forwarding=1 net.ipv6.conf.up1.accept_ra=1 net.ipv6.conf.up0.accept_ra=1"));
	assert_true(own_run("sysctl -qw net.ipv6.conf.up0.accept_ra_from_local=1"));	/* both ends of the pair are ours */
	assert_true(advertise());
	make(&all);
	make(&up);
	assert_string_equal(value(all.target), "1");
	assert_string_equal(value(untouched[0]), "0");
	assert_string_equal(value(untouched[1]), "1");
	assert_string_equal(value(untouched[2]), "0");
	assert_string_equal(value("net/ipv6/conf/up0/accept_ra"), "1");
	assert_true(learnt());
	bed_undo(NULL, -1, false);
	assert_string_equal(value(all.target), "0");
	assert_string_equal(value(up.target), "0");
	assert_string_equal(value(untouched[1]), "1");
	assert_true(learnt());
}

/* ---- a keeper that is killed ---- */

static struct host_iface iface(const char *name, const char *ifname)
{
	struct host_iface m = {
		.head = { HOST_OPEN_IFACE, sizeof(m), 0 }, .mtu = 1400, .mac = { 2, 0, 0, 0, 0, 9 }, .len4 = 24, .len6 = 64, .routed = 1,
		.addr4 = { 192, 168, 56, 1 }, .addr6 = { 0xfd, [15] = 1 }, .uplink = "up0",
	};

	snprintf(m.name, sizeof(m.name), "%s", name);
	snprintf(m.ifname, sizeof(m.ifname), "%s", ifname);
	return m;
}

/* is_write() - a system call by which the file or the host changes */
static bool is_write(long call)
{
	static const long writes[] = {
		SYS_write, SYS_pwrite64, SYS_fdatasync, SYS_ioctl, SYS_sendmsg, SYS_unlinkat, SYS_mkdirat, SYS_ftruncate,
#ifdef SYS_unlink
		SYS_unlink, SYS_mkdir, SYS_rmdir,
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		if (writes[i] == call)
			return true;
	return false;
}

static _Noreturn void doomed(void (*act)(void))
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	act();
	_exit(0);
}

/* die_at() - let a child do @act until it has made its @n-th write, and kill it there; Return: false when it was through before */
static bool die_at(void (*act)(void), unsigned n)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		doomed(act);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (;;) {
		struct __ptrace_syscall_info info = { .op = PTRACE_SYSCALL_INFO_NONE };

		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			return false;
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY && is_write((long)info.entry.nr) && n-- == 0)
			break;
	}
	kill(pid, SIGKILL);		/* it has asked, and the kernel has not yet done it */
	waitpid(pid, &status, 0);
	return true;
}

static void act_open(void)
{
	struct host_iface m = iface("host:x", "ly-x");
	struct host_reply r = { .rc = 0 };

	if (iface_open(&m, &(struct act_about){ .fd = -1 }, &r) < 0)
		_exit(1);
}

static void act_undo_all(void)
{
	bed_undo(NULL, -1, false);
}

static void save_host(char *to, size_t room)
{
	FILE *f = popen("export PATH=/usr/sbin:/sbin:/usr/bin:/bin; ip -o addr; ip route show table all | sed 's/expires [0-9]*sec//'; "
			"sysctl -a 2>/dev/null | grep -E '^net.ipv[46].conf'", "r");
	size_t n = fread(to, 1, room - 1, f);

	to[n] = '\0';
	pclose(f);
}

/* wait_gone() - a TAP goes with its last descriptor, which its process closes as it dies */
static void wait_gone(void)
{
	for (int i = 0; i < 500 && own_run("ip link show ly-x >/dev/null 2>&1"); i++)
		poll(NULL, 0, 10);
}

static void test_killed_at_each_write(void **state)
{
	static char before[1 << 17], after[1 << 17];
	unsigned n = 0, undone = 0;

	(void)state;
	save_host(before, sizeof(before));
	for (; die_at(act_open, n); n++) {
		wait_gone();
		assert_int_equal(bed_journal(dir) < 0, 0);
		bed_undo(NULL, -1, false);
		assert_int_equal(file_size(), 0);
		save_host(after, sizeof(after));
		assert_string_equal(before, after);
	}
	print_message("  killed at each of %u writes while it was made\n", n);
	assert_true(n > 15);
	wait_gone();
	bed_undo(NULL, -1, false);
	for (;; undone++) {
		bool more;

		assert_false(die_at(act_open, 100000));
		wait_gone();
		more = die_at(act_undo_all, undone);
		assert_int_equal(bed_journal(dir) < 0, 0);
		bed_undo(NULL, -1, false);
		assert_int_equal(file_size(), 0);
		save_host(after, sizeof(after));
		assert_string_equal(before, after);
		if (!more)
			break;
	}
	print_message("  and at each of %u writes while it was undone\n", undone);
	assert_true(undone > 5);
}

/* ---- the files for network managers ---- */

static void test_managers(void **state)
{
	char text[512];

	(void)state;
	assert_true(managers_text("/run/NetworkManager/conf.d/90-ly-x.conf", text, sizeof(text)));
	assert_string_equal(text, "[device-ly-x]\nmatch-device=interface-name:=ly-x\nmanaged=0\n");
	assert_true(managers_text("/run/systemd/network/05-ly-x.network", text, sizeof(text)));
	assert_string_equal(text, "[Match]\nName=ly-x\n\n[Link]\nUnmanaged=yes\n");
	assert_false(managers_text("/run/systemd/network/05-.network", text, sizeof(text)));
	assert_false(managers_text("/run/systemd/network/05-a-name-that-is-too-long.network", text, sizeof(text)));
	assert_false(managers_text("/etc/passwd", text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undo), cmocka_unit_test(test_shared), cmocka_unit_test(test_changed_by_others),
		cmocka_unit_test(test_torn), cmocka_unit_test(test_places), cmocka_unit_test(test_all_forwarding),
		cmocka_unit_test(test_killed_at_each_write), cmocka_unit_test(test_managers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
