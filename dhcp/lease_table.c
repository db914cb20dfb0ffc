// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/lease_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static struct lease_owner owner_of(struct lease_port *p, const uint8_t *mac)
{
	struct lease_owner o = { .port = p };

	memcpy(o.mac, mac, MAC_SIZE);
	return o;
}

struct lease_port *table_port(const struct lease_table *t, const char *name)
{
	struct lease_port *p;

	HASH_FIND(hh, t->ports, name, strlen(name), p);
	return p;
}

struct lease_port *table_port_get(struct lease_table *t, const char *name)
{
	struct lease_port *p = table_port(t, name);

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	snprintf(p->name, sizeof(p->name), "%s", name);
	TAILQ_INIT(&p->leases);
	TAILQ_INIT(&p->idle);
	HASH_ADD_KEYPTR(hh, t->ports, p->name, strlen(p->name), p);
	if (!p->hh.tbl) {
		free(p);
		return NULL;
	}
	return p;
}

void table_port_tidy(struct lease_table *t, struct lease_port *p)
{
	if (!p || p->nleases)
		return;
	HASH_DELETE(hh, t->ports, p);
	free(p);
}

/* next_with() - the first lease from @p on */
static struct lease *next_with(const struct lease_port *p)
{
	while (p && TAILQ_EMPTY(&p->leases))
		p = p->hh.next;
	return p ? TAILQ_FIRST(&p->leases) : NULL;
}

struct lease *table_next(const struct lease_table *t, const struct lease *l)
{
	struct lease *next = l ? TAILQ_NEXT(l, of_port) : next_with(t->ports);

	return l && !next ? next_with(l->owner.port->hh.next) : next;
}

static uint64_t hash_ip(uint32_t ip)
{
	return hash_u64(ip, hash_seed());
}

static uint64_t hash_owner(const struct lease_owner *o)
{
	return hash_bytes(o, sizeof(*o), hash_seed());
}

static uint64_t hash_mac(const uint8_t *mac)
{
	return hash_bytes(mac, MAC_SIZE, hash_seed());
}

struct lease *table_find(const struct lease_table *t, uint32_t ip)
{
	struct hash_link *link = hash_index_find(&t->by_ip, hash_ip(ip));

	for (; link; link = hash_index_more(link)) {
		struct lease *l = container_of(link, struct lease, by_ip);

		if (l->ip == ip)
			return l;
	}
	return NULL;
}

struct lease *table_find_guest(const struct lease_table *t, struct lease_port *p, const uint8_t *mac)
{
	struct lease_owner key = owner_of(p, mac);
	struct hash_link *link = hash_index_find(&t->by_owner, hash_owner(&key));

	for (; link; link = hash_index_more(link)) {
		struct lease *l = container_of(link, struct lease, by_owner);

		if (!memcmp(&l->owner, &key, sizeof(key)))
			return l;
	}
	return NULL;
}

struct lease *table_find_orphan(const struct lease_table *t, const uint8_t *mac)
{
	struct hash_link *link = hash_index_find(&t->by_mac, hash_mac(mac));

	for (; link; link = hash_index_more(link)) {
		struct lease *l = container_of(link, struct lease, by_mac);

		if (!memcmp(l->owner.mac, mac, MAC_SIZE))
			return l;
	}
	return NULL;
}

static void unindex_mac(struct lease_table *t, struct lease *l)
{
	hash_index_remove(&t->by_mac, &l->by_mac);
}

/* Several ports that are gone may have had one MAC: all are in, any is found. For lack of memory it is not found. */
static void index_mac(struct lease_table *t, struct lease *l)
{
	if (!l->by_mac.in && l->by_owner.in)
		hash_index_add(&t->by_mac, &l->by_mac, hash_mac(l->owner.mac));
}

static void unindex_owner(struct lease_table *t, struct lease *l)
{
	hash_index_remove(&t->by_owner, &l->by_owner);
	unindex_mac(t, l);
}

static int index_owner(struct lease_table *t, struct lease *l)
{
	return hash_index_add(&t->by_owner, &l->by_owner, hash_owner(&l->owner));
}

void table_port_set_gone(struct lease_table *t, struct lease_port *p, bool gone)
{
	struct lease *l;

	if (p->gone == gone)
		return;
	p->gone = gone;
	TAILQ_FOREACH(l, &p->leases, of_port) {
		if (gone)
			index_mac(t, l);
		else
			unindex_mac(t, l);
	}
}

static void leave_idle(struct lease_table *t, struct lease *l)
{
	if (!lease_idle(l))
		return;
	TAILQ_REMOVE(&t->pools[l->pool].idle, l, idle);
	TAILQ_REMOVE(&l->owner.port->idle, l, idle_of_port);
}

static void enter_idle(struct lease_table *t, struct lease *l, bool first)
{
	struct lease_list *idle;
	int pool = table_pool(t, l->ip);

	l->pool = (uint16_t)MAX_OF(pool, 0);
	idle = &t->pools[l->pool].idle;
	if (first) {
		TAILQ_INSERT_HEAD(idle, l, idle);
		TAILQ_INSERT_HEAD(&l->owner.port->idle, l, idle_of_port);
	} else {
		TAILQ_INSERT_TAIL(idle, l, idle);
		TAILQ_INSERT_TAIL(&l->owner.port->idle, l, idle_of_port);
	}
}

