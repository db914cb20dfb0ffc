// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/budget.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/array.h"
#include "switch/forward.h"

enum {
	RESERVE = 500, NO_LIMIT = 1 << 20,
	FEW = 16, FOR_FEW = 100,	/* so many of the reserve are for guests with fewer than so many */
	PORTS_DEFAULT = 28232,		/* of Linux: 32768 to 60999 */
};

/* guest - what one has */
static struct guest {
	atomic_uint kinds[BUDGET_KINDS];
	atomic_uint flows;
} guests[PORT_IDS];

static atomic_uint used;
static atomic_uint limit, ports;	/* 0: not asked yet */

static uint32_t descriptor_limit(void)
{
	uint32_t n = atomic_load_explicit(&limit, memory_order_relaxed);
	struct rlimit r;

	if (n)
		return n;
	n = getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < NO_LIMIT ? (uint32_t)r.rlim_cur : NO_LIMIT;
	n = MAX_OF(n, 8u);
	atomic_store_explicit(&limit, n, memory_order_relaxed);
	return n;
}

static uint32_t ephemeral_ports(void)
{
	unsigned n = atomic_load_explicit(&ports, memory_order_relaxed), first, last;
	FILE *f;

	if (n)
		return n;
	f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	n = f && fscanf(f, "%u %u", &first, &last) == 2 && first < last ? last - first + 1 : PORTS_DEFAULT;
	if (f)
		fclose(f);
	atomic_store_explicit(&ports, n, memory_order_relaxed);
	return n;
}

uint32_t budget_most(void)
{
	uint32_t n = descriptor_limit();

	return n - MIN_OF(n / 2, (uint32_t)RESERVE);
}

uint32_t budget_reserve(void)
{
	return descriptor_limit() - budget_most();
}

uint32_t budget_used(void)
{
	return atomic_load_explicit(&used, memory_order_relaxed);
}

uint32_t budget_share(void)
{
	return descriptor_limit() / 2;
}

uint32_t budget_ports(void)
{
	return ephemeral_ports() / 2;
}

static uint32_t of_kind(const struct guest *g, enum budget_kind kind)
{
	return atomic_load_explicit(&g->kinds[kind], memory_order_relaxed);
}

uint32_t budget_of(uint32_t port)
{
	const struct guest *g = &guests[port % PORT_IDS];

	return of_kind(g, BUDGET_TCP) + of_kind(g, BUDGET_UDP) + of_kind(g, BUDGET_PLAIN);
}

static uint32_t all_of(uint32_t port)
{
	uint32_t reserve = budget_reserve();

	return budget_most() + (budget_of(port) < FEW ? MIN_OF(reserve / 2, (uint32_t)FOR_FEW) : 0);
}

bool budget_has(uint32_t port, enum budget_kind kind, uint32_t most)
{
	uint32_t share = most ? MIN_OF(most, budget_share()) : budget_share();

	return budget_of(port) < share && budget_used() < all_of(port) &&
	       (kind == BUDGET_PLAIN || of_kind(&guests[port % PORT_IDS], kind) < budget_ports());
}

/* Two workers may both find the last one free; being one too many then is less harm than a lock. */
bool budget_take(uint32_t port, enum budget_kind kind, uint32_t most)
{
	if (!budget_has(port, kind, most))
		return false;
	atomic_fetch_add_explicit(&used, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&guests[port % PORT_IDS].kinds[kind], 1, memory_order_relaxed);
	return true;
}

void budget_put(uint32_t port, enum budget_kind kind)
{
	atomic_fetch_sub_explicit(&guests[port % PORT_IDS].kinds[kind], 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&used, 1, memory_order_relaxed);
}

uint32_t budget_flows(uint32_t port, int n)
{
	return atomic_fetch_add_explicit(&guests[port % PORT_IDS].flows, (unsigned)n, memory_order_relaxed) + (uint32_t)n;
}

bool budget_listen(int n)
{
	if (n <= 0 || atomic_fetch_add_explicit(&used, (unsigned)n, memory_order_relaxed) + (unsigned)n <= budget_most()) {
		if (n < 0)
			atomic_fetch_sub_explicit(&used, (unsigned)-n, memory_order_relaxed);
		return true;
	}
	atomic_fetch_sub_explicit(&used, (unsigned)n, memory_order_relaxed);
	return false;
}
