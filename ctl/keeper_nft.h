/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/keeper_nft.h - the one table of nftables that is lanyard's: "inet lanyard", written as text for libnftables
 *
 * All of the ruleset's text is in keeper_nft.c. What is put into it are numbers, addresses and interface names that
 * host_request_check() has passed. Its chains never change: a network is its interface in some of the sets, a forward one element of a map,
 * so a packet costs the same lookups however many there are. In a child of the keeper: libnftables allocates, and may block.
 */
#ifndef CTL_KEEPER_NFT_H
#define CTL_KEEPER_NFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/host.h"

struct error;

/* nft_member - a network: its interface, the one its guests leave by (or ""), and enum host_nat_access */
struct nft_member {
	char ifname[HOST_IFNAME_SIZE], out[HOST_IFNAME_SIZE];
	uint8_t access;
};

/* nft_write_table() - the table without members, in the place of one that is there
 * @timeouts:	with those of RFC 4787, 5382; false: this kernel has none that can be set apart
 */
void nft_write_table(FILE *to, bool timeouts);

/* nft_write_member(), nft_write_forwards() - @verb is "add" or "delete" */
void nft_write_member(FILE *to, const char *verb, const struct nft_member *m);
void nft_write_forwards(FILE *to, const char *verb, const struct host_forward *list, size_t n);

/* nft_run() - one transaction. Return: 0; or negative errno with @err, and nothing is different */
int nft_run(const char *text, struct error *err);

/* nft_exists() - is there a table of our name? Return: 1, 0, or negative errno: nobody says. nft_delete() - there is none any more. Return: 0, -ENOENT, or negative errno: it is there still */
int nft_exists(void);
int nft_delete(void);

#endif