static void join_port(struct lease *l, struct lease_port *p)
{
	TAILQ_INSERT_TAIL(&p->leases, l, of_port);
	p->nleases++;
}

static void leave_port(struct lease *l)
{
	struct lease_port *p = l->owner.port;

	TAILQ_REMOVE(&p->leases, l, of_port);
	p->nleases--;
	if (l->state == LEASE_DECLINED)
		p->ndeclined--;
}

struct lease *table_add(struct lease_table *t, uint32_t ip, struct lease_port *p, const uint8_t *mac, int64_t end_s)
{
	struct lease *l;

	if (expiry_reserve(&t->heap, t->nleases + 1) < 0)
		return NULL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->ip = ip;
	l->owner = owner_of(p, mac);
	l->state = LEASE_OFFERED;
	if (hash_index_add(&t->by_ip, &l->by_ip, hash_ip(ip)) < 0 || index_owner(t, l) < 0) {
		hash_index_remove(&t->by_ip, &l->by_ip);
		free(l);
		return NULL;
	}
	join_port(l, p);
	if (p->gone)
		index_mac(t, l);
	expiry_set(&t->heap, &l->expiry, end_s);
	t->nleases++;
	return l;
}

int table_give(struct lease_table *t, struct lease *l, struct lease_port *p, const uint8_t *mac, int64_t end_s)
{
	struct lease_port *old = l->owner.port;

	leave_idle(t, l);
	leave_port(l);
	unindex_owner(t, l);
	l->owner = owner_of(p, mac);
	join_port(l, p);
	l->state = LEASE_OFFERED;
	l->was_bound = false;
	l->durable_s = 0;
	free(l->said);
	l->said = NULL;
	expiry_set(&t->heap, &l->expiry, end_s);
	if (old != p)
		table_port_tidy(t, old);
	if (index_owner(t, l) == 0)
		return 0;
	table_remove(t, l);
	return -ENOMEM;
}

void table_remove(struct lease_table *t, struct lease *l)
{
	leave_idle(t, l);
	leave_port(l);
	unindex_owner(t, l);
	expiry_remove(&t->heap, &l->expiry);
	hash_index_remove(&t->by_ip, &l->by_ip);
	t->nleases--;
	table_return(t, l->ip);
	free(l->said);
	free(l);
}

void table_set(struct lease_table *t, struct lease *l, enum lease_state state, int64_t end_s, bool first)
{
	struct lease_port *p = l->owner.port;

	leave_idle(t, l);
	p->ndeclined += (state == LEASE_DECLINED) - (l->state == LEASE_DECLINED);
	l->state = state;
	if (lease_idle(l)) {
		expiry_remove(&t->heap, &l->expiry);
		l->expiry.at_s = end_s;
		enter_idle(t, l, first);
		return;
	}
	if (state == LEASE_DECLINED)
		unindex_owner(t, l);
	expiry_set(&t->heap, &l->expiry, end_s);
}

struct lease_said table_said(const struct lease *l)
{
	const uint8_t *circuit = l->said ? l->said + 1 + l->said[0] : NULL;

	if (!l->said)
		return (struct lease_said){ .hostname = "" };
	return (struct lease_said){
		.client_id = l->said + 1, .client_id_size = l->said[0], .circuit = circuit + 1, .circuit_size = circuit[0],
		.hostname = (const char *)circuit + 1 + circuit[0],
	};
}

static bool same_bytes(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	return na == nb && (!na || !memcmp(a, b, na));
}

static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t size)
{
	*to++ = (uint8_t)size;
	if (size)
		memcpy(to, bytes, size);
	return to + size;
}

void table_say(struct lease *l, const struct lease_guest *who)
{
	size_t id = who->client_id ? MIN_OF(who->client_id_size, (size_t)LEASE_CLIENT_ID_MAX) : 0;
	size_t circuit = who->circuit ? MIN_OF(who->circuit_size, (size_t)LEASE_CIRCUIT_MAX) : 0;
	const char *name = who->hostname ? who->hostname : "";
	struct lease_said is = table_said(l);
	uint8_t *said;

	if (same_bytes(is.client_id, is.client_id_size, who->client_id, id) && same_bytes(is.circuit, is.circuit_size, who->circuit, circuit) &&
	    !strcmp(is.hostname, name))
		return;
	said = malloc(2 + id + circuit + strlen(name) + 1);
	if (!said)
		return;
	strcpy((char *)put_bytes(put_bytes(said, who->client_id, id), who->circuit, circuit), name);
	free(l->said);
	l->said = said;
}

void table_record(const struct lease *l, struct lease_record *record)
{
	struct lease_said said = table_said(l);

	memset(record, 0, sizeof(*record));
	memcpy(record->port, l->owner.port->name, sizeof(record->port));
	memcpy(record->mac, l->owner.mac, MAC_SIZE);
	record->state = l->state;
	record->ip = l->ip;
	record->expires_wall_s = l->expiry.at_s;
	if (!l->said)
		return;
	record->client_id_size = (uint8_t)said.client_id_size;
	memcpy(record->client_id, said.client_id, said.client_id_size);
	record->circuit_size = (uint8_t)said.circuit_size;
	memcpy(record->circuit, said.circuit, said.circuit_size);
	snprintf(record->hostname, sizeof(record->hostname), "%s", said.hostname);
}
