/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/nat_bed.h - lanyard-nat in the test's own process or in a child of it, with books and forwards as the keeper and the engine give them
 *
 * For one file of a test, which defines _GNU_SOURCE.
 */
#ifndef TESTS_UNIT_NAT_BED_H
#define TESTS_UNIT_NAT_BED_H

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctl/act_nat.h"
#include "ctl/act_nat_books.h"
#include "tests/unit/acts_bed.h"

static int bed_books = -1, bed_forwards = -1;

static inline int bed_file(int *fd)
{
	if (*fd < 0)
		*fd = memfd_create("bed", MFD_CLOEXEC);
	if (*fd < 0)
		abort();
	return *fd;
}

/* bed_stage() - @n more are sent for the next bed_translate() */
static inline void bed_stage(const struct host_forward *list, size_t n)
{
	int fd = bed_file(&bed_forwards);

	if (pwrite(fd, list, n * sizeof(*list), lseek(fd, 0, SEEK_END)) != (ssize_t)(n * sizeof(*list)))
		abort();
}

static inline void bed_unstage(void)
{
	if (ftruncate(bed_file(&bed_forwards), 0) < 0)
		abort();
}

/* bed_translate() - as the program does it. Return: 0 or negative errno */
static inline int bed_translate(const struct host_nat *m, const struct act_about *h, struct host_reply *r)
{
	struct act_about about = *h;
	struct nat_books b;
	int rc = books_open(&b, bed_file(&bed_books));

	about.fd = bed_file(&bed_forwards);
	rc = rc < 0 ? rc : nat_run(m, &about, &b, r);
	books_free(&b);
	return rc;
}

static inline void bed_leave(const struct act_about *h)
{
	struct nat_books b;

	if (books_open(&b, bed_file(&bed_books)) == 0)
		nat_leave(h, &b);
	books_free(&b);
}

#endif
