/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_nat_books.h - what of the table "inet lanyard" is whose: a file without a name for each network, which the keeper holds
 *
 * The keeper does not look into them. It gives them all to each lanyard-nat, and gets one back: how the network is now. They are not anybody
 * else's, yet one that is not whole is not read.
 */
#ifndef CTL_ACT_NAT_BOOKS_H
#define CTL_ACT_NAT_BOOKS_H

#include <stdbool.h>
#include <sys/queue.h>

#include "ctl/act_nft.h"
#include "ctl/host.h"

/* forwards - sorted by what they are of */
struct forwards {
	struct host_forward *list;
	size_t n;
};

struct nat_net {
	char name[HOST_NAME_SIZE];
	struct nft_member member;
	struct forwards forwards;
	SLIST_ENTRY(nat_net) link;
};

/* nat_books - all of it, as lanyard-nat finds it */
struct nat_books {
	SLIST_HEAD(nat_nets, nat_net) nets;
	struct forwards staged;		/* sent for this act */
	unsigned in_force;		/* what the table has of enum nft_feature */
	unsigned lacks;			/* what the kernel was found to lack since the keeper started */
	bool unknown;			/* what is in the table */
};

/* books_read() - @staged and @notes (-1: none; borrowed). Return: 0, or negative errno; in either case for books_free()
 * books_note() - a network as a file. Return: descriptor or negative errno
 */
int books_read(struct nat_books *b, int staged, const int *notes, unsigned n);
void books_free(struct nat_books *b);
int books_note(const char *name, const struct nft_member *member, const struct forwards *forwards);

struct nat_net *books_find(const struct nat_books *b, const char *name);	/* NULL: it is not in the table */

/* forwards_have_twins() - two of the same; forwards_resolve() - those of @f whose guest is not said lead where they did in @before, and are none
 * if they did not lead anywhere
 */
bool forwards_have_twins(const struct forwards *f);
void forwards_resolve(struct forwards *f, const struct forwards *before);

/* forwards_without() - those of @a that are not just so in @b; the list is the caller's to free. Return: how many, or negative errno */
long forwards_without(const struct forwards *a, const struct forwards *b, struct host_forward **list);

#endif
