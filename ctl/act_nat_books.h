/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_nat_books.h - what of the table "inet lanyard" is whose: a file without a name that the keeper opens at its start
 *
 * The keeper does not look into it; it gives it to each lanyard-nat, which may be killed at any time. So what the table is to be is written
 * beside what it was, and the last act, of one word, makes it what counts. Between the two the books say that nobody knows what is in the table.
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
	struct forwards forwards;	/* borrowed of the books */
	SLIST_ENTRY(nat_net) link;
};

/* nat_books - all of it, as lanyard-nat finds it */
struct nat_books {
	SLIST_HEAD(nat_nets, nat_net) nets;
	struct forwards staged;		/* sent for this act */
	unsigned in_force;		/* what the table has of enum nft_feature */
	unsigned lacks;			/* what the kernel was found to lack since the keeper started */
	bool unknown;			/* what is in the table */
	int fd;				/* borrowed */
	struct books_head *head;	/* of the file, in memory */
	char *text;
};

/* books_open() - read @fd, an empty file or books, when no other program has it any more
 * books_stage() - @n forwards are in @fd, for this act; they are a stranger's
 * Return: 0, or negative errno; in either case for books_free()
 */
int books_open(struct nat_books *b, int fd);
int books_stage(struct nat_books *b, int fd, size_t n);
void books_free(struct nat_books *b);
void books_forget(struct nat_books *b);		/* there is no network in the table */

/* books_draft() - before the table is touched: network @name is to be @member with the staged forwards; or (NULL) is to go. Nobody knows what is
 * in the table from now on. Return: 0 or negative errno
 * books_settle() - the draft is what counts, with b->in_force and b->lacks; @unknown: the table may be otherwise
 */
int books_draft(struct nat_books *b, const char *name, const struct nft_member *member);
void books_settle(struct nat_books *b, bool unknown);

struct nat_net *books_find(const struct nat_books *b, const char *name);	/* NULL: it is not in the table */

/* forwards_have_twins() - two of the same; forwards_resolve() - those of @f whose guest is not said lead where they did in @before, and are none
 * if they did not lead anywhere
 */
bool forwards_have_twins(const struct forwards *f);
void forwards_resolve(struct forwards *f, const struct forwards *before);

/* forwards_without() - those of @a that are not just so in @b; the list is the caller's to free. Return: how many, or negative errno */
long forwards_without(const struct forwards *a, const struct forwards *b, struct host_forward **list);

#endif
