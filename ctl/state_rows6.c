// SPDX-License-Identifier: GPL-2.0-or-later
/* Bindings of IPv6 addresses and prefixes, and prefixes of segments, as rows of the store: a place is its sixteen bytes and its length. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "ctl/state_query.h"
#include "ctl/state_rows.h"
#include "dhcp/expiry.h"
#include "dhcp/lease6.h"

enum { PLACE = ADDR_SIZE + 1 };

static void place_bytes(struct prefix6 place, uint8_t to[PLACE])
{
	memcpy(to, place.addr.bytes, ADDR_SIZE);
	to[ADDR_SIZE] = place.len;
}

static struct db_write *write_of(const char *net, uint64_t segment, const struct lease6_record *r)
{
	uint8_t place[PLACE];

	place_bytes(r->place, place);
	if (r->state != LEASE_BOUND && r->state != LEASE_DECLINED)
		return db_write_new(DB_DEL_LEASE6, "tib", net, (int64_t)segment, place, sizeof(place));
	return db_write_new(DB_PUT_LEASE6, "tibtbbibtii", net, (int64_t)segment, place, sizeof(place), r->port, r->mac, (size_t)MAC_SIZE, r->duid,
			    (size_t)r->duid_size, (int64_t)r->iaid, r->via.bytes, (size_t)ADDR_SIZE, r->hostname, (int64_t)r->state,
			    r->expires_wall_s);
}

int rows_save_leases6(const char *net, uint64_t segment, const struct lease6_record *records, unsigned n, struct db_write **writes)
{
	int rc = 0;

	for (unsigned i = 0; i < n && rc == 0; i++) {
		*writes = write_of(net, segment, &records[i]);
		rc = *writes ? 0 : -ENOMEM;
		writes = *writes ? &(*writes)->next : writes;
	}
	return rc;
}

static bool read_lease6(const struct rows *rows, struct lease6_record *r)
{
	uint8_t place[PLACE];
	size_t duid;

	memset(r, 0, sizeof(*r));
	if (!rows_copy_bytes(rows, 2, place, PLACE, PLACE, NULL) || !rows_copy_bytes(rows, 4, r->mac, MAC_SIZE, MAC_SIZE, NULL) ||
	    !rows_copy_bytes(rows, 5, r->duid, 1, sizeof(r->duid), &duid) || !rows_copy_bytes(rows, 7, r->via.bytes, ADDR_SIZE, ADDR_SIZE, NULL))
		return false;
	r->place = (struct prefix6){ addr6(place), place[ADDR_SIZE] };
	r->duid_size = (uint8_t)duid;
	r->iaid = (uint32_t)sqlite3_column_int64(rows->query, 6);
	r->state = (uint8_t)sqlite3_column_int(rows->query, 9);
	r->expires_wall_s = expiry_shifted(sqlite3_column_int64(rows->query, 10), -rows->db->behind_s);
	return r->place.len <= 128 && sqlite3_column_int64(rows->query, 1) > 0 &&
	       rows_copy_text(r->port, sizeof(r->port), rows_text(rows, 3)) &&
	       rows_copy_text(r->hostname, sizeof(r->hostname), rows_text(rows, 8));
}

int rows_load_leases6(struct db *db, state_each6_fn *each, void *arg, struct error *err)
{
	struct rows rows = rows_ask(db, "SELECT net, vid, place, port, mac, duid, iaid, via, hostname, state, expires FROM leases6");
	struct lease6_record r;
	size_t skipped = 0;
	int result;

	while (rows_next(&rows)) {
		if (read_lease6(&rows, &r))
			each(arg, rows_text(&rows, 0), (uint64_t)sqlite3_column_int64(rows.query, 1), &r);
		else
			skipped++;
	}
	if (skipped)
		log_warn("event=state-leases6-skipped file=%s count=%zu", db->path, skipped);
	result = rows_end(&rows);
	if (db_is_damage(result))
		return db_set_aside(db, err);
	return result == SQLITE_OK ? 0 : db_fail(db, result, err);
}

/* ---- what segments were told ---- */

struct db_write *rows_save_prefix(const struct state_prefix *p)
{
	uint8_t prefix[PLACE];

	place_bytes(p->prefix, prefix);
	if (p->until_s == STATE_PREFIX_OVER)
		return db_write_new(DB_DEL_PREFIX, "tib", p->net, (int64_t)p->vid, prefix, sizeof(prefix));
	return db_write_new(DB_PUT_PREFIX, "tibi", p->net, (int64_t)p->vid, prefix, sizeof(prefix), p->until_s);
}

static bool read_prefix(const struct rows *rows, struct state_prefix *p)
{
	int64_t vid = sqlite3_column_int64(rows->query, 1);
	uint8_t prefix[PLACE];

	memset(p, 0, sizeof(*p));
	if (!rows_copy_bytes(rows, 2, prefix, PLACE, PLACE, NULL) || !rows_copy_text(p->net, sizeof(p->net), rows_text(rows, 0)))
		return false;
	p->vid = (uint16_t)vid;
	p->prefix = (struct prefix6){ addr6(prefix), prefix[ADDR_SIZE] };
	p->until_s = sqlite3_column_int64(rows->query, 3);
	if (p->until_s)
		p->until_s = expiry_shifted(p->until_s, -rows->db->behind_s);
	return vid > 0 && vid <= UINT16_MAX && p->prefix.len && p->prefix.len <= 128 && p->until_s >= 0 && addr_in(p->prefix, p->prefix.addr);
}

int rows_load_prefixes(struct db *db, void (*each)(void *arg, const struct state_prefix *p), void *arg, struct error *err)
{
	struct rows rows = rows_ask(db, "SELECT net, vid, prefix, until FROM prefixes");
	struct state_prefix p;
	int result;

	while (rows_next(&rows))
		if (read_prefix(&rows, &p))
			each(arg, &p);
	result = rows_end(&rows);
	if (db_is_damage(result))
		return db_set_aside(db, err);
	return result == SQLITE_OK ? 0 : db_fail(db, result, err);
}
