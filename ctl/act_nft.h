/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_nft.h - the one table of nftables that is lanyard's: "inet lanyard", written as text for libnftables
 *
 * All of the ruleset's text is in act_nft.c. What is put into it are numbers, addresses and interface names that
 * host_request_check() has passed. Its chains never change: a network is its interface in some of the sets, a forward one element of a map,
 * so a packet costs the same lookups however many there are. libnftables allocates, and may block.
 */
#ifndef CTL_ACT_NFT_H
#define CTL_ACT_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/host.h"

struct error;

/* nft_member - a network */
struct nft_member {
	char ifname[HOST_IFNAME_SIZE];	/* the host's end of it */
	char out[HOST_IFNAME_SIZE];	/* its guests leave by this one alone, or "": by any */
	char way[HOST_IFNAME_SIZE];	/* by which they leave as far as is known, or "": a device of the flowtable */
	uint8_t access;			/* enum host_nat_access */
	uint8_t helpers;		/* bits of enum host_nat_helper */
};

/* nft_write_table() - the table without members, in the place of one that is there
 * @features:	bits of enum nft_feature
 * @devices:	of NFT_FLOWTABLE: "\"ly-lab\", \"eth0\""
 */
void nft_write_table(FILE *to, unsigned features, const char *devices);

/* nft_write_member(), nft_write_forwards() - @verb is "add" or "delete" */
void nft_write_member(FILE *to, const char *verb, const struct nft_member *m);
void nft_write_forwards(FILE *to, const char *verb, const struct host_forward *list, size_t n);

/* nft_run() - one transaction. Return: 0; or negative errno with @err, and nothing is different */
int nft_run(const char *text, struct error *err);

/* nft_ruleset() - all that the host has, as JSON; for free(). NULL with @err */
char *nft_ruleset(struct error *err);

/* nft_exists() - is there a table of our name? Return: 1, 0, or negative errno: nobody says. nft_delete() - there is none any more. Return: 0, -ENOENT, or negative errno: it is there still */
int nft_exists(void);
int nft_delete(void);

/* --- act_nft_features.c: what some kernels have and others have not --- */

/* nft_feature - helpers have the numbers of enum host_nat_helper */
enum nft_feature {
	NFT_TIMEOUTS = 8,		/* of our connections alone, as RFC 4787 and 5382 want them */
	NFT_FLOWTABLE = 16,		/* what is established passes from device to device in few steps */
};

/* nft_write_objects(), nft_write_begin() - what the table has of these, and what chain "begin" does to a new connection */
void nft_write_objects(FILE *to, unsigned features, const char *devices);
void nft_write_begin(FILE *to, unsigned features);
const char *nft_feature_name(unsigned feature);		/* of one; a helper's is its set's, too */

/* nft_lacking() - which of @features does this kernel refuse? Asked by transactions that leave nothing */
unsigned nft_lacking(unsigned features);

#endif
