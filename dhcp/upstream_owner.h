/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/upstream_owner.h - how many queries wait for each owner (of dhcp/upstream.c; its thread) */
#ifndef DHCP_UPSTREAM_OWNER_H
#define DHCP_UPSTREAM_OWNER_H

#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* owner - one that has queries waiting */
struct owner {
	uint64_t key;
	unsigned npending;
	UT_hash_handle hh;
};

/* owner_get() - find or make it in the uthash @table; NULL without memory
 * owner_put() - forget it if nothing waits for it */
struct owner *owner_get(struct owner **table, uint64_t key);
void owner_put(struct owner **table, struct owner *o);

#endif
