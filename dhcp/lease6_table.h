/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/lease6_table.h - the indices behind lease6.h: bindings by place, by guest, by port and by end
 *
 * For lease6.c alone, which decides. Control thread only. A declined place is no guest's: it is found by place, by port and by end.
 */
#ifndef DHCP_LEASE6_TABLE_H
#define DHCP_LEASE6_TABLE_H

#include <sys/queue.h>

#include "base/hash.h"
#include "dhcp/expiry.h"
#include "dhcp/lease6.h"

/* Guests choose what they are called, so the hash is seeded; and a table that cannot grow must not end the process. */
#define HASH_FUNCTION(key, size, value) ((value) = (unsigned)hash_bytes(key, size, hash_seed()))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* A port that has bindings. */
struct lease6_port {
	char name[NAME_MAX_SIZE];
	uint32_t nleases, ndeclined;		/* the former of any state */
	LIST_HEAD(, lease6) leases;
	UT_hash_handle hh;			/* by name */
};

/* lease6_key - whose a binding is, as bytes that compare: the port, the IAID, the sort, the DUID */
struct lease6_key {
	uint8_t size;
	uint8_t bytes[sizeof(struct lease6_port *) + 4 + 1 + LEASE6_DUID_MAX];
};

struct lease6 {
	struct lease6_port *port;
	struct prefix6 place;
	struct addr via;
	uint8_t mac[MAC_SIZE];
	uint8_t state;				/* LEASE_BOUND or LEASE_DECLINED */
	struct expiry expiry;
	int64_t durable_s;			/* the end of this very binding as stored; 0: it is not */
	char *hostname;				/* or NULL */
	LIST_ENTRY(lease6) of_port;
	UT_hash_handle hh_place, hh_owner;	/* hh_owner.tbl is NULL of a declined one */
	uint8_t key_size, key[];		/* struct lease6_key */
};

struct lease6_table {
	struct lease6_conf conf;
	lease6_changed_fn *changed;
	void *arg;
	struct lease6_port *ports;		/* uthash: by name */
	struct lease6 *by_place, *by_owner;
	struct expiry_heap heap;
	size_t nleases;
};

struct lease6_port *table6_port(const struct lease6_table *t, const char *name);
struct lease6_port *table6_port_get(struct lease6_table *t, const char *name);	/* makes it; NULL for lack of memory */
void table6_port_tidy(struct lease6_table *t, struct lease6_port *p);		/* frees it when nothing needs it */

struct lease6 *table6_find(const struct lease6_table *t, struct addr place);
struct lease6 *table6_find_guest(const struct lease6_table *t, const struct lease6_port *p, const struct lease6_guest *who);

/* table6_add() - a binding of the guest until @end_s, where there is none. Return: NULL for lack of memory. */
struct lease6 *table6_add(struct lease6_table *t, struct lease6_port *p, const struct lease6_guest *who, struct prefix6 place, int64_t end_s);

/* table6_set_end() - another end; table6_decline() - it is no guest's any more, but rests until @end_s; table6_remove() - forget it: its
 * port remains */
void table6_set_end(struct lease6_table *t, struct lease6 *l, int64_t end_s);
void table6_decline(struct lease6_table *t, struct lease6 *l, int64_t end_s);
void table6_remove(struct lease6_table *t, struct lease6 *l);

/* table6_say() - keep what the guest says of itself; for lack of memory what was known stays */
void table6_say(struct lease6 *l, const struct lease6_guest *who);

void table6_record(const struct lease6 *l, struct lease6_record *record);

#endif
