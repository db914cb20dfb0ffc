/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/nat_bed.h - the keeper's side of kernel NAT, with lanyard-nat's in the test's own process or in a child of it */
#ifndef TESTS_UNIT_NAT_BED_H
#define TESTS_UNIT_NAT_BED_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/act_look.h"
#include "ctl/act_nat.h"
#include "ctl/act_nat_books.h"
#include "tests/unit/acts_bed.h"

static struct serve bed_keeper = { .sock = -1, .journal = -1, .nat.staged = -1, .job.sock = -1 };

static inline int bed_stage(const struct host_forwards *m)
{
	return nat_stage(&bed_keeper.nat, m);
}

static inline void bed_books(struct nat_books *b)
{
	const struct held_table *t = &bed_keeper.held;
	int notes[16];
	unsigned n = 0;

	*b = (struct nat_books){ .in_force = bed_keeper.nat.in_force, .lacks = bed_keeper.nat.lacks, .unknown = bed_keeper.nat.unknown };
	for (const struct held *h = t->by_name; h; h = h->hh.next)
		if (h->note >= 0)
			notes[n++] = h->note;
	if (books_read(b, bed_keeper.nat.staged, notes, n) < 0)
		abort();
}

/* bed_translate() - as the program does it. Return: its note, or negative errno */
static inline int bed_translate(const struct host_nat *m, const struct act_about *h, struct host_reply *r)
{
	struct nat_books b;
	int note;

	bed_books(&b);
	note = nat_run(m, h, &b, r);
	books_free(&b);
	return note;
}

/* bed_done() - as the keeper takes it, who holds the interface; @note is taken */
static inline void bed_done(const struct act_about *h, const struct host_reply *r, int note)
{
	if (!held_find(&bed_keeper.held, h->name) && held_add(&bed_keeper.held, h->name, dup(STDERR_FILENO), 0, NULL, 0) < 0)
		abort();
	nat_done(&bed_keeper, held_find(&bed_keeper.held, h->name), r, note);
}

static inline void bed_leave(const struct act_about *h)
{
	struct nat_books b;

	bed_books(&b);
	nat_leave(h, &b);
	books_free(&b);
}

static inline void bed_gone(const char *name)
{
	struct held *h = held_find(&bed_keeper.held, name);

	if (h)
		held_remove(&bed_keeper.held, h);
}

#endif
