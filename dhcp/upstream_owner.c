// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/upstream_owner.h"

#include <stdlib.h>

#include "base/hash.h"

#undef HASH_FUNCTION		/* uthash's own has no secret */
#define HASH_FUNCTION(key, size, value) ((value) = (unsigned)hash_bytes(key, size, hash_seed()))

struct owner *owner_get(struct owner **table, uint64_t key)
{
	struct owner *o;

	HASH_FIND(hh, *table, &key, sizeof(key), o);
	if (o)
		return o;
	o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->key = key;
	HASH_ADD(hh, *table, key, sizeof(o->key), o);
	if (o->hh.tbl)
		return o;
	free(o);
	return NULL;
}

void owner_put(struct owner **table, struct owner *o)
{
	if (o->npending)
		return;
	HASH_DELETE(hh, *table, o);
	free(o);
}
