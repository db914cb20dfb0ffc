// SPDX-License-Identifier: GPL-2.0-or-later
/* lanyardd and the keeper as a process, with this program in the engine's place, and the keeper's: started as "lanyard-engine" it tells the test about
 * itself over $TALK and then behaves as $BEHAVE says.
 */
#define _GNU_SOURCE	/* struct ucred, memfd_create(), close_range() */
#include "ctl/keeper.h"
#include "ctl/start.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ctl/host_client.h"

static char dir[64], runtime[80], state_dir[80], self[4096];

/* --- the engine's side --- */

struct hello {
	pid_t pid, parent;
	int restarts;
	bool lock_is_open, no_rights, listeners, precious;
	char args[512];
};

static int unix_socket(const char *name, int type, bool server)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%.*s", (int)sizeof(at.sun_path) - 1, name);
	if (server ? bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 : connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		close(fd);
		return -1;
	}
	if (server && type != SOCK_DGRAM)
		listen(fd, 10);
	return fd;
}

static bool has_no_rights(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[200];
	int good = 0;

	while (f && fgets(line, sizeof(line), f))
		good += !strcmp(line, "CapEff:\t0000000000000000\n") || !strcmp(line, "CapPrm:\t0000000000000000\n") ||
			!strcmp(line, "NoNewPrivs:\t1\n");
	if (f)
		fclose(f);
	return good == 3;
}

