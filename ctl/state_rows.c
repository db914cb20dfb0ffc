// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/state_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "ctl/changes.h"
#include "ctl/state_query.h"
#include "dhcp/expiry.h"

/* list - writes being collected */
struct list {
	struct db_write **end;
	int rc;		/* -ENOMEM once one is missing */
};

static void append(struct list *list, struct db_write *write)
{
	if (!write) {
		list->rc = -ENOMEM;
		return;
	}
	*list->end = write;
	list->end = &write->next;
}

/* config() - an object's settings as one compact line, for free(); takes @object */
static char *config(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	return text;
}

static void put(struct list *list, enum db_statement statement, const char *net, const char *id, char *text)
{
	append(list, text ? db_write_new(statement, "ttt", net, id, text) : NULL);
	free(text);
}

static void save_network(struct list *list, const struct change *c)
{
	char *text;

	if (c->action == CHANGE_REMOVE) {
		append(list, db_write_new(DB_DEL_NETWORK, "t", c->old_net->name));
		append(list, db_write_new(DB_DEL_LEASES_OF_NET, "t", c->old_net->name));
		append(list, db_write_new(DB_DEL_LEASES6_OF_NET, "t", c->old_net->name));
		append(list, db_write_new(DB_DEL_PREFIXES_OF_NET, "t", c->old_net->name));
		return;
	}
	text = config(net_export(c->new_net, 0));
	append(list, text ? db_write_new(DB_PUT_NETWORK, "tit", c->new_net->name, (int64_t)c->new_net->owner, text) : NULL);
	free(text);
}

static void save_port(struct list *list, const struct change *c)
{
	const struct port_conf *old = c->old, *new = c->new;

	if (new && !new->transient)
		put(list, DB_PUT_PORT, c->new_net->name, new->name, config(port_export(c->new_net, new, 0)));
	else if (old && !old->transient)
		append(list, db_write_new(DB_DEL_PORT, "tt", c->old_net->name, old->name));
}

static void save_forward(struct list *list, const struct change *c)
{
	const struct forward_conf *old = c->old, *new = c->new;

	if (new)
		put(list, DB_PUT_FORWARD, c->new_net->name, new->id, config(forward_tree(new)));
	else
		append(list, db_write_new(DB_DEL_FORWARD, "tt", c->old_net->name, old->id));
}

/* A reservation is its address alone, as text, or a mapping with more in it. */
static void save_reservation(struct list *list, const struct change *c)
{
	const struct reservation_conf *old = c->old, *new = c->new;
	json_t *tree = new ? reservation_tree(new) : NULL;

	if (!new)
		append(list, db_write_new(DB_DEL_RESERVATION, "tt", c->old_net->name, old->of.name));
	else if (json_is_string(tree))
		append(list, db_write_new(DB_PUT_RESERVATION, "ttt", c->new_net->name, new->of.name, json_string_value(tree)));
	else
		put(list, DB_PUT_RESERVATION, c->new_net->name, new->of.name, config(json_incref(tree)));
	json_decref(tree);
}

static void save_record(struct list *list, const struct change *c)
{
	const struct record_conf *old = c->old, *new = c->new;

	if (new)
		append(list, db_write_new(DB_PUT_RECORD, "tttt", c->new_net->name, new->name, record_type_name(new->type),
					  new->value));
	else
		append(list, db_write_new(DB_DEL_RECORD, "ttt", c->old_net->name, old->name, record_type_name(old->type)));
}

static void save(void *arg, const struct change *c)
{
	static void (*const savers[])(struct list *list, const struct change *c) = {
		[CHANGE_NETWORK] = save_network, [CHANGE_PORT] = save_port, [CHANGE_FORWARD] = save_forward,
		[CHANGE_RESERVATION] = save_reservation, [CHANGE_RECORD] = save_record,
	};

	savers[c->what](arg, c);
}

int rows_save_model(const struct model *old, const struct model *new, struct db_write **writes)
{
	struct list list = { .end = writes };

	for (int s = DB_CLEAR_NETWORKS; !old && s <= DB_CLEAR_RECORDS; s++)
		append(&list, db_write_new((enum db_statement)s, ""));
	changes_written(old, new, save, &list);
	return list.rc;
}

static int load_networks(struct db *db, json_t *networks)
{
	struct rows rows = rows_ask(db, "SELECT name, owner_uid, config FROM networks");

	while (rows_next(&rows)) {
		json_t *net = json_loads(rows_text(&rows, 2), JSON_REJECT_DUPLICATES, NULL);

		if (!json_is_object(net)) {
			json_decref(net);
			rows.result = SQLITE_CORRUPT;	/* nothing of ours writes such a row */
			break;
		}
		json_object_set_new(net, "owner", json_integer(sqlite3_column_int64(rows.query, 1)));
		json_object_set_new(networks, rows_text(&rows, 0), net);
	}
	return rows_end(&rows);
}

/* group_of() - networks.NET.KEY, made where it is missing; NULL for rows of a network that is not there */
static json_t *group_of(json_t *networks, const char *net, const char *key, bool list)
{
	json_t *object = json_object_get(networks, net), *group = json_object_get(object, key);

	if (object && !group) {
		json_object_set_new(object, key, list ? json_array() : json_object());
		group = json_object_get(object, key);
	}
	return group;
}

