// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli_blocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

int blocks_init(struct block_reader *r, struct error *err)
{
	r->part = malloc(PCAPNG_BLOCK_MAX);
	r->part_size = 0;
	return r->part ? 0 : error_set(err, -ENOMEM, "capture: out of memory");
}

void blocks_fini(struct block_reader *r)
{
	free(r->part);
}

/* take_whole() - the blocks that are all there. Return: bytes taken, or a negative errno */
static ssize_t take_whole(struct block_reader *r, struct error *err)
{
	struct pcapng_block b;
	size_t at = 0;
	int n, rc;

	while ((n = pcapng_read(r->part + at, r->part_size - at, &b)) > 0) {
		r->block(r->arg, &b);
		at += (size_t)n;
	}
	if (n < 0)
		return error_set(err, n, "daemon: the answer is no capture file");
	rc = r->whole ? r->whole(r->arg, r->part, at) : 0;
	return rc < 0 ? rc : (ssize_t)at;
}

int blocks_take(struct block_reader *r, const uint8_t *data, size_t size, struct error *err)
{
	while (size) {
		size_t some = MIN_OF(size, (size_t)PCAPNG_BLOCK_MAX - r->part_size);
		ssize_t n;

		memcpy(r->part + r->part_size, data, some);
		r->part_size += some;
		data += some;
		size -= some;
		n = take_whole(r, err);
		if (n < 0)
			return (int)n;
		r->part_size -= (size_t)n;
		memmove(r->part, r->part + n, r->part_size);
	}
	return 0;
}
