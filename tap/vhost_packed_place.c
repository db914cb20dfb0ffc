// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/vhost_packed_place.h"

#include <stddef.h>

enum { DESC_SIZE = 16, DESC_FLAGS = 14, AVAIL_BIT = 7, USED_BIT = 15 };

/* skip() - from @i on, past the descriptors with these two flags */
static unsigned skip(const uint8_t *desc, unsigned size, unsigned i, unsigned avail, unsigned used)
{
	for (; i < size; i++) {
		const uint16_t *p = (const uint16_t *)(const void *)(desc + (size_t)i * DESC_SIZE + DESC_FLAGS);
		uint16_t flags = __atomic_load_n(p, __ATOMIC_ACQUIRE);

		if ((flags >> AVAIL_BIT & 1u) != avail || (flags >> USED_BIT & 1u) != used)
			break;
	}
	return i;
}

static bool reads_so(const uint8_t *desc, unsigned size, unsigned w, unsigned *place)
{
	unsigned i = skip(desc, size, 0, !w, w);
	bool wrapped = i > 0;

	*place = i = skip(desc, size, i, w, w);
	i = skip(desc, size, i, w, !w);
	if (!wrapped)
		i = skip(desc, size, i, !w, !w);
	return i == size;
}

/* Where a ring reads both ways, both mean the same place: the end of one lap is the start of the next. */
bool vhost_packed_place(const uint8_t *desc, uint16_t size, uint16_t *at)
{
	for (unsigned w = 0; w < 2; w++) {
		unsigned place;

		if (!reads_so(desc, size, w, &place))
			continue;
		*at = (uint16_t)(place < size ? place | w << 15 : (unsigned)!w << 15);
		return true;
	}
	return false;
}
