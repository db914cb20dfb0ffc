// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

enum { RECORDS_MAX = 65536 };		/* 32 MB: more networks than a host can have */

static int file = -1;

/* records - the file as it is: a slot for each record, of which some are free */
struct records {
	struct host_change *list;
	size_t n;
};

void journal_use(int fd)
{
	file = fd;
}

/* load() - what is no whole record becomes a free slot: it was torn before anything was done about it */
static int load(struct records *r)
{
	struct stat st;
	ssize_t size;

	if (file < 0 || fstat(file, &st) < 0)
		return -EBADF;
	r->n = (size_t)st.st_size / sizeof(*r->list);
	r->list = r->n <= RECORDS_MAX ? calloc(r->n + 1, sizeof(*r->list)) : NULL;
	if (!r->list)
		return -ENOMEM;
	size = pread(file, r->list, r->n * sizeof(*r->list), 0);
	if (size != (ssize_t)(r->n * sizeof(*r->list))) {
		free(r->list);
		return -EIO;
	}
	for (size_t i = 0; i < r->n; i++)
		if (!host_change_check(&r->list[i]))
			r->list[i].kind = HOST_CHANGE_FREE;
	return 0;
}

static int put(const struct host_change *change, size_t slot)
{
	ssize_t n = pwrite(file, change, sizeof(*change), (off_t)(slot * sizeof(*change)));

	return n == sizeof(*change) ? 0 : n < 0 ? -errno : -ENOSPC;
}

static uint64_t next_order(const struct records *r)
{
	uint64_t last = 0;

	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].kind && r->list[i].order > last)
			last = r->list[i].order;
	return last + 1;
}

int journal_add(struct host_change *changes, unsigned n)
{
	struct records r;
	uint64_t order;
	size_t slot = 0;
	int rc = load(&r);

	if (rc < 0)
		return rc;
	order = next_order(&r);
	for (unsigned i = 0; rc == 0 && i < n; i++) {
		while (slot < r.n && r.list[slot].kind)
			slot++;
		changes[i].order = order++;
		changes[i].wall_s = (int64_t)(clock_wall_ms() / 1000);
		changes[i].check = host_change_sum(&changes[i]);
		rc = put(&changes[i], slot++);
	}
	free(r.list);
	return rc == 0 && fdatasync(file) < 0 ? -errno : rc;
}

/* other_of() - a change of the same thing, for whomever */
static const struct host_change *other_of(const struct records *r, const struct host_change *c, const char *target)
{
	for (size_t i = 0; i < r->n; i++)
		if (&r->list[i] != c && r->list[i].kind && !strcmp(r->list[i].target, target))
			return &r->list[i];
	return NULL;
}

bool journal_before(const char *target, char before[HOST_VALUE_SIZE])
{
	const struct host_change *c;
	struct records r;

	if (load(&r) < 0)
		return false;
	c = other_of(&r, NULL, target);
	if (c)
		memcpy(before, c->before, HOST_VALUE_SIZE);
	free(r.list);
	return c;
}

bool journal_noted(const char *name, const char *target)
{
	struct records r;
	bool found = false;

	if (load(&r) < 0)
		return false;
	for (size_t i = 0; i < r.n; i++)
		found |= r.list[i].kind && !strcmp(r.list[i].name, name) && !strcmp(r.list[i].target, target);
	free(r.list);
	return found;
}

/* is_shared() - does another network need it still? An interface and its addresses are one network's. */
static bool is_shared(const struct records *r, const struct host_change *c)
{
	return (c->kind == HOST_CHANGE_SYSCTL || c->kind == HOST_CHANGE_FILE || c->kind == HOST_CHANGE_TABLE) && other_of(r, c, c->target);
}

/* latest() - the slot to be undone next, of those before @order; or r->n */
static size_t latest(const struct records *r, const struct journal_part *part, const char *name, bool stays, uint64_t order)
{
	size_t found = r->n;

	for (size_t i = 0; i < r->n; i++) {
		const struct host_change *c = &r->list[i];

		if (c->kind && c->order < order && part->has(c) && (!name || !strcmp(c->name, name)) && !(stays && c->kind == HOST_CHANGE_INTERFACE) &&
		    (found == r->n || c->order > r->list[found].order))
			found = i;
	}
	return found;
}

/* holds_ours() - is it a directory with a file in it that could not be removed? To its undo() that would be somebody else's */
static bool holds_ours(const struct records *r, const struct host_change *c)
{
	size_t n = strlen(c->target);

	for (size_t i = 0; c->kind == HOST_CHANGE_FILE && i < r->n; i++)
		if (r->list[i].kind == HOST_CHANGE_FILE && strlen(r->list[i].target) > n && !strncmp(r->list[i].target, c->target, n))
			return true;
	return false;
}

static bool undone(const struct records *r, const struct journal_part *part, const struct host_change *c, int tap)
{
	int rc = is_shared(r, c) ? 0 : holds_ours(r, c) ? -ENOTEMPTY : part->undo(c, tap);

	if (rc < 0)
		log_warn("event=host-change-stays target=\"%s\" of=%s reason=\"%s\"", c->target, c->name, strerror(-rc));
	return rc == 0;
}

/* A keeper that dies in here leaves records of what is undone already: to undo that again does nothing. */
int journal_undo(const struct journal_part *part, const char *name, int tap, bool stays)
{
	static const struct host_change none;
	uint64_t order = UINT64_MAX;
	struct records r;
	int rc = load(&r);
	size_t i;

	if (rc < 0)
		return rc;
	while ((i = latest(&r, part, name, stays, order)) < r.n) {
		order = r.list[i].order;
		if (!undone(&r, part, &r.list[i], tap)) {
			rc = -EBUSY;
			continue;
		}
		r.list[i].kind = HOST_CHANGE_FREE;
		put(&none, i);
	}
	fdatasync(file);
	if (next_order(&r) == 1)
		(void)!ftruncate(file, 0);
	free(r.list);
	return rc;
}
