// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/station.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "switch/forward.h"

/* Open addressing with linear probing; a free place has source 0. Removal closes the gap, so probes stay short. */
#define NO_PLACE UINT32_MAX

/* share - what ports whose ids end alike hold together; in a table as large as a network's that is one port */
struct share {
	uint16_t held, leased;
};

struct stations {
	pthread_mutex_t lock;
	struct station *table;
	struct share *shares;		/* mask + 1 */
	uint32_t mask, n, nmax;
	uint64_t seed;
};

struct stations *stations_new(uint32_t nmax)
{
	struct stations *t = calloc(1, sizeof(*t));
	uint32_t size = 16;

	if (!t)
		return NULL;
	while (size < 2 * nmax)
		size *= 2;
	t->mask = size - 1;
	t->nmax = nmax;
	t->seed = hash_seed();
	t->table = calloc(size, sizeof(*t->table));
	t->shares = calloc(size, sizeof(*t->shares));
	if (!t->table || !t->shares) {
		free(t->shares);
		free(t->table);
		free(t);
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void stations_free(struct stations *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t->shares);
	free(t->table);
	free(t);
}

static uint32_t home(const struct stations *t, struct addr ip)
{
	return (uint32_t)addr_hash(ip, t->seed) & t->mask;
}

/* place_of() - where @ip is, or the free place where it would go */
static uint32_t place_of(const struct stations *t, struct addr ip)
{
	uint32_t i = home(t, ip);

	while (t->table[i].source && !addr_equal(t->table[i].ip, ip))
		i = (i + 1) & t->mask;
	return i;
}

/* count() - @s comes (@by 1) or goes (-1) */
static void count(struct stations *t, const struct station *s, int by)
{
	struct share *share = &t->shares[s->port & t->mask];

	share->held = (uint16_t)(share->held + by);
	share->leased = (uint16_t)(share->leased + (s->source == STATION_DHCP ? by : 0));
}

static void remove_at(struct stations *t, uint32_t hole)
{
	uint32_t i = hole;

	count(t, &t->table[hole], -1);
	t->table[hole].source = 0;
	t->n--;
	for (;;) {
		i = (i + 1) & t->mask;
		if (!t->table[i].source)
			return;
		/* may the entry at i fill the hole? yes, unless its home lies cyclically in (hole, i] */
		if (((i - home(t, t->table[i].ip)) & t->mask) < ((i - hole) & t->mask))
			continue;
		t->table[hole] = t->table[i];
		t->table[i].source = 0;
		hole = i;
	}
}

/* stalest_of() - how many addresses @port holds, and the place of the one seen longest ago that is not leased */
static unsigned stalest_of(const struct stations *t, uint32_t port, uint32_t *place)
{
	uint64_t oldest = UINT64_MAX;
	unsigned n = 0;

	for (uint32_t i = 0; i <= t->mask; i++) {
		const struct station *s = &t->table[i];

		if (!s->source || s->port != port)
			continue;
		n++;
		if (s->source != STATION_DHCP && s->seen_ms < oldest) {
			oldest = s->seen_ms;
			*place = i;
		}
	}
	return n;
}

/* make_room() - keep the port within its share and the table, which is to have @more entries, within its size
 * Return: false when neither can be. */
static bool make_room(struct stations *t, uint32_t port, unsigned more)
{
	const struct share *share = &t->shares[port & t->mask];
	uint32_t place = NO_PLACE;
	unsigned held;

	if (share->held < MAX_STATIONS_PER_PORT && t->n + more <= t->nmax)
		return true;
	if (share->held == share->leased && t->mask >= PORT_IDS - 1)
		return false;		/* it has leases alone: a relay, or a host of guests */
	held = stalest_of(t, port, &place);
	if (held < MAX_STATIONS_PER_PORT && t->n + more <= t->nmax)
		return true;
	if (place == NO_PLACE)
		return false;
	remove_at(t, place);
	return true;
}

/* A lease says whose an address is; what ARP claims from another port does not change that. */
static bool note_locked(struct stations *t, const struct station *s)
{
	struct station *at = &t->table[place_of(t, s->ip)];
	bool known = at->source != 0, here = known && at->port == s->port;
	bool fresh = !here || memcmp(at->mac, s->mac, MAC_SIZE) != 0;
	uint8_t source = fresh ? s->source : MAX_OF(at->source, s->source);

	if (known && fresh && at->source == STATION_DHCP && s->source == STATION_ARP)
		return false;
	if (!here) {			/* claiming the address of another port counts like a new one */
		if (!make_room(t, s->port, !known))
			return false;
		at = &t->table[place_of(t, s->ip)];
		t->n += !known;
	}
	if (at->source)
		count(t, at, -1);
	*at = *s;
	at->source = source;
	count(t, at, 1);
	return fresh;
}

bool station_note(struct stations *t, const struct station *s, bool wait)
{
	bool fresh;

	if (wait)
		pthread_mutex_lock(&t->lock);
	else if (pthread_mutex_trylock(&t->lock))
		return false;
	fresh = note_locked(t, s);
	pthread_mutex_unlock(&t->lock);
	return fresh;
}

bool station_find(struct stations *t, struct addr ip, struct station *found)
{
	const struct station *s;
	bool known;

	if (pthread_mutex_trylock(&t->lock))
		return false;
	s = &t->table[place_of(t, ip)];
	known = s->source != 0;
	if (known)
		*found = *s;
	pthread_mutex_unlock(&t->lock);
	return known;
}

/* IPv4 first: it comes with a lease, and hosts make and drop IPv6 addresses as they like (RFC 8981) */
bool station_better(const struct station *a, const struct station *b)
{
	if (addr_is4(a->ip) != addr_is4(b->ip))
		return addr_is4(a->ip);
	return a->source != b->source ? a->source > b->source : a->seen_ms > b->seen_ms;
}

static bool of_family(const struct station *s, int family)
{
	return family == AF_UNSPEC || (addr_family(s->ip) == family && (addr_is4(s->ip) || !addr_is_link_local(s->ip)));
}

bool station_of_family(struct stations *t, uint32_t port, int family, struct station *found)
{
	const struct station *best = NULL;

	if (pthread_mutex_trylock(&t->lock))
		return false;
	for (uint32_t i = 0; i <= t->mask; i++) {
		const struct station *s = &t->table[i];

		if (s->source && s->port == port && of_family(s, family) && (!best || station_better(s, best)))
			best = s;
	}
	if (best)
		*found = *best;
	pthread_mutex_unlock(&t->lock);
	return best != NULL;
}

bool station_of_port(struct stations *t, uint32_t port, struct station *found)
{
	return station_of_family(t, port, AF_UNSPEC, found);
}

void station_forget(struct stations *t, struct addr ip)
{
	uint32_t i;

	pthread_mutex_lock(&t->lock);
	i = place_of(t, ip);
	if (t->table[i].source)
		remove_at(t, i);
	pthread_mutex_unlock(&t->lock);
}

void stations_forget_port(struct stations *t, uint32_t port)
{
	pthread_mutex_lock(&t->lock);
	for (uint32_t i = 0; i <= t->mask;) {
		if (t->table[i].source && t->table[i].port == port)
			remove_at(t, i);	/* may have pulled another entry into this place: look again */
		else
			i++;
	}
	pthread_mutex_unlock(&t->lock);
}

unsigned stations_each(struct stations *t, uint32_t port, struct station *to, unsigned n)
{
	unsigned found = 0;

	pthread_mutex_lock(&t->lock);
	for (uint32_t i = 0; i <= t->mask; i++) {
		if (!t->table[i].source || (port != UINT32_MAX && t->table[i].port != port))
			continue;
		if (found < n)
			to[found] = t->table[i];
		found++;
	}
	pthread_mutex_unlock(&t->lock);
	return found;
}
