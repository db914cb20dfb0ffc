// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/state_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "ctl/state.h"

/* steps[n] leads from schema n to n + 1. A step that was released is never changed; a new one is added. */
static const char *const steps[] = {
	"PRAGMA application_id = 0x6c616e79;"
	"CREATE TABLE networks(name TEXT PRIMARY KEY, owner_uid INTEGER NOT NULL, config TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE ports(net TEXT, name TEXT, config TEXT NOT NULL, PRIMARY KEY(net, name)) WITHOUT ROWID;"
	"CREATE TABLE forwards(net TEXT, id TEXT, config TEXT NOT NULL, PRIMARY KEY(net, id)) WITHOUT ROWID;"
	"CREATE TABLE reservations(net TEXT, port TEXT, ip TEXT NOT NULL, PRIMARY KEY(net, port)) WITHOUT ROWID;"
	"CREATE TABLE records(net TEXT, name TEXT, type TEXT, value TEXT NOT NULL, PRIMARY KEY(net, name, type))"
	" WITHOUT ROWID;"
	"CREATE TABLE leases(net TEXT, vid INTEGER, ip INTEGER, port TEXT NOT NULL, mac BLOB NOT NULL,"
	" client_id BLOB NOT NULL, hostname TEXT NOT NULL, state INTEGER NOT NULL, expires INTEGER NOT NULL,"
	" PRIMARY KEY(net, vid, ip)) WITHOUT ROWID;",
	"CREATE TABLE leases6(net TEXT, vid INTEGER, place BLOB, port TEXT NOT NULL, mac BLOB NOT NULL, duid BLOB NOT NULL,"
	" iaid INTEGER NOT NULL, via BLOB NOT NULL, hostname TEXT NOT NULL, state INTEGER NOT NULL, expires INTEGER NOT NULL,"
	" PRIMARY KEY(net, vid, place)) WITHOUT ROWID;",
	"ALTER TABLE leases ADD COLUMN circuit BLOB NOT NULL DEFAULT x'';",
	"CREATE TABLE prefixes(net TEXT, vid INTEGER, prefix BLOB, until INTEGER NOT NULL, PRIMARY KEY(net, vid, prefix)) WITHOUT ROWID;",
};

_Static_assert(ARRAY_SIZE(steps) == STATE_SCHEMA, "each schema has the step that leads to it");

static const char *const statements[DB_STATEMENTS] = {
	[DB_CLEAR_NETWORKS] = "DELETE FROM networks",
	[DB_CLEAR_PORTS] = "DELETE FROM ports",
	[DB_CLEAR_FORWARDS] = "DELETE FROM forwards",
	[DB_CLEAR_RESERVATIONS] = "DELETE FROM reservations",
	[DB_CLEAR_RECORDS] = "DELETE FROM records",
	[DB_PUT_NETWORK] = "INSERT OR REPLACE INTO networks VALUES(?, ?, ?)",
	[DB_DEL_NETWORK] = "DELETE FROM networks WHERE name = ?",
	[DB_PUT_PORT] = "INSERT OR REPLACE INTO ports VALUES(?, ?, ?)",
	[DB_DEL_PORT] = "DELETE FROM ports WHERE net = ? AND name = ?",
	[DB_PUT_FORWARD] = "INSERT OR REPLACE INTO forwards VALUES(?, ?, ?)",
	[DB_DEL_FORWARD] = "DELETE FROM forwards WHERE net = ? AND id = ?",
	[DB_PUT_RESERVATION] = "INSERT OR REPLACE INTO reservations VALUES(?, ?, ?)",
	[DB_DEL_RESERVATION] = "DELETE FROM reservations WHERE net = ? AND port = ?",
	[DB_PUT_RECORD] = "INSERT OR REPLACE INTO records VALUES(?, ?, ?, ?)",
	[DB_DEL_RECORD] = "DELETE FROM records WHERE net = ? AND name = ? AND type = ?",
	[DB_PUT_LEASE] = "INSERT OR REPLACE INTO leases VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[DB_DEL_LEASE] = "DELETE FROM leases WHERE net = ? AND vid = ? AND ip = ?",
	[DB_DEL_LEASES_OF_NET] = "DELETE FROM leases WHERE net = ?",
	[DB_PUT_LEASE6] = "INSERT OR REPLACE INTO leases6 VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[DB_DEL_LEASE6] = "DELETE FROM leases6 WHERE net = ? AND vid = ? AND place = ?",
	[DB_DEL_LEASES6_OF_NET] = "DELETE FROM leases6 WHERE net = ?",
	[DB_PUT_PREFIX] = "INSERT OR REPLACE INTO prefixes VALUES(?, ?, ?, ?)",
	[DB_DEL_PREFIX] = "DELETE FROM prefixes WHERE net = ? AND vid = ? AND prefix = ?",
	[DB_DEL_PREFIXES_OF_NET] = "DELETE FROM prefixes WHERE net = ?",
};