static bool holds(struct host *host, const char *name)
{
	int fd = host_recall(host, name, NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int be_engine(int argc, char **argv)
{
	const char *behave = getenv("BEHAVE");
	struct hello h = { .pid = getpid(), .parent = getppid() };
	struct host *host = host_new(HOST_ENGINE_FD);
	int talk = unix_socket(getenv("TALK"), SOCK_SEQPACKET, false);

	for (int i = 1; i < argc; i++)
		snprintf(h.args + strlen(h.args), sizeof(h.args) - strlen(h.args), "%s ", argv[i]);
	h.lock_is_open = fcntl(HOST_LOCK_FD, F_GETFD) >= 0;
	h.no_rights = has_no_rights();
	if (!strcmp(behave, "refuse"))
		_exit(3);
	if (!strcmp(behave, "crash"))
		raise(SIGKILL);
	h.listeners = holds(host, HOST_API_LISTENER) && holds(host, HOST_ATTACH_LISTENER);
	h.precious = holds(host, "precious");
	if (!h.precious)
		host_hold(host, "precious", STDERR_FILENO, NULL);
	if (!strcmp(behave, "deaf"))
		signal(SIGTERM, SIG_IGN);
	h.restarts = host_ready(host);
	if (talk < 0 || write(talk, &h, sizeof(h)) < 0)
		return 4;
	while (read(talk, &h, 1) > 0)
		host_free(host);	/* asked to hang up */
	pause();
	return 0;
}

static int be_keeper(void)
{
	static struct start_message m;

	return keeper_message(&m) < 0 ? 9 : keeper_run(&m);
}

/* --- the test's side --- */

static int listener = -1, notify = -1;

static int setup(void **state)
{
	char name[128];

	(void)state;
	strcpy(dir, "/tmp/test_keeper.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(runtime, sizeof(runtime), "%s/run/a", dir);
	snprintf(state_dir, sizeof(state_dir), "%s/state/b", dir);
	snprintf(name, sizeof(name), "%s/talk", dir);
	setenv("TALK", name, 1);
	setenv("BEHAVE", "well", 1);
	listener = unix_socket(name, SOCK_SEQPACKET, true);
	snprintf(name, sizeof(name), "%s/notify", dir);
	setenv("NOTIFY_SOCKET", name, 1);
	notify = unix_socket(name, SOCK_DGRAM, true);
	return listener < 0 || notify < 0;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	close(listener);
	close(notify);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static pid_t start_keeper(const char *run, const char *state)
{
	struct start_conf conf = { .runtime_dir = run, .state_dir = state, .engine = self, .keeper = self, .workers = 2 };
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(listener);	/* or an engine that is not answered would hang in it */
		close(notify);
		setenv("LANYARD_ENGINE", self, 1);
		_exit(start_run(&conf) < 0);
	}
	assert_true(pid > 0);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* meet() - the next engine to say hello; the connection lasts as long as it lives */
static int meet(struct hello *h)
{
	struct timeval limit = { .tv_sec = 10 };
	int talk;

	setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	talk = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(talk >= 0);
	assert_int_equal(read(talk, h, sizeof(*h)), sizeof(*h));
	return talk;
}

static void assert_notified(const char *word)
{
	struct timeval limit = { .tv_sec = 10 };
	char got[100] = "";

	setsockopt(notify, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_true(recv(notify, got, sizeof(got) - 1, 0) > 0);
	assert_string_equal(got, word);
}

static bool is_there(const char *file)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", runtime, file);
	return lstat(path, &st) == 0;
}

static void stop_keeper(pid_t keeper, int talk)
{
	assert_int_equal(kill(keeper, SIGTERM), 0);
	assert_int_equal(status_of(keeper), 0);
	close(talk);
	assert_false(is_there("lanyard.sock") || is_there("attach.sock") || is_there("lanyardd.pid"));
}

static void test_start_and_stop(void **state)
{
	char expected[320];
	struct hello h;
	struct stat st;
	pid_t keeper = start_keeper(runtime, state_dir);
	int talk = meet(&h), pid = 0;
	FILE *f;

	(void)state;
	assert_notified("READY=1");
	assert_int_equal(h.parent, keeper);
	assert_int_equal(h.restarts, 0);
	assert_true(h.lock_is_open && h.no_rights && h.listeners && !h.precious);
	snprintf(expected, sizeof(expected), "--runtime-dir %s --state-dir %s%s --uid %u --workers 2 ", runtime, state_dir,
		 geteuid() ? "" : "/engine", geteuid());
	assert_string_equal(h.args, expected);
	assert_int_equal(stat(state_dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(runtime, &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() ? 0700 : 0755);
	assert_true(is_there("lanyard.sock") && is_there("attach.sock"));
	snprintf(expected, sizeof(expected), "%s/lanyardd.pid", runtime);
	f = fopen(expected, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	assert_int_equal(pid, keeper);
	stop_keeper(keeper, talk);
	assert_notified("STOPPING=1");
}

static void test_engine_comes_back(void **state)
{
	struct hello h;
	pid_t keeper = start_keeper(runtime, state_dir);
	int talk = meet(&h);

	(void)state;
	for (int i = 1; i <= 4; i++) {
		uint64_t before = clock_now_ms();

		close(talk);
		assert_int_equal(kill(h.pid, SIGKILL), 0);
		talk = meet(&h);
		assert_int_equal(h.restarts, i);
		assert_true(h.precious && h.listeners);		/* descriptors outlive the engine */
		assert_true(clock_now_ms() - before < 1000);
	}
	stop_keeper(keeper, talk);
}

static void test_engine_hangs_up(void **state)
{
	struct hello h;
	pid_t keeper = start_keeper(runtime, state_dir);
	int talk = meet(&h);

	(void)state;
	assert_int_equal(write(talk, "x", 1), 1);
	assert_int_equal(read(talk, &h, sizeof(h)), 0);		/* it is ended, and another one comes */
	close(talk);
	talk = meet(&h);
	assert_int_equal(h.restarts, 1);
	stop_keeper(keeper, talk);
}

static void test_engine_does_not_start(void **state)
{
	static const char *const ways[] = { "refuse", "crash" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		setenv("BEHAVE", ways[i], 1);
		assert_int_equal(status_of(start_keeper(runtime, state_dir)), 1 << 8);
		assert_false(is_there("lanyard.sock"));
	}
}

static void test_deaf_engine(void **state)
{
	struct hello h;
	pid_t keeper;
	int talk;

	(void)state;
	setenv("BEHAVE", "deaf", 1);
	keeper = start_keeper(runtime, state_dir);
	talk = meet(&h);
	assert_notified("READY=1");
	assert_int_equal(kill(keeper, SIGTERM), 0);
	assert_notified("STOPPING=1");
	assert_int_equal(kill(keeper, SIGINT), 0);	/* asked twice: no more waiting */
	assert_int_equal(status_of(keeper), 0);
	assert_int_equal(read(talk, &h, sizeof(h)), 0);
	close(talk);
}

static void test_keeper_is_killed(void **state)
{
	struct hello h;
	pid_t keeper = start_keeper(runtime, state_dir);
	int talk = meet(&h);

	(void)state;
	for (int i = 0; i < 3; i++) {
		int old = talk;

		assert_int_equal(kill(keeper, SIGKILL), 0);
		status_of(keeper);
		keeper = start_keeper(runtime, state_dir);	/* at once, beside an engine that is about to end */
		talk = meet(&h);
		assert_int_equal(h.restarts, 0);
		assert_false(h.precious);
		assert_int_equal(recv(old, &h, sizeof(h), MSG_DONTWAIT), 0);	/* the old one was gone before */
		close(old);
	}
	stop_keeper(keeper, talk);
}

static void test_second_daemon(void **state)
{
	char other[100];
	struct hello h;
	pid_t keeper = start_keeper(runtime, state_dir);
	int talk = meet(&h);

	(void)state;
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(status_of(start_keeper(other, state_dir)), 1 << 8);
	assert_int_equal(status_of(start_keeper(runtime, other)), 1 << 8);
	assert_true(is_there("lanyard.sock") && is_there("attach.sock") && is_there("lanyardd.pid"));
	assert_int_equal(recv(talk, &h, sizeof(h), MSG_DONTWAIT), -1);	/* nothing happened to the first */
	assert_int_equal(errno, EAGAIN);
	stop_keeper(keeper, talk);
}

static void test_bad_places(void **state)
{
	char path[120];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/open", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(status_of(start_keeper(path, state_dir)), 1 << 8);
	assert_int_equal(status_of(start_keeper(runtime, path)), 1 << 8);
	assert_int_equal(status_of(start_keeper("/dev/null", state_dir)), 1 << 8);
	assert_int_equal(status_of(start_keeper("/proc/none", state_dir)), 1 << 8);
	snprintf(path, sizeof(path), "%s/link", dir);
	assert_int_equal(symlink(state_dir, path), 0);
	assert_int_equal(status_of(start_keeper(runtime, path)), 1 << 8);
	snprintf(path, sizeof(path), "%s/lanyard.sock", runtime);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(status_of(start_keeper(runtime, state_dir)), 1 << 8);
	assert_int_equal(access(path, F_OK), 0);	/* a file is not ours to remove */
}

static void test_engine_path(void **state)
{
	char path[100];

	(void)state;
	setenv("LANYARD_ENGINE", "/somewhere/else", 1);
	assert_int_equal(start_engine_path(path, sizeof(path)), 0);
	assert_string_equal(path, "/somewhere/else");
	assert_int_equal(start_engine_path(path, 5), -ENAMETOOLONG);
	unsetenv("LANYARD_ENGINE");
}

/* told() - exit status of a keeper that is started with these bytes as its message; NULL: with none */
static int told(const void *message, size_t size)
{
	char *const argv[] = { (char *)"lanyard-keeper", NULL };
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int fd = memfd_create("message", 0);

		for (int to = START_MESSAGE_FD; to < START_GIVEN_FD && message; to++)
			dup2(fd, to);
		if (!message)
			close_range(START_MESSAGE_FD, ~0u, 0);
		else if (pwrite(START_MESSAGE_FD, message, size, 0) != (ssize_t)size)
			_exit(1);
		execv(self, argv);
	}
	return WEXITSTATUS(status_of(pid));
}

static void test_message_is_checked(void **state)
{
	static const struct start_message good = { .size = sizeof(good), .ngiven = 1 };
	struct start_message m;

	(void)state;
	assert_int_equal(told(NULL, 0), 9);
	assert_int_equal(told(&good, sizeof(good) - 1), 9);
	assert_int_equal(told(&good, sizeof(good)), 9);			/* a socket that was given, and nothing about it */
	m = good;
	m.ngiven = 0;
	m.size++;
	assert_int_equal(told(&m, sizeof(m)), 9);
	m = good;
	m.ngiven = START_GIVEN_MAX + 1;
	assert_int_equal(told(&m, sizeof(m)), 9);
	for (unsigned i = 0; i < 4; i++) {
		m = good;
		m.ngiven = 0;
		memset(i == 0 ? m.runtime_dir : i == 1 ? m.arguments : i == 2 ? m.config : m.host_domains, 'x',
		       i == 1 ? sizeof(m.arguments) : i == 3 ? sizeof(m.host_domains) : sizeof(m.config));
		assert_int_equal(told(&m, sizeof(m)), 9);
	}
	m = good;
	m.ngiven = 0;
	m.engine.uid = geteuid() + 1;
	if (geteuid() != 0)
		assert_int_equal(told(&m, sizeof(m)), 9);
}

#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		WITH_DIR(test_start_and_stop),	   WITH_DIR(test_engine_comes_back), WITH_DIR(test_engine_hangs_up),
		WITH_DIR(test_engine_does_not_start), WITH_DIR(test_deaf_engine),     WITH_DIR(test_keeper_is_killed),
		WITH_DIR(test_second_daemon),	   WITH_DIR(test_bad_places),	     cmocka_unit_test(test_engine_path),
		cmocka_unit_test(test_message_is_checked),
	};
	ssize_t n;

	if (!strcmp(argv[0], "lanyard-engine"))
		return be_engine(argc, argv);
	if (!strcmp(argv[0], "lanyard-keeper"))
		return be_keeper();
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
