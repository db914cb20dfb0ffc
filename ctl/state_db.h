/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/state_db.h - the SQLite file behind ctl/state.h: opening, migrating, setting aside, and one transaction
 *
 * Used by one thread at a time. Functions return 0 or a negative errno with @err. A write is a prepared statement's
 * number and its values; it is made on the control thread and carried out on the state thread.
 */
#ifndef CTL_STATE_DB_H
#define CTL_STATE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/error.h"

enum db_statement {
	DB_CLEAR_NETWORKS, DB_CLEAR_PORTS, DB_CLEAR_FORWARDS, DB_CLEAR_RESERVATIONS, DB_CLEAR_RECORDS,
	DB_PUT_NETWORK, DB_DEL_NETWORK, DB_PUT_PORT, DB_DEL_PORT, DB_PUT_FORWARD, DB_DEL_FORWARD,
	DB_PUT_RESERVATION, DB_DEL_RESERVATION, DB_PUT_RECORD, DB_DEL_RECORD,
	DB_PUT_LEASE, DB_DEL_LEASE, DB_DEL_LEASES_OF_NET,
	DB_PUT_LEASE6, DB_DEL_LEASE6, DB_DEL_LEASES6_OF_NET,
	DB_PUT_PREFIX, DB_DEL_PREFIX, DB_DEL_PREFIXES_OF_NET,
	DB_STATEMENTS
};

enum { DB_VALUES_MAX = 11 };

struct db_write {
	struct db_write *next;
	enum db_statement statement;
	unsigned nvalues;
	struct {
		char type;		/* 't' text, 'b' bytes, 'i' number */
		uint32_t at, size;	/* text and bytes: in data */
		int64_t number;
	} values[DB_VALUES_MAX];
	char data[];
};

/* db_write_new() - a write for free()
 * @types:	for each value 't' (const char *), 'b' (const void *, size_t) or 'i' (int64_t)
 *
 * Return: NULL when out of memory.
 */
struct db_write *db_write_new(enum db_statement statement, const char *types, ...);

struct db {
	char path[4096];
	sqlite3 *handle;	/* NULL: closed after a failure; db_run() opens it again */
	sqlite3_stmt *statements[DB_STATEMENTS];
	bool lost;		/* a damaged file was set aside since this was last cleared */
	int64_t behind_s;	/* how far the wall clock was behind the last write when the file was opened first: it has been set back */
	bool suspect;		/* a write or a flush failed: what is read of the log may not be on the disk */
};

/* db_open() - open or make db->path, mode 0600, and bring its schema up to date; a damaged file is set aside
 *
 * Errors: -ENOTSUP when a newer lanyard wrote it.
 */
int db_open(struct db *db, struct error *err);
void db_close(struct db *db);

/* db_behind() - how many seconds the wall clock is behind the last write to db->path, by whomever; 0 where it is not; before db_open() */
int64_t db_behind(const struct db *db);

/* db_is_damage() - does this result of SQLite mean that the file is broken? */
bool db_is_damage(int result);

/* db_set_aside() - rename the file to PATH.corrupt-N, and begin a new one */
int db_set_aside(struct db *db, struct error *err);

/* db_fail() - turn SQLite's last error into ours */
int db_fail(struct db *db, int result, struct error *err);

/* db_begin(), then db_run() for each write, then db_end(): with @rc 0 durable on return of 0, else undone */
int db_begin(struct db *db, struct error *err);
int db_run(struct db *db, const struct db_write *writes, struct error *err);
int db_end(struct db *db, int rc, struct error *err);

#endif
