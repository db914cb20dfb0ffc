// SPDX-License-Identifier: GPL-2.0-or-later
/* What the engine shuts itself in by, tried by children that are shut in the same way. */
#define _GNU_SOURCE
#include "ctl/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { FINE = 0, CANNOT = 200 };

/* A try returns an errno, or FINE: it becomes the exit status of the child that makes it. */
typedef int try_fn(void);

static int errno_of(long rc)
{
	return rc < 0 ? errno : FINE;
}

static int run(int (*shut)(void), try_fn *try)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		_exit(shut() < 0 ? CANNOT : try());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* ---- calls ---- */

static int try_exec(void) { return errno_of(execl("/bin/true", "true", NULL)); }
static int try_trace(void) { return errno_of(syscall(SYS_ptrace, 0, 0, 0, 0)); }
static int try_read_other(void) { return errno_of(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0)); }
static int try_namespace(void) { return errno_of(unshare(CLONE_NEWUSER)); }
static int try_enter(void) { return errno_of(setns(0, 0)); }
static int try_mount(void) { return errno_of(syscall(SYS_mount, "x", "/tmp", "tmpfs", 0, NULL)); }
static int try_bpf(void) { return errno_of(syscall(SYS_bpf, 0, NULL, 0)); }
static int try_key(void) { return errno_of(syscall(SYS_keyctl, 0, 0, 0, 0, 0)); }
static int try_module(void) { return errno_of(syscall(SYS_finit_module, 0, "", 0)); }
static int try_perf(void) { return errno_of(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0)); }
static int try_faults(void) { return errno_of(syscall(SYS_userfaultfd, 0)); }
static int try_user(void) { return errno_of(syscall(SYS_setresuid, 0, 0, 0)); }

