// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* memfd_create() */
#include "ctl/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"

/* An engine that ran so long before it died did not die of its start. */
enum { STEADY_MS = 10000, RESTART_MAX_MS = 1000, QUICK_STEP_MS = 50 };

struct keeper {
	const struct start_message *conf;
	struct serve serve;
	int signals;
	pid_t engine;			/* 0: none runs */
	unsigned quick;			/* restarts since it last ran steadily */
	uint64_t started_ms, start_at_ms, kill_at_ms;	/* kill_at_ms: 0 while not stopping */
	bool served;			/* an engine was ready once */
	bool done;
	int status;
};

static void start_engine(struct keeper *k)
{
	pid_t pid = engine_start(k->conf, &k->serve.sock);

	k->started_ms = clock_now_ms();
	if (pid > 0) {
		k->engine = pid;
		return;
	}
	log_error("event=engine-not-started reason=\"%s\"", strerror(-pid));
	k->done = k->done || !k->served;
	k->status = k->status || !k->served;
	k->start_at_ms = k->started_ms + RESTART_MAX_MS;
}

/* The first restart is immediate, the next ones wait 50, 100, 200, 400 ms, further ones a second each. */
static uint64_t restart_delay(struct keeper *k, uint64_t now)
{
	if (now - k->started_ms >= STEADY_MS)
		k->quick = 0;
	k->quick++;
	if (k->quick > KEEPER_QUICK_RESTARTS)
		return RESTART_MAX_MS;
	return k->quick == 1 ? 0 : QUICK_STEP_MS << (k->quick - 2);
}

/* on_engine_ended() - start it again; but one that never served and says itself that it cannot will not be helped so */
static void on_engine_ended(struct keeper *k, int status)
{
	const char *signal_name = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "none";
	uint64_t now = clock_now_ms();
	pid_t pid = k->engine;

	k->engine = 0;
	serve_engine_gone(&k->serve);
	if (k->kill_at_ms) {
		k->done = true;
		return;
	}
	log_warn("event=engine-ended pid=%d signal=%s status=%d lived_ms=%llu", (int)pid, signal_name, WEXITSTATUS(status),
		 (unsigned long long)(now - k->started_ms));
	if (!k->served && (WIFEXITED(status) || k->quick >= KEEPER_QUICK_RESTARTS)) {
		log_error("event=start-failed reason=\"the engine does not start\"");
		k->status = 1;
		k->done = true;
		return;
	}
	k->start_at_ms = now + restart_delay(k, now);
	k->serve.restarts++;
}

static void reap(struct keeper *k)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == k->engine)
			on_engine_ended(k, status);
		else
			validator_ended(pid);
}

static void stop(struct keeper *k)
{
	if (k->kill_at_ms || !k->engine) {
		k->done = true;		/* asked twice, or nobody to wait for */
		return;
	}
	keeper_notify("STOPPING=1");
	kill(k->engine, SIGTERM);
	k->kill_at_ms = clock_now_ms() + KEEPER_STOP_MS;
}

