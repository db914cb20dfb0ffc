// SPDX-License-Identifier: GPL-2.0-or-later
/* HOST_LISTEN: ports of the host, which the keeper binds itself; who has one that could not be had is lanyard-paths' to find out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/act_paths.h"
#include "ctl/act_port.h"
#include "ctl/keeper.h"

/* open_one() - a socket that was handed over, or one of our own. A root daemon lends low ports to root alone. */
static int open_one(const struct host_listen *m, uint16_t port)
{
	int fd;

	if (geteuid() == 0 && m->uid != 0 && port < port_first_free())
		return -EACCES;
	fd = given_find(m, port);
	return fd >= 0 ? fd : port_bind(m, port);
}

/* listen_open() - fill each of @fds (as many as m->count) that is -1 with a socket of its own
 * Return: how many there are then, with @r->missing telling of the others, and @r->rc and @port of the first of them.
 */
static int listen_open(const struct host_listen *m, int *fds, struct host_reply *r, uint16_t *port)
{
	int there = 0;

	for (unsigned i = 0; i < m->count; i++) {
		uint16_t at = (uint16_t)(m->port + i);
		int fd = fds[i] >= 0 ? fds[i] : r->rc == -EMFILE ? -EMFILE : open_one(m, at);

		if (fd >= 0) {
			fds[i] = fd;
			there++;
			continue;
		}
		r->missing[i / 8] |= (uint8_t)(1 << (i % 8));
		if (!r->rc)
			*port = at;
		r->rc = r->rc ? r->rc : fd;
	}
	return there;
}

/* ---- answers ---- */

/* answer_many() - with those of @n descriptors that are there */
static int answer_many(struct serve *s, const struct host_listen *m, struct host_reply *r, const int *fds, unsigned n)
{
	int there[HOST_LISTEN_MAX];
	unsigned nthere = 0;

	for (unsigned i = 0; i < n; i++)
		if (fds[i] >= 0)
			there[nthere++] = fds[i];
	r->head = m->head;
	r->head.size = sizeof(*r);
	return s->sock < 0 ? 0 : host_send_many(s->sock, r, sizeof(*r), there, nthere);
}

void listen_forget(struct serve *s)
{
	for (unsigned i = 0; s->fds && i < s->nfds; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
	free(s->fds);
	s->fds = NULL;
}

/* ---- requests ---- */

/* may_search() - finding the owner of a port takes milliseconds: for the many parts of a range that is refused, not each time */
static bool may_search(const struct host_listen *m)
{
	enum { PAUSE_MS = 300 };
	static uint64_t next_ms;
	uint64_t now = clock_now_ms();

	if (m->count > 1 && now < next_ms)
		return false;
	next_ms = now + PAUSE_MS;
	return true;
}

/* listened() - @fds are there, with @r->rc of the first that is not, the one at @port: why, a job says */
static int listened(struct serve *s, const struct host_listen *m, struct host_reply *r, const int *fds, unsigned n, uint16_t port)
{
	struct host_listen first = *m;
	bool any = false;
	int rc;

	if (r->rc == 0) {
		rc = answer_many(s, m, r, fds, n);
		listen_forget(s);
		return rc;
	}
	for (unsigned i = 0; i < n; i++)
		any |= fds[i] >= 0;
	s->partly = *r;
	s->partly.rc = any ? 0 : r->rc;
	s->partly.value = (uint32_t)-r->rc | (r->rc == -EADDRINUSE && !may_search(m) ? LISTEN_NO_SEARCH : 0);
	first.port = port;
	first.count = (uint16_t)MIN_OF(m->count, 65536u - port);
	return serve_start(s, &first, sizeof(first), -1);
}

/* listen_again() - what is missing of a range that is held is tried again */
int listen_again(struct serve *s, const struct host_listen *m, struct held *h)
{
	struct host_reply r = { .rc = 0 };
	uint16_t port = 0;

	if (!h->fds)
		return listened(s, m, &r, &h->fd, 1, port);
	listen_open(m, h->fds, &r, &port);
	return listened(s, m, &r, h->fds, h->nfds, port);
}

int listen_serve(struct serve *s, const struct host_listen *m)
{
	struct host_reply r = { .rc = 0 };
	uint16_t port = 0;
	int *fds, there, rc;

	fds = s->fds = malloc(m->count * sizeof(*fds));
	s->nfds = m->count;
	if (!fds)
		return serve_done(s, m, -ENOMEM);
	for (unsigned i = 0; i < m->count; i++)
		fds[i] = -1;
	there = listen_open(m, fds, &r, &port);
	if (there && m->name[0]) {
		rc = held_add_many(&s->held, m->name, fds, m->count, m, sizeof(*m));
		if (rc < 0) {
			listen_forget(s);
			return serve_done(s, m, rc);
		}
		s->fds = NULL;
	}
	return listened(s, m, &r, fds, m->count, port);
}

/* listen_finish() - the job's words about the first port that could not be had */
int listen_finish(struct serve *s, struct host_reply *r)
{
	const struct host_listen *m = (const void *)s->pending;
	struct held *h = serve_held(s, m);
	struct host_reply all = s->partly;
	int rc;

	memcpy(all.message, r->message, sizeof(all.message));
	memcpy(all.hint, r->hint, sizeof(all.hint));
	all.value = r->rc == 0 ? r->value : 0;
	if (all.rc < 0)
		rc = serve_answer(s, m, &all, -1);
	else
		rc = answer_many(s, m, &all, h && h->fds ? h->fds : h ? &h->fd : s->fds, h ? h->fds ? h->nfds : 1 : s->nfds);
	listen_forget(s);
	return rc;
}
