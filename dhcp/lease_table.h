/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/lease_table.h - the indices behind lease.h: leases by address, by guest, by end and by how long they are idle
 *
 * For lease.c alone, which decides; here nothing is decided but that an index never lies. Control thread only.
 * A lease is in these places:
 *                      by address   by guest   by MAC, of ports gone   expiry heap   idle lists
 *   offered, bound     yes          yes        if its port is gone     yes           no
 *   expired, released  yes          yes        if its port is gone     no            yes, longest idle first
 *   declined           yes          no         no                      yes           no
 */
#ifndef DHCP_LEASE_TABLE_H
#define DHCP_LEASE_TABLE_H

#include <sys/queue.h>

#include "base/hash.h"
#include "base/hash_index.h"
#include "dhcp/expiry.h"
#include "dhcp/lease.h"

/* Guests choose MAC addresses, so the hash is seeded; and a table that cannot grow must not end the process. */
#define HASH_FUNCTION(key, size, value) ((value) = (unsigned)hash_bytes(key, size, hash_seed()))
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* A port that has leases, or the memory of some. */
struct lease_port {
	char name[NAME_MAX_SIZE];
	uint32_t nleases;			/* of any state */
	uint32_t ndeclined;
	bool gone;
	TAILQ_HEAD(lease_list, lease) leases;	/* all, oldest binding first */
	struct lease_list idle;
	UT_hash_handle hh;			/* by name */
};

struct lease_owner {				/* compared as bytes, so the padding is explicit and zero */
	struct lease_port *port;
	uint8_t mac[8];
};

struct lease {
	struct lease_owner owner;
	uint32_t ip;
	uint8_t state;				/* enum lease_state */
	bool was_bound : 1;			/* worth remembering */
	bool squatted : 1;			/* it rests, but nobody has been told, for no guest had it */
	uint16_t pool;				/* in whose idle list it is, while it is idle */
	struct expiry expiry;			/* when it ends, or ended */
	int64_t durable_s;			/* the end of this very binding as stored; 0 for not stored */
	uint8_t *said;				/* of itself: size, client-id; size, circuit; hostname, NUL; or NULL */
	TAILQ_ENTRY(lease) of_port, idle, idle_of_port;
	struct hash_link by_ip, by_owner, by_mac;
};

_Static_assert(sizeof(struct lease) <= 152, "what each lease costs: a chunk of 160 bytes, and as much as the guest said of itself");

/* The addresses of the ranges of one number. */
struct lease_pool {
	struct lease_list idle;			/* the one to be given away first in front */
	unsigned range;				/* in which, of conf.ranges, */
	uint64_t next;				/* no address from here on was ever given; 0: nor any of the range */
	uint32_t *returned;			/* addresses before `next` that nobody remembers, and some that are taken again */
	size_t nreturned, returned_room;
};

struct lease_table {
	struct lease_conf conf;
	lease_changed_fn *changed;
	void *arg;
	struct lease_port *ports;		/* uthash, by name */
	struct hash_index by_ip, by_owner, by_mac;
	struct expiry_heap heap;
	size_t nleases;
	struct lease_pool *pools;
	unsigned npools;
};

static inline bool lease_idle(const struct lease *l)
{
	return l->state == LEASE_EXPIRED || l->state == LEASE_RELEASED;
}

struct lease_port *table_port(const struct lease_table *t, const char *name);
struct lease_port *table_port_get(struct lease_table *t, const char *name);	/* makes it; NULL for lack of memory */
void table_port_tidy(struct lease_table *t, struct lease_port *p);		/* frees it when nothing needs it */
void table_port_set_gone(struct lease_table *t, struct lease_port *p, bool gone);

/* table_next() - all leases, port by port: the one behind @l, or with NULL the first. What is before it may be removed, and its port be tidied. */
struct lease *table_next(const struct lease_table *t, const struct lease *l);

struct lease *table_find(const struct lease_table *t, uint32_t ip);
struct lease *table_find_guest(const struct lease_table *t, struct lease_port *p, const uint8_t *mac);

/* table_find_orphan() - a lease that this MAC had at a port that is gone, or NULL */
struct lease *table_find_orphan(const struct lease_table *t, const uint8_t *mac);

/* table_add() - a new lease of the guest, offered until @end_s. Return: NULL for lack of memory. */
struct lease *table_add(struct lease_table *t, uint32_t ip, struct lease_port *p, const uint8_t *mac,
			int64_t end_s);

/* table_give() - make a lease that somebody had the lease of this guest, offered; what was known of it is
 * forgotten
 */
int table_give(struct lease_table *t, struct lease *l, struct lease_port *p, const uint8_t *mac, int64_t end_s);

/* table_remove() - forget a lease altogether; its address may be given as if new. Its port remains. */
void table_remove(struct lease_table *t, struct lease *l);

/* table_set() - another state and end; moves the lease between heap and idle lists. @first: to the front of the
 * idle ones
 */
void table_set(struct lease_table *t, struct lease *l, enum lease_state state, int64_t end_s, bool first);

/* table_say() - keep what the guest says of itself; for lack of memory what was known stays. table_said() - what is kept, borrowed */
struct lease_said {
	const uint8_t *client_id, *circuit;	/* NULL: nothing was ever said */
	size_t client_id_size, circuit_size;
	const char *hostname;			/* "" for none */
};
void table_say(struct lease *l, const struct lease_guest *who);
struct lease_said table_said(const struct lease *l);

bool table_may_lease(const struct lease_table *t, uint32_t ip);	/* in the subnet and not excluded */
bool table_reserved(const struct lease_table *t, uint32_t ip);	/* is it set aside for somebody? */

/* table_pool() - in which pool the address is, or -1 for none: also when it is reserved */
int table_pool(const struct lease_table *t, uint32_t ip);

/* table_fresh() - an address of the pool that nobody has or is remembered for, or 0; asked again it is the same until somebody has it */
uint32_t table_fresh(struct lease_table *t, unsigned pool);

/* table_set_conf() - take another configuration: what was idle goes to the list of the pool that it is in now, or is forgotten. 0 or
 *	-ENOMEM
 * table_free_pools() - with nothing idle any more
 */
int table_set_conf(struct lease_table *t, const struct lease_conf *conf);
void table_free_pools(struct lease_table *t);

/* table_return() - the address may be fresh again */
void table_return(struct lease_table *t, uint32_t ip);

void table_record(const struct lease *l, struct lease_record *record);

/* lease_squatted() - is an address that is new to @who taken? Then it rests. Where it cannot, it counts as free.
 * @l:	the idle or offered lease of it, or NULL
 */
bool lease_squatted(struct lease_table *t, const struct lease_guest *who, uint32_t ip, struct lease *l, int64_t now_s);

/* lease_retire() - nobody has this lease any more: remember it if it may be given again, else forget it
 *
 * What was only offered goes to the front of the idle ones: nothing is lost when it is given to another.
 */
void lease_retire(struct lease_table *t, struct lease *l, enum lease_state state, int64_t now_s);

/* lease_end() - the same for a lease that ends by itself or by force, and tells lease_changed_fn if it had been
 * bound or declined
 */
void lease_end(struct lease_table *t, struct lease *l, enum lease_state state, int64_t now_s);

#endif
