/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/tftp_source.h - a file as blocks: where one begins, and what is in it; a part of tftp.c
 *
 * A cursor stands before a block. In mode octet a block is a piece of the file; in netascii (RFC 764: a line ends with CR LF, and a CR
 * alone is CR NUL) one byte may become two, of which the second may be the next block's first: so where a block begins is known only
 * to who has read all before it.
 */
#ifndef DHCP_TFTP_SOURCE_H
#define DHCP_TFTP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcp/tftp.h"

struct tftp_cursor {
	uint64_t at;			/* byte of the file */
	bool pending;			/* netascii: before that byte, this one is still to be sent */
	uint8_t byte;
};

struct tftp_source {
	const struct tftp_ops *ops;	/* borrowed, with arg */
	void *arg;
	int file;
	bool netascii;
	uint32_t block;			/* bytes of every block but the last, which has fewer, and be it none */
};

/* tftp_source_read() - the block at @c, which moves behind it
 * @to:	room for s->block bytes
 *
 * Return: how many bytes it has; or negative errno.
 */
long tftp_source_read(const struct tftp_source *s, struct tftp_cursor *c, uint8_t *to);

/* tftp_source_skip() - move behind @n whole blocks. Return: 0 or negative errno */
int tftp_source_skip(const struct tftp_source *s, struct tftp_cursor *c, unsigned n);

#endif
