// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dns_find.h"

#include "base/array.h"

struct dns_found dns_find(const struct names *names, const struct dns_name *lower)
{
	struct dns_found f = { .n = 0 };
	uint64_t hash = names_hash(lower);

	for (; names && f.n < ARRAY_SIZE(f.sets); names = names_outer(names)) {
		const struct name_set *set = names_find_hashed(names, lower, hash);

		if (!set)
			continue;
		f.sets[f.n++] = set;
		f.nrecords += set->n;
	}
	return f;
}

struct dns_found dns_find_wild(const struct names *names, const struct dns_name *lower)
{
	static const struct dns_name star = { .size = 3, .wire = "\1*" };
	struct dns_found found = { .n = 0 }, above = { .n = 0 };
	struct dns_name up = *lower, wild;

	if (!names_any_wild(names))
		return found;
	while (!found.n && !above.n && up.size > 1) {
		dns_name_strip(&up, &up, 1);
		if (dns_name_join(&wild, &star, &up) == 0)
			found = dns_find(names, &wild);
		above = dns_find(names, &up);
	}
	return found;
}

const struct name_record *dns_found_at(const struct dns_found *f, unsigned i)
{
	return i < f->sets[0]->n ? &f->sets[0]->records[i] : &f->sets[1]->records[i - f->sets[0]->n];
}
