// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tests/packet/ideal_switch.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <linux/virtio_net.h>

enum { BURST = 64, LINE = 64, PATHS_MAX = 64, TABLE_BITS = 18, IN_CACHE = 256 };

struct end {
	struct guest_ring *ring;
	uint16_t at;			/* next place of the avail and of the used ring */
};

struct path {
	struct end from, to;
	unsigned guest;			/* sender */
};

static struct path paths[PATHS_MAX];
static unsigned npaths;
static enum ideal_work work_wanted;
static uint64_t stations[1u << TABLE_BITS];	/* address << 16 | guest + 1, in the first place of its hash */

static inline struct vring_avail *avail(const struct end *e)
{
	return (struct vring_avail *)e->ring->driver;
}

static inline struct vring_used *used(const struct end *e)
{
	return (struct vring_used *)e->ring->device;
}

static inline unsigned waiting(const struct end *e)
{
	return (uint16_t)(__atomic_load_n(&avail(e)->idx, __ATOMIC_ACQUIRE) - e->at);
}

static inline uint8_t *here(const struct end *e, uint64_t gpa)
{
	return e->ring->memory + (gpa - e->ring->gpa);
}

/* fetch_to_write() - without being told which processor it is, the compiler would make a fetch to read of the builtin */
static inline void fetch_to_write(const void *p)
{
#ifdef __x86_64__
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
#else
	__builtin_prefetch(p, 1);
#endif
}

/* fetch() - read descriptors of @n places into @descs, and begin to fetch what will be touched */
static void fetch(const struct end *e, unsigned n, bool to, struct vring_desc *descs, uint16_t *ids)
{
	unsigned mask = e->ring->size - 1u;
	const struct vring_desc *table = (const struct vring_desc *)e->ring->desc;

	for (unsigned k = 0; k < n; k += LINE / sizeof(struct vring_used_elem))
		fetch_to_write(&used(e)->ring[(e->at + k) & mask]);
	fetch_to_write(&used(e)->ring[(e->at + n - 1) & mask]);
	for (unsigned k = 0; k < n; k++) {
		ids[k] = avail(e)->ring[(e->at + k) & mask];
		__builtin_prefetch(&table[ids[k] & mask]);
	}
	for (unsigned k = 0; k < n; k++) {
		descs[k] = table[ids[k] & mask];
		if (work_wanted == IDEAL_RINGS)
			continue;
		for (uint32_t b = 0; b < descs[k].len && b < 2 * LINE; b += LINE) {
			if (to)
				fetch_to_write(here(e, descs[k].addr) + b);
			else
				__builtin_prefetch(here(e, descs[k].addr) + b);
		}
	}
}

static inline void copy(uint8_t *to, const uint8_t *from, uint32_t n)
{
	if (n > IN_CACHE) {
		memcpy(to, from, n);
		return;
	}
	for (; n >= LINE; n -= LINE, to += LINE, from += LINE)
		__builtin_memcpy(to, from, LINE);
	if (n >= 16)			/* the last piece may overlap what stands before it */
		__builtin_memcpy(to + n - 16, from + n - 16, 16);
	for (; n >= 16; n -= 16, to += 16, from += 16)
		__builtin_memcpy(to, from, 16);
	if (n)
		__builtin_memcpy(to + n - 16, from + n - 16, 16);
}

static inline uint64_t *station(const uint8_t *mac, uint64_t *key)
{
	memcpy(key, mac, 8);
	*key = *key << 16;
	return &stations[(*key * 0x9e3779b97f4a7c15u) >> (64 - TABLE_BITS)];
}

/* known() - keep the source, look the destination up; Return: does it live at the other guest? */
static inline bool known(const uint8_t *frame, unsigned guest)
{
	uint64_t to, from, *there = station(frame, &to), *own = station(frame + 6, &from);

	if (*own != (from | (guest + 1)))
		*own = from | (guest + 1);
	return *there != (to | (guest + 1));
}

static inline void give_back(struct end *e, unsigned k, uint16_t id, uint32_t len)
{
	used(e)->ring[(e->at + k) & (e->ring->size - 1u)] = (struct vring_used_elem){ id, len };
}

static void forward(struct path *p)
{
	struct vring_desc from[BURST], to[BURST];
	uint16_t from_id[BURST], to_id[BURST];
	unsigned n = waiting(&p->from), room, taken = 0;

	if (!n)
		return;
	room = waiting(&p->to);
	n = n < room ? n : room;
	n = n < BURST ? n : BURST;
	if (!n)
		return;
	fetch(&p->from, n, false, from, from_id);
	fetch(&p->to, n, true, to, to_id);
	for (unsigned k = 0; k < n; k++) {
		const uint8_t *s = here(&p->from, from[k].addr);

		give_back(&p->from, k, from_id[k], 0);
		if (work_wanted == IDEAL_SWITCH && !known(s + GUEST_HEADER, p->guest))
			continue;
		if (work_wanted != IDEAL_RINGS) {
			uint8_t *d = here(&p->to, to[taken].addr);

			copy(d, s, from[k].len);
			((struct virtio_net_hdr_v1 *)d)->num_buffers = 1;
		}
		give_back(&p->to, taken, to_id[taken], from[k].len);
		taken++;
	}
	p->to.at = (uint16_t)(p->to.at + taken);
	p->from.at = (uint16_t)(p->from.at + n);
	__atomic_store_n(&used(&p->to)->idx, p->to.at, __ATOMIC_RELEASE);
	__atomic_store_n(&used(&p->from)->idx, p->from.at, __ATOMIC_RELEASE);
}

static void *run(void *cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((uintptr_t)cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	for (;;)
		for (unsigned i = 0; i < npaths; i++)
			forward(&paths[i]);
	return NULL;
}

int ideal_switch_start(struct vguest *guests, unsigned n, enum ideal_work work, unsigned cpu)
{
	pthread_t thread;

	work_wanted = work;
	for (unsigned i = 0; i < n; i++)
		for (unsigned q = 0; q < guests[i].conf.pairs && npaths < PATHS_MAX; q++) {
			struct vguest_pair *from = &guests[i].pairs[q], *to = &guests[i ^ 1].pairs[q];

			paths[npaths++] = (struct path){ .from.ring = &from->tx, .to.ring = &to->rx, .guest = i };
			used(&paths[npaths - 1].from)->flags = VRING_USED_F_NO_NOTIFY;
			used(&paths[npaths - 1].to)->flags = VRING_USED_F_NO_NOTIFY;
		}
	return -pthread_create(&thread, NULL, run, (void *)(uintptr_t)cpu);
}
