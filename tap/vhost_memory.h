/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_memory.h - a front-end's memory, mapped: regions, translation, dirty log, and what happens when it is pulled away
 *
 * Source: QEMU documentation, interop/vhost-user (memory region description, migration). A table is immutable once built and is
 * exchanged whole while the port is paused (tap/vhost.h); successive tables share mappings, which are counted.
 *
 * The memory is a stranger's. Only memfd, tmpfs and hugetlbfs files are mapped, each between two guard pages, and never more than
 * the file holds. The owner may still shrink it under us: then the kernel raises SIGBUS, and the handler installed by
 * vhost_memory_init() puts a private zero page in place of the lost one and notes that in the table, which the worker sees after
 * its burst (vhost_memory_lost()). A SIGBUS anywhere else ends the process as it would have.
 *
 * Building, freeing: control thread. Translation: any thread that holds the table.
 */
#ifndef TAP_VHOST_MEMORY_H
#define TAP_VHOST_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { VHOST_REGIONS_MAX = 509 };		/* what QEMU asks for at most */
#define VHOST_MEMORY_MAX (1ull << 40)		/* bytes of one front-end: a hundred of them fit the address space */

struct vhost_mapping;				/* a mapped piece of a file, counted */

struct vhost_region {
	uint64_t gpa;				/* guest physical address of the first byte */
	uint64_t size;				/* bytes, not 0 */
	uint8_t *at;				/* where it is mapped here */
	uint64_t user;				/* the front-end's own virtual address of it: ring addresses come so */
	uint64_t offset;			/* in the file */
	struct vhost_mapping *mapping;
};

struct vhost_memory {
	unsigned n;				/* at least 1 */
	uint8_t *log;				/* dirty bitmap, a bit per 4096 bytes of guest memory; NULL: not asked for */
	uint64_t log_size;			/* bytes of it */
	struct vhost_region regions[];		/* sorted by gpa, none overlaps another */
};

/* vhost_memory_init() - install the SIGBUS handler, once per process. Return: 0 or negative errno */
int vhost_memory_init(void);

/* vhost_mapping_new() - map @size bytes of @fd (borrowed) from @offset on
 * Return: a mapping with one reference, or NULL with @err (-EINVAL: not such a file, too short, overflow; -ENOMEM).
 */
struct vhost_mapping *vhost_mapping_new(int fd, uint64_t offset, uint64_t size, struct error *err);
struct vhost_mapping *vhost_mapping_get(struct vhost_mapping *mapping);
void vhost_mapping_put(struct vhost_mapping *mapping);	/* NULL is fine; the last one unmaps */
uint8_t *vhost_mapping_at(const struct vhost_mapping *mapping);

/* vhost_memory_new() - a table of @n regions; .at is filled in from .mapping, which gets a reference
 * @log:	a mapping of the dirty log (a reference is taken), or NULL
 * Return: NULL with @err when n is 0 or too large, regions overlap in guest or user addresses, an address wraps, the
 * sum exceeds VHOST_MEMORY_MAX, or the log does not cover the highest address.
 */
struct vhost_memory *vhost_memory_new(const struct vhost_region *regions, unsigned n, struct vhost_mapping *log,
				      uint64_t log_size, struct error *err);
void vhost_memory_free(struct vhost_memory *memory);	/* NULL is fine */

/* vhost_memory_lost() - has a page of it been pulled away? */
bool vhost_memory_lost(const struct vhost_memory *memory);

/* vhost_user_at() - where [@user, @user + @len) of the front-end's own addresses is here, or NULL; @gpa may be NULL */
uint8_t *vhost_user_at(const struct vhost_memory *memory, uint64_t user, uint64_t len, uint64_t *gpa);

/* vhost_at_part() - where guest address @gpa is, and in *len how much of *len lies there in one piece; NULL: nowhere
 * @hint:	index of the region found last, the caller's, below memory->n
 */
uint8_t *vhost_at_part(const struct vhost_memory *memory, uint32_t *hint, uint64_t gpa, uint64_t *len);

/* vhost_at() - where all of [@gpa, @gpa + @len) is, in one region; NULL: not so. @len 0 is never to be dereferenced. */
static inline uint8_t *vhost_at(const struct vhost_memory *m, uint32_t *hint, uint64_t gpa, uint64_t len)
{
	const struct vhost_region *r = &m->regions[*hint];
	uint64_t offset = gpa - r->gpa, part = len;	/* wraps below the region: then it is not below its size */
	uint8_t *at;

	if (__builtin_expect(offset < r->size && len <= r->size - offset, 1))
		return r->at + offset;
	at = vhost_at_part(m, hint, gpa, &part);
	return at && part == len ? at : 0;
}

/* vhost_log_write() - note that [@gpa, @gpa + @len) was written, where a log is kept */
void vhost_log_mark(const struct vhost_memory *memory, uint64_t gpa, uint64_t len);
static inline void vhost_log_write(const struct vhost_memory *m, uint64_t gpa, uint64_t len)
{
	if (__builtin_expect(m->log != 0, 0))
		vhost_log_mark(m, gpa, len);
}

#endif
