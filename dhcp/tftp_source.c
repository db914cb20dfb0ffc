// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/tftp_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { PIECE = 1024 };		/* bytes of a text read at once */

/* read_octets() - a file that is read while it grows short ends there */
static long read_octets(const struct tftp_source *s, struct tftp_cursor *c, uint8_t *to)
{
	long n = s->ops->read(s->arg, s->file, c->at, to, s->block);

	if (n > 0)
		c->at += (uint64_t)n;
	return n;
}

/* expand() - as much of a piece of text as has room; what follows a byte and has none is pending */
static uint32_t expand(struct tftp_cursor *c, const uint8_t *text, size_t size, uint8_t *to, uint32_t room)
{
	uint32_t n = 0;

	for (size_t i = 0; i < size && n < room; i++) {
		bool newline = text[i] == '\n', twofold = newline || text[i] == '\r';

		to[n++] = newline ? '\r' : text[i];
		c->at++;
		if (!twofold)
			continue;
		c->byte = newline ? '\n' : '\0';
		c->pending = n == room;
		if (!c->pending)
			to[n++] = c->byte;
	}
	return n;
}

static long read_text(const struct tftp_source *s, struct tftp_cursor *c, uint8_t *to)
{
	uint8_t piece[PIECE];
	uint32_t n = 0;

	if (c->pending)
		to[n++] = c->byte;
	c->pending = false;
	while (n < s->block) {
		long got = s->ops->read(s->arg, s->file, c->at, piece, MIN_OF((size_t)(s->block - n), sizeof(piece)));

		if (got < 0)
			return got;
		if (got == 0)
			break;
		n += expand(c, piece, (size_t)got, to + n, s->block - n);
	}
	return n;
}

long tftp_source_read(const struct tftp_source *s, struct tftp_cursor *c, uint8_t *to)
{
	return s->netascii ? read_text(s, c, to) : read_octets(s, c, to);
}

int tftp_source_skip(const struct tftp_source *s, struct tftp_cursor *c, unsigned n)
{
	uint8_t *block;
	long got = 0;

	if (!s->netascii) {
		c->at += (uint64_t)n * s->block;
		return 0;
	}
	block = malloc(s->block);
	if (!block)
		return -ENOMEM;
	while (n-- && got >= 0)
		got = read_text(s, c, block);
	free(block);
	return got < 0 ? (int)got : 0;
}
