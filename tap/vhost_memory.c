// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/vhost_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap/vhost_mapping.h"
#include "tap/vhost_sigbus.h"

int vhost_memory_init(void)
{
	return sigbus_init();
}

static int by_gpa(const void *a, const void *b)
{
	const struct vhost_region *l = a, *r = b;

	return (l->gpa > r->gpa) - (l->gpa < r->gpa);
}

static int by_user(const void *a, const void *b)
{
	const struct vhost_region *l = a, *r = b;

	return (l->user > r->user) - (l->user < r->user);
}

static int check_region(const struct vhost_region *r, struct error *err)
{
	if (r->size == 0 || r->size > mapping_size(r->mapping))
		return error_set(err, -EINVAL, "region 0x%llx: bad size", (unsigned long long)r->gpa);
	if (r->size > UINT64_MAX - r->gpa || r->size > UINT64_MAX - r->user)
		return error_set(err, -EINVAL, "region 0x%llx: its addresses wrap", (unsigned long long)r->gpa);
	return 0;
}

/* check_table() - of regions that were checked one by one; sorts them, by gpa in the end */
static int check_table(struct vhost_region *regions, unsigned n, struct error *err)
{
	uint64_t sum = 0;

	qsort(regions, n, sizeof(regions[0]), by_user);
	for (unsigned i = 0; i + 1 < n; i++)
		if (regions[i + 1].user - regions[i].user < regions[i].size)
			return error_set(err, -EINVAL, "regions overlap at user address 0x%llx",
					 (unsigned long long)regions[i + 1].user);
	qsort(regions, n, sizeof(regions[0]), by_gpa);
	for (unsigned i = 0; i < n; i++) {
		if (i + 1 < n && regions[i + 1].gpa - regions[i].gpa < regions[i].size)
			return error_set(err, -EINVAL, "regions overlap at guest address 0x%llx",
					 (unsigned long long)regions[i + 1].gpa);
		if (regions[i].size > VHOST_MEMORY_MAX - sum)
			return error_set(err, -EINVAL, "more than 0x%llx bytes of memory", (unsigned long long)VHOST_MEMORY_MAX);
		sum += regions[i].size;
	}
	return 0;
}

static int check_log(const struct vhost_memory *m, const struct vhost_mapping *log, uint64_t log_size, struct error *err)
{
	const struct vhost_region *last = &m->regions[m->n - 1];

	if (!log)
		return 0;
	if (log_size > mapping_size(log) || (last->gpa + last->size - 1) / 4096 / 8 >= log_size)
		return error_set(err, -EINVAL, "a dirty log of 0x%llx bytes does not cover the memory", (unsigned long long)log_size);
	return 0;
}

struct vhost_memory *vhost_memory_new(const struct vhost_region *regions, unsigned n, struct vhost_mapping *log,
				      uint64_t log_size, struct error *err)
{
	struct vhost_memory *m;

	if (n == 0 || n > VHOST_REGIONS_MAX) {
		error_set(err, -EINVAL, "%u memory regions", n);
		return NULL;
	}
	for (unsigned i = 0; i < n; i++)
		if (check_region(&regions[i], err) < 0)
			return NULL;
	/* One place more: behind the regions stands the log, which is held and can be lost like them. */
	m = calloc(1, sizeof(*m) + (n + 1) * sizeof(m->regions[0]));
	if (!m) {
		error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	m->n = n;
	memcpy(m->regions, regions, n * sizeof(regions[0]));
	if (check_table(m->regions, n, err) < 0 || check_log(m, log, log_size, err) < 0) {
		free(m);
		return NULL;
	}
	for (unsigned i = 0; i < n; i++)
		m->regions[i].at = vhost_mapping_at(vhost_mapping_get(m->regions[i].mapping));
	if (log) {
		m->regions[n].mapping = vhost_mapping_get(log);
		m->log = vhost_mapping_at(log);
		m->log_size = log_size;
	}
	return m;
}

void vhost_memory_free(struct vhost_memory *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i <= m->n; i++)
		vhost_mapping_put(m->regions[i].mapping);
	free(m);
}

bool vhost_memory_lost(const struct vhost_memory *m)
{
	if (!sigbus_any_lost())
		return false;
	for (unsigned i = 0; i <= m->n; i++)
		if (m->regions[i].mapping && mapping_lost(m->regions[i].mapping))
			return true;
	return false;
}

/* Rings are looked up when they are set up, so a linear search will do. */
uint8_t *vhost_user_at(const struct vhost_memory *m, uint64_t user, uint64_t len, uint64_t *gpa)
{
	for (unsigned i = 0; i < m->n; i++) {
		const struct vhost_region *r = &m->regions[i];
		uint64_t offset = user - r->user;

		if (offset >= r->size || len > r->size - offset)
			continue;
		if (gpa)
			*gpa = r->gpa + offset;
		return r->at + offset;
	}
	return NULL;
}

uint8_t *vhost_at_part(const struct vhost_memory *m, uint32_t *hint, uint64_t gpa, uint64_t *len)
{
	unsigned low = 0, high = m->n;		/* the last region that begins at or below gpa is in [low, high) */
	const struct vhost_region *r;
	uint64_t offset;

	while (high - low > 1) {
		unsigned middle = (low + high) / 2;

		if (m->regions[middle].gpa <= gpa)
			low = middle;
		else
			high = middle;
	}
	r = &m->regions[low];
	offset = gpa - r->gpa;
	if (offset >= r->size)
		return NULL;
	*hint = low;
	if (*len > r->size - offset)
		*len = r->size - offset;
	return r->at + offset;
}

/* The front-end takes bits out with an exchange while we put them in. Each page is held against the log's end, whatever was
 * checked before (CVE-2019-14835: the log's length was computed once, and not from what was written). */
void vhost_log_mark(const struct vhost_memory *m, uint64_t gpa, uint64_t len)
{
	uint64_t last = gpa + (len - 1);	/* one that wrapped lies before gpa, and nothing is marked */

	if (len == 0)
		return;
	for (uint64_t page = gpa / 4096; page <= last / 4096; page++) {
		if (page / 8 >= m->log_size)
			return;
		/* Release: whoever sees the bit finds what was written. */
		__atomic_fetch_or(&m->log[page / 8], (uint8_t)(1u << page % 8), __ATOMIC_RELEASE);
	}
}