static void on_signals(struct keeper *k)
{
	struct signalfd_siginfo info;

	while (read(k->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(k);
		else
			stop(k);
	}
}

static int open_signals(void)
{
	struct sigaction hup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);	/* the terminal went away; under nohup that is nothing to us */
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* next_deadline() - milliseconds until something is due by the clock; -1: nothing */
static int next_deadline(const struct keeper *k)
{
	uint64_t at = k->kill_at_ms ? k->kill_at_ms : k->start_at_ms, now = clock_now_ms();

	if (!k->kill_at_ms && k->engine)
		return -1;
	return at > now ? (int)(at - now) : 0;
}

static void on_time(struct keeper *k)
{
	uint64_t now = clock_now_ms();

	if (k->kill_at_ms) {
		if (now >= k->kill_at_ms && k->engine) {
			log_warn("event=engine-killed reason=\"it did not stop in %d ms\"", KEEPER_STOP_MS);
			kill(k->engine, SIGKILL);
			k->kill_at_ms = now + KEEPER_STOP_MS;
		}
	} else if (!k->engine && now >= k->start_at_ms) {
		start_engine(k);
	}
}

static void on_ready(struct keeper *k)
{
	log_info("event=ready pid=%d engine=%d runtime_dir=%s restarts=%u", (int)getpid(), (int)k->engine, k->conf->runtime_dir,
		 k->serve.restarts);
	if (!k->served)
		keeper_notify("READY=1");
	k->served = true;
}

static void turn(struct keeper *k)
{
	bool ready = k->serve.ready;
	int rc = serve_poll(&k->serve, k->signals, next_deadline(k));

	if (rc > 0)
		on_signals(k);
	if (rc < 0 && k->engine) {	/* it closed its socket, or does not read its answers */
		kill(k->engine, SIGKILL);
		serve_engine_gone(&k->serve);
	}
	if (!ready && k->serve.ready)
		on_ready(k);
	on_time(k);
}

/* ---- the start ---- */

static bool text_ends(const char *text, size_t room)
{
	return memchr(text, '\0', room);
}

int keeper_message(struct start_message *m)
{
	if (pread(START_MESSAGE_FD, m, sizeof(*m), 0) != sizeof(*m) || m->size != sizeof(*m) || m->ngiven > START_GIVEN_MAX ||
	    !text_ends(m->runtime_dir, sizeof(m->runtime_dir)) || !text_ends(m->config, sizeof(m->config)) ||
	    !text_ends(m->host_domains, sizeof(m->host_domains)) || memcmp(m->arguments + sizeof(m->arguments) - 2, "\0", 2) ||
	    (geteuid() != 0 && m->engine.uid != geteuid()))
		return -EPROTO;
	for (int fd = START_MESSAGE_FD; fd < START_GIVEN_FD + (int)m->ngiven; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return -errno;
	return 0;
}

/* remove_files() - what lanyardd made in the runtime directory */
static void remove_files(const char *dir)
{
	static const char *const files[] = { PATHS_API_SOCKET, PATHS_ATTACH_SOCKET, PATHS_PID_FILE };
	char path[PATHS_SIZE + 32];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
}

/* open_all() - we have the lock: what is in the journal was done by a keeper that was killed, and its interfaces went with it */
static int open_all(struct keeper *k)
{
	struct serve *s = &k->serve;

	serve_init(s, -1);
	s->host_domains = k->conf->host_domains;
	s->ngiven = k->conf->ngiven;
	s->journal = START_JOURNAL_FD;
	s->nat_books = memfd_create("lanyard-nat", MFD_CLOEXEC);
	rights_keep_few();
	k->signals = open_signals();
	if (k->signals < 0 || s->nat_books < 0 || held_add(&s->held, HOST_API_LISTENER, START_API_FD, 0, NULL, 0) < 0 ||
	    held_add(&s->held, HOST_ATTACH_LISTENER, START_ATTACH_FD, 0, NULL, 0) < 0) {
		log_error("event=start-failed reason=\"out of memory or descriptors\"");
		return -1;
	}
	if (users_open(&s->users, START_USERS_FD, k->conf->config[0]) < 0)
		log_warn("event=users-not-kept reason=\"cannot write the list\"");
	validator_prepare(k->conf);
	serve_undo_changes(s);
	return 0;
}

int keeper_run(const struct start_message *conf)
{
	struct keeper k = { .conf = conf, .status = 1 };

	if (open_all(&k) == 0) {
		k.status = 0;
		start_engine(&k);
		while (!k.done)
			turn(&k);
		if (k.engine)
			kill(k.engine, SIGKILL);
		serve_fini(&k.serve);
	}
	remove_files(conf->runtime_dir);
	log_info("event=stopped pid=%d", (int)getpid());
	return k.status;
}
