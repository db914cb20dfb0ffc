// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/answers.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "dhcp/dns_message.h"

enum { WAYS = 4, RECORDS_MAX = 64 };

struct answer {
	struct addr addr;		/* none: free */
	uint64_t told;			/* count of answers when it was */
	char name[ANSWERS_NAME];
};

struct answers {
	uint64_t count;
	struct answer list[ANSWERS_MAX];
};

_Static_assert(ANSWERS_MAX % WAYS == 0, "an address has a row of places");

struct answers *answers_new(void)
{
	return calloc(1, sizeof(struct answers));
}

void answers_free(struct answers *t)
{
	free(t);
}

static size_t row_of(struct addr a)
{
	return addr_hash(a, hash_seed()) % (ANSWERS_MAX / WAYS) * WAYS;
}

const char *answers_name(const struct answers *t, struct addr a)
{
	const struct answer *row = t ? &t->list[row_of(a)] : NULL;

	for (unsigned i = 0; row && i < WAYS; i++)
		if (row[i].told && addr_equal(row[i].addr, a))
			return row[i].name;
	return NULL;
}

static void put(struct answers *t, struct addr a, const char *name)
{
	struct answer *row = &t->list[row_of(a)], *at = row;

	for (unsigned i = 0; i < WAYS; i++) {
		if (row[i].told && addr_equal(row[i].addr, a)) {
			at = &row[i];
			break;
		}
		if (row[i].told < at->told)
			at = &row[i];
	}
	at->addr = a;
	at->told = ++t->count;
	snprintf(at->name, sizeof(at->name), "%s", name);
}

void answers_note(struct answers *t, const uint8_t *reply, size_t size)
{
	char name[DNS_NAME_TEXT];
	struct dns_name owner;
	size_t pos = DNS_HEADER_SIZE;
	struct dns_rr rr;

	if (size < DNS_HEADER_SIZE || !(get_u16(reply + 2) & DNS_FLAG_QR) || get_u16(reply + 4) != 1 ||
	    dns_name_read(&owner, reply, size, &pos) < 0 || size - pos < 4)
		return;
	pos += 4;
	dns_name_lower(&owner);
	dns_name_to_text(&owner, name);
	for (unsigned n = get_u16(reply + 6), i = 0; i < n && i < RECORDS_MAX; i++) {
		if (dns_rr_read(&rr, reply, size, &pos) < 0)
			return;
		if (rr.class == DNS_CLASS_IN && rr.type == DNS_A && rr.size == 4)
			put(t, addr4(get_u32(reply + rr.data)), name);
		else if (rr.class == DNS_CLASS_IN && rr.type == DNS_AAAA && rr.size == ADDR_SIZE)
			put(t, addr6(reply + rr.data), name);
	}
}
