// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "tap/vhost_session_parts.h"

/* ---- the table ---- */

int memory_build(struct vhost_session *s, unsigned n, uint64_t features, struct vhost_memory **to, struct error *err)
{
	struct vhost_region regions[VHOST_REGIONS_MAX];
	struct vhost_memory *m;
	bool log = s->log && features & VHOST_F_LOG_ALL;

	for (unsigned i = 0; i < n; i++) {
		const struct vhost_saved_region *r = &s->saved->regions[i];

		regions[i] = (struct vhost_region){ .gpa = r->gpa, .size = r->size, .user = r->user, .offset = r->offset,
						    .mapping = s->mappings[i] };
	}
	m = vhost_memory_new(regions, n, log ? s->log : NULL, log ? s->saved->log_size : 0, err);
	if (!m)
		return -EINVAL;
	*to = m;
	return 0;
}

void memory_install(struct vhost_session *s, struct vhost_memory *memory)
{
	session_pause(s);
	vhost_set_memory(s->conf.port, memory);
	vhost_memory_free(s->memory);
	s->memory = memory;
}

/* forget_regions() - those from @from on: their mappings and the keeper's copies */
static void forget_regions(struct vhost_session *s, unsigned from, bool drop)
{
	for (unsigned i = from; i < s->saved->nregions; i++) {
		vhost_mapping_put(s->mappings[i]);
		s->mappings[i] = NULL;
		if (drop)
			session_drop(s, "mem", (int)s->saved->regions[i].slot);
	}
	s->saved->nregions = from;
}

void memory_release(struct vhost_session *s)
{
	vhost_memory_free(s->memory);
	s->memory = NULL;
	/* Not forget_regions(): `saved` may be for another engine to go on with. */
	for (unsigned i = 0; i < VHOST_REGIONS_MAX; i++) {
		vhost_mapping_put(s->mappings[i]);
		s->mappings[i] = NULL;
	}
	vhost_mapping_put(s->log);
	s->log = NULL;
}

/* add_region() - map @m and put it behind the others. Return: 0, or negative errno and nothing is changed */
static int add_region(struct vhost_session *s, const struct vhost_region_message *m, int fd, uint32_t slot, struct error *err)
{
	struct vhost_saved *saved = s->saved;
	struct vhost_mapping *mapping = vhost_mapping_new(fd, m->offset, m->size, err);

	if (!mapping)
		return -EINVAL;
	s->mappings[saved->nregions] = mapping;
	saved->regions[saved->nregions++] = (struct vhost_saved_region){ .gpa = m->gpa, .size = m->size, .user = m->user,
									 .offset = m->offset, .slot = slot };
	return 0;
}

/* old_table - what stands in the session while its successor is tried */
struct old_table {
	unsigned n;
	struct vhost_saved_region regions[VHOST_REGIONS_MAX];
	struct vhost_mapping *mappings[VHOST_REGIONS_MAX];
};

static void set_aside(struct vhost_session *s, struct old_table *old)
{
	old->n = s->saved->nregions;
	memcpy(old->regions, s->saved->regions, sizeof(old->regions));
	memcpy(old->mappings, s->mappings, sizeof(old->mappings));
	memset(s->mappings, 0, sizeof(s->mappings));
	s->saved->nregions = 0;
}

static void put_back(struct vhost_session *s, const struct old_table *old)
{
	forget_regions(s, 0, false);
	s->saved->nregions = old->n;
	memcpy(s->saved->regions, old->regions, sizeof(old->regions));
	memcpy(s->mappings, old->mappings, sizeof(old->mappings));
}

/* finish_table() - the new one is in use: the keeper gets its descriptors and forgets what is left of the old one */
static void finish_table(struct vhost_session *s, struct old_table *old)
{
	for (unsigned i = 0; i < old->n; i++) {
		vhost_mapping_put(old->mappings[i]);
		if (old->regions[i].slot >= s->saved->nregions)
			session_drop(s, "mem", (int)old->regions[i].slot);
	}
	for (unsigned i = 0; i < s->saved->nregions; i++)
		session_hold(s, "mem", (int)i, s->fds[i]);
}

/* A ring that the new table leaves out is stopped, and the front-end is told so. */
int on_set_mem_table(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct old_table old;
	struct vhost_memory *memory = NULL;
	int rc = 0;

	(void)reply;
	set_aside(s, &old);
	for (unsigned i = 0; i < m->table.n && rc == 0; i++) {
		rc = add_region(s, &m->table.at[i], s->fds[i], i, err);
		if (rc < 0)
			error_prefix(err, "region %u", i);
	}
	if (rc == 0)
		rc = memory_build(s, s->saved->nregions, s->saved->features, &memory, err);
	if (rc < 0) {
		put_back(s, &old);
		return rc;
	}
	memory_install(s, memory);
	finish_table(s, &old);
	return rings_sync(s, err);
}