struct db_write *db_write_new(enum db_statement statement, const char *types, ...)
{
	struct db_write value = { .statement = statement, .nvalues = (unsigned)strlen(types) }, *write;
	const void *from[DB_VALUES_MAX] = { NULL };
	size_t size = 0;
	va_list ap;

	va_start(ap, types);
	for (unsigned i = 0; i < value.nvalues; i++) {
		value.values[i].type = types[i];
		if (types[i] == 'i') {
			value.values[i].number = va_arg(ap, int64_t);
			continue;
		}
		from[i] = va_arg(ap, const void *);
		value.values[i].size = (uint32_t)(types[i] == 't' ? strlen(from[i]) : va_arg(ap, size_t));
		value.values[i].at = (uint32_t)size;
		size += value.values[i].size;
	}
	va_end(ap);
	write = malloc(sizeof(*write) + size);
	if (!write)
		return NULL;
	*write = value;
	for (unsigned i = 0; i < value.nvalues; i++)
		if (value.values[i].size)
			memcpy(write->data + value.values[i].at, from[i], value.values[i].size);
	return write;
}

bool db_is_damage(int result)
{
	return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB;
}

int db_fail(struct db *db, int result, struct error *err)
{
	const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(result);
	int system = db->handle ? sqlite3_system_errno(db->handle) : 0;

	/* Of a COMMIT that fails SQLite keeps no errno. */
	if (!system && access(db->path, W_OK) < 0)
		system = errno;
	switch (result & 0xff) {
	case SQLITE_FULL:
		return error_set(err, -ENOSPC, "%s: %s", db->path, text);
	case SQLITE_READONLY:
		return error_set(err, -EROFS, "%s: %s", db->path, text);
	case SQLITE_NOMEM:
		return error_set(err, -ENOMEM, "%s: out of memory", db->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, -EBUSY, "%s: used by another program", db->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set(err, -EBADMSG, "%s: %s", db->path, text);
	default:
		return error_set(err, system > 0 ? -system : -EIO, "%s: %s%s%s", db->path, text, system > 0 ? ": " : "",
				 system > 0 ? strerror(system) : "");
	}
}

void db_close(struct db *db)
{
	for (size_t i = 0; i < DB_STATEMENTS; i++) {
		sqlite3_finalize(db->statements[i]);
		db->statements[i] = NULL;
	}
	sqlite3_close(db->handle);
	db->handle = NULL;
}

/* make_file() - so that the mode is ours from the first moment, and the entry of the directory durable */
static int make_file(struct db *db, struct error *err)
{
	int fd = open(db->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600), dir;
	char parent[sizeof(db->path)];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077 && fchmod(fd, 0600) < 0)) {
		int rc = fd >= 0 && !S_ISREG(st.st_mode) ? -EINVAL : -errno;

		if (fd >= 0)
			close(fd);
		return error_set(err, rc, "%s: cannot open: %s", db->path, strerror(-rc));
	}
	close(fd);
	snprintf(parent, sizeof(parent), "%s", db->path);
	*strrchr(parent, '/') = '\0';
	dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		fsync(dir);
		close(dir);
	}
	return 0;
}

static int run_sql(struct db *db, const char *sql)
{
	return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

/* ask_number() - the number that a pragma answers with; a check that answers text counts as 0 when it says "ok" */
static int ask_number(struct db *db, const char *sql, long *number)
{
	sqlite3_stmt *ask;
	int result = sqlite3_prepare_v2(db->handle, sql, -1, &ask, NULL);

	if (result == SQLITE_OK)
		result = sqlite3_step(ask);
	if (result == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(ask, 0);

		*number = text && !strcmp(text, "ok") ? 0 : sqlite3_column_type(ask, 0) == SQLITE_INTEGER ?
			  (long)sqlite3_column_int64(ask, 0) : -1;
		result = SQLITE_OK;
	}
	sqlite3_finalize(ask);
	return result;
}

static int migrate(struct db *db, struct error *err)
{
	char sql[64];
	long version;
	int result = ask_number(db, "PRAGMA user_version", &version);

	if (result == SQLITE_OK && version > STATE_SCHEMA) {
		error_set(err, -ENOTSUP, "%s was written by a newer lanyard (schema %ld; this one knows up to %d)", db->path,
			  version, STATE_SCHEMA);
		error_hint(err, "run the newer version, or move the file away to begin anew");
		return -ENOTSUP;
	}
	for (; result == SQLITE_OK && version < STATE_SCHEMA; version++) {
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %ld; COMMIT", version + 1);
		result = run_sql(db, "BEGIN IMMEDIATE");
		if (result == SQLITE_OK)
			result = run_sql(db, steps[version]);
		if (result == SQLITE_OK)
			result = run_sql(db, sql);
	}
	return result;
}

/* settle() - after a flush that failed the kernel takes the pages for clean, so that of what we read of the log, and would append to, some may
 * never reach the disk. All of it goes into the file anew, and the log begins from nothing. Return: a result of SQLite.
 */
static int settle(struct db *db)
{
	long busy = 0;
	int result = db->suspect ? ask_number(db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy) : SQLITE_OK;

	if (result == SQLITE_OK && busy)
		result = SQLITE_BUSY;
	if (result == SQLITE_OK)
		db->suspect = false;
	return result;
}

/* connect_file() - Return: a result of SQLite, or a negative errno with @err */
static int connect_file(struct db *db, struct error *err)
{
	static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
				       "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF";
	long damage = 0;
	int result = make_file(db, err);

	if (result < 0)
		return result;
	result = sqlite3_open_v2(db->path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
	if (result != SQLITE_OK)
		return result;
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, 2000);
	result = run_sql(db, settings);
	if (result == SQLITE_OK)
		result = ask_number(db, "PRAGMA quick_check(1)", &damage);
	if (result == SQLITE_OK && damage)
		result = SQLITE_CORRUPT;
	if (result == SQLITE_OK)
		result = settle(db);
	if (result == SQLITE_OK)
		result = migrate(db, err);
	for (size_t i = 0; result == SQLITE_OK && i < DB_STATEMENTS; i++)
		result = sqlite3_prepare_v3(db->handle, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &db->statements[i],
					    NULL);
	return result;
}

/* move() - the file itself must go; its log and index go with it where they exist */
static int move(const char *path, unsigned n)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char from[4200], to[4200];

	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		snprintf(from, sizeof(from), "%s%s", path, tails[i]);
		snprintf(to, sizeof(to), "%s.corrupt-%u%s", path, n, tails[i]);
		if (rename(from, to) < 0 && (i == 0 || errno != ENOENT))
			return -errno;
	}
	return 0;
}

