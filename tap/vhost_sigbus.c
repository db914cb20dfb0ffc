// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tap/vhost_sigbus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The registry is read inside a signal handler: no lock, and no memory that could be freed under it. Ranges live in chunks that
 * are never given back, and a range that was removed is used again.
 *
 * `version` is odd while the control thread changes a range. The handler that sees it odd, or changed while it read, passes
 * that range over and need not look again: a range that is being removed has no user any more, and one that is being added
 * has none yet, so the fault cannot be in either.
 */
struct sigbus_range {
	atomic_uint version;
	atomic_bool lost;
	atomic_uint replaced;			/* pages */
	_Atomic uintptr_t at;
	_Atomic size_t size, page;		/* size 0: not in use */
	struct sigbus_range *next_free;		/* control thread */
};

enum { CHUNK = 512, CHUNKS = SIGBUS_RANGES_MAX / CHUNK, REPLACED_MAX = 64 };

static struct {
	struct sigbus_range *_Atomic chunks[CHUNKS];
	atomic_uint n;				/* ranges that were ever used, never falls */
	atomic_uint lost;			/* ranges there now that lost a page */
	struct sigbus_range *free;		/* control thread */
	struct sigaction before;
} registry;

/* in_handler - the fault may be inside an access that a thread sanitizer watches, its lock held: it must not watch here */
#ifdef __clang__
#define in_handler __attribute__((disable_sanitizer_instrumentation))
#else
#define in_handler __attribute__((no_sanitize_thread))
#endif

in_handler static struct sigbus_range *range_at(unsigned i)
{
	return &atomic_load_explicit(&registry.chunks[i / CHUNK], memory_order_acquire)[i % CHUNK];
}

/* read_range() - a consistent copy, or false where there is none to be had */
in_handler static bool read_range(struct sigbus_range *r, uintptr_t *at, size_t *size, size_t *page)
{
	unsigned version = atomic_load_explicit(&r->version, memory_order_acquire);

	*at = atomic_load_explicit(&r->at, memory_order_relaxed);
	*size = atomic_load_explicit(&r->size, memory_order_relaxed);
	*page = atomic_load_explicit(&r->page, memory_order_relaxed);
	atomic_thread_fence(memory_order_acquire);
	return version % 2 == 0 && atomic_load_explicit(&r->version, memory_order_relaxed) == version;
}

static void set_range(struct sigbus_range *r, uintptr_t at, size_t size, size_t page)
{
	unsigned version = atomic_load_explicit(&r->version, memory_order_relaxed);

	atomic_store_explicit(&r->version, version + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&r->at, at, memory_order_relaxed);
	atomic_store_explicit(&r->size, size, memory_order_relaxed);
	atomic_store_explicit(&r->page, page, memory_order_relaxed);
	atomic_store_explicit(&r->version, version + 2, memory_order_release);
}

/* put_zeros() - by the bare system call: whatever stands in front of mmap() elsewhere is not made for signal handlers */
in_handler static bool put_zeros(uintptr_t at, size_t size)
{
	enum { FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE };

	return syscall(SYS_mmap, at, size, PROT_READ | PROT_WRITE, FLAGS, -1, 0) >= 0;
}

/* replace() - one page; or everything, when that many pieces of address space were taken for it already (the process has 65530, for
 * all front-ends: vm.max_map_count), or the kernel gives us no more. Two threads on one page replace it twice, and what
 * the first wrote in between is lost, as all of that page is. */
in_handler static bool replace(uintptr_t address)
{
	unsigned n = atomic_load_explicit(&registry.n, memory_order_acquire);

	for (unsigned i = 0; i < n; i++) {
		struct sigbus_range *r = range_at(i);
		size_t size, page;
		uintptr_t at;

		if (!read_range(r, &at, &size, &page) || address - at >= size)
			continue;
		if ((atomic_fetch_add(&r->replaced, 1) >= REPLACED_MAX || !put_zeros(address - (address - at) % page, page)) &&
		    !put_zeros(at, size))
			return false;
		if (!atomic_exchange(&r->lost, true))
			atomic_fetch_add(&registry.lost, 1);
		return true;
	}
	return false;
}

in_handler static void on_sigbus(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)context;
	/* The kernel says that memory is gone; a process that sends the signal says nothing about memory. */
	if (info->si_code <= 0 || !replace((uintptr_t)info->si_addr)) {
		sigaction(number, &registry.before, NULL);
		raise(number);		/* waits until this handler has returned */
	}
	errno = saved;
}

static int install_rc;

static void install(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigemptyset(&action.sa_mask);
	install_rc = sigaction(SIGBUS, &action, &registry.before) < 0 ? -errno : 0;
}

int sigbus_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
	return install_rc;
}

/* fresh_range() - one that was never used */
static struct sigbus_range *fresh_range(void)
{
	unsigned n = atomic_load_explicit(&registry.n, memory_order_relaxed);

	if (n == SIGBUS_RANGES_MAX)
		return NULL;
	if (n % CHUNK == 0) {
		struct sigbus_range *chunk = calloc(CHUNK, sizeof(*chunk));

		if (!chunk)
			return NULL;
		atomic_store_explicit(&registry.chunks[n / CHUNK], chunk, memory_order_release);
	}
	atomic_store_explicit(&registry.n, n + 1, memory_order_release);
	return range_at(n);
}

struct sigbus_range *sigbus_add(void *at, size_t size, size_t page)
{
	struct sigbus_range *r = registry.free;

	if (r)
		registry.free = r->next_free;
	else
		r = fresh_range();
	if (!r)
		return NULL;
	set_range(r, (uintptr_t)at, size, page);
	return r;
}

void sigbus_remove(struct sigbus_range *r)
{
	set_range(r, 0, 0, 1);
	atomic_store(&r->replaced, 0);
	if (atomic_exchange(&r->lost, false))
		atomic_fetch_sub(&registry.lost, 1);
	r->next_free = registry.free;
	registry.free = r;
}

bool sigbus_lost(const struct sigbus_range *r)
{
	return atomic_load_explicit(&r->lost, memory_order_relaxed);
}

bool sigbus_any_lost(void)
{
	return atomic_load_explicit(&registry.lost, memory_order_relaxed) > 0;
}
