// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/keeper.h"

enum { CLOSE_MS = 100 };

/* ---- the call ---- */

static void write_call(struct act_call *c, const struct serve *s, const struct order *o, bool roots)
{
	acts_path("lanyard-keeper", c->program, sizeof(c->program));
	c->size = sizeof(*c);
	c->what = o->what;
	c->keeper = (uint32_t)getpid();
	c->uid = o->uid;
	c->value = o->value;
	c->rights = rights_left();
	c->own_rights = !roots && geteuid() != 0;
	c->has = (s->journal >= 0 ? ACT_HAS_JOURNAL : 0) | (o->fd >= 0 ? ACT_HAS_HELD : 0);
	snprintf(c->domains, sizeof(c->domains), "%s", s->host_domains ? s->host_domains : "");
	c->ngiven = o->kind->given ? s->ngiven : 0;
	if (o->missing)
		memcpy(c->missing, o->missing, sizeof(c->missing));
	if (o->what == ACT_RUN)
		memcpy(c->request, o->request, c->request_size = (uint32_t)o->size);
	if (o->name)
		snprintf(c->name, sizeof(c->name), "%s", o->name);
	if (o->about)
		memcpy(c->about, o->about, c->about_size = (uint32_t)o->about_size);
}

/* ---- its program ---- */

/* needs() - another user's rights are taken by the program, which by that is nobody's to trace: see ctl/act.h */
static uint64_t needs(const struct order *o)
{
	return o->kind->rights | (o->uid != geteuid() && o->uid ? 1ull << CAP_SETUID | 1ull << CAP_SETGID : 0);
}

/* place_all() - what the program is to have. Return: a list for free(), or NULL */
static struct spawn_place *place_all(const struct serve *s, const struct order *o, int sock, int null, unsigned *n)
{
	const struct spawn_place always[] = {
		{ STDIN_FILENO, null }, { STDOUT_FILENO, null }, { ACT_FD, sock }, { ACT_JOURNAL_FD, s->journal }, { ACT_HELD_FD, o->fd },
		{ ACT_BOOKS_FD, o->kind->program == ACT_NAT ? s->nat_books : -1 },
	};
	unsigned ngiven = o->kind->given && s->ngiven ? 1 + s->ngiven : 0;		/* the message is the first */
	struct spawn_place *list = malloc(sizeof(always) + ngiven * sizeof(*list));

	if (!list)
		return NULL;
	memcpy(list, always, sizeof(always));
	*n = ARRAY_SIZE(always);
	for (unsigned i = 0; i < ngiven; i++, (*n)++)
		list[*n] = (struct spawn_place){ ACT_GIVEN_FD + (int)i, i ? START_GIVEN_FD + (int)i - 1 : START_MESSAGE_FD };
	return list;
}

/* start_program() - A user's keeper that has rights by its own file lends none to a program in whose place its user could put another one.
 * Return: its pid, or negative errno */
static pid_t start_program(const struct serve *s, const struct order *o, int sock, int program, bool roots)
{
	char *const argv[] = { (char *)acts_name(o->kind->program), NULL }, *const none[] = { NULL };
	struct spawn sp = { .program = program, .argv = argv, .env = none, .rights = needs(o),
			    .by_file = !roots && geteuid() != 0 && getauxval(AT_SECURE) };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = -ENOMEM;

	sp.places = null < 0 ? NULL : place_all(s, o, sock, null, &sp.nplaces);
	if (sp.places)
		pid = spawn(&sp);
	free(sp.places);
	if (null >= 0)
		close(null);
	return pid;
}

static int begin(struct job *job, const struct serve *s, const struct order *o, const struct act_call *call, int program, bool roots)
{
	int theirs, sock = spawn_socket(&theirs), rc;

	if (sock < 0)
		return sock;
	rc = host_send(sock, call, sizeof(*call), -1);
	if (rc == 0)
		rc = start_program(s, o, theirs, program, roots);
	close(theirs);
	if (rc < 0) {
		close(sock);
		return rc;
	}
	job->pid = rc;
	job->sock = sock;
	return 0;
}

/* begin_again() - by the program that stayed. Return: was there one? */
static bool begin_again(struct job *job, const struct order *o, const struct act_call *call)
{
	if (!o->kind->given || !job->stays)
		return false;
	if (host_send(job->stays_sock, call, sizeof(*call), -1) < 0) {
		job_leave(job);
		return false;
	}
	job->pid = job->stays;
	job->sock = job->stays_sock;
	job->stays = 0;
	return true;
}

int job_start(struct job *job, const struct serve *s, const struct order *o)
{
	struct act_call call = { .size = 0 };
	bool roots;
	int program = acts_program(o->kind->program, &roots), rc = 0;

	if (program < 0)
		return -ENOEXEC;
	write_call(&call, s, o, roots);
	if (!begin_again(job, o, &call))
		rc = begin(job, s, o, &call, program, roots);
	if (rc < 0)
		return rc;
	job->until_ms = clock_now_ms() + s->job_ms;
	job->what = o->what == ACT_RUN ? o->kind->what : "undoing a change of the host";
	memset(&job->head, 0, sizeof(job->head));
	if (o->what == ACT_RUN)
		memcpy(&job->head, o->request, sizeof(job->head));
	return 0;
}

unsigned job_end(struct job *job, struct host_reply *r, int *fds)
{
	struct pollfd closed = { .fd = job->sock, .events = POLLIN };
	bool late = clock_now_ms() >= job->until_ms;
	struct host_header head = job->head;
	const char *what = job->what;
	unsigned nfds = head.type == HOST_LISTEN ? HOST_LISTEN_MAX : 1;
	bool stays = false;
	char word;
	long n = 0;

	memset(r, 0, sizeof(*r));
	if (late)
		nfds = 0;
	else
		n = host_receive_many(job->sock, r, sizeof(*r), fds, &nfds);
	if (n > 0 && poll(&closed, 1, CLOSE_MS) > 0)	/* while the program had a TAP open, too, dropping it would not free its name */
		stays = recv(job->sock, &word, 1, MSG_DONTWAIT) == 1;
	if (stays) {
		job->stays = job->pid;
		job->stays_sock = job->sock;
		job->pid = 0;
	}
	job_cancel(job);
	if (n > 0 && host_reply_check(r, (size_t)n, &head) == 0 && (r->rc == 0 || !nfds))
		return nfds;
	while (nfds)
		close(fds[--nfds]);
	memset(r, 0, sizeof(*r));
	r->rc = late ? -ETIMEDOUT : -EIO;
	snprintf(r->message, sizeof(r->message), "%s: %s", what, late ? "the host took too long" : "ended without an answer");
	return 0;
}

/* The program is reaped by whoever waits for SIGCHLD. */
void job_cancel(struct job *job)
{
	if (!job->pid)
		return;
	kill(job->pid, SIGKILL);
	close(job->sock);
	job->pid = 0;
	job->sock = -1;
}

void job_leave(struct job *job)
{
	if (job->stays)
		close(job->stays_sock);
	job->stays = 0;
}

int job_now(const struct serve *s, const struct order *o)
{
	struct job job = { .sock = -1 };
	int rc = job_start(&job, s, o), fds[HOST_LISTEN_MAX];
	pid_t pid = rc < 0 ? 0 : job.pid;
	struct host_reply r;

	if (rc < 0)
		return rc;
	poll(&(struct pollfd){ .fd = job.sock, .events = POLLIN }, 1, (int)s->job_ms);
	if (job_end(&job, &r, fds))
		close(fds[0]);
	waitpid(pid, NULL, 0);
	return r.rc;
}
