// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tests/packet/vring_driver_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"

/* Guest addresses, user addresses and addresses here are far apart, so that one taken for another is found nowhere. */
#define GPA_BASE 0x100000ull
#define USER_BASE 0x550000000000ull

enum { PAGE = 4096 };

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* @first bytes must lie in the first region; @crossing bytes are kept around each border */
int memory_init(struct memory *m, const struct driver_conf *conf, uint64_t first, uint64_t total, uint64_t crossing)
{
	uint64_t n = conf->regions ? conf->regions : 1;

	total += (n + 1) * (2 * crossing + PAGE);
	*m = (struct memory){ .fd = -1, .n = (unsigned)n, .gap = round_up(conf->gap, PAGE), .file_offset = conf->file_offset };
	m->crossing = n > 1 && conf->gap == 0 ? crossing : 0;
	m->size = round_up(MAX_OF(total / n + 1, first + 2 * crossing), PAGE);
	m->map_size = round_up(m->file_offset + n * m->size, PAGE);
	m->fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->fd < 0 || ftruncate(m->fd, (off_t)m->map_size) < 0)
		return -errno;
	m->map = mmap(NULL, m->map_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, m->fd, 0);
	if (m->map == MAP_FAILED) {
		m->map = NULL;
		return -errno;
	}
	return 0;
}

void memory_fini(struct memory *m)
{
	if (m->map)
		munmap(m->map, m->map_size);
	if (m->fd >= 0)
		close(m->fd);
}

bool memory_region(const struct memory *m, unsigned i, struct driver_region *to)
{
	if (i >= m->n)
		return false;
	to->gpa = GPA_BASE + i * (m->size + m->gap);
	to->size = m->size;
	to->offset = m->file_offset + (m->n - 1 - i) * m->size;
	to->user = USER_BASE + to->offset;
	return true;
}

uint8_t *memory_at(const struct memory *m, uint64_t gpa, uint64_t *room)
{
	uint64_t from = gpa - GPA_BASE, i = from / (m->size + m->gap), inside = from % (m->size + m->gap);

	if (gpa < GPA_BASE || i >= m->n || inside >= m->size)
		return NULL;
	if (room)
		*room = m->size - inside;
	return m->map + m->file_offset + (m->n - 1 - i) * m->size + inside;
}

/* Borders fall at different depths: into the header, behind it, into the frame, and between two descriptors of a table. */
static uint64_t cut_of(unsigned i)
{
	static const uint64_t cuts[] = { 5, 12, 40, 32 };

	return cuts[i % ARRAY_SIZE(cuts)];
}

uint64_t memory_crossing(const struct memory *m, unsigned i, bool *table)
{
	if (m->crossing == 0 || i + 1 >= m->n)
		return 0;
	*table = i % 4 == 3;
	return GPA_BASE + (i + 1) * m->size - cut_of(i);
}

uint64_t memory_alloc(struct memory *m, uint64_t bytes, uint64_t align)
{
	uint64_t at = round_up(m->next, align);

	for (unsigned i = 0; i + 1 < m->n; i++) {
		uint64_t border = (i + 1) * m->size, keep = m->crossing ? border - cut_of(i) : border;

		if (at < keep + m->crossing && at + bytes > keep)
			at = round_up(keep + m->crossing, align);
	}
	if (at + bytes > m->n * m->size)
		return 0;
	m->next = at + bytes;
	return GPA_BASE + at + at / m->size * m->gap;
}

void memory_write(struct memory *m, uint64_t gpa, const void *from, uint64_t n)
{
	for (uint64_t room = 0; n > 0; n -= room, gpa += room, from = (const uint8_t *)from + room) {
		uint8_t *at = memory_at(m, gpa, &room);

		room = MIN_OF(room, n);
		memcpy(at, from, room);
	}
}

void memory_read(const struct memory *m, uint64_t gpa, void *to, uint64_t n)
{
	for (uint64_t room = 0; n > 0; n -= room, gpa += room, to = (uint8_t *)to + room) {
		const uint8_t *at = memory_at(m, gpa, &room);

		room = MIN_OF(room, n);
		memcpy(to, at, room);
	}
}

void memory_fill(struct memory *m, uint64_t gpa, int byte, uint64_t n)
{
	for (uint64_t room = 0; n > 0; n -= room, gpa += room) {
		uint8_t *at = memory_at(m, gpa, &room);

		room = MIN_OF(room, n);
		memset(at, byte, room);
	}
}

bool memory_holds(const struct memory *m, uint64_t gpa, int byte, uint64_t n)
{
	for (uint64_t room = 0; n > 0; n -= room, gpa += room) {
		const uint8_t *at = memory_at(m, gpa, &room);

		room = MIN_OF(room, n);
		if (at[0] != byte || memcmp(at, at + 1, room - 1) != 0)
			return false;
	}
	return true;
}

uint64_t memory_hash(const struct memory *m, uint64_t hash, uint64_t gpa, uint64_t n)
{
	for (uint64_t room = 0; n > 0; n -= room, gpa += room) {
		const uint8_t *at = memory_at(m, gpa, &room);
		uint64_t i = 0, word;

		room = MIN_OF(room, n);
		for (; i + sizeof(word) <= room; i += sizeof(word)) {
			memcpy(&word, at + i, sizeof(word));
			hash = (hash ^ word) * 0x100000001b3ull;
			hash ^= hash >> 32;	/* a multiplication carries upwards only */
		}
		for (; i < room; i++)
			hash = (hash ^ at[i]) * 0x100000001b3ull;
	}
	return hash;
}
