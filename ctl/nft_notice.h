/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/nft_notice.h - what the kernel tells of changes of nftables: has somebody else changed the table that is ours?
 *
 * Of each transaction come messages about what is different, and at its end one that says which program it was (NFT_MSG_NEWGEN). Parses what
 * was received and nothing else; the kernel sent it, and yet no length is trusted.
 */
#ifndef CTL_NFT_NOTICE_H
#define CTL_NFT_NOTICE_H

#include <stdbool.h>
#include <stddef.h>

struct nft_notice {
	bool ours;			/* the transaction that is being told of is about our table */
	bool changed;			/* one by another program was; stays until it is cleared */
	char by[16];			/* that program */
};

/* nft_notice_read() - one datagram; @self is the program whose changes are expected */
void nft_notice_read(struct nft_notice *n, const void *data, size_t size, const char *self);

#endif
