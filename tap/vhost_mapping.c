// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tap/vhost_mapping.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tap/vhost_memory.h"
#include "tap/vhost_sigbus.h"

/* A mapping in its reservation:
 *
 *	reserved      start          at                        start + length        reserved_end
 *	| guard ...   | page begun   | the bytes asked for ... | rest of last page   | guard ... |
 *
 * The guards are as long as the longest frame, so that not even a wrong length walks from one guest's memory into another's.
 */
enum { GUARD = 128 * 1024, ALIGN = 2 * 1024 * 1024 };	/* ALIGN: where the kernel can use a large page for it */

struct vhost_mapping {
	unsigned refs;			/* control thread */
	uint8_t *at;
	uint64_t size;			/* bytes from at on, as asked for */
	void *reserved;
	size_t reserved_size;
	struct sigbus_range *range;
};

/* place - where in a file, in whole pages */
struct place {
	uint64_t start, length;		/* multiples of page */
	uint64_t page;
};

/* page_size() - of a file that a fault on can only fill or refuse; a disk, a network or a process behind another file
 * system could make a worker wait. Return: 0 where it is another kind of file */
static uint64_t page_size(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return 0;
	if ((unsigned long)fs.f_type == HUGETLBFS_MAGIC)
		return (uint64_t)fs.f_bsize;
	return (unsigned long)fs.f_type == TMPFS_MAGIC ? (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static int find_place(int fd, uint64_t offset, uint64_t size, struct place *to, struct error *err)
{
	struct place p = { .page = page_size(fd) };
	struct stat st;
	uint64_t end;

	/* Devices and pipes have nodes on tmpfs too. */
	if (!p.page || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "not memory: only memfd, tmpfs and hugetlbfs files are mapped");
	if (size == 0 || size > VHOST_MEMORY_MAX || __builtin_add_overflow(offset, size, &end))
		return error_set(err, -EINVAL, "bad size 0x%llx at offset 0x%llx", (unsigned long long)size,
				 (unsigned long long)offset);
	if (end > (uint64_t)st.st_size)
		return error_set(err, -EINVAL, "the file ends at 0x%llx, before 0x%llx", (unsigned long long)st.st_size,
				 (unsigned long long)end);
	p.start = offset & ~(p.page - 1);
	p.length = (end - p.start + p.page - 1) & ~(p.page - 1);
	*to = p;
	return 0;
}

/* start_in() - where in the reservation the file's first page goes: aligned to memory as it is in the file */
static uint8_t *start_in(void *reserved, const struct place *p)
{
	uint64_t align = p->page > ALIGN ? p->page : ALIGN, at = (uintptr_t)reserved + GUARD;

	return (uint8_t *)(uintptr_t)(at + ((p->start - at) & (align - 1)));
}

static int map_place(struct vhost_mapping *m, int fd, const struct place *p)
{
	size_t size = p->length + 2 * GUARD + (p->page > ALIGN ? p->page : ALIGN);
	void *reserved = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *start;
	int rc;

	if (reserved == MAP_FAILED)
		return -errno;
	m->reserved = reserved;
	m->reserved_size = size;
	start = start_in(reserved, p);
	/* Guests' memory is in no core dump of ours, and in no child. */
	if (mmap(start, p->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, (off_t)p->start) == MAP_FAILED ||
	    madvise(start, p->length, MADV_DONTDUMP) < 0 || madvise(start, p->length, MADV_DONTFORK) < 0)
		goto fail;
	m->range = sigbus_add(start, p->length, p->page);
	if (m->range) {
		m->at = start;
		return 0;
	}
	errno = ENOMEM;
fail:
	rc = -errno;
	munmap(reserved, size);
	return rc;
}

struct vhost_mapping *vhost_mapping_new(int fd, uint64_t offset, uint64_t size, struct error *err)
{
	struct vhost_mapping *m;
	struct place p = { 0 };
	int rc;

	if (find_place(fd, offset, size, &p, err) < 0)
		return NULL;
	m = calloc(1, sizeof(*m));
	rc = m ? map_place(m, fd, &p) : -ENOMEM;
	if (rc < 0) {
		error_set(err, rc == -ENOMEM ? -ENOMEM : -EINVAL, "cannot map 0x%llx bytes: %s", (unsigned long long)size,
			  strerror(-rc));
		free(m);
		return NULL;
	}
	m->at += offset - p.start;
	m->size = size;
	m->refs = 1;
	return m;
}

struct vhost_mapping *vhost_mapping_get(struct vhost_mapping *m)
{
	m->refs++;
	return m;
}

void vhost_mapping_put(struct vhost_mapping *m)
{
	if (!m || --m->refs > 0)
		return;
	sigbus_remove(m->range);
	munmap(m->reserved, m->reserved_size);
	free(m);
}

uint8_t *vhost_mapping_at(const struct vhost_mapping *m)
{
	return m->at;
}

uint64_t mapping_size(const struct vhost_mapping *m)
{
	return m->size;
}

bool mapping_lost(const struct vhost_mapping *m)
{
	return sigbus_lost(m->range);
}
