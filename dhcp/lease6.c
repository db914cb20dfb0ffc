// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/lease6.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/lease6_table.h"
#include "dhcp/reservation.h"

enum { SEARCH_USED = 64 };		/* so many addresses that are reserved, or used by others who never asked, are passed over at one go */

/* ---- the pools ---- */

/* pool_size() - places that may be given of this sort; 0: none */
static uint64_t pool_size(const struct lease6_conf *c, bool prefix)
{
	if (prefix)
		return c->delegated.len ? (uint64_t)1 << (c->delegated_len - c->delegated.len) : 0;
	return c->last ? c->last - c->first + 1 : 0;
}

static struct prefix6 place_at(const struct lease6_conf *c, bool prefix, uint64_t i)
{
	struct prefix6 place = { .addr = prefix ? c->delegated.addr : c->subnet.addr, .len = prefix ? c->delegated_len : 128 };

	if (prefix)
		place.addr.halves[0] = htobe64(be64toh(place.addr.halves[0]) + (i << (64 - c->delegated_len)));
	else
		place.addr.halves[1] = htobe64(c->first + i);
	return place;
}

static bool in_pool(const struct lease6_conf *c, struct prefix6 place)
{
	uint64_t low = be64toh(place.addr.halves[1]), inside = be64toh(place.addr.halves[0]);

	if (place.len == 128)
		return c->last && addr_in(c->subnet, place.addr) && low >= c->first && low <= c->last;
	return c->delegated.len && place.len >= c->delegated_len && place.len <= 64 && !low && addr_in(c->delegated, place.addr) &&
	       !(inside & (((uint64_t)1 << (64 - c->delegated_len)) - 1));
}

/* reserved() - the address that ends with the four bytes of an IPv4 address; as_reserved() - that one again, or 0 */
static struct prefix6 reserved(const struct lease6_conf *c, uint32_t ip)
{
	struct prefix6 place = { .addr = c->subnet.addr, .len = 128 };

	place.addr.halves[1] = htobe64(ip);
	return place;
}

static uint32_t as_reserved(const struct lease6_conf *c, struct prefix6 place)
{
	uint64_t low = be64toh(place.addr.halves[1]);

	return place.len == 128 && c->last && low <= UINT32_MAX && addr_in(c->subnet, place.addr) ? (uint32_t)low : 0;
}

bool lease6_is_ours(const struct lease6_table *t, struct prefix6 place)
{
	uint32_t ip = as_reserved(&t->conf, place);

	if (addr_equal(place.addr, t->conf.gateway))
		return false;
	return in_pool(&t->conf, place) || (ip && (ip == t->conf.alone || reservations_at(t->conf.reservations, ip)));
}

/* seed_of() - where in a pool the search for a guest begins; not seeded by the process: what a guest gets outlives it
 * @whole: by all that the guest is, else by its port and MAC address alone */
static uint64_t seed_of(const struct lease6_guest *who, bool whole)
{
	uint64_t h = hash_bytes(who->port, strlen(who->port), 0x6c6561736536ull);

	h = hash_bytes(who->mac, MAC_SIZE, h);
	if (whole) {
		h = hash_u64(h, who->iaid);
		h = hash_bytes(who->duid, who->duid_size, h);
	}
	return h;
}

/* ---- choosing ---- */

const struct dhcp_reservation *lease6_reservation(const struct lease6_table *t, const struct lease6_guest *who)
{
	struct guest_id id = {
		.port = who->port, .mac = who->mac, .client_id = who->duid, .client_id_size = who->duid_size, .circuit = who->circuit,
		.circuit_size = who->circuit_size,
	};

	return reservations_match(t->conf.reservations, &id);
}

bool lease6_reserved(const struct lease6_table *t, const struct dhcp_reservation *of, struct addr *a)
{
	if (!of || !of->ip || !t->conf.last)
		return false;
	*a = reserved(&t->conf, of->ip).addr;
	return true;
}

