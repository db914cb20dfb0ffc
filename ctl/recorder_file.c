// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* memfd_create(), fallocate() */
#include "ctl/recorder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "switch/forward.h"
#include "switch/recorder.h"
#include "switch/worker.h"

/* LAYOUT - of the block, the record and the words in it; another one is another file. Verdicts are numbers of this program. */
#define LAYOUT (0x6c79726563000000ull + ((uint64_t)sizeof(struct block) << 8) + VERDICT_COUNT)

enum { PAGE = 4096, BLOCKS_MAX = 2 * PORT_IDS };
#define FILE_SIZE ((off_t)1 << 40)	/* of addresses, not of memory */

/* block - its first page */
struct block {
	uint64_t layout;
	uint32_t used;			/* 0: it is free, and there is nothing in it */
	uint32_t nslots, nparts;
	struct recorder_owner owner;
};
_Static_assert(sizeof(struct block) <= PAGE, "a page says it all");

/* hole - a free block, by the recorder that was there and will fit again */
struct hole {
	uint64_t at;
	uint32_t nslots, nparts;
	struct hole *next;
};

struct recorder_file {
	int fd;
	uint64_t end;			/* of all blocks */
	unsigned nblocks;
	pthread_mutex_t lock;		/* of: */
	struct hole *holes;
};

struct recorder_file *recorder_file_new(void)
{
	struct recorder_file *f = calloc(1, sizeof(*f));
	int saved;

	if (!f)
		return NULL;
	f->fd = memfd_create("lanyard recorders", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	pthread_mutex_init(&f->lock, NULL);
	if (f->fd >= 0 && ftruncate(f->fd, FILE_SIZE) == 0 && fcntl(f->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return f;
	saved = errno;
	if (f->fd >= 0)
		close(f->fd);
	free(f);
	errno = saved;
	return NULL;
}

void recorder_file_free(struct recorder_file *f)
{
	struct hole *h;

	if (!f)
		return;
	while ((h = f->holes)) {
		f->holes = h->next;
		free(h);
	}
	pthread_mutex_destroy(&f->lock);
	close(f->fd);
	free(f);
}

int recorder_file_fd(const struct recorder_file *f)
{
	return f->fd;
}

/* ---- blocks ---- */

static bool write_block(const struct recorder_file *f, uint64_t at, const struct block *b)
{
	return pwrite(f->fd, b, sizeof(*b), (off_t)at) == sizeof(*b);
}

/* give_back() - a block whose recorder has gone: its memory is the system's again, its place the next one's */
static void give_back(void *arg, struct recorder *r)
{
	struct recorder_file *f = arg;
	struct hole *h = malloc(sizeof(*h));
	uint64_t at = r->at - PAGE;
	struct block b = { .layout = LAYOUT, .nslots = r->nslots, .nparts = r->nparts };

	write_block(f, at, &b);
	fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)r->at, (off_t)recorder_size(r->nslots, r->nparts));
	if (!h)
		return;			/* some addresses are lost, and no memory */
	pthread_mutex_lock(&f->lock);
	*h = (struct hole){ at, r->nslots, r->nparts, f->holes };
	f->holes = h;
	pthread_mutex_unlock(&f->lock);
}

/* take_hole() - one of that size. Return: where, or UINT64_MAX */
static uint64_t take_hole(struct recorder_file *f, uint32_t nslots, unsigned nparts)
{
	uint64_t at = UINT64_MAX;
	struct hole **h, *found;

	pthread_mutex_lock(&f->lock);
	for (h = &f->holes; *h && ((*h)->nslots != nslots || (*h)->nparts != nparts); h = &(*h)->next)
		;
	found = *h;
	if (found) {
		at = found->at;
		*h = found->next;
	}
	pthread_mutex_unlock(&f->lock);
	free(found);
	return at;
}

/* place() - for a recorder of that size, and the page before it. Return: where, or UINT64_MAX */
static uint64_t place(struct recorder_file *f, uint32_t nslots, unsigned nparts)
{
	uint64_t at = take_hole(f, nslots, nparts), size = PAGE + recorder_size(nslots, nparts);

	if (at != UINT64_MAX)
		return at;
	if (f->nblocks == BLOCKS_MAX || f->end + size > (uint64_t)FILE_SIZE)
		return UINT64_MAX;
	at = f->end;
	f->end += size;
	f->nblocks++;
	return at;
}

struct recorder *recorder_file_take(struct recorder_file *f, const struct recorder_owner *owner, uint32_t nslots, unsigned nworkers)
{
	struct block b = { .layout = LAYOUT, .used = 1, .nslots = nslots, .nparts = nworkers, .owner = *owner };
	uint64_t at = place(f, nslots, nworkers);
	struct recorder *r = at == UINT64_MAX ? NULL : recorder_at(f->fd, at + PAGE, PROT_READ | PROT_WRITE, nslots, nworkers);

	if (!r)
		return NULL;
	r->gone = give_back;
	r->arg = f;
	if (write_block(f, at, &b))
		return r;
	recorder_free(r);
	return NULL;
}

/* ---- another one's ---- */

/* read_block() - Return: is there one at @at? */
static bool read_block(int fd, uint64_t at, struct block *b)
{
	return pread(fd, b, sizeof(*b), (off_t)at) == sizeof(*b) && b->layout == LAYOUT &&
	       (b->nslots == RECORDS_OF_DROPS || b->nslots == RECORDS_OF_ALL) && b->nparts >= 1 && b->nparts <= MAX_WORKERS &&
	       memchr(b->owner.net, '\0', sizeof(b->owner.net)) && memchr(b->owner.port, '\0', sizeof(b->owner.port));
}

/* may_be_mapped() - it is as long as it was made, and stays so: reading beyond a file's end is fatal */
static bool may_be_mapped(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	return seals >= 0 && seals & F_SEAL_SHRINK && fstat(fd, &st) == 0 && st.st_size == FILE_SIZE;
}

unsigned recorder_file_read(int fd, recorder_file_fn *fn, void *arg)
{
	struct block b;
	unsigned n = 0, looked = 0;

	if (!may_be_mapped(fd))
		return 0;
	for (uint64_t at = 0; looked < BLOCKS_MAX && read_block(fd, at, &b); looked++) {
		struct recorder *r = b.used ? recorder_at(fd, at + PAGE, PROT_READ, b.nslots, b.nparts) : NULL;

		at += PAGE + recorder_size(b.nslots, b.nparts);
		if (!r)
			continue;
		fn(arg, &b.owner, r);
		n++;
	}
	return n;
}

static void has_any(void *arg, const struct recorder_owner *owner, struct recorder *r)
{
	bool *any = arg;

	(void)owner;
	for (unsigned i = 0; i < r->nparts; i++)
		*any |= recorder_kept(r, i) > 0;
	recorder_free(r);
}

bool recorder_file_has(int fd)
{
	bool any = false;

	recorder_file_read(fd, has_any, &any);
	return any;
}

bool record_is_sane(const struct record *r)
{
	return r->s.kept <= RECORD_BYTES && r->s.kept <= r->s.len && r->s.len <= CAPTURE_SNAPLEN_MAX && r->s.verdict < VERDICT_COUNT &&
	       (r->s.way == CAPTURE_IN || r->s.way == CAPTURE_OUT);
}
