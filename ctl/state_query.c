// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/state_query.h"

#include <string.h>

struct rows rows_ask(struct db *db, const char *sql)
{
	struct rows rows = { .db = db };

	rows.result = sqlite3_prepare_v2(db->handle, sql, -1, &rows.query, NULL);
	return rows;
}

bool rows_next(struct rows *rows)
{
	if (rows->result == SQLITE_OK || rows->result == SQLITE_ROW)
		rows->result = sqlite3_step(rows->query);
	return rows->result == SQLITE_ROW;
}

int rows_end(struct rows *rows)
{
	sqlite3_finalize(rows->query);
	return rows->result == SQLITE_DONE ? SQLITE_OK : rows->result;
}

const char *rows_text(const struct rows *rows, int column)
{
	const char *text = (const char *)sqlite3_column_text(rows->query, column);

	return text ? text : "";
}

bool rows_copy_text(char *to, size_t room, const char *from)
{
	if (strlen(from) >= room)
		return false;
	strcpy(to, from);
	return true;
}

bool rows_copy_bytes(const struct rows *rows, int column, void *to, size_t min, size_t max, size_t *size)
{
	size_t n = (size_t)sqlite3_column_bytes(rows->query, column);
	const void *from = sqlite3_column_blob(rows->query, column);

	if (n < min || n > max)
		return false;
	if (n)
		memcpy(to, from, n);
	if (size)
		*size = n;
	return true;
}