/* is_others() - is it reserved for somebody else? */
static bool is_others(const struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place)
{
	uint32_t ip = as_reserved(&t->conf, place);
	const struct dhcp_reservation *whose = ip ? reservations_at(t->conf.reservations, ip) : NULL;

	return whose && whose != lease6_reservation(t, who);
}

/* is_free() - may this guest be given @place, which nobody has? */
static bool is_free(const struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place)
{
	if (table6_find(t, place.addr) || addr_equal(place.addr, t->conf.gateway) || is_others(t, who, place))
		return false;
	return place.len < 128 || !t->conf.is_used || !t->conf.is_used(t->arg, place.addr, who->port, who->mac);
}

/* takes_over() - a reserved address, held by the same guest under another name: it has come again, and calls itself otherwise */
static bool takes_over(const struct lease6 *l, const struct lease6_guest *who)
{
	return l->state == LEASE_BOUND && !strcmp(l->port->name, who->port) && !memcmp(l->mac, who->mac, MAC_SIZE) &&
	       (l->key_size != sizeof(l->port) + 5 + who->duid_size || memcmp(l->key + sizeof(l->port) + 5, who->duid, who->duid_size));
}

/* own_place() - what is reserved for the guest, if it can have it now; of several bindings the first has it */
static bool own_place(const struct lease6_table *t, const struct lease6_guest *who, struct prefix6 *place)
{
	const struct dhcp_reservation *r = who->prefix || !t->conf.last ? NULL : lease6_reservation(t, who);
	uint32_t ip = r && r->ip ? r->ip : t->conf.alone;
	const struct lease6 *l;

	if (who->prefix || !t->conf.last || !ip)
		return false;
	*place = reserved(&t->conf, ip);
	l = table6_find(t, place->addr);
	return l ? takes_over(l, who) : is_free(t, who, *place);
}

/* may_keep() - as far as reservations and settings say */
static bool may_keep(const struct lease6_table *t, const struct lease6 *l, const struct lease6_guest *who)
{
	struct prefix6 own;

	return lease6_is_ours(t, l->place) && !is_others(t, who, l->place) && !own_place(t, who, &own);
}

/* search() - a free place of the pool, from where this guest's search begins; among more than are taken there is one */
static int search(const struct lease6_table *t, const struct lease6_guest *who, struct prefix6 *place)
{
	uint64_t size = pool_size(&t->conf, who->prefix), from, n;

	if (!size)
		return -EOPNOTSUPP;
	*place = place_at(&t->conf, who->prefix, seed_of(who, false) % size);
	if (is_free(t, who, *place))
		return 0;
	from = seed_of(who, true) % size;
	n = MIN_OF(size, (uint64_t)(t->nleases + SEARCH_USED));
	for (uint64_t i = 0; i < n; i++) {
		*place = place_at(&t->conf, who->prefix, (from + i) % size);
		if (is_free(t, who, *place))
			return 0;
	}
	return -ENOSPC;
}

/* choose() - for a guest that has nothing it may keep */
static int choose(const struct lease6_table *t, const struct lease6_guest *who, const struct prefix6 *has, struct prefix6 *place)
{
	int rc = 0;

	if (own_place(t, who, place))
		return 0;
	if (has && lease6_may_have(t, who, *has))
		*place = *has;
	else
		rc = search(t, who, place);
	if (rc == 0 && who->prefix && who->len > place->len && who->len <= 64)
		place->len = who->len;
	return rc;
}

static int admit(const struct lease6_table *t, const struct lease6_port *p)
{
	if (p && p->nleases >= t->conf.quota)
		return -EDQUOT;
	return t->nleases >= t->conf.max_leases ? -ENOSPC : 0;
}