/* load_members() - columns: network, id, and the value: a tree, or (@plain, unless it is a mapping) text */
static int load_members(struct db *db, json_t *networks, const char *key, const char *sql, bool plain)
{
	struct rows rows = rows_ask(db, sql);

	while (rows_next(&rows)) {
		json_t *group = group_of(networks, rows_text(&rows, 0), key, false);
		const char *text = rows_text(&rows, 2);
		json_t *value = plain && text[0] != '{' ? json_string(text) : json_loads(text, JSON_REJECT_DUPLICATES, NULL);

		if (!value) {
			rows.result = SQLITE_CORRUPT;
			break;
		}
		if (group)
			json_object_set(group, rows_text(&rows, 1), value);
		json_decref(value);
	}
	return rows_end(&rows);
}

static int load_records(struct db *db, json_t *networks)
{
	struct rows rows = rows_ask(db, "SELECT net, name, type, value FROM records ORDER BY net, name, type");

	while (rows_next(&rows)) {
		json_t *group = group_of(networks, rows_text(&rows, 0), "records", true);

		if (group)
			json_array_append_new(group, json_pack("{s:s, s:s, s:s}", "name", rows_text(&rows, 1), "type",
							       rows_text(&rows, 2), "value", rows_text(&rows, 3)));
	}
	return rows_end(&rows);
}

static int load_all(struct db *db, json_t *networks)
{
	int result = load_networks(db, networks);

	if (result == SQLITE_OK)
		result = load_members(db, networks, "ports", "SELECT net, name, config FROM ports", false);
	if (result == SQLITE_OK)
		result = load_members(db, networks, "forwards", "SELECT net, id, config FROM forwards", false);
	if (result == SQLITE_OK)
		result = load_members(db, networks, "reservations", "SELECT net, port, ip FROM reservations", true);
	return result == SQLITE_OK ? load_records(db, networks) : result;
}

json_t *rows_load_model(struct db *db, struct error *err)
{
	json_t *networks = json_object();
	int result = networks ? load_all(db, networks) : SQLITE_NOMEM, rc = 0;

	if (db_is_damage(result)) {
		json_object_clear(networks);
		rc = db_set_aside(db, err);
	} else if (result != SQLITE_OK) {
		rc = db_fail(db, result, err);
	}
	if (rc == 0)
		return json_pack("{s:o}", "networks", networks);
	json_decref(networks);
	return NULL;
}

static bool read_lease(const struct rows *rows, struct state_lease *lease)
{
	sqlite3_int64 segment = sqlite3_column_int64(rows->query, 1), ip = sqlite3_column_int64(rows->query, 2);
	int size = sqlite3_column_bytes(rows->query, 5), circuit_size = sqlite3_column_bytes(rows->query, 9);
	const void *mac = sqlite3_column_blob(rows->query, 4), *id = sqlite3_column_blob(rows->query, 5), *circuit = sqlite3_column_blob(rows->query, 9);

	*lease = (struct state_lease){ .segment = (uint64_t)segment, .ip = (uint32_t)ip };
	lease->state = (uint8_t)sqlite3_column_int(rows->query, 7);
	lease->expires_s = expiry_shifted(sqlite3_column_int64(rows->query, 8), -rows->db->behind_s);
	if (segment < 1 || ip < 0 || ip > UINT32_MAX || !mac || sqlite3_column_bytes(rows->query, 4) != MAC_SIZE ||
	    size > STATE_CLIENT_ID_MAX || circuit_size > STATE_CIRCUIT_MAX)
		return false;
	memcpy(lease->mac, mac, MAC_SIZE);
	lease->client_id_len = (uint8_t)size;
	if (size)
		memcpy(lease->client_id, id, (size_t)size);
	lease->circuit_len = (uint8_t)circuit_size;
	if (circuit_size)
		memcpy(lease->circuit, circuit, (size_t)circuit_size);
	return rows_copy_text(lease->net, sizeof(lease->net), rows_text(rows, 0)) &&
	       rows_copy_text(lease->port, sizeof(lease->port), rows_text(rows, 3)) &&
	       rows_copy_text(lease->hostname, sizeof(lease->hostname), rows_text(rows, 6));
}

int rows_load_leases(struct db *db, void (*each)(void *arg, const struct state_lease *lease), void *arg, struct error *err)
{
	struct rows rows = rows_ask(db, "SELECT net, vid, ip, port, mac, client_id, hostname, state, expires, circuit FROM leases "
					"ORDER BY expires");
	struct state_lease lease;
	size_t skipped = 0;
	int result;

	while (rows_next(&rows)) {
		if (read_lease(&rows, &lease))
			each(arg, &lease);
		else
			skipped++;
	}
	if (skipped)
		log_warn("event=state-leases-skipped file=%s count=%zu", db->path, skipped);
	result = rows_end(&rows);
	if (db_is_damage(result))
		return db_set_aside(db, err);	/* each() has had what could be read; the wire tells the rest */
	return result == SQLITE_OK ? 0 : db_fail(db, result, err);
}
