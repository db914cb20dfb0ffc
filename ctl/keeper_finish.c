// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests that take a job: whose it is, what is about it in the keeper, and what becomes of its answer. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ctl/act_iface.h"
#include "ctl/act_ways.h"
#include "ctl/keeper.h"

enum { EXPLAIN_MS = 300 };

/* ---- to start one ---- */

static uid_t whose(const struct act_kind *kind, const void *request)
{
	return kind->as == AS_USER || (kind->as == AS_ROOT_OR_USER && geteuid() != 0) ? host_uid_of(request) : geteuid();
}

struct held *serve_held(const struct serve *s, const void *request)
{
	const char *name = host_name_of(request);

	return *name ? held_find(&s->held, name) : NULL;
}

struct order order_about(enum act_what what, const struct act_kind *kind, const struct held *h)
{
	const struct host_header *head = h->request;
	struct order o = { .what = what, .kind = kind, .name = h->name, .about = h->request, .about_size = h->size, .value = h->value,
			   .missing = h->missing, .fd = h->fd };

	o.uid = what == ACT_UNDO && (head->type == HOST_UNIX_LISTEN || head->type == HOST_UNIX_BIND) ? host_uid_of(head) : geteuid();
	return o;
}

/* undone_first() - programs that undo what they did before a network goes, is another one, or comes and had left something */
static unsigned undone_first(const struct serve *s, const struct host_header *head, const struct held *h)
{
	if (head->type == HOST_DROP)
		return h->acted;
	return head->type != HOST_OPEN_IFACE ? 0 : h ? h->acted & 1u << ACT_WAYS : s->owes;
}

static struct order order_undo(enum act_number program, const struct host_header *request, const struct held *h)
{
	if (h)
		return order_about(ACT_UNDO, acts_undo(program), h);
	return (struct order){ .what = ACT_UNDO, .kind = acts_undo(program), .name = host_name_of(request), .about = request,
			       .about_size = request->size, .fd = -1, .uid = geteuid() };
}

/* order_of() - what is pending; @fd came with it, or -1 */
static struct order order_of(const struct serve *s, const struct held *h, int fd)
{
	const struct host_header *head = (const void *)s->pending;
	const struct act_kind *kind = s->then ? acts_undo(ACT_WAYS) : acts_kind(head->type);
	struct order o = { .what = ACT_RUN, .kind = kind, .fd = fd };

	if (head->type == HOST_DROP)
		return order_about(ACT_UNDO, acts_kind(((const struct host_header *)h->request)->type), h);
	if (h && !h->unsettled)
		o = order_about(ACT_RUN, kind, h);
	else if (h)
		o.name = h->name, o.fd = h->fd;
	o.request = head;
	o.size = s->pending_size;
	o.fd = fd >= 0 ? fd : o.fd;
	o.uid = whose(kind, head);
	if (head->type == HOST_LISTEN)
		o.value = clock_now_ms() < s->explained_ms + EXPLAIN_MS ? LISTEN_EXPLAINED : 0;
	return o;
}

/* begin() - Return: 0, or negative errno */
static int begin(struct serve *s, int fd)
{
	const struct host_header *head = (const void *)s->pending;
	struct held *h = serve_held(s, head);
	struct order o = s->undo ? order_undo((enum act_number)__builtin_ctz(s->undo), head, h) : order_of(s, h, fd);

	if (head->type == HOST_NAT && h)
		h->acted |= 1u << ACT_NAT;
	return job_start(&s->job, s, &o);
}

/* start() - or answer that no job was to be had */
static int start(struct serve *s, int fd)
{
	int rc = begin(s, fd);

	if (rc == 0)
		return 0;
	s->undo = 0;
	return serve_done(s, s->pending, rc);
}

int serve_start(struct serve *s, const void *request, size_t size, int fd)
{
	struct held *h = serve_held(s, request);

	memcpy(s->pending, request, size);
	s->pending_size = size;
	s->undo = undone_first(s, request, h);
	if (s->undo && h)
		held_changed(h, NULL);
	return start(s, fd);
}

/* ---- its end ---- */

