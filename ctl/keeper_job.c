// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* close_range(), fexecve() */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/keeper.h"

#ifndef CLOSE_RANGE_CLOEXEC	/* Linux 5.11 */
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

enum { CLOSE_MS = 100 };

/* ---- the call ---- */

static unsigned count_notes(const struct held_table *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->entries[i]->note >= 0;
	return n;
}

static void write_call(struct act_call *c, const struct serve *s, const struct order *o, bool roots)
{
	ssize_t n = readlink("/proc/self/exe", c->program, sizeof(c->program) - 1);

	if (n <= 0)
		snprintf(c->program, sizeof(c->program), "lanyard-keeper");
	c->size = sizeof(*c);
	c->what = o->what;
	c->keeper = (uint32_t)getpid();
	c->uid = o->uid;
	c->value = o->value;
	c->rights = rights_left();
	c->own_rights = !roots && geteuid() != 0;
	c->has = (s->journal >= 0 ? ACT_HAS_JOURNAL : 0) | (o->fd >= 0 ? ACT_HAS_HELD : 0);
	if (o->kind->program == ACT_NAT) {
		c->has |= s->nat.staged >= 0 ? ACT_HAS_STAGED : 0;
		c->nnotes = count_notes(&s->held);
		c->in_force = s->nat.in_force;
		c->lacks = s->nat.lacks;
		c->unknown = s->nat.unknown;
	}
	if (o->what == ACT_RUN)
		memcpy(c->request, o->request, c->request_size = (uint32_t)o->size);
	if (o->name)
		snprintf(c->name, sizeof(c->name), "%s", o->name);
	if (o->about)
		memcpy(c->about, o->about, c->about_size = (uint32_t)o->about_size);
}

/* ---- in the child, before it is the program ---- */

/* place - a descriptor that is to have a number of its own; the number is closed without one */
struct place {
	int to, fd;
};

/* put() - in two steps, as one's number may be another's descriptor */
static bool put(struct place *p, int first_free)
{
	if (p->fd >= 0 && p->fd < first_free)
		p->fd = fcntl(p->fd, F_DUPFD_CLOEXEC, first_free);
	return p->fd >= 0;
}

static void put_all(struct place *places, unsigned n, int first_free)
{
	for (unsigned i = 0; i < n; i++)
		put(&places[i], first_free);
	for (unsigned i = 0; i < n; i++) {
		if (places[i].fd >= 0)
			dup2(places[i].fd, places[i].to);
		else
			close(places[i].to);
	}
}

/* hand_over() - what the program is to have, and nothing else; its own file is closed as it starts */
static int hand_over(const struct serve *s, const struct order *o, int sock, unsigned nnotes, int program)
{
	int first_free = ACT_NOTES_FD + (int)nnotes, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool nat = o->kind->program == ACT_NAT;
	struct place file = { .fd = program }, places[] = {
		{ STDIN_FILENO, null }, { STDOUT_FILENO, null }, { ACT_FD, sock }, { ACT_JOURNAL_FD, s->journal }, { ACT_HELD_FD, o->fd },
		{ ACT_STAGED_FD, nat ? s->nat.staged : -1 },
	};
	int to = ACT_NOTES_FD;

	if (null < 0 || !put(&file, first_free))
		return -1;
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		put(&places[i], first_free);
	for (size_t i = 0; nnotes && i < s->held.n; i++) {
		struct place note = { .fd = s->held.entries[i]->note };

		if (note.fd >= 0)
			s->held.entries[i]->note = put(&note, first_free) ? note.fd : -1;
	}
	put_all(places, sizeof(places) / sizeof(places[0]), first_free);
	for (size_t i = 0; nnotes && i < s->held.n; i++)
		if (s->held.entries[i]->note >= 0)
			dup2(s->held.entries[i]->note, to++);
	return to == first_free && close_range((unsigned)first_free, ~0u, CLOSE_RANGE_CLOEXEC) == 0 ? file.fd : -1;
}

