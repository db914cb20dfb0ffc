// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/hostport.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "nat/flow.h"

enum { FIRST_DEFAULT = 32768, LAST_DEFAULT = 60999, TRIES = 16, LOWEST = 1024 };

/* slot - a port that is taken; owner 0 when it is not */
struct slot {
	_Atomic uint64_t owner;		/* hash of the endpoint under this process's secret */
	uint32_t refs;			/* sockets bound to it */
};

static struct slot slots[2][2][65536];	/* TCP and UDP, IPv4 and IPv6; pages that are not used cost nothing */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint range;		/* first and last port of the host's range, 0: not asked yet */

static struct slot *slots_of(uint8_t proto, struct addr like)
{
	return slots[proto == IPPROTO_UDP][!addr_is4(like)];
}

static uint32_t host_range(void)
{
	uint32_t known = atomic_load_explicit(&range, memory_order_relaxed);
	unsigned first = FIRST_DEFAULT, last = LAST_DEFAULT;
	FILE *file;

	if (known)
		return known;
	file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	if (!file || fscanf(file, "%u %u", &first, &last) != 2 || first > last || last > 65535) {
		first = FIRST_DEFAULT;
		last = LAST_DEFAULT;
	}
	if (file)
		fclose(file);
	first = first < LOWEST ? LOWEST : first;
	known = first << 16 | last;
	atomic_store_explicit(&range, known, memory_order_relaxed);
	return known;
}

static bool in_range(uint16_t port)
{
	uint32_t r = host_range();

	return port >= r >> 16 && port <= (r & 0xffff);
}

static uint64_t endpoint(uint32_t net_id, const struct flow_key *k)
{
	uint64_t h = addr_hash(k->guest, hash_seed());

	h = hash_u64((uint64_t)net_id << 32 | k->port, h);
	h = hash_u64((uint64_t)k->guest_port << 8 | k->proto, h);
	return h ? h : 1;
}

/* candidate() - the ports that an endpoint asks for, always the same in the same order: what it has is thus found again */
static uint16_t candidate(uint64_t owner, uint16_t guest_port, unsigned i)
{
	uint32_t r = host_range(), first = r >> 16, n = (r & 0xffff) - first + 1, port;

	if (i == 0 && in_range(guest_port))
		return guest_port;
	port = first + (uint32_t)(hash_u64(i, owner) % n);
	if ((port ^ guest_port) & 1)
		port = port > first ? port - 1 : port + 1 <= (r & 0xffff) ? port + 1 : port;
	return (uint16_t)port;
}

static bool bind_to(int fd, struct addr like, uint16_t port, bool shared)
{
	union sock_addr at;
	struct addr any = addr_is4(like) ? addr4(0) : (struct addr){ 0 };
	socklen_t size = addr_to_sock(any, port, &at);
	int on = 1;

	if (!addr_is4(like))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(fd, &at.any, size) == 0;
}

/* take() - under the lock. What the endpoint has comes before what is free: it must not get a second port. */
static uint16_t take(int fd, uint64_t owner, const struct flow_key *k)
{
	struct slot *table = slots_of(k->proto, k->guest);
	bool tcp = k->proto == IPPROTO_TCP;

	for (unsigned i = 0; tcp && i < TRIES; i++) {
		uint16_t port = candidate(owner, k->guest_port, i);

		if (table[port].owner == owner)
			return bind_to(fd, k->guest, port, true) ? port : 0;
	}
	for (unsigned i = 0; i < TRIES; i++) {
		uint16_t port = candidate(owner, k->guest_port, i);

		if (!table[port].owner && bind_to(fd, k->guest, port, tcp))
			return port;
	}
	return 0;
}

uint16_t hostport_bind(int fd, uint32_t net_id, const struct flow_key *key)
{
	uint64_t owner = endpoint(net_id, key);
	uint16_t port;

	pthread_mutex_lock(&lock);
	port = take(fd, owner, key);
	if (port) {
		struct slot *s = &slots_of(key->proto, key->guest)[port];

		s->refs++;
		atomic_store_explicit(&s->owner, owner, memory_order_relaxed);
	}
	pthread_mutex_unlock(&lock);
	return port;
}

void hostport_put(const struct flow_key *key, uint16_t port)
{
	struct slot *s = &slots_of(key->proto, key->guest)[port];

	if (!port)
		return;
	pthread_mutex_lock(&lock);
	if (!--s->refs)
		atomic_store_explicit(&s->owner, 0, memory_order_relaxed);
	pthread_mutex_unlock(&lock);
}

bool hostport_is_ours(uint8_t proto, struct addr like, uint16_t port)
{
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return false;
	return atomic_load_explicit(&slots_of(proto, like)[port].owner, memory_order_relaxed) != 0;
}
