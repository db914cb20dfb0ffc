// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/filter.h"

#include <stdlib.h>

#include "base/hash.h"

enum { PROBES = 8 };			/* places where an address may lie */

/* Mixed once more: under some secrets neighbours among addresses are neighbours among their hashes, too. */
static struct addr *place(const struct filter *f, struct addr ip, unsigned i)
{
	uint32_t at = (uint32_t)hash_u64(addr_hash(ip, hash_seed()), hash_seed()) + i;

	return &f->table[at & (f->room - 1)];
}

static bool crowded(const struct filter *f, struct addr ip)
{
	for (unsigned i = 0; i < PROBES; i++)
		if (addr_is_none(*place(f, ip, i)))
			return false;
	return true;
}

static void table_add(struct filter *f, struct addr ip)
{
	for (unsigned i = 0; i < PROBES; i++) {
		struct addr *p = place(f, ip, i);

		if (addr_equal(*p, ip))
			return;
		if (addr_is_none(*p)) {
			*p = ip;
			f->n++;
			return;
		}
	}
	*place(f, ip, f->n++ % PROBES) = ip;	/* crowded: this one for another */
}

/* grow() - into a table of @room places. Return: false without memory, nothing changed */
static bool grow(struct filter *f, uint32_t room)
{
	struct filter old = *f;
	const struct addr *from = old.room ? old.table : old.few;
	uint32_t n = old.room ? old.room : old.n;
	struct addr *table = calloc(room, sizeof(*table));

	if (!table)
		return false;
	f->table = table;
	f->room = room;
	f->n = 0;
	for (uint32_t i = 0; i < n; i++)
		if (!addr_is_none(from[i]))
			table_add(f, from[i]);
	if (old.room)
		free(old.table);
	return true;
}

void filter_add(struct filter *f, struct addr ip)
{
	if (filter_has(f, ip))
		return;
	if (!f->room && f->n < FILTER_INLINE) {
		f->few[f->n++] = ip;
		return;
	}
	if (!f->room && !grow(f, 32)) {
		f->few[ip.bytes[ADDR_SIZE - 1] % FILTER_INLINE] = ip;
		return;
	}
	if ((f->n >= f->room / 2 || crowded(f, ip)) && f->room < 2 * FILTER_MAX)
		grow(f, f->room * 4 > 2 * FILTER_MAX ? 2 * FILTER_MAX : f->room * 4);
	table_add(f, ip);
}

bool filter_has(const struct filter *f, struct addr ip)
{
	if (!f->room) {
		for (uint32_t i = 0; i < f->n; i++)
			if (addr_equal(f->few[i], ip))
				return true;
		return false;
	}
	for (unsigned i = 0; i < PROBES; i++)
		if (addr_equal(*place(f, ip, i), ip))
			return true;
	return false;
}

void filter_fini(struct filter *f)
{
	if (f->room)
		free(f->table);
	*f = (struct filter){ 0 };
}
