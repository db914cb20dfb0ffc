// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/keeper.h"
#include "ctl/keeper_journal.h"
#include "ctl/keeper_nat.h"

/* answer() - the reply to @request, with @fd (borrowed) beside it; an engine that does not read its answers is broken */
static int answer(struct serve *s, const void *request, struct host_reply *r, int fd)
{
	memcpy(&r->head, request, sizeof(r->head));
	r->head.size = sizeof(*r);
	if (r->rc < 0 && !r->message[0])
		snprintf(r->message, sizeof(r->message), "%s", strerror(-r->rc));
	return s->sock < 0 ? 0 : host_send(s->sock, r, sizeof(*r), r->rc < 0 ? -1 : fd);
}

/* iface_failed() - undo as much as was done; of an interface that was there before (@h) it is not known any more what it is like */
static void iface_failed(const struct host_iface *m, struct held *h, int fd, pid_t child)
{
	waitpid(child, NULL, 0);	/* it was killed; two at the journal would be one too many */
	journal_undo(m->name, h ? h->fd : fd, h);
	if (h)
		held_changed(h, NULL);
}

static int finish_iface(struct serve *s, int fd, struct host_reply *r, pid_t child)
{
	const struct host_iface *m = (const void *)s->pending;
	struct held *h = held_find(&s->held, m->name);
	int rc;

	r->rc = fd < 0 ? fd : h ? 0 : held_add(&s->held, m->name, fd, 0, m, sizeof(*m));
	if (r->rc < 0)
		iface_failed(m, h, fd, child);
	else if (h)
		held_changed(h, m);
	rc = answer(s, m, r, fd);
	if (fd >= 0 && (h || r->rc < 0))
		close(fd);
	return rc;
}

/* finish_open() - @fd is open: keep it when the request has a name, and hand it over */
static int finish_open(struct serve *s, const void *request, size_t size, int fd, struct host_reply *r)
{
	const char *name = host_name_of(request);
	const struct host_header *head = request;
	bool keep = fd >= 0 && *name && head->type != HOST_UNIX_PEER && head->type != HOST_WIRE && head->type != HOST_NAMES &&
		    head->type != HOST_FLOWS && head->type != HOST_DELEGATED;
	int rc;

	r->rc = fd < 0 ? fd : 0;
	if (keep) {
		r->rc = held_add(&s->held, name, fd, r->value, request, size);
		keep = r->rc == 0;
	}
	rc = answer(s, request, r, fd);
	if (fd >= 0 && !keep)
		close(fd);
	return rc;
}

/* Requests that open something have the user at the same place. */
static uid_t user_of(const void *request)
{
	return ((const struct host_link *)request)->uid;
}
_Static_assert(offsetof(struct host_link, uid) == offsetof(struct host_unix, uid) && offsetof(struct host_link, uid) == offsetof(struct host_file, uid),
	       "user_of()");

/* job_user() - with whose rights; what only root can do is done by root, after a look at whose the thing is */
static uid_t job_user(const struct host_header *request)
{
	if (request->type == HOST_OPEN_IFACE || request->type == HOST_NAT || request->type == HOST_OPEN_UPLINK || request->type == HOST_WIRE ||
	    (request->type == HOST_OPEN_VMM_TAP && geteuid() == 0))
		return geteuid();
	return user_of(request);
}

/* start_job() - have a child do what @request asks, about @h or nothing held; for HOST_DROP undo @h */
static int start_job(struct serve *s, const struct host_header *request, size_t size, const struct held *h, uid_t uid)
{
	struct host_reply r = { .rc = 0 };

	memcpy(s->pending, request, size);
	s->pending_size = size;
	r.rc = job_start(&s->job, request->type == HOST_DROP ? NULL : request, h, uid, s->job_ms);
	return r.rc < 0 ? answer(s, request, &r, -1) : 0;
}

/* answer_many() - those of @fds that are there, in order */
static int answer_many(struct serve *s, const struct host_listen *m, struct host_reply *r, const int *fds)
{
	int there[HOST_LISTEN_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < m->count; i++)
		if (fds[i] >= 0)
			there[n++] = fds[i];
	r->head = m->head;
	r->head.size = sizeof(*r);
	return s->sock < 0 ? 0 : host_send_many(s->sock, r, sizeof(*r), there, n);
}

