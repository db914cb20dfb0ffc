/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/bytes.h - bounds-checked reading and writing of wire formats
 *
 * A reader remembers its first overrun and from then on returns zeros, so that a parser reads straight
 * down and checks `overrun` once at the end. A writer does the same for lack of room. Multi-byte values
 * are in network order on the wire and in host order in the program. Any thread; no allocation.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const uint8_t *data;	/* borrowed */
	size_t size;		/* bytes in data */
	size_t pos;		/* bytes consumed */
	bool overrun;		/* something asked for more than there was */
};

struct writer {
	uint8_t *data;		/* borrowed */
	size_t room;		/* bytes that fit */
	size_t pos;		/* bytes written */
	bool overrun;		/* something did not fit; what did not fit was not written */
};

static inline struct reader reader_init(const void *data, size_t size)
{
	return (struct reader){ .data = data, .size = size };
}

static inline size_t reader_left(const struct reader *r)
{
	return r->overrun ? 0 : r->size - r->pos;
}

/* read_bytes() - the next @n bytes in place, or NULL (and overrun) when there are fewer */
static inline const uint8_t *read_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = r->data + r->pos;

	if (r->overrun || r->size - r->pos < n) {
		r->overrun = true;
		return NULL;
	}
	r->pos += n;
	return p;
}

static inline uint8_t read_u8(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t read_u32(struct reader *r)
{
	const uint8_t *p = read_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

/* read_copy() - copy the next @n bytes to @to; zeros on overrun, so that nothing stays uninitialised */
static inline void read_copy(struct reader *r, void *to, size_t n)
{
	const uint8_t *p = read_bytes(r, n);

	if (p)
		memcpy(to, p, n);
	else
		memset(to, 0, n);
}

static inline struct writer writer_init(void *data, size_t room)
{
	return (struct writer){ .data = data, .room = room };
}

/* write_space() - reserve @n bytes to be filled in by the caller, or NULL (and overrun) */
static inline uint8_t *write_space(struct writer *w, size_t n)
{
	uint8_t *p = w->data + w->pos;

	if (w->overrun || w->room - w->pos < n) {
		w->overrun = true;
		return NULL;
	}
	w->pos += n;
	return p;
}

static inline void write_bytes(struct writer *w, const void *from, size_t n)
{
	uint8_t *p = write_space(w, n);

	if (p && n)
		memcpy(p, from, n);
}

static inline void write_zeros(struct writer *w, size_t n)
{
	uint8_t *p = write_space(w, n);

	if (p)
		memset(p, 0, n);
}

static inline void write_u8(struct writer *w, uint8_t v)
{
	write_bytes(w, &v, 1);
}

static inline void write_u16(struct writer *w, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	write_bytes(w, b, 2);
}

static inline void write_u32(struct writer *w, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	write_bytes(w, b, 4);
}

/* Unaligned loads and stores in network order, for code that has already checked its bounds. */
static inline uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, (uint16_t)(v >> 16));
	put_u16(p + 2, (uint16_t)v);
}

#endif
