/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/names.h - the DNS names of one segment
 *
 * Written by the control thread alone, which is registered with liburcu (QSBR); read by workers at any time
 * with names_find(). A name's records are one immutable set that is replaced whole and freed after a grace
 * period, so that an answer never mixes old and new (DNS-37). A reader may use a set until its next quiescent
 * state.
 *
 * Two sources share a name: the address of a guest (names_set_host) and what the user adds (names_add). Segments that are to have
 * the user's names in common have a table each, within one that holds those: names_outer().
 */
#ifndef DHCP_NAMES_H
#define DHCP_NAMES_H

#include "dhcp/dns_record.h"

enum { NAMES_RECORDS_MAX = 64, NAMES_MAX = 131072 };	/* records of one name; names of one table */

struct names;

struct name_record {
	uint16_t type;
	uint16_t size;
	bool host;			/* from names_set_host() */
	const uint8_t *rdata;
};

/* name_set - the records of one name; none for a name that only has others below it (RFC 8020: it exists
 * nevertheless)
 */
struct name_set {
	unsigned n;
	const struct name_record *records;
};

/* names_new() - an empty table whose hosts are named below @origin. Return: a table for names_free(), or NULL. */
struct names *names_new(const struct dns_name *origin);

/* names_new_within() - a table of one segment's own names; what is in @outer (borrowed, outlives it) holds there, too
 * @few:	they are those of one guest
 */
struct names *names_new_within(const struct names *outer, bool few);

/* names_free() - and every name in it; no reader may look it up any more. It may wait for a grace period, and
 * is a quiescent state of the calling thread.
 */
void names_free(struct names *t);

/* names_find() - the records of a name in this very table, or NULL
 * @lower:	made lower-case by dns_name_lower()
 * names_hash() - for names_find_hashed(), which is the same for who looks into several tables
 * names_outer() - the table that this one is within, or NULL
 *
 * Any registered thread.
 */
const struct name_set *names_find(const struct names *t, const struct dns_name *lower);
uint64_t names_hash(const struct dns_name *lower);
const struct name_set *names_find_hashed(const struct names *t, const struct dns_name *lower, uint64_t hash);
const struct names *names_outer(const struct names *t);

/* names_any_wild() - is there a wildcard in it, or in those that it is within? "*.web.lab.internal" is found under this name like any
 * other; to know when to look is the caller's. Any thread. */
bool names_any_wild(const struct names *t);

/* names_set_host() - "web1" has this address: an A record of web1.ORIGIN and the PTR record back
 *
 * What it had before is replaced; the same again costs next to nothing. Return: 0; -EINVAL for no DNS label;
 * -ENOSPC; -ENOMEM.
 */
int names_set_host(struct names *t, const char *label, uint32_t ip);

/* names_point_host() - an A record alone: the way back from the address is another name's. Return: as names_set_host()
 * names_has_users() - does the user say something about "web1" here, or in a table that this one is within?
 */
int names_point_host(struct names *t, const char *label, uint32_t ip);
bool names_has_users(const struct names *t, const char *label);

/* names_set_host6() - it has these IPv6 addresses, at most NAMES_HOST6_MAX: AAAA records, and a PTR record back from each of the first
 * @nback: the way back from the others is another name's. What it had before is replaced. Return: as names_set_host()
 * names_add_host6() - one more, which leads back to it; -ENOSPC when it has so many; names_remove_host6_at() - one less
 * names_has_host6() - has it any?
 */
enum { NAMES_HOST6_MAX = 8 };
int names_set_host6(struct names *t, const char *label, const struct addr *list, unsigned n, unsigned nback);
int names_add_host6(struct names *t, const char *label, struct addr a);
void names_remove_host6_at(struct names *t, const char *label, struct addr a);
bool names_has_host6(const struct names *t, const char *label);

/* names_remove_host() - the guest has no address of either family any more; no matter if it had none */
void names_remove_host(struct names *t, const char *label);

/* names_remove_host_at() - its IPv4 address alone, and only if @ip is what it has: what follows the end of one of several
 * leases of a port
 */
void names_remove_host_at(struct names *t, const char *label, uint32_t ip);

/* names_add() - add a record of the user's. What is there already is added once.
 *
 * Return: 0; -EEXIST for a CNAME beside other records or other records beside a CNAME (RFC 2181 10.1); -ENOSPC;
 * -ENOMEM.
 */
int names_add(struct names *t, const struct dns_name *owner, const struct dns_record *record);

/* names_assign() - these are the user's records of a name now, in the place of all that there were; readers see the old ones or the new ones
 * @records:	@n of them, which are borrowed; 0: it has none any more
 *
 * Return: as names_add()
 */
int names_assign(struct names *t, const struct dns_name *owner, const struct dns_record *records, unsigned n);

/* names_remove() - remove a user's records of this type. Return: 0 or -ENOENT. */
int names_remove(struct names *t, const struct dns_name *owner, uint16_t type);

/* names_each() - every name with records in this very table, and not while it changes
 * names_on_change() - have @fn called after each change, which is not to make another. Control thread.
 */
void names_each(const struct names *t, void (*fn)(void *arg, const struct dns_name *name, const struct name_set *set), void *arg);
void names_on_change(struct names *t, void (*fn)(void *arg), void *arg);

/* names_count() - names with records */
unsigned names_count(const struct names *t);

#endif