static void close_all(const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

void serve_iface_failed(struct serve *s, const struct host_iface *m, struct held *h, int fd, pid_t child)
{
	struct order o = { .what = ACT_UNDO, .kind = acts_undo(ACT_WAYS), .name = m->name, .about = m, .about_size = sizeof(*m),
			   .fd = h ? h->fd : fd, .value = h ? IFACE_STAYS : 0, .uid = geteuid() };

	waitpid(child, NULL, 0);	/* it was killed; two at the journal would be one too many */
	if (s->then && journal_used(s->journal) && job_now(s, &o) < 0)
		s->owes |= 1u << ACT_WAYS;
	o.kind = acts_undo(ACT_IFACE);
	if (journal_used(s->journal))
		job_now(s, &o);
	s->then = false;
	if (h)
		held_changed(h, NULL);
}

/* hold_iface() - all of it is made */
static int hold_iface(struct serve *s, const struct host_iface *m, struct held *h, int fd)
{
	int rc = h ? 0 : held_add(&s->held, m->name, fd, 0, m, sizeof(*m));

	if (rc < 0)
		return rc;
	h = held_find(&s->held, m->name);
	held_changed(h, m);
	h->acted |= s->then ? 1u << ACT_WAYS : 0;
	s->then = false;
	return 0;
}

/* finish_iface() - its ways are made by another program, with the same request */
static int finish_iface(struct serve *s, int fd, struct host_reply *r, pid_t child)
{
	const struct host_iface *m = (const void *)s->pending;
	struct held *h = held_find(&s->held, m->name);
	int rc;

	if (s->then) {
		fd = s->opened;
	} else if (r->rc == 0 && ways_has(m)) {
		s->then = true;
		s->opened = fd;
		r->rc = begin(s, -1);
		if (r->rc == 0)
			return 0;
	}
	if (r->rc == 0)
		r->rc = hold_iface(s, m, h, fd);
	if (r->rc < 0)
		serve_iface_failed(s, m, h, fd, child);
	rc = serve_answer(s, m, r, fd);
	if (fd >= 0 && (h || r->rc < 0))
		close(fd);
	return rc;
}

/* finish_open() - keep what was opened when it has a name, and hand it over */
static int finish_open(struct serve *s, const struct act_kind *kind, const int *fds, unsigned n, struct host_reply *r)
{
	const char *name = host_name_of(s->pending);
	bool keep = n && *name && kind->kept;
	int rc;

	if (keep)
		r->rc = held_add_many(&s->held, name, fds, n, r, s->pending, s->pending_size);
	rc = serve_answer_many(s, s->pending, r, fds, n);
	if (!keep || r->rc < 0)
		close_all(fds, n);
	return rc;
}

/* finish_listen() - of what is held some was missing: all that there is now is handed over, whatever became of the rest */
static int finish_listen(struct serve *s, struct held *h, const int *fds, unsigned n, struct host_reply *r)
{
	if (n && held_more(h, fds, n, r) < 0)
		close_all(fds, n);
	r->rc = 0;
	memcpy(r->missing, h->missing, sizeof(r->missing));
	return serve_answer_many(s, s->pending, r, h->fds, h->nfds);
}

/* tell_undone() - a program that could not even begin has told nobody that something stays; of -EBUSY it has, change by change (ctl/act_journal.c) */
static void tell_undone(const struct held *h, const struct host_reply *r)
{
	if (h && r->rc < 0 && r->rc != -EBUSY)
		log_warn("event=host-change-stays of=%s reason=\"%s\"", h->name, r->message[0] ? r->message : strerror(-r->rc));
}

/* An undo may fail (the path is in a directory that went away); what it was for is let go all the same. */
static int finish_drop(struct serve *s, const struct host_reply *undone)
{
	struct held *h = serve_held(s, s->pending);

	tell_undone(h, undone);
	if (h)
		held_remove(&s->held, h);
	return serve_done(s, s->pending, 0);
}

/* finish_undo() - now for what follows: the next one's, or what was asked */
static int finish_undo(struct serve *s, const struct host_reply *r)
{
	struct held *h = serve_held(s, s->pending);
	unsigned bit = s->undo & -s->undo;

	tell_undone(h, r);
	s->undo &= ~bit;
	s->owes = r->rc < 0 ? s->owes | bit : s->owes & ~bit;
	if (h)
		h->acted &= ~bit;
	return start(s, -1);
}

int serve_job(struct serve *s)
{
	const struct host_header *head = (const void *)s->pending;
	const struct act_kind *kind = acts_kind(head->type);
	pid_t child = s->job.pid;
	struct held *h;
	struct host_reply r;
	int fds[HOST_LISTEN_MAX];
	unsigned n = job_end(&s->job, &r, fds);
	int fd = n ? fds[0] : -1;

	if (s->undo)
		return finish_undo(s, &r);
	if (head->type == HOST_DROP)
		return finish_drop(s, &r);
	if (kind->opens && !s->then && r.rc == 0 && fd < 0)
		r.rc = -EIO;
	if (head->type == HOST_OPEN_IFACE)
		return finish_iface(s, fd, &r, child);
	if (head->type == HOST_LISTEN && r.message[0])
		s->explained_ms = clock_now_ms();
	h = serve_held(s, head);
	return head->type == HOST_LISTEN && h ? finish_listen(s, h, fds, n, &r) : finish_open(s, kind, fds, n, &r);
}
