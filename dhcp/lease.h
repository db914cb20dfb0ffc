/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/lease.h - who has which address on one segment
 *
 * One table per segment, in memory; what must survive is handed out as plain records for the store and comes
 * back through lease_load(). Control thread only. Time is wall time in seconds, given by the caller. Every
 * operation that a guest can cause takes constant or logarithmic time, and memory is bounded by the pool,
 * max_leases and the quota of each port.
 *
 * A guest is (port, MAC). The client-id is kept to be shown, never to merge two guests: clones share it. An
 * address once given is remembered. A guest that asks is given the first of these that there is:
 *   1. the address reserved for it
 *   2. the one it has or had
 *   3. the one its port's only former guest had, if it is idle (a new network card)
 *   4. the one its MAC had on a port that is gone
 *   5. the one it asks for, if nobody ever had it
 *   6. one that nobody ever had
 *   7. the one that has been idle longest
 * But for the first, only addresses of its pool count. A port that reached its quota gives up its own idle addresses first and then gets no more, so that a guest
 * inventing MAC addresses pushes out nobody else.
 */
#ifndef DHCP_LEASE_H
#define DHCP_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum lease_state {
	LEASE_OFFERED,		/* held for a guest that was offered it */
	LEASE_BOUND,
	LEASE_EXPIRED,		/* idle: the guest did not renew; remembered */
	LEASE_RELEASED,		/* idle: the guest or its port gave it up; remembered */
	LEASE_DECLINED,		/* a guest found somebody else using it; nobody gets it until it expires */
};

/* Why it is this address that a guest is given; in the order above. */
enum lease_why {
	LEASE_WHY_RESERVED, LEASE_WHY_HAS, LEASE_WHY_HAD, LEASE_WHY_PORT_HAD, LEASE_WHY_MAC_HAD, LEASE_WHY_WANTED, LEASE_WHY_FRESH,
	LEASE_WHY_IDLEST,
	LEASE_WHY_SHARE,	/* the port has as many as it may: its own that is idle longest */
};

enum { LEASE_CLIENT_ID_MAX = 255, LEASE_CIRCUIT_MAX = 255, LEASE_EXCLUDED_MAX = 16, LEASE_RANGES_MAX = 96 };

#define LEASE_NEVER INT64_MAX	/* an end that does not come */

/* The plain form of a lease: what is stored, listed and told to others. A store keys it by (segment, ip). */
struct lease_record {
	char port[NAME_MAX_SIZE];
	uint8_t mac[MAC_SIZE];
	uint8_t state;				/* enum lease_state */
	uint8_t client_id_size;
	uint32_t ip;				/* host order */
	int64_t expires_wall_s;			/* end, or when it ended; or LEASE_NEVER */
	char hostname[NAME_MAX_SIZE];
	uint8_t client_id[LEASE_CLIENT_ID_MAX];
	uint8_t circuit_size;
	uint8_t circuit[LEASE_CIRCUIT_MAX];	/* by which a relay heard the guest last (RFC 3046) */
};

/* Addresses of one pool, both ends inclusive; a pool may have several. */
struct lease_range {
	uint32_t first, last;
	unsigned pool;				/* 0: everybody's; others are for guests who say so */
};

struct reservations;
struct lease_guest;

/* lease_squatter - who was seen with an address that is not leased to him */
struct lease_squatter {
	const char *port;			/* borrowed */
	uint8_t mac[MAC_SIZE];
};

/* lease_taken_fn - was somebody else than @who, to whom it is new, seen with @ip? It must not call back into the table. */
typedef bool lease_taken_fn(void *arg, uint32_t ip, const struct lease_guest *who, struct lease_squatter *by);

struct lease_conf {
	struct prefix4 subnet;
	struct lease_range ranges[LEASE_RANGES_MAX];	/* by address, apart from one another, inside the subnet */
	unsigned nranges;
	const struct reservations *reservations;	/* what is set aside; borrowed until the next configuration, or NULL */
	uint32_t excluded[LEASE_EXCLUDED_MAX];	/* gateway, DNS ...; network and broadcast are known */
	unsigned nexcluded;
	uint32_t quota;				/* most addresses of one port, idle ones included; 0: 64 */
	uint32_t declines;			/* most of them that rest because it declined them; 0: 8 */
	uint32_t max_leases;			/* most addresses remembered; 0: 65,536 */
	uint32_t offer_s;			/* how long an offer is held; 0: 30 */
	uint32_t decline_s;			/* how long a declined address rests; 0: 86,400 */
	lease_taken_fn *taken;			/* asked before an address is given that was never the guest's, or somebody's since; or NULL */
	void *taken_arg;
	uint32_t conflict_s;			/* how long an address rests that is taken; 0: 600 */
	bool one_guest;				/* one port with one address (mode nat): a new MAC takes over the lease */
};

/* An address that is taken rests like one that its squatter's port declined, and counts as such: nobody can claim away more than `declines`.
 * What he claims beyond that is not believed.
 */

/* Who asks, and what it says of itself. All borrowed. */
struct lease_guest {
	const char *port;			/* below NAME_MAX_SIZE */
	const uint8_t *mac;
	const uint8_t *client_id;		/* or NULL */
	size_t client_id_size;			/* kept up to 255 bytes */
	const uint8_t *circuit;			/* as long; or NULL */
	size_t circuit_size;
	const char *hostname;			/* cleaned; or NULL */
	uint32_t reserved;			/* the address that is set aside for this guest, or 0 */
	unsigned pool;				/* which one it is given addresses of */
};

struct lease_table;

