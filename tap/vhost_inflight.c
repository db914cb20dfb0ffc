// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/vhost_inflight.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum { REGION_ALIGN = 64, VERSION = 1, WRAP = 0x8000, DESC_SIZE = 16, DESC_FLAGS = 14, AVAIL_BIT = 7, USED_BIT = 15 };

struct split_entry {
	uint8_t inflight, padding[5];
	uint16_t next;
	uint64_t counter;
};

struct split_region {
	uint64_t features;
	uint16_t version, desc_num, last_batch_head, used_idx;
	struct split_entry entries[];
};

struct packed_entry {
	uint8_t inflight, padding;
	uint16_t next, last, num;
	uint64_t counter;
	uint16_t id, flags;
	uint32_t len;
	uint64_t addr;
};

struct packed_region {
	uint64_t features;
	uint16_t version, desc_num, free_head, old_free_head, used_idx, old_used_idx;
	uint8_t used_wrap, old_used_wrap, padding[7];
	struct packed_entry entries[];
};

static uint64_t region_size(bool packed, uint16_t queue_size)
{
	uint64_t size = packed ? sizeof(struct packed_region) + (uint64_t)queue_size * sizeof(struct packed_entry) :
				 sizeof(struct split_region) + (uint64_t)queue_size * sizeof(struct split_entry);

	return (size + REGION_ALIGN - 1) & ~(uint64_t)(REGION_ALIGN - 1);
}

uint64_t vhost_inflight_size(bool packed, uint16_t queues, uint16_t queue_size)
{
	return queue_size ? queues * region_size(packed, queue_size) : 0;
}

static const uint8_t *region_at(const uint8_t *area, bool packed, uint16_t queue_size, unsigned ring)
{
	return area + ring * region_size(packed, queue_size);
}

/* Both kinds of region begin alike: features, version, desc_num. */
int vhost_inflight_check(const uint8_t *area, bool packed, uint16_t queues, uint16_t queue_size, struct error *err)
{
	for (unsigned i = 0; i < queues; i++) {
		const uint8_t *at = region_at(area, packed, queue_size, i);
		uint16_t version, desc_num;

		memcpy(&version, at + offsetof(struct split_region, version), sizeof(version));
		memcpy(&desc_num, at + offsetof(struct split_region, desc_num), sizeof(desc_num));
		if (version > VERSION)
			return error_set(err, -EINVAL, "ring %u: version %u; 1 is known here", i, version);
		if (version && desc_num != queue_size)
			return error_set(err, -EINVAL, "ring %u: %u entries where %u are announced", i, desc_num, queue_size);
	}
	return 0;
}

/* was_used() - has the descriptor at @index been given back, for a device whose wrap counter there was @wrap? */
static bool was_used(const uint8_t *desc, uint16_t index, bool wrap)
{
	uint16_t flags;

	memcpy(&flags, desc + (uint64_t)index * DESC_SIZE + DESC_FLAGS, sizeof(flags));
	return (flags >> AVAIL_BIT & 1) == (flags >> USED_BIT & 1) && (flags >> USED_BIT & 1) == wrap;
}

bool vhost_inflight_resume(const uint8_t *area, uint16_t queue_size, unsigned ring, const uint8_t *desc, uint32_t ring_size,
			   uint16_t *position)
{
	struct packed_region r;

	memcpy(&r, region_at(area, true, queue_size, ring), sizeof(r));
	if (r.version != VERSION || r.old_used_idx >= ring_size || r.used_idx >= ring_size)
		return false;
	/* The last batch is rolled back, unless the guest has been given it already. */
	if (r.used_idx != r.old_used_idx && was_used(desc, r.old_used_idx, r.old_used_wrap & 1))
		*position = (uint16_t)(r.used_idx | (r.used_wrap & 1 ? WRAP : 0));
	else
		*position = (uint16_t)(r.old_used_idx | (r.old_used_wrap & 1 ? WRAP : 0));
	return true;
}

static void split_write(uint8_t *at, uint16_t queue_size, uint16_t next_used, bool clear)
{
	struct split_region *r = (struct split_region *)(void *)at;

	if (clear)
		memset(r->entries, 0, queue_size * sizeof(r->entries[0]));
	r->features = 0;
	r->version = VERSION;
	r->desc_num = queue_size;
	r->last_batch_head = 0;
	r->used_idx = next_used;
}

static void packed_write(uint8_t *at, uint16_t queue_size, uint16_t next_used, bool running)
{
	struct packed_region *r = (struct packed_region *)(void *)at;

	if (running) {
		/* All entries free, each linked to the next one. */
		memset(r->entries, 0, queue_size * sizeof(r->entries[0]));
		for (uint32_t i = 0; i < queue_size; i++)
			r->entries[i].next = (uint16_t)(i + 1 < queue_size ? i + 1 : 0);
	}
	r->features = 0;
	r->desc_num = queue_size;
	r->free_head = r->old_free_head = 0;
	r->used_idx = r->old_used_idx = next_used & (WRAP - 1);
	r->used_wrap = r->old_used_wrap = next_used & WRAP ? 1 : 0;
	r->version = running ? 0 : VERSION;
}

void vhost_inflight_started(uint8_t *area, bool packed, uint16_t queue_size, unsigned ring, uint16_t next_used)
{
	uint8_t *at = area + ring * region_size(packed, queue_size);

	if (packed)
		packed_write(at, queue_size, next_used, true);
	else
		split_write(at, queue_size, next_used, true);
}

void vhost_inflight_stopped(uint8_t *area, bool packed, uint16_t queue_size, unsigned ring, uint16_t next_used)
{
	uint8_t *at = area + ring * region_size(packed, queue_size);

	if (packed)
		packed_write(at, queue_size, next_used, false);
	else
		split_write(at, queue_size, next_used, false);
}