int db_set_aside(struct db *db, struct error *err)
{
	char name[4200];
	unsigned n = 0;
	struct stat st;
	int rc;

	db_close(db);
	do
		snprintf(name, sizeof(name), "%s.corrupt-%u", db->path, ++n);
	while (lstat(name, &st) == 0);
	rc = move(db->path, n);
	if (rc < 0)
		return error_set(err, rc, "%s is damaged and cannot be renamed: %s", db->path, strerror(-rc));
	log_error("event=state-damaged file=%s kept=%s action=begin-anew", db->path, name);
	db->lost = true;
	rc = connect_file(db, err);
	return rc > 0 ? db_fail(db, rc, err) : rc;
}

int64_t db_behind(const struct db *db)
{
	static const char *const tails[] = { "", "-wal" };
	int64_t now = (int64_t)(clock_wall_ms() / 1000), written = 0;
	char path[4200];
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		snprintf(path, sizeof(path), "%s%s", db->path, tails[i]);
		if (lstat(path, &st) == 0 && st.st_mtime > written)
			written = st.st_mtime;
	}
	return written > now ? written - now : 0;
}

int db_open(struct db *db, struct error *err)
{
	int rc = connect_file(db, err);

	if (rc > 0 && db_is_damage(rc))
		rc = db_set_aside(db, err);
	else if (rc > 0)
		rc = db_fail(db, rc, err);
	if (rc < 0)
		db_close(db);
	return rc;
}

/* failed() - after anything but a full disk the connection is made anew, since who knows what state it is in */
static int failed(struct db *db, int result, struct error *err)
{
	int rc = db_fail(db, result, err);

	if (!sqlite3_get_autocommit(db->handle))
		run_sql(db, "ROLLBACK");
	if (rc != -ENOSPC && rc != -EBUSY) {
		db->suspect = true;
		db_close(db);
	}
	return rc;
}

int db_begin(struct db *db, struct error *err)
{
	int result;

	if (!db->handle) {
		int rc = db_open(db, err);

		if (rc < 0)
			return rc;
	}
	result = run_sql(db, "BEGIN IMMEDIATE");
	return result == SQLITE_OK ? 0 : failed(db, result, err);
}

static void bind_values(sqlite3_stmt *statement, const struct db_write *write)
{
	for (unsigned i = 0; i < write->nvalues; i++) {
		const char *data = write->data + write->values[i].at;
		int size = (int)write->values[i].size;

		if (write->values[i].type == 'i')
			sqlite3_bind_int64(statement, (int)i + 1, write->values[i].number);
		else if (write->values[i].type == 't')
			sqlite3_bind_text(statement, (int)i + 1, data, size, SQLITE_STATIC);
		else
			sqlite3_bind_blob(statement, (int)i + 1, size ? data : "", size, SQLITE_STATIC);
	}
}

int db_run(struct db *db, const struct db_write *writes, struct error *err)
{
	int result = SQLITE_DONE;

	for (; writes && result == SQLITE_DONE; writes = writes->next) {
		sqlite3_stmt *statement = db->statements[writes->statement];

		bind_values(statement, writes);
		result = sqlite3_step(statement);
		sqlite3_reset(statement);
	}
	return result == SQLITE_DONE ? 0 : failed(db, result, err);
}

int db_end(struct db *db, int rc, struct error *err)
{
	int result;

	if (rc < 0)
		return rc;	/* failed() has rolled back */
	result = run_sql(db, "COMMIT");
	return result == SQLITE_OK ? 0 : failed(db, result, err);
}
