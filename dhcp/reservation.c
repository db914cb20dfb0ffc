// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/reservation.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

typedef const struct dhcp_reservation *entry;

struct reservations {
	entry *by_key, *by_ip;		/* sorted; what is the same as one before it is not in */
	size_t nkeys, nips;
};

/* key - what a reservation is found by */
struct key {
	enum guest_key kind;
	const void *data;
	size_t size;
};

static struct key key_of(const struct dhcp_reservation *r)
{
	if (r->key == GUEST_PORT)
		return (struct key){ GUEST_PORT, r->name, strlen(r->name) };
	return (struct key){ (enum guest_key)r->key, r->id, r->id_size };
}

static int key_order(struct key a, struct key b)
{
	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	if (a.size != b.size)
		return a.size < b.size ? -1 : 1;
	return a.size ? memcmp(a.data, b.data, a.size) : 0;
}

static int by_key(const void *a, const void *b)
{
	return key_order(key_of(*(const entry *)a), key_of(*(const entry *)b));
}

static int by_ip(const void *a, const void *b)
{
	uint32_t x = (*(const entry *)a)->ip, y = (*(const entry *)b)->ip;

	return x < y ? -1 : x > y;
}

/* unique() - sort, and keep the first of equal ones; of what compares as equal the one that stood first stays first */
static size_t unique(entry *list, size_t n, int (*order)(const void *a, const void *b))
{
	size_t kept = 0;

	qsort(list, n, sizeof(*list), order);
	for (size_t i = 0; i < n; i++)
		if (!kept || order(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
		else if (list[i] < list[kept - 1])
			list[kept - 1] = list[i];
	return kept;
}

struct reservations *reservations_new(const struct dhcp_reservation *of, size_t n)
{
	struct reservations *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->by_key = calloc(n ? n : 1, sizeof(entry));
	r->by_ip = calloc(n ? n : 1, sizeof(entry));
	if (!r->by_key || !r->by_ip) {
		reservations_free(r);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		r->by_key[r->nkeys++] = &of[i];
		if (of[i].ip)
			r->by_ip[r->nips++] = &of[i];
	}
	r->nkeys = unique(r->by_key, r->nkeys, by_key);
	r->nips = unique(r->by_ip, r->nips, by_ip);
	return r;
}

void reservations_free(struct reservations *r)
{
	if (!r)
		return;
	free(r->by_key);
	free(r->by_ip);
	free(r);
}

static const struct dhcp_reservation *find(const struct reservations *r, struct key key)
{
	size_t low = 0, high = r->nkeys;

	while (key.data && key.size && low < high) {
		size_t mid = (low + high) / 2;
		int order = key_order(key, key_of(r->by_key[mid]));

		if (order == 0)
			return r->by_key[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct dhcp_reservation *reservations_match(const struct reservations *r, const struct guest_id *who)
{
	const struct key keys[GUEST_KEYS] = {
		{ GUEST_CLIENT_ID, who->client_id, who->client_id_size },
		{ GUEST_MAC, who->mac, MAC_SIZE },
		{ GUEST_CIRCUIT, who->circuit, who->circuit_size },
		{ GUEST_PORT, who->port, who->port ? strlen(who->port) : 0 },
	};
	const struct dhcp_reservation *found = NULL;

	for (size_t i = 0; r && !found && i < ARRAY_SIZE(keys); i++)
		found = find(r, keys[i]);
	return found;
}

const struct dhcp_reservation *reservations_at(const struct reservations *r, uint32_t ip)
{
	const struct dhcp_reservation key = { .ip = ip };
	entry wanted = &key, *found = r && ip ? bsearch(&wanted, r->by_ip, r->nips, sizeof(entry), by_ip) : NULL;

	return found ? *found : NULL;
}