/* ---- one region more, one less ---- */

int on_get_max_mem_slots(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	(void)s;
	(void)err;
	reply->size = vhost_reply_u64(reply->data, m->request, VHOST_REGIONS_MAX);
	return 0;
}

static uint32_t free_slot(const struct vhost_saved *saved)
{
	uint8_t used[VHOST_REGIONS_MAX] = { 0 };
	uint32_t slot = 0;

	for (unsigned i = 0; i < saved->nregions; i++)
		used[saved->regions[i].slot] = 1;
	while (used[slot])
		slot++;
	return slot;
}

static int find_region(const struct vhost_saved *saved, const struct vhost_region_message *m)
{
	for (unsigned i = 0; i < saved->nregions; i++)
		if (saved->regions[i].gpa == m->gpa && saved->regions[i].user == m->user && saved->regions[i].size == m->size)
			return (int)i;
	return -ENOENT;
}

/* QEMU (7.2) has a device for each queue pair, and each tells of the whole memory: what is there already is added again, and what
 * is gone already is removed again, even when something else has come in its place. Both are done then. */
int on_add_mem_reg(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_saved *saved = s->saved;
	int rc, at = find_region(saved, &m->region);
	struct vhost_memory *memory;

	(void)reply;
	if (at >= 0 && saved->regions[at].offset == m->region.offset)
		return 0;
	if (saved->nregions >= VHOST_REGIONS_MAX)
		return error_set(err, -ENOSPC, "%u regions are there, and no more fit", saved->nregions);
	rc = add_region(s, &m->region, s->fds[0], free_slot(saved), err);
	if (rc < 0)
		return rc;
	rc = memory_build(s, saved->nregions, saved->features, &memory, err);
	if (rc < 0) {
		forget_regions(s, saved->nregions - 1, false);
		return rc;
	}
	memory_install(s, memory);
	session_hold(s, "mem", (int)saved->regions[saved->nregions - 1].slot, s->fds[0]);
	/* A ring that waits for another region still is no failure of this one. */
	rings_sync(s, NULL);
	return 0;
}

static void swap_regions(struct vhost_session *s, unsigned a, unsigned b)
{
	struct vhost_saved_region r = s->saved->regions[a];
	struct vhost_mapping *m = s->mappings[a];

	s->saved->regions[a] = s->saved->regions[b];
	s->mappings[a] = s->mappings[b];
	s->saved->regions[b] = r;
	s->mappings[b] = m;
}

/* QEMU takes a region away and adds it again in another shape while rings are in it: such a ring waits, and goes on when its
 * addresses are there once more. */
int on_rem_mem_reg(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_saved *saved = s->saved;
	struct vhost_memory *memory = NULL;
	int at = find_region(saved, &m->region), rc = 0;

	(void)reply;
	if (at < 0)
		return 0;
	swap_regions(s, (unsigned)at, saved->nregions - 1);
	if (saved->nregions > 1)
		rc = memory_build(s, saved->nregions - 1, saved->features, &memory, err);
	if (rc < 0)
		return rc;
	memory_install(s, memory);
	forget_regions(s, saved->nregions - 1, true);
	rings_sync(s, NULL);
	return 0;
}

/* ---- dirty log ---- */

/* try_log() - is @log good for the memory and the rings that are there? */
static int try_log(struct vhost_session *s, struct vhost_memory **to, struct error *err)
{
	int rc;

	if (s->saved->nregions == 0)
		return 0;
	rc = memory_build(s, s->saved->nregions, VHOST_F_LOG_ALL, to, err);
	if (rc < 0 || s->saved->features & VHOST_F_LOG_ALL)
		return rc;
	vhost_memory_free(*to);
	*to = NULL;
	return 0;
}

int on_set_log_base(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_saved *saved = s->saved;
	struct vhost_mapping *old = s->log, *log = vhost_mapping_new(s->fds[0], m->log.offset, m->log.size, err);
	uint64_t old_size = saved->log_size;
	struct vhost_memory *memory = NULL;
	int rc;

	(void)reply;
	if (!log)
		return -EINVAL;
	s->log = log;
	saved->log_size = m->log.size;
	rc = try_log(s, &memory, err);
	if (rc < 0) {
		s->log = old;
		saved->log_size = old_size;
		vhost_mapping_put(log);
		return rc;
	}
	saved->log_offset = m->log.offset;
	saved->has_log = true;
	session_hold(s, "log", SESSION_ONLY, s->fds[0]);
	if (memory) {
		memory_install(s, memory);
		rc = rings_sync(s, err);
	}
	vhost_mapping_put(old);
	return rc;
}

/* The front-end may be told by this descriptor that the log has changed, and need not be: QEMU looks at it in rounds. */
int on_set_log_fd(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	(void)s;
	(void)m;
	(void)reply;
	(void)err;
	return 0;
}