int lease6_choose(struct lease6_table *t, const struct lease6_guest *who, const struct prefix6 *has, int64_t now_s, struct prefix6 *place)
{
	const struct lease6_port *p;
	const struct lease6 *l;
	int rc;

	lease6_expire(t, now_s);
	p = table6_port(t, who->port);
	l = p ? table6_find_guest(t, p, who) : NULL;
	if (l && may_keep(t, l, who)) {
		*place = l->place;
		return 0;
	}
	rc = l ? 0 : admit(t, p);
	return rc < 0 ? rc : choose(t, who, has, place);
}

bool lease6_may_have(const struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place)
{
	const struct lease6_port *p = table6_port(t, who->port);
	const struct lease6 *l = p ? table6_find_guest(t, p, who) : NULL;

	if ((place.len < 128) != who->prefix)
		return false;
	if (l && addr_equal(l->place.addr, place.addr))
		return l->place.len == place.len;
	return lease6_is_ours(t, place) && is_free(t, who, place);
}

/* ---- giving ---- */

/* tell() - that a binding is over; it is about to be removed or to rest */
static void tell(const struct lease6_table *t, const struct lease6 *l, enum lease_state state, int64_t at_s)
{
	struct lease6_record record;

	if (!t->changed)
		return;
	table6_record(l, &record);
	record.state = (uint8_t)state;
	record.expires_wall_s = at_s;
	t->changed(t->arg, &record);
}

static int64_t end_of(uint32_t lease_s, int64_t now_s)
{
	return lease_s == UINT32_MAX ? LEASE_NEVER : now_s + lease_s;
}

/* replace() - a new binding of the guest at @place, in place of @had, and of who must give way there */
static struct lease6 *replace(struct lease6_table *t, struct lease6_port *p, const struct lease6_guest *who, struct lease6 *had,
			      struct prefix6 place, int64_t now_s, int64_t end_s)
{
	struct lease6 *there = table6_find(t, place.addr);

	if (had) {
		if (!addr_equal(had->place.addr, place.addr))
			tell(t, had, LEASE_RELEASED, now_s);
		table6_remove(t, had);
	}
	if (there && there != had)
		table6_remove(t, there);
	return table6_add(t, p, who, place, end_s);
}

int lease6_bind(struct lease6_table *t, const struct lease6_guest *who, const struct prefix6 *has, uint32_t lease_s, int64_t now_s,
		struct lease6_record *record, bool *durable)
{
	struct lease6_port *p;
	struct prefix6 place;
	struct lease6 *l;
	int rc;

	lease6_expire(t, now_s);
	p = table6_port_get(t, who->port);
	if (!p)
		return -ENOMEM;
	l = table6_find_guest(t, p, who);
	rc = l ? 0 : admit(t, p);
	if (rc == 0 && !(l && may_keep(t, l, who))) {
		rc = choose(t, who, has, &place);
		if (rc == 0)
			l = replace(t, p, who, l, place, now_s, end_of(lease_s, now_s));
		if (rc == 0 && !l)
			rc = -ENOMEM;
	}
	if (rc == 0) {
		*durable = l->durable_s > now_s;
		table6_say(l, who);
		table6_set_end(t, l, end_of(lease_s, now_s));
		table6_record(l, record);
	}
	table6_port_tidy(t, p);
	return rc;
}

static struct lease6 *own(const struct lease6_table *t, const struct lease6_guest *who)
{
	const struct lease6_port *p = table6_port(t, who->port);

	return p ? table6_find_guest(t, p, who) : NULL;
}

bool lease6_committed(struct lease6_table *t, const struct lease6_record *r)
{
	const struct lease6_guest who = {
		.port = r->port, .duid = r->duid, .duid_size = r->duid_size, .iaid = r->iaid, .prefix = r->place.len < 128,
	};
	struct lease6 *l = own(t, &who);

	if (!l || l->state != LEASE_BOUND || r->state != LEASE_BOUND || l->place.len != r->place.len || !addr_equal(l->place.addr, r->place.addr))
		return false;
	l->durable_s = r->expires_wall_s;
	return true;
}

