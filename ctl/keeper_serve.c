// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "ctl/keeper.h"

enum { STAY_MS = 50 };

void serve_init(struct serve *s, int sock)
{
	*s = (struct serve){ .sock = sock, .journal = -1, .nat_books = -1, .job.sock = -1, .job_ms = KEEPER_JOB_MS,
			     .users = { .file = -1, .everybody = geteuid() != 0 } };
}

/* ---- answers ---- */

int serve_answer_many(struct serve *s, const void *request, struct host_reply *r, const int *fds, unsigned n)
{
	memcpy(&r->head, request, sizeof(r->head));
	r->head.size = sizeof(*r);
	if (r->rc < 0 && !r->message[0])
		snprintf(r->message, sizeof(r->message), "%s", strerror(-r->rc));
	return s->sock < 0 ? 0 : host_send_many(s->sock, r, sizeof(*r), fds, r->rc < 0 ? 0 : n);
}

int serve_answer(struct serve *s, const void *request, struct host_reply *r, int fd)
{
	return serve_answer_many(s, request, r, &fd, fd >= 0);
}

int serve_done(struct serve *s, const void *request, int rc)
{
	struct host_reply r = { .rc = rc };

	return serve_answer(s, request, &r, -1);
}

/* ---- what is opened ---- */

/* iface_of() - does @request ask for other settings of the interface that @h is? */
static bool iface_of(const struct held *h, const struct host_iface *request)
{
	const struct host_iface *is = h->request;

	return is && is->head.type == HOST_OPEN_IFACE && request->head.type == HOST_OPEN_IFACE && is->queues == request->queues &&
	       is->bridged == request->bridged && !strcmp(is->ifname, request->ifname) && !memcmp(is->mac, request->mac, sizeof(is->mac));
}

static int serve_open(struct serve *s, const void *request, size_t size)
{
	struct held *h = serve_held(s, request);
	bool same = h && held_same(h, request, size);
	struct host_reply r = { .rc = 0 };

	if (same && !held_lacks(h)) {
		r.value = h->value;
		return serve_answer_many(s, request, &r, h->fds, h->nfds);
	}
	if (h && !same && !iface_of(h, request)) {
		r.rc = -EEXIST;
		snprintf(r.message, sizeof(r.message), "%.150s is open with other settings", h->name);
		return serve_answer(s, request, &r, -1);
	}
	return serve_start(s, request, size, -1);
}

/* is_about() - is @h, which a request is about, what such a request can be about? A socket must have been bound for the same user. */
static bool is_about(const struct held *h, const struct host_header *request)
{
	const struct host_header *is = h ? h->request : NULL;

	if (request->type == HOST_UNIX_PEER)
		return is && is->type == HOST_UNIX_BIND && ((const struct host_unix *)is)->uid == ((const struct host_unix *)request)->uid;
	return is && is->type == HOST_OPEN_IFACE && (request->type != HOST_WIRE || ((const struct host_iface *)is)->bridged) &&
	       (request->type != HOST_DELEGATED || ((const struct host_iface *)is)->pool6_len);
}

/* serve_about() - the program that acts gets the descriptor, if one came, as if it were held; here it is taken */
static int serve_about(struct serve *s, const struct host_header *request, size_t size, int fd)
{
	bool known = request->type == HOST_NAMES || is_about(serve_held(s, request), request);
	int rc = known ? serve_start(s, request, size, fd) : serve_done(s, request, -ENOENT);

	if (fd >= 0)
		close(fd);
	return rc;
}

/* ---- what is held ---- */

static int serve_hold(struct serve *s, const struct host_header *request, int fd)
{
	struct held *h = request->type == HOST_REPLACE ? serve_held(s, request) : NULL;
	int rc = h ? held_replace(h, fd) : held_add(&s->held, host_name_of(request), fd, 0, NULL, 0);

	if (rc < 0)
		close(fd);
	return serve_done(s, request, rc);
}

static int serve_drop(struct serve *s, const void *request, size_t size)
{
	struct held *h = serve_held(s, request);

	if (h && held_leaves_trace(h) && !held_shares_trace(&s->held, h))
		return serve_start(s, request, size, -1);
	if (h)
		held_remove(&s->held, h);
	return serve_done(s, request, h ? 0 : -ENOENT);
}

static int serve_recall(struct serve *s, const struct host_recall *m)
{
	struct host_reply r = { .rc = 0 };
	struct held *h = serve_held(s, m);

	if (m->next)
		h = m->name[0] ? h ? h->hh.next : NULL : s->held.by_name;
	if (h) {
		r.value = h->value;
		memcpy(r.name, h->name, sizeof(r.name));
	}
	r.rc = h ? 0 : -ENOENT;
	return serve_answer(s, m, &r, h ? h->fd : -1);
}

/* serve_file() - @fd, which is taken, is what was asked for; or a negative errno */
static int serve_file(struct serve *s, const void *request, int fd)
{
	struct host_reply r = { .rc = fd < 0 ? fd : 0 };
	int rc = serve_answer(s, request, &r, fd);

	if (fd >= 0)
		close(fd);
	return rc;
}

static int serve_ready(struct serve *s, const void *request)
{
	struct host_reply r = { .value = s->restarts };

	s->ready = true;
	return serve_answer(s, request, &r, -1);
}

/* ---- for whom ---- */

static int serve_client(struct serve *s, const void *request, int fd)
{
	const struct held *api = held_find(&s->held, HOST_API_LISTENER), *attach = held_find(&s->held, HOST_ATTACH_LISTENER);
	const int listeners[] = { api ? api->fd : -1, attach ? attach->fd : -1 };
	int rc = users_meet(&s->users, fd, listeners, ARRAY_SIZE(listeners));

	close(fd);
	return serve_done(s, request, rc);
}