static void close_some(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* listen_again() - what is missing of a range that is held is tried again */
static int listen_again(struct serve *s, const struct host_listen *m, struct held *h)
{
	struct host_reply r = { .rc = 0 };

	if (h->fds)
		listen_open(m, h->fds, &r);
	return answer_many(s, m, &r, h->fds ? h->fds : &h->fd);
}

static int serve_listen(struct serve *s, const struct host_listen *m)
{
	struct host_reply r = { .rc = 0 };
	int *fds = malloc(m->count * sizeof(*fds));
	int rc;

	for (unsigned i = 0; fds && i < m->count; i++)
		fds[i] = -1;
	r.rc = fds ? listen_open(m, fds, &r) : -ENOMEM;
	if (r.rc > 0)
		r.rc = m->name[0] ? held_add_many(&s->held, m->name, fds, m->count, m, sizeof(*m)) : 0;
	if (r.rc < 0) {
		close_some(fds, fds ? m->count : 0);
		free(fds);
		return answer(s, m, &r, -1);
	}
	rc = answer_many(s, m, &r, fds);
	if (!m->name[0]) {
		close_some(fds, m->count);
		free(fds);
	}
	return rc;
}

/* iface_of() - does @request ask for other settings of the interface that @h is? */
static bool iface_of(const struct held *h, const struct host_iface *request)
{
	const struct host_iface *is = h->request;

	return is && is->head.type == HOST_OPEN_IFACE && request->head.type == HOST_OPEN_IFACE && is->queues == request->queues &&
	       is->bridged == request->bridged && !strcmp(is->ifname, request->ifname) && !memcmp(is->mac, request->mac, sizeof(is->mac));
}

static int serve_open(struct serve *s, const void *request, size_t size)
{
	const struct host_header *head = request;
	const char *name = host_name_of(request);
	struct held *h = *name ? held_find(&s->held, name) : NULL;
	struct host_reply r = { .rc = 0 };

	if (h && held_same(h, request, size) && head->type == HOST_LISTEN)
		return listen_again(s, request, h);
	if (h && held_same(h, request, size)) {
		r.value = h->value;
		return answer(s, request, &r, h->fd);
	}
	if (h && iface_of(h, request))
		return start_job(s, request, size, h, job_user(request));
	if (h) {
		r.rc = -EEXIST;
		snprintf(r.message, sizeof(r.message), "%.150s is open with other settings", name);
		return answer(s, request, &r, -1);
	}
	if (head->type != HOST_LISTEN)
		return start_job(s, request, size, NULL, job_user(request));
	return serve_listen(s, request);
}

/* serve_peer() - the socket must be one that was bound for the same user */
static int serve_peer(struct serve *s, const struct host_unix *m)
{
	struct held *h = held_find(&s->held, m->name);
	const struct host_unix *bound = h ? h->request : NULL;
	struct host_reply r = { .rc = -ENOENT };

	if (bound && bound->head.type == HOST_UNIX_BIND && bound->uid == m->uid)
		return start_job(s, &m->head, sizeof(*m), h, m->uid);
	return answer(s, m, &r, -1);
}

/* serve_wire() - of a bridged network's interface */
static int serve_wire(struct serve *s, const struct host_wire *m)
{
	const struct held *h = held_find(&s->held, m->name);
	const struct host_iface *is = h ? h->request : NULL;
	struct host_reply r = { .rc = -ENOENT };

	if (is && is->head.type == HOST_OPEN_IFACE && is->bridged)
		return start_job(s, &m->head, sizeof(*m), h, job_user(&m->head));
	return answer(s, m, &r, -1);
}

/* serve_flows() - of guests behind an interface that is ours */
static int serve_flows(struct serve *s, const struct host_named *m)
{
	struct held *h = held_find(&s->held, m->name);
	struct host_reply r = { .rc = -ENOENT };

	if (h && h->request && ((const struct host_header *)h->request)->type == HOST_OPEN_IFACE)
		return start_job(s, &m->head, sizeof(*m), h, geteuid());
	return answer(s, m, &r, -1);
}

/* serve_nat() - of an interface that is ours */
static int serve_nat(struct serve *s, const struct host_nat *m)
{
	struct held *h = held_find(&s->held, m->name);
	struct host_reply r = { .rc = -ENOENT };

	if (h && h->request && ((const struct host_header *)h->request)->type == HOST_OPEN_IFACE)
		return start_job(s, &m->head, sizeof(*m), h, job_user(&m->head));
	nat_unstage();
	return answer(s, m, &r, -1);
}

/* serve_names() - by a child, which has the descriptor @fd, as if it were held; here it is taken */
static int serve_names(struct serve *s, const struct host_names *m, int fd)
{
	const struct held guests = { .fd = fd };
	int rc = start_job(s, &m->head, sizeof(*m), &guests, geteuid());

	close(fd);
	return rc;
}

/* serve_delegated() - likewise, of an interface that is ours */
static int serve_delegated(struct serve *s, const struct host_delegated *m, int fd)
{
	const struct held *h = held_find(&s->held, m->name);
	const struct held ways = { .fd = fd, .request = h ? h->request : NULL };
	const struct host_iface *is = ways.request;
	struct host_reply r = { .rc = -ENOENT };
	int rc;

	if (is && is->head.type == HOST_OPEN_IFACE && is->pool6_len)
		rc = start_job(s, &m->head, sizeof(*m), &ways, geteuid());
	else
		rc = answer(s, m, &r, -1);
	close(fd);
	return rc;
}

static int serve_forwards(struct serve *s, const struct host_forwards *m)
{
	struct host_reply r = { .rc = nat_stage(m) };

	return answer(s, m, &r, -1);
}

static int serve_hold(struct serve *s, const struct host_header *request, int fd)
{
	const char *name = host_name_of(request);
	struct held *h = request->type == HOST_REPLACE ? held_find(&s->held, name) : NULL;
	struct host_reply r = { .rc = 0 };

	r.rc = h ? held_replace(h, fd) : held_add(&s->held, name, fd, 0, NULL, 0);
	if (r.rc < 0)
		close(fd);
	return answer(s, request, &r, -1);
}

static uid_t undo_user(const struct held *h)
{
	const struct host_header *head = h->request;

	return head->type == HOST_UNIX_LISTEN || head->type == HOST_UNIX_BIND ? user_of(h->request) : geteuid();
}

static int serve_drop(struct serve *s, const void *request, size_t size)
{
	struct held *h = held_find(&s->held, host_name_of(request));
	struct host_reply r = { .rc = h ? 0 : -ENOENT };

	if (h && held_leaves_trace(h) && !held_shares_trace(&s->held, h))
		return start_job(s, request, size, h, undo_user(h));
	if (h)
		held_remove(&s->held, h);
	return answer(s, request, &r, -1);
}

static int serve_recall(struct serve *s, const struct host_recall *m)
{
	struct host_reply r = { .rc = 0 };
	struct held *h = NULL;

	if (m->name[0])
		h = held_find(&s->held, m->name);
	else if (m->index < s->held.n)
		h = s->held.entries[m->index];
	if (h) {
		r.value = h->value;
		memcpy(r.name, h->name, sizeof(r.name));
	}
	r.rc = h ? 0 : -ENOENT;
	return answer(s, m, &r, h ? h->fd : -1);
}

/* serve_file() - @fd, which is taken, is the file that was asked for; or a negative errno */
static int serve_file(struct serve *s, const void *request, int fd)
{
	int rc;
	struct host_reply r = { .rc = fd < 0 ? fd : 0 };

	rc = answer(s, request, &r, fd);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int serve_ready(struct serve *s, const void *request)
{
	struct host_reply r = { .value = s->restarts };

	s->ready = true;
	return answer(s, request, &r, -1);
}

static int dispatch(struct serve *s, const void *request, size_t size, int fd)
{
	const struct host_header *head = request;

	switch (head->type) {
	case HOST_READY:
		return serve_ready(s, request);
	case HOST_HOLD:
	case HOST_REPLACE:
		return serve_hold(s, head, fd);
	case HOST_DROP:
		return serve_drop(s, request, size);
	case HOST_RECALL:
		return serve_recall(s, request);
	case HOST_UNIX_PEER:
		return serve_peer(s, request);
	case HOST_WIRE:
		return serve_wire(s, request);
	case HOST_CHANGES:
		return serve_file(s, request, journal_reader());
	case HOST_NAMES:
		return serve_names(s, request, fd);
	case HOST_DELEGATED:
		return serve_delegated(s, request, fd);
	case HOST_FLOWS:
		return serve_flows(s, request);
	case HOST_RULESET:
	case HOST_OPEN_RESOLV:
		return start_job(s, head, size, NULL, geteuid());
	case HOST_NAT_FORWARDS:
		return serve_forwards(s, request);
	case HOST_NAT:
		return serve_nat(s, request);
	case HOST_NAT_WATCH:
		return serve_file(s, request, nat_watch());
	case HOST_VALIDATOR:
		return serve_file(s, request, validator_start());
	case HOST_OPEN_ICMP:
		return serve_file(s, request, icmp_open(request));
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
	struct host_reply r = { .rc = -EPROTO };
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
	return answer(s, &m, &r, -1);
}

/* An undo may fail (the path is in a directory that went away); what it was for is let go all the same. */
int serve_job(struct serve *s)
{
	const struct host_header *head = (const void *)s->pending;
	pid_t child = s->job.pid;
	struct host_reply r;
	struct held *h;
	int fd = job_end(&s->job, &r);

	if (head->type == HOST_OPEN_IFACE)
		return finish_iface(s, fd == 0 ? -EIO : fd, &r, child);
	if (head->type == HOST_NAT) {
		nat_done((const void *)head, held_find(&s->held, host_name_of(head)), &r);
		return answer(s, head, &r, -1);
	}
	if (head->type != HOST_DROP)
		return finish_open(s, s->pending, s->pending_size, fd == 0 ? -EIO : fd, &r);
	h = held_find(&s->held, host_name_of(s->pending));
	if (h)
		held_remove(&s->held, h);
	nat_gone(host_name_of(s->pending));
	r = (struct host_reply){ .rc = 0 };
	return answer(s, s->pending, &r, -1);
}

int serve_poll(struct serve *s, int signal_fd, int timeout_ms)
{
	struct pollfd p[] = {
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = s->job.pid ? -1 : s->sock, .events = POLLIN },	/* one request at a time */
		{ .fd = s->job.pid ? s->job.sock : -1, .events = POLLIN },
	};
	uint64_t now = clock_now_ms();
	int left, rc = 0;

	if (s->job.pid) {
		left = s->job.until_ms > now ? (int)(s->job.until_ms - now) : 0;
		timeout_ms = timeout_ms < 0 ? left : MIN_OF(timeout_ms, left);
	}
	if (poll(p, ARRAY_SIZE(p), timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	if (s->job.pid && (p[2].revents || clock_now_ms() >= s->job.until_ms))
		rc = serve_job(s);
	else if (p[1].revents)
		rc = serve_request(s);
	return rc < 0 ? rc : p[0].revents != 0;
}

void serve_engine_gone(struct serve *s)
{
	const struct host_iface *m = (const void *)s->pending;
	pid_t child = s->job.pid;

	job_cancel(&s->job);
	if (child && m->head.type == HOST_OPEN_IFACE)
		iface_failed(m, held_find(&s->held, m->name), -1, child);
	if (child && m->head.type == HOST_NAT)
		nat_done((const void *)m, NULL, NULL);
	nat_unstage();
	if (s->sock >= 0)
		close(s->sock);
	s->sock = -1;
	s->ready = false;
}

/* All undo at the same time: taking one veth pair away has the kernel wait for tens of milliseconds. */
void serve_fini(struct serve *s)
{
	uint64_t until = clock_now_ms() + KEEPER_STOP_MS;
	struct job job;
	pid_t pid;

	serve_engine_gone(s);
	for (size_t i = 0; i < s->held.n; i++) {
		struct held *h = s->held.entries[i];

		if (held_leaves_trace(h) && ((struct host_header *)h->request)->type != HOST_OPEN_IFACE && job_start(&job, NULL, h, undo_user(h), s->job_ms) == 0)
			close(job.sock);
	}
	nat_fini();
	journal_undo(NULL, -1, false);		/* the interfaces go with their descriptors */
	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0 && clock_now_ms() < until)
		if (pid == 0)
			poll(NULL, 0, 5);
	held_fini(&s->held);
}
