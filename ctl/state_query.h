/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/state_query.h - rows of the store as they are read, one after another; for ctl/state_*.c alone */
#ifndef CTL_STATE_QUERY_H
#define CTL_STATE_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/state_db.h"

/* rows - one query being read; result is of SQLite */
struct rows {
	struct db *db;
	sqlite3_stmt *query;
	int result;
};

/* rows_ask() - begin; rows_next() - is there another row? rows_end() - Return: SQLITE_OK, or what went wrong */
struct rows rows_ask(struct db *db, const char *sql);
bool rows_next(struct rows *rows);
int rows_end(struct rows *rows);

/* rows_text() - a column of the row, never NULL; until the next one
 * rows_copy_text() - Return: does it fit? rows_copy_bytes() - are there @min to @max of them? @size: how many, or NULL */
const char *rows_text(const struct rows *rows, int column);
bool rows_copy_text(char *to, size_t room, const char *from);
bool rows_copy_bytes(const struct rows *rows, int column, void *to, size_t min, size_t max, size_t *size);

#endif
