// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* memfd_create() */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctl/act_nat.h"
#include "ctl/keeper.h"

int nat_stage(struct nat_state *n, const struct host_forwards *m)
{
	ssize_t size = (ssize_t)(m->n * sizeof(*m->list));

	if (n->nstaged + m->n > HOST_FORWARDS_ALL)
		return -ENOSPC;
	if (n->staged < 0)
		n->staged = memfd_create("lanyard forwards", MFD_CLOEXEC);
	if (n->staged < 0 || pwrite(n->staged, m->list, (size_t)size, (off_t)(n->nstaged * sizeof(*m->list))) != size)
		return n->staged < 0 ? -errno : -ENOSPC;
	n->nstaged += m->n;
	return 0;
}

void nat_unstage(struct nat_state *n)
{
	if (n->staged >= 0)
		close(n->staged);
	n->staged = -1;
	n->nstaged = 0;
}

static bool any_note(const struct held_table *t)
{
	for (const struct held *h = t->by_name; h; h = h->hh.next)
		if (h->note >= 0)
			return true;
	return false;
}

static void replace_note(struct held *h, int note)
{
	if (h->note >= 0)
		close(h->note);
	h->note = note;
}

void nat_left(struct serve *s, struct held *h, bool well)
{
	if (h)
		replace_note(h, -1);
	s->nat.unknown |= !well;
}

void nat_done(struct serve *s, struct held *h, const struct host_reply *r, int note)
{
	struct nat_state *n = &s->nat;

	nat_unstage(n);
	if (h && note >= 0) {
		replace_note(h, note);
		n->in_force = r->value & NAT_FEATURES;
		n->lacks = r->value >> NAT_LACKS;
		n->unknown = false;
		return;
	}
	if (note >= 0)
		close(note);
	n->unknown = any_note(&s->held);
}
