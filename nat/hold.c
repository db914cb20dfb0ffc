// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/hold.h"

#include <string.h>
#include <sys/mman.h>

enum { PLACE_SIZE = 65536, SPACE = HOLD_PLACES * PLACE_SIZE };	/* an IPv4 datagram fits a place */

void hold_init(struct hold *h)
{
	h->space = NULL;
	h->used = 0;
	for (unsigned i = 1; i < HOLD_PLACES; i++)
		h->held[i].next = i + 1 < HOLD_PLACES ? (uint16_t)(i + 1) : HOLD_NONE;
	h->free = 1;
}

void hold_fini(struct hold *h)
{
	if (h->space)
		munmap(h->space, SPACE);
	h->space = NULL;
}

static bool map_space(struct hold *h)
{
	void *space;

	if (h->space)
		return true;
	space = mmap(NULL, SPACE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	h->space = space == MAP_FAILED ? NULL : space;
	return h->space != NULL;
}

/* link_for() - where in the list a piece at @seq goes, or NULL when the flow has its share, or these bytes (*have) */
static uint16_t *link_for(struct hold *h, uint16_t *head, uint32_t seq, uint32_t size, bool *have)
{
	uint16_t *link = head;
	unsigned n = 0;

	for (uint16_t i = *head; i != HOLD_NONE; i = h->held[i].next) {
		uint32_t ahead = seq - h->held[i].seq;	/* wraps to a large number when the new piece comes first */

		*have = (int32_t)ahead >= 0 && ahead + size <= h->held[i].size;
		if (*have)
			return NULL;
		if ((int32_t)ahead >= 0)
			link = &h->held[i].next;
		n++;
	}
	return n < HOLD_PER_FLOW ? link : NULL;
}

static bool may_have(const struct hold *h, uint32_t share, uint32_t most)
{
	uint32_t free_places = HOLD_PLACES - 1u - h->used;

	return share < free_places && (!most || share < most);
}

bool hold_put(struct hold *h, uint16_t *head, uint16_t *share, uint32_t most, uint32_t seq, const uint8_t *data, uint32_t size,
	      bool fin)
{
	bool have = false;
	uint16_t *link = size <= PLACE_SIZE && map_space(h) ? link_for(h, head, seq, size, &have) : NULL;
	uint16_t place = h->free;

	if (!link || place == HOLD_NONE || !may_have(h, *share, most))
		return have;
	++*share;
	h->free = h->held[place].next;
	h->used++;
	h->held[place] = (struct held){ .seq = seq, .size = size, .share = share, .next = *link, .fin = fin };
	*link = place;
	memcpy(h->space + (size_t)place * PLACE_SIZE, data, size);
	return true;
}

const uint8_t *hold_data(const struct hold *h, uint16_t place)
{
	return h->space + (size_t)place * PLACE_SIZE;
}

/* When the last place is given back, so is the memory: a loss is rare, and its buffers need not stay. */
void hold_drop_first(struct hold *h, uint16_t *head)
{
	uint16_t place = *head;

	--*h->held[place].share;
	*head = h->held[place].next;
	h->held[place].next = h->free;
	h->free = place;
	if (!--h->used)
		madvise(h->space, SPACE, MADV_DONTNEED);
}

void hold_drop_all(struct hold *h, uint16_t *head)
{
	while (*head != HOLD_NONE)
		hold_drop_first(h, head);
}