/* ---- ending ---- */

int lease6_has(const struct lease6_table *t, const struct lease6_guest *who, struct lease6_record *record)
{
	const struct lease6 *l = own(t, who);

	if (l && record)
		table6_record(l, record);
	return l ? 0 : -ENOENT;
}

enum lease6_why lease6_why(const struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place)
{
	const struct dhcp_reservation *r = lease6_reservation(t, who);
	const struct lease6 *l = own(t, who);
	uint64_t size = pool_size(&t->conf, who->prefix);
	uint32_t ip = as_reserved(&t->conf, place);

	if (ip && (ip == t->conf.alone || (r && r->ip == ip)))
		return LEASE6_WHY_RESERVED;
	if (l && addr_equal(l->place.addr, place.addr))
		return LEASE6_WHY_HAS;
	return size && addr_equal(place_at(&t->conf, who->prefix, seed_of(who, false) % size).addr, place.addr) ? LEASE6_WHY_ITS : LEASE6_WHY_NEXT;
}

uint32_t lease6_durable_left(const struct lease6_table *t, const struct lease6_guest *who, int64_t now_s)
{
	const struct lease6 *l = own(t, who);

	if (!l || l->durable_s <= now_s)
		return 0;
	return l->durable_s == LEASE_NEVER ? UINT32_MAX : (uint32_t)MIN_OF(l->durable_s - now_s, (int64_t)UINT32_MAX - 1);
}

/* end() - @l is over by somebody's wish */
static void end(struct lease6_table *t, struct lease6 *l, int64_t now_s, struct lease6_record *record)
{
	struct lease6_port *p = l->port;

	table6_record(l, record);
	record->state = LEASE_RELEASED;
	record->expires_wall_s = now_s;
	table6_remove(t, l);
	table6_port_tidy(t, p);
}

int lease6_release(struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place, int64_t now_s, struct lease6_record *record)
{
	struct lease6 *l = own(t, who);

	if (!l || l->place.len != place.len || !addr_equal(l->place.addr, place.addr))
		return -ENOENT;
	end(t, l, now_s, record);
	return 0;
}

int lease6_decline(struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place, int64_t now_s, struct lease6_record *record)
{
	struct lease6 *l = own(t, who);

	if (!l || l->place.len != 128 || place.len != 128 || !addr_equal(l->place.addr, place.addr))
		return -ENOENT;
	if (l->port->ndeclined >= MAX_OF(t->conf.quota / 8, 1u)) {
		end(t, l, now_s, record);
		return 0;
	}
	table6_decline(t, l, now_s + t->conf.decline_s);
	table6_record(l, record);
	return 0;
}

int lease6_free(struct lease6_table *t, struct addr a, int64_t now_s, struct lease6_record *record)
{
	struct lease6 *l = table6_find(t, a);

	if (!l)
		return -ENOENT;
	end(t, l, now_s, record);
	return 0;
}

void lease6_port_gone(struct lease6_table *t, const char *port, int64_t now_s)
{
	struct lease6_port *p = table6_port(t, port);
	struct lease6 *l, *next;

	if (!p)
		return;
	for (l = LIST_FIRST(&p->leases); l; l = next) {
		next = LIST_NEXT(l, of_port);
		tell(t, l, LEASE_RELEASED, now_s);
		table6_remove(t, l);
	}
	table6_port_tidy(t, p);
}

int64_t lease6_expire(struct lease6_table *t, int64_t now_s)
{
	struct expiry *e;

	while ((e = expiry_top(&t->heap)) && e->at_s <= now_s) {
		struct lease6 *l = container_of(e, struct lease6, expiry);
		struct lease6_port *p = l->port;

		tell(t, l, LEASE_EXPIRED, e->at_s);
		table6_remove(t, l);
		table6_port_tidy(t, p);
	}
	return e ? e->at_s : LEASE_NEVER;
}