static int try_fork(void) { return errno_of(fork()); }
static int try_kill(void) { return errno_of(kill(getppid(), 0)); }
static int try_kill_thread(void) { return errno_of(syscall(SYS_tgkill, getppid(), getppid(), 0)); }
static int try_mkdir(void) { return errno_of(mkdir("/tmp/x", 0700)); }
static int try_link(void) { return errno_of(symlink("a", "/tmp/x")); }
static int try_packet(void) { return errno_of(socket(AF_PACKET, SOCK_RAW, 0)); }
static int try_netfilter(void) { return errno_of(socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)); }
static int try_unix(void) { return errno_of(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int try_listen(void) { return errno_of(listen(socket(AF_INET, SOCK_STREAM, 0), 1)); }
static int try_terminal(void) { return errno_of(ioctl(0, TIOCSTI, "x")); }
static int try_uring(void) { return errno_of(syscall(SYS_io_uring_setup, 1, NULL)); }
static int try_other_limit(void) { return errno_of(syscall(SYS_prlimit64, getppid(), 0, NULL, NULL)); }
static int try_dumpable(void) { return errno_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }

static int map(int prot) { return mmap(NULL, 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : FINE; }
static int try_code(void) { return map(PROT_READ | PROT_WRITE | PROT_EXEC); }
static int try_memory(void) { return map(PROT_READ | PROT_WRITE); }
static int try_tcp(void) { return errno_of(socket(AF_INET, SOCK_STREAM, 0)); }
static int try_udp6(void) { return errno_of(socket(AF_INET6, SOCK_DGRAM, 0)) % EAFNOSUPPORT; }
static int try_routes(void) { return errno_of(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)); }
static int try_limit(void) { return errno_of(syscall(SYS_prlimit64, 0, 0, NULL, NULL)); }

/* set_option() - refused, or what the kernel says otherwise of an option that the socket has not */
static int set_option(int level, int option)
{
	int on = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);

	return errno_of(setsockopt(fd, level, option, &on, sizeof(on)));
}

static int try_header(void) { return set_option(IPPROTO_IP, IP_HDRINCL); }
static int try_header6(void) { return set_option(IPPROTO_IPV6, IPV6_HDRINCL); }
static int try_raw_header6(void) { return set_option(255, IPV6_HDRINCL); }
static int try_option(void) { return set_option(IPPROTO_IP, IP_RECVTTL); }

static void *in_thread(void *arg)
{
	(void)arg;
	return (void *)(long)try_mkdir();
}

static int try_thread(void)
{
	void *result = NULL;
	pthread_t thread;

	if (pthread_create(&thread, NULL, in_thread, NULL) || pthread_join(thread, &result))
		return CANNOT;
	return (int)(long)result;
}

/* The first two that are refused are told once each, the third is the first again. */
static int try_telling(void)
{
	char *names[3];

	for (int i = 0; i < 3; i++)
		if ((i == 1 ? try_link() : try_mkdir()) != EPERM)
			return CANNOT;
	for (int i = 0; i < 3; i++)
		names[i] = confine_refused();
	if (!names[0] || !names[1] || names[2])
		return 1;
	return strcmp(names[0], "mkdir") || strcmp(names[1], "symlink") ? 2 : FINE;
}

static void test_hostile_calls_end_the_process(void **state)
{
	static try_fn *const tries[] = {
		try_exec, try_trace, try_read_other, try_namespace, try_enter, try_mount, try_bpf, try_key, try_module, try_perf, try_faults,
		try_user,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int status = run(confine_calls, tries[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("hostile call %zu: status %#x", i, (unsigned)status);
	}
}

static void test_other_calls_fail(void **state)
{
	static try_fn *const tries[] = {
		try_fork, try_kill, try_kill_thread, try_mkdir, try_link, try_packet, try_netfilter, try_listen, try_terminal, try_uring,
		try_other_limit, try_dumpable, try_code, try_thread, try_header, try_header6, try_raw_header6,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int status = run(confine_calls, tries[i]);

		if (!WIFEXITED(status) || WEXITSTATUS(status) != EPERM)
			fail_msg("call %zu: status %#x", i, (unsigned)status);
	}
	assert_int_equal(run(confine_calls, try_unix), EAFNOSUPPORT << 8);
}

static void test_what_is_needed_works(void **state)
{
	static try_fn *const tries[] = { try_memory, try_tcp, try_udp6, try_routes, try_limit, try_option, try_telling };

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int status = run(confine_calls, tries[i]);

		if (status)
			fail_msg("call %zu: status %#x", i, (unsigned)status);
	}
}

/* ---- files ---- */

static char dir[64], store[80], path[120];

static int shut_files(void)
{
	return confine_files(store);
}

static int try_open(const char *name, int flags)
{
	int fd = open(name, flags | O_CLOEXEC, 0600);

	return errno_of(fd);
}

static const char *in(const char *of, const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", of, name);
	return path;
}

static int try_store(void)
{
	int rc = try_open(in(store, "new"), O_RDWR | O_CREAT);
	char to[120];

	snprintf(to, sizeof(to), "%s/moved", store);
	if (rc == FINE)
		rc = errno_of(truncate(path, 10));
	if (rc == FINE)
		rc = errno_of(rename(path, to));
	return rc == FINE ? errno_of(unlink(to)) : rc;
}

static int try_needed(void)
{
	static const char *const files[] = {
		"/proc/self/fdinfo/0", "/proc/net/route", "/proc/sys/net/ipv4/ip_local_port_range", "/sys/devices/system/cpu/online", "/dev/null",
	};
	int rc = FINE;

	for (size_t i = 0; rc == FINE && i < sizeof(files) / sizeof(files[0]); i++)
		if (access(files[i], R_OK) == 0)
			rc = try_open(files[i], O_RDONLY);
	return rc;
}

static int try_passwords(void) { return try_open("/etc/shadow", O_RDONLY); }
static int try_etc(void) { return try_open("/etc/passwd", O_RDONLY); }
static int try_own_memory(void) { return try_open("/proc/self/mem", O_RDWR); }
static int try_environment(void) { return try_open("/proc/1/environ", O_RDONLY); }
static int try_setting(void) { return try_open("/proc/sys/net/ipv4/ip_forward", O_WRONLY); }
static int try_beside(void) { return try_open(in(dir, "lock"), O_RDONLY); }
static int try_beside_new(void) { return try_open(in(dir, "new"), O_WRONLY | O_CREAT); }
static int try_by_parent(void) { return try_open(in(store, "../lock"), O_RDONLY); }
static int try_by_link(void) { return try_open(in(store, "link"), O_RDONLY); }
static int try_listing(void) { return try_open("/", O_RDONLY | O_DIRECTORY); }
static int try_removal(void) { return errno_of(unlink(in(dir, "lock"))); }
static int try_truncation(void) { return errno_of(truncate(in(dir, "lock"), 0)); }

static int try_moving_out(void)
{
	char to[120];

	snprintf(to, sizeof(to), "%s/out", dir);
	return rename(in(store, "kept"), to) < 0 && (errno == EACCES || errno == EXDEV) ? EACCES : CANNOT;
}

static void put(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0 && write(fd, "secret", 6) == 6);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_confine.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(store, sizeof(store), "%s/store", dir);
	mkdir(store, 0700);
	put(in(dir, "lock"));
	put(in(store, "kept"));
	return symlink("../lock", in(store, "link"));
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static int version(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int rc = confine_files(store);

		_exit(rc < 0 ? 0 : rc);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void test_files(void **state)
{
	static try_fn *const closed[] = {
		try_passwords, try_etc, try_own_memory, try_environment, try_setting, try_beside, try_beside_new, try_by_parent, try_by_link,
		try_listing, try_removal, try_moving_out, try_truncation,
	};
	int abi;

	(void)state;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	abi = version();
	if (!abi) {
		print_message("this kernel has no Landlock\n");
		skip();
	}
	assert_int_equal(run(shut_files, try_store), 0);
	assert_int_equal(run(shut_files, try_needed), 0);
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]) - (abi < 3); i++) {	/* before version 3 truncate() is free */
		int status = run(shut_files, closed[i]);

		if (status != EACCES << 8 && status != ENOENT << 8)
			fail_msg("file %zu: status %#x", i, (unsigned)status);
	}
}

/* A descriptor that was open before stays what it was: that is how the keeper hands things over. */
static int kept_fd;

static int try_kept(void)
{
	char c;

	return errno_of(pread(kept_fd, &c, 1, 0));
}

static void test_descriptors_are_not_concerned(void **state)
{
	(void)state;
	kept_fd = open(in(dir, "lock"), O_RDONLY);
	assert_int_equal(run(shut_files, try_kept) & ~(CANNOT << 8), 0);
	close(kept_fd);
}

static void test_no_directory(void **state)
{
	(void)state;
	if (version())
		assert_int_equal(confine_files("/nonexistent"), -ENOENT);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_calls_end_the_process),
		cmocka_unit_test(test_other_calls_fail),
		cmocka_unit_test(test_what_is_needed_works),
		CASE(test_files),
		CASE(test_descriptors_are_not_concerned),
		CASE(test_no_directory),
	};

	if (!CONFINE_BUILT) {
		puts("built with a sanitizer, which needs more");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