/* lease_changed_fn - a lease changed other than by the call that reports it itself: it expired, was displaced
 * or freed
 * @record:	borrowed for the call; the store may write it at its leisure
 *
 * It must not call back into the table.
 */
typedef void lease_changed_fn(void *arg, const struct lease_record *record);

/* lease_table_new() - an empty table
 *
 * Return: a table for lease_table_free(), or NULL with errno: ENOMEM, or EINVAL when a range is empty, outside the
 * subnet, or not behind the one before it.
 */
struct lease_table *lease_table_new(const struct lease_conf *conf, lease_changed_fn *changed, void *arg);
void lease_table_free(struct lease_table *t);

/* lease_table_configure() - other pools, reservations or settings; live leases inside the subnet go on, what is outside it is
 * dropped
 *
 * Who has an address that is reserved for another now keeps it until he renews (DHCP-47). Return: 0, -EINVAL or -ENOMEM, with nothing
 * changed but that no reservation is known any more.
 */
int lease_table_configure(struct lease_table *t, const struct lease_conf *conf, int64_t now_s);

/* lease_load() - take back a record from the store (start-up); in the order of their ends, so that the longest
 * idle is known
 * @port_exists: false makes it the memory of a port that is gone, until the port is seen again
 *
 * The record counts as durable. Return: 0; -ERANGE for an address that cannot be leased; -EEXIST when it is
 * there; -ENOMEM.
 */
int lease_load(struct lease_table *t, const struct lease_record *record, bool port_exists);

/* lease_port_gone() - the port was removed: its leases are freed and remembered */
void lease_port_gone(struct lease_table *t, const char *port, int64_t now_s);

/* lease_offer() - choose an address for a guest and hold it
 * @wanted:	address it asks for, or 0
 *
 * Return: 0 with *@ip; -ENOSPC pool exhausted; -EDQUOT the port has its share; -ENOMEM.
 */
int lease_offer(struct lease_table *t, const struct lease_guest *who, uint32_t wanted, int64_t now_s, uint32_t *ip);

/* lease_trial() - what lease_offer() would choose, and why; nothing changes */
int lease_trial(struct lease_table *t, const struct lease_guest *who, uint32_t wanted, uint32_t *ip, enum lease_why *why);

/* lease_withdraw() - the guest took another server's offer: an offer held for it is free again */
void lease_withdraw(struct lease_table *t, const struct lease_guest *who, int64_t now_s);

/* lease_bind() - give or renew
 * @adopt:	the guest renews what it says it has: an address nobody has is given though we do not know of it (DHCP-13)
 * @lease_s:	from now; UINT32_MAX for ever
 * @record:	what the store must know
 * @durable:	set when the store had this very binding unexpired, so that the record may follow the ACK
 *
 * Return: 0; -ENOENT nothing was offered to this guest and it may not adopt; -EADDRINUSE it has another
 * address, or somebody else has this one, or was seen with it since it was offered: then it rests; -ERANGE the address is not ours to give; -EDQUOT; -ENOMEM. On error
 * nothing changed.
 */
int lease_bind(struct lease_table *t, const struct lease_guest *who, uint32_t ip, bool adopt, uint32_t lease_s,
	       int64_t now_s, struct lease_record *record, bool *durable);

/* lease_committed() - the store has written this record; until then lease_bind() will not call the binding
 * durable. Return: is it still so? What was taken away meanwhile is nobody's to be acknowledged.
 */
bool lease_committed(struct lease_table *t, const struct lease_record *record);

/* lease_durable_left() - seconds left of the guest's lease on @ip (0: on any) as the store knows it: 0 for
 * none, UINT32_MAX for ever
 */
uint32_t lease_durable_left(const struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t now_s);

/* lease_circuit() - the circuit by which a relay heard the guest to which @ip is bound, into @circuit. Return: its size; 0: none did */
size_t lease_circuit(const struct lease_table *t, const struct lease_guest *who, uint32_t ip, uint8_t circuit[LEASE_CIRCUIT_MAX]);

/* lease_release() - the guest gives its address up. Return: 0 with the record, or -ENOENT when it is not its own, or it was bound to
 * another client-id (DHCP-15).
 */
int lease_release(struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t now_s,
		  struct lease_record *record);

/* lease_decline() - the guest found its address in use: it rests, and the guest will get another. Return: as
 * lease_release().
 */
int lease_decline(struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t now_s,
		  struct lease_record *record);

/* lease_free() - take a lease away, by an administrator. Return: 0 with the record, or -ENOENT. */
int lease_free(struct lease_table *t, uint32_t ip, int64_t now_s, struct lease_record *record);

/* lease_expire() - end what is due, each reported by lease_changed_fn. Every other call does this too.
 *
 * Return: when the next lease ends, or LEASE_NEVER.
 */
int64_t lease_expire(struct lease_table *t, int64_t now_s);

/* lease_table_shift() - the wall clock was set ahead by @by_s, or back: every end moves along, so that leases go on for as long as guests were told */
void lease_table_shift(struct lease_table *t, int64_t by_s);

/* lease_find() - the record of an address; lease_find_port() - of the bound lease of a port with the latest
 * end. Return: 0 or -ENOENT.
 */
int lease_find(const struct lease_table *t, uint32_t ip, struct lease_record *record);
int lease_find_port(const struct lease_table *t, const char *port, struct lease_record *record);

/* lease_each() - every record, in no order; @fn must not change the table */
void lease_each(const struct lease_table *t, lease_changed_fn *fn, void *arg);

/* lease_count() - addresses offered, bound or resting; and all that are remembered */
size_t lease_count_active(const struct lease_table *t);
size_t lease_count(const struct lease_table *t);

#endif