/* needs() - another user's rights are taken by the program, which by that is nobody's to trace: see ctl/act.h */
static uint64_t needs(const struct order *o)
{
	return o->kind->rights | (o->uid != geteuid() && o->uid ? 1ull << CAP_SETUID | 1ull << CAP_SETGID : 0);
}

/* A user's keeper that has rights by its own file lends none to a program in whose place its user could put another one. */
static _Noreturn void child(const struct serve *s, const struct order *o, int sock, unsigned nnotes, int program, bool roots)
{
	bool by_file = !roots && geteuid() != 0 && getauxval(AT_SECURE);
	char *const argv[] = { (char *)acts_name(o->kind->program), NULL }, *const none[] = { NULL };
	sigset_t no_signals;
	int fd;

	sigemptyset(&no_signals);
	sigprocmask(SIG_SETMASK, &no_signals, NULL);
	signal(SIGPIPE, SIG_DFL);
	fd = hand_over(s, o, sock, nnotes, program);
	if (fd >= 0 && rights_lend(needs(o), by_file) == 0)
		fexecve(fd, argv, none);
	_exit(127);
}

/* ---- in the keeper ---- */

static int begin(struct job *job, const struct serve *s, const struct order *o, const struct act_call *call, int program, bool roots)
{
	int pair[2], rc;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	rc = host_send(pair[0], call, sizeof(*call), -1);
	pid = rc < 0 ? -1 : fork();
	if (pid == 0)
		child(s, o, pair[1], call->nnotes, program, roots);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return rc < 0 ? rc : -EAGAIN;
	}
	*job = (struct job){ .pid = pid, .sock = pair[0], .until_ms = clock_now_ms() + s->job_ms, .what = o->kind->what };
	if (o->what == ACT_RUN)
		memcpy(&job->head, o->request, sizeof(job->head));
	else
		job->what = "undoing a change of the host";
	return 0;
}

int job_start(struct job *job, const struct serve *s, const struct order *o)
{
	struct act_call call = { .size = 0 };
	bool roots;
	int program = acts_program(o->kind->program, &roots);

	if (program < 0)
		return -ENOEXEC;
	write_call(&call, s, o, roots);
	return begin(job, s, o, &call, program, roots);
}

int job_end(struct job *job, struct host_reply *r)
{
	struct pollfd closed = { .fd = job->sock, .events = POLLIN };
	bool late = clock_now_ms() >= job->until_ms;
	struct host_header head = job->head;
	const char *what = job->what;
	int fd = -1;
	long n;

	memset(r, 0, sizeof(*r));
	n = late ? 0 : host_receive(job->sock, r, sizeof(*r), &fd);
	if (n > 0)
		poll(&closed, 1, CLOSE_MS);	/* while the program had a TAP open, too, dropping it would not free its name */
	job_cancel(job);
	if (n > 0 && host_reply_check(r, (size_t)n, &head) == 0 && (r->rc == 0 || fd < 0))
		return fd;
	if (fd >= 0)
		close(fd);
	memset(r, 0, sizeof(*r));
	r->rc = late ? -ETIMEDOUT : -EIO;
	snprintf(r->message, sizeof(r->message), "%s: %s", what, late ? "the host took too long" : "ended without an answer");
	return -1;
}

/* The program is reaped by whoever waits for SIGCHLD. */
void job_cancel(struct job *job)
{
	if (!job->pid)
		return;
	kill(job->pid, SIGKILL);
	close(job->sock);
	*job = (struct job){ .sock = -1 };
}

int job_now(const struct serve *s, const struct order *o)
{
	struct job job;
	int rc = job_start(&job, s, o), fd;
	pid_t pid = rc < 0 ? 0 : job.pid;
	struct host_reply r;

	if (rc < 0)
		return rc;
	poll(&(struct pollfd){ .fd = job.sock, .events = POLLIN }, 1, (int)s->job_ms);
	fd = job_end(&job, &r);
	waitpid(pid, NULL, 0);
	if (fd >= 0)
		close(fd);
	return r.rc;
}
