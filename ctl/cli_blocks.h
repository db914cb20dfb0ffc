/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli_blocks.h - a capture file as it comes from the daemon, in pieces of any size, cut into its blocks; one thread */
#ifndef CTL_CLI_BLOCKS_H
#define CTL_CLI_BLOCKS_H

#include "base/error.h"
#include "ctl/pcapng.h"

struct block_reader {
	/* block() - one that is whole; whole() - the bytes of all blocks told of since the last call, may be NULL. Return: negative ends it */
	void (*block)(void *arg, const struct pcapng_block *b);
	int (*whole)(void *arg, const uint8_t *data, size_t size);
	void *arg;
	uint8_t *part;			/* of a block that is not all there yet; room for PCAPNG_BLOCK_MAX */
	size_t part_size;
};

/* blocks_init() - Return: 0, or -ENOMEM with @err */
int blocks_init(struct block_reader *r, struct error *err);
void blocks_fini(struct block_reader *r);

/* blocks_take() - the next bytes. Return: 0, what whole() returned, or -EBADMSG with @err */
int blocks_take(struct block_reader *r, const uint8_t *data, size_t size, struct error *err);

#endif
