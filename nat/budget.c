// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/budget.h"

#include <stdatomic.h>
#include <sys/resource.h>

#include "base/array.h"

enum { RESERVE = 500, NO_LIMIT = 1 << 20 };

static atomic_uint used;
static atomic_uint limit;		/* 0: not asked yet */

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

uint32_t budget_most(void)
{
	uint32_t n = descriptor_limit();

	return n - MIN_OF(n / 2, (uint32_t)RESERVE);
}

uint32_t budget_reserve(void)
{
	return descriptor_limit() - budget_most();
}

static bool take(uint32_t n)
{
	if (atomic_fetch_add_explicit(&used, n, memory_order_relaxed) + n <= budget_most())
		return true;
	atomic_fetch_sub_explicit(&used, n, memory_order_relaxed);
	return false;
}

bool budget_take(void)
{
	return take(1);
}

bool budget_listen(int n)
{
	if (n >= 0)
		return take((uint32_t)n);
	atomic_fetch_sub_explicit(&used, (uint32_t)-n, memory_order_relaxed);
	return true;
}

void budget_put(void)
{
	atomic_fetch_sub_explicit(&used, 1, memory_order_relaxed);
}

uint32_t budget_used(void)
{
	return atomic_load_explicit(&used, memory_order_relaxed);
}

uint32_t budget_share(void)
{
	return descriptor_limit() / 2;
}
