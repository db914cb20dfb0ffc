/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/lease6.h - who has which IPv6 address, and which prefix, on one segment
 *
 * One table per segment, in memory; what must survive is handed out as plain records for the store and comes back through lease6_load().
 * Control thread only; time is wall time in seconds, given by the caller. Each operation takes constant or logarithmic time, but for the
 * search in a pool that is nearly full, and memory is bounded by the pools, max_leases and the quota of each port.
 *
 * A binding is (port, client's DUID, IAID, address or prefix), and has one address or one prefix (RFC 8415 12). Which one is a matter of
 * arithmetic (RFC 7943): the place in the pool follows from the port and the MAC address of who asks first, then from the DUID and IAID,
 * too, and where it is taken it is the next free one. So a guest that asks again gets what it had, though everything about it was
 * forgotten and whatever name it gives itself; nothing is kept of those whose time is over, and an offer costs nothing.
 * Before all that comes the address that is reserved for it: that of the reservation for IPv4 behind the prefix, fd00::10.77.0.50.
 */
#ifndef DHCP_LEASE6_H
#define DHCP_LEASE6_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "dhcp/lease.h"

enum { LEASE6_DUID_MAX = 130 };

/* The plain form of a binding. A store keys it by (segment, place). */
struct lease6_record {
	char port[NAME_MAX_SIZE];
	uint8_t mac[MAC_SIZE];			/* of a prefix: of who routes to it */
	uint8_t state;				/* enum lease_state: LEASE_BOUND, _EXPIRED, _RELEASED or _DECLINED */
	uint8_t duid_size;
	uint32_t iaid;
	struct prefix6 place;			/* an address with length 128, or a prefix that is delegated */
	struct addr via;			/* a prefix: who routes to it, on the segment */
	int64_t expires_wall_s;			/* end, or when it ended; or LEASE_NEVER */
	char hostname[NAME_MAX_SIZE];
	uint8_t duid[LEASE6_DUID_MAX];
};

struct lease6_conf {
	struct prefix6 subnet;			/* the segment's /64 */
	uint64_t first, last;			/* pool: the lower halves of its addresses, inclusive; last 0: none are given */
	struct prefix6 delegated;		/* the pool of prefixes; len 0: none are given */
	uint8_t delegated_len;			/* of each; between delegated.len and 64 */
	struct addr gateway;			/* nobody's */
	const struct reservations *reservations;	/* those of IPv4; borrowed, or NULL */
	uint32_t alone;				/* likewise of whoever has none, as in mode nat every guest has the same; 0: nobody */
	uint32_t quota;				/* most bindings of one port; 0: 64 */
	uint32_t max_leases;			/* most altogether; 0: 65,536 */
	uint32_t decline_s;			/* how long a declined address rests; 0: 86,400 */
	bool (*is_used)(void *arg, struct addr a, const char *port, const uint8_t *mac);	/* by somebody else, as the wire tells; or NULL */
};

/* Who asks. All borrowed. */
struct lease6_guest {
	const char *port;
	const uint8_t *mac;			/* its own, as far as that is known */
	const uint8_t *duid;
	size_t duid_size;			/* up to LEASE6_DUID_MAX */
	uint32_t iaid;
	bool prefix;				/* it asks for a prefix */
	uint8_t len;				/* and would like it of this length; 0: of any */
	struct addr via;			/* a prefix: where the guest itself is */
	const uint8_t *circuit;			/* by which its relay heard it; or NULL */
	size_t circuit_size;
	const char *hostname;			/* cleaned; or NULL */
};

struct lease6_table;

/* lease6_changed_fn - a binding ended by itself or was taken away; @record is borrowed for the call, which must not call back */
typedef void lease6_changed_fn(void *arg, const struct lease6_record *record);

/* lease6_table_new() - an empty table; @arg: for both functions. Return: for lease6_table_free(), or NULL. */
struct lease6_table *lease6_table_new(const struct lease6_conf *conf, lease6_changed_fn *changed, void *arg);
void lease6_table_free(struct lease6_table *t);

/* lease6_table_configure() - other pools; a binding that is in none of them any more, nor reserved, ends */
void lease6_table_configure(struct lease6_table *t, const struct lease6_conf *conf, int64_t now_s);

/* lease6_load() - take back a record from the store. Return: 0; -ERANGE for what is not ours to give; -EEXIST; -ENOMEM. */
int lease6_load(struct lease6_table *t, const struct lease6_record *record);

/* lease6_is_ours() - could we have given this, by the settings as they are? Else it is of another place or another time. */
bool lease6_is_ours(const struct lease6_table *t, struct prefix6 place);

/* lease6_choose() - what the guest has, or would be given now; nothing is kept
 * @has:	what it says it has, or hopes for, or NULL: it is given that, if nobody else has it and no reservation speaks against it,
 *		though we may not know of it any more
 *
 * Return: 0 with *@place; -ENOSPC nothing is left; -EDQUOT the port has its share; -EOPNOTSUPP nothing of this sort is given. */
int lease6_choose(struct lease6_table *t, const struct lease6_guest *who, const struct prefix6 *has, int64_t now_s, struct prefix6 *place);

/* lease6_bind() - give what lease6_choose() says, or renew
 * @lease_s:	from now; UINT32_MAX for ever
 * @durable:	set when the store had this very binding unexpired, so that the record may follow the reply
 *
 * Return: 0 with *@record; as lease6_choose(), or -ENOMEM. On error nothing changed.
 */
int lease6_bind(struct lease6_table *t, const struct lease6_guest *who, const struct prefix6 *has, uint32_t lease_s, int64_t now_s,
		struct lease6_record *record, bool *durable);

/* lease6_reservation() - the guest's own, or NULL; whatever sort of binding it asks for */
const struct dhcp_reservation *lease6_reservation(const struct lease6_table *t, const struct lease6_guest *who);

/* lease6_reserved() - the address that follows from a reservation (may be NULL). Return: does one? Not where no addresses are given. */
bool lease6_reserved(const struct lease6_table *t, const struct dhcp_reservation *of, struct addr *a);

/* lease6_has() - the binding of this guest. Return: 0, with *@record unless that is NULL, or -ENOENT. */
int lease6_has(const struct lease6_table *t, const struct lease6_guest *who, struct lease6_record *record);

/* lease6_why() - for what reason lease6_choose() came to @place, for a guest that said nothing of what it has */
enum lease6_why { LEASE6_WHY_RESERVED, LEASE6_WHY_HAS, LEASE6_WHY_ITS, LEASE6_WHY_NEXT };
enum lease6_why lease6_why(const struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place);

/* lease6_may_have() - is @place the guest's, or nobody's and could be given to it? */
bool lease6_may_have(const struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place);

/* lease6_committed() - the store has written this record. Return: is it still so? What was taken away meanwhile is nobody's to be told of.
 * lease6_durable_left() - seconds left of the guest's binding as the store knows it: 0 for none, UINT32_MAX for ever */
bool lease6_committed(struct lease6_table *t, const struct lease6_record *record);
uint32_t lease6_durable_left(const struct lease6_table *t, const struct lease6_guest *who, int64_t now_s);

/* lease6_release() - the guest gives @place up; lease6_decline() - it found it in use: it rests (of a port only so many do)
 * Return: 0 with the record, or -ENOENT when it is not its own. */
int lease6_release(struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place, int64_t now_s, struct lease6_record *record);
int lease6_decline(struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place, int64_t now_s, struct lease6_record *record);

/* lease6_find() - who has this address, or the prefix that begins there; lease6_free() - take it away, by an administrator
 * Return: 0 with the record, or -ENOENT. */
int lease6_find(const struct lease6_table *t, struct addr a, struct lease6_record *record);
int lease6_free(struct lease6_table *t, struct addr a, int64_t now_s, struct lease6_record *record);

/* lease6_port_gone() - the port was removed: its bindings end */
void lease6_port_gone(struct lease6_table *t, const char *port, int64_t now_s);

/* lease6_expire() - end what is due; every other call that gives does this, too. Return: when the next one ends, or LEASE_NEVER. */
int64_t lease6_expire(struct lease6_table *t, int64_t now_s);

/* lease6_table_shift() - as lease_table_shift() */
void lease6_table_shift(struct lease6_table *t, int64_t by_s);

/* lease6_each() - every binding, in no order; @fn must not change the table. lease6_each_of() - those of a port. lease6_count() - how many
 * there are */
void lease6_each(const struct lease6_table *t, lease6_changed_fn *fn, void *arg);
void lease6_each_of(const struct lease6_table *t, const char *port, lease6_changed_fn *fn, void *arg);
size_t lease6_count(const struct lease6_table *t);

#endif
