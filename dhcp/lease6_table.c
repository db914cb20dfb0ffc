// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/lease6_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* ---- ports ---- */

struct lease6_port *table6_port(const struct lease6_table *t, const char *name)
{
	struct lease6_port *p;

	HASH_FIND_STR(t->ports, name, p);
	return p;
}

struct lease6_port *table6_port_get(struct lease6_table *t, const char *name)
{
	struct lease6_port *p = table6_port(t, name);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	snprintf(p->name, sizeof(p->name), "%s", name);
	HASH_ADD_STR(t->ports, name, p);
	if (p->hh.tbl)
		return p;
	free(p);
	return NULL;
}

void table6_port_tidy(struct lease6_table *t, struct lease6_port *p)
{
	if (p->nleases)
		return;
	HASH_DEL(t->ports, p);
	free(p);
}

/* ---- bindings ---- */

static struct lease6_key key_of(const struct lease6_port *p, const struct lease6_guest *who)
{
	struct lease6_key key;
	struct writer w = writer_init(key.bytes, sizeof(key.bytes));

	write_bytes(&w, &p, sizeof(p));
	write_u32(&w, who->iaid);
	write_u8(&w, who->prefix);
	write_bytes(&w, who->duid, who->duid_size);
	key.size = (uint8_t)w.pos;
	return key;
}

enum { KEY_IAID = sizeof(struct lease6_port *), KEY_DUID = KEY_IAID + 5 };

struct lease6 *table6_find(const struct lease6_table *t, struct addr place)
{
	struct lease6 *l;

	HASH_FIND(hh_place, t->by_place, &place, sizeof(place), l);
	return l;
}

struct lease6 *table6_find_guest(const struct lease6_table *t, const struct lease6_port *p, const struct lease6_guest *who)
{
	struct lease6_key key = key_of(p, who);
	struct lease6 *l;

	HASH_FIND(hh_owner, t->by_owner, key.bytes, key.size, l);
	return l;
}

struct lease6 *table6_add(struct lease6_table *t, struct lease6_port *p, const struct lease6_guest *who, struct prefix6 place, int64_t end_s)
{
	struct lease6_key key = key_of(p, who);
	struct lease6 *l = calloc(1, sizeof(*l) + key.size);

	if (!l || expiry_reserve(&t->heap, t->nleases + 1) < 0) {
		free(l);
		return NULL;
	}
	l->port = p;
	l->place = place;
	l->state = LEASE_BOUND;
	l->key_size = key.size;
	memcpy(l->key, key.bytes, key.size);
	HASH_ADD(hh_place, t->by_place, place.addr, sizeof(l->place.addr), l);
	if (l->hh_place.tbl)
		HASH_ADD_KEYPTR(hh_owner, t->by_owner, l->key, l->key_size, l);
	if (!l->hh_owner.tbl) {
		if (l->hh_place.tbl)
			HASH_DELETE(hh_place, t->by_place, l);
		free(l);
		return NULL;
	}
	LIST_INSERT_HEAD(&p->leases, l, of_port);
	p->nleases++;
	t->nleases++;
	table6_set_end(t, l, end_s);
	return l;
}

void table6_set_end(struct lease6_table *t, struct lease6 *l, int64_t end_s)
{
	expiry_set(&t->heap, &l->expiry, end_s);
}

void table6_decline(struct lease6_table *t, struct lease6 *l, int64_t end_s)
{
	HASH_DELETE(hh_owner, t->by_owner, l);
	l->hh_owner.tbl = NULL;
	l->state = LEASE_DECLINED;
	l->durable_s = 0;
	l->port->ndeclined++;
	table6_set_end(t, l, end_s);
}

void table6_remove(struct lease6_table *t, struct lease6 *l)
{
	HASH_DELETE(hh_place, t->by_place, l);
	if (l->hh_owner.tbl)
		HASH_DELETE(hh_owner, t->by_owner, l);
	expiry_remove(&t->heap, &l->expiry);
	LIST_REMOVE(l, of_port);
	l->port->ndeclined -= l->state == LEASE_DECLINED;
	l->port->nleases--;
	t->nleases--;
	free(l->hostname);
	free(l);
}

void table6_say(struct lease6 *l, const struct lease6_guest *who)
{
	char *name = who->hostname && who->hostname[0] ? strdup(who->hostname) : NULL;

	memcpy(l->mac, who->mac, MAC_SIZE);
	l->via = who->prefix ? who->via : (struct addr){ 0 };
	if (!name)
		return;
	free(l->hostname);
	l->hostname = name;
}

void table6_record(const struct lease6 *l, struct lease6_record *r)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->port, l->port->name, sizeof(r->port));
	memcpy(r->mac, l->mac, MAC_SIZE);
	r->state = l->state;
	r->iaid = get_u32(l->key + KEY_IAID);
	r->duid_size = (uint8_t)(l->key_size - KEY_DUID);
	memcpy(r->duid, l->key + KEY_DUID, r->duid_size);
	r->place.addr = l->place.addr;
	r->place.len = l->place.len;
	r->via = l->via;
	r->expires_wall_s = l->expiry.at_s;
	if (l->hostname)
		snprintf(r->hostname, sizeof(r->hostname), "%s", l->hostname);
}