/* is_users() - does the request name the user that it is for? */
static bool is_users(const struct host_header *request)
{
	return acts_kind(request->type)->as != AS_KEEPER || request->type == HOST_LISTEN;
}

static int serve_unknown_user(struct serve *s, const void *request)
{
	static struct log_limit limit;
	struct host_reply r = { .rc = -EPERM };
	unsigned uid = host_uid_of(request);

	if (log_allowed(&limit, clock_now_ms()))
		log_warn("event=user-refused uid=%u reason=\"he has not used this daemon\"", uid);
	snprintf(r.message, sizeof(r.message), "nothing is done for user %u, who has not used this daemon himself", uid);
	snprintf(r.hint, sizeof(r.hint), "as that user, once: lanyard ps");
	return serve_answer(s, request, &r, -1);
}

/* ---- requests ---- */

static int dispatch(struct serve *s, const void *request, size_t size, int fd)
{
	const struct host_header *head = request;

	if (is_users(head) && !users_have(&s->users, host_uid_of(head)))
		return serve_unknown_user(s, head);
	switch (head->type) {
	case HOST_CLIENT:
		return serve_client(s, request, fd);
	case HOST_READY:
		return serve_ready(s, request);
	case HOST_HOLD:
	case HOST_REPLACE:
		return serve_hold(s, head, fd);
	case HOST_DROP:
		return serve_drop(s, request, size);
	case HOST_RECALL:
		return serve_recall(s, request);
	case HOST_CHANGES:
		return serve_file(s, request, journal_reader(s->journal));
	case HOST_VALIDATOR:
		return serve_file(s, request, validator_start());
	case HOST_NAMES:
	case HOST_DELEGATED:
	case HOST_NAT:
	case HOST_UNIX_PEER:
	case HOST_WIRE:
	case HOST_FLOWS:
		return serve_about(s, head, size, fd);
	default:
		return serve_open(s, request, size);
	}
}

int serve_request(struct serve *s)
{
	union {
		struct host_header head;
		char bytes[HOST_MESSAGE_MAX];
	} m = { .head.type = 0 };
	int fd;
	long n = host_receive(s->sock, &m, sizeof(m), &fd);

	if (n == -EAGAIN)
		return 0;
	if (n < 0 && n != -EPROTO)
		return (int)n;
	if (n > 0 && host_request_check(&m, (size_t)n, fd) == 0)
		return dispatch(s, &m, (size_t)n, fd);
	if (fd >= 0)
		close(fd);
	return serve_done(s, &m, -EPROTO);
}

int serve_poll(struct serve *s, int signal_fd, int timeout_ms)
{
	struct pollfd p[] = {
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = s->job.pid ? -1 : s->sock, .events = POLLIN },	/* one request at a time */
		{ .fd = s->job.pid ? s->job.sock : -1, .events = POLLIN },
	};
	uint64_t now = clock_now_ms();
	int left, n, rc = 0;

	if (s->job.pid) {
		left = s->job.until_ms > now ? (int)(s->job.until_ms - now) : 0;
		timeout_ms = timeout_ms < 0 ? left : MIN_OF(timeout_ms, left);
	}
	if (s->job.stays)
		timeout_ms = timeout_ms < 0 ? STAY_MS : MIN_OF(timeout_ms, STAY_MS);
	n = poll(p, ARRAY_SIZE(p), timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		job_leave(&s->job);
	if (s->job.pid && (p[2].revents || clock_now_ms() >= s->job.until_ms))
		rc = serve_job(s);
	else if (p[1].revents)
		rc = serve_request(s);
	return rc < 0 ? rc : p[0].revents != 0;
}

/* ---- the end ---- */

void serve_engine_gone(struct serve *s)
{
	const struct host_iface *m = (const void *)s->pending;
	pid_t child = s->job.pid;
	int opened;

	job_cancel(&s->job);
	job_leave(&s->job);
	if (child && s->undo) {
		s->owes |= s->undo & -s->undo;
		s->undo = 0;
	} else if (child && m->head.type == HOST_OPEN_IFACE) {
		opened = s->then ? s->opened : -1;
		serve_iface_failed(s, m, held_find(&s->held, m->name), opened, child);
		if (opened >= 0)
			close(opened);
	}
	if (s->sock >= 0)
		close(s->sock);
	s->sock = -1;
	s->ready = false;
}

void serve_undo_changes(struct serve *s)
{
	for (unsigned program = 0; program <= ACT_IFACE && journal_used(s->journal); program++) {
		struct order o = { .what = ACT_UNDO_ALL, .kind = acts_undo((enum act_number)program), .fd = -1, .uid = geteuid() };

		job_now(s, &o);
	}
}

/* All undo at the same time: taking one veth pair away has the kernel wait for tens of milliseconds. */
void serve_fini(struct serve *s)
{
	uint64_t until = clock_now_ms() + KEEPER_STOP_MS;
	struct job job = { .sock = -1 };
	pid_t pid;

	serve_engine_gone(s);
	for (const struct held *h = s->held.by_name; h; h = h->hh.next) {
		const struct host_header *head = h->request;
		struct order o;

		if (!held_leaves_trace(h) || head->type == HOST_OPEN_IFACE)
			continue;
		o = order_about(ACT_UNDO, acts_kind(head->type), h);
		if (job_start(&job, s, &o) == 0)
			close(job.sock);
	}
	serve_undo_changes(s);		/* the interfaces go with their descriptors */
	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0 && clock_now_ms() < until)
		if (pid == 0)
			poll(NULL, 0, 5);
	held_fini(&s->held);
	if (s->journal >= 0)
		close(s->journal);
	if (s->nat_books >= 0)
		close(s->nat_books);
	s->journal = s->nat_books = -1;
}
