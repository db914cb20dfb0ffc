/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli_output.h - what a command prints: tables, one object's fields, JSON, one line about a change, errors
 *
 * Text that may come from a guest (host names, reasons) is shown with everything but printable ASCII as \xNN, so that no
 * guest writes to the user's terminal. One thread.
 */
#ifndef CTL_CLI_OUTPUT_H
#define CTL_CLI_OUTPUT_H

#include <stddef.h>

#include <jansson.h>

struct cli;

enum { CELL_TEXT = 256 };

struct column {
	const char *title;	/* NULL ends a table of columns */
	const char *field;	/* of the row's object; "dhcp.lease" looks inside */

	/* writes the cell itself, where the field's plain text is not what a reader wants; or NULL */
	void (*format)(const json_t *row, char cell[CELL_TEXT]);
};

/* output_table() - one line for each object of array @rows; an empty cell is "-" */
void output_table(const struct cli *cli, const struct column *columns, const json_t *rows);

/* output_list() - array @rows, which is taken: a table, or with --json {"what": rows} */
void output_list(const struct cli *cli, const char *what, const struct column *columns, json_t *rows);

/* output_changes() - what an apply, or a change that is not made, does: {"changes": [...]} */
void output_changes(const struct cli *cli, const json_t *answer);

/* output_fields() - "name: value" for each field of @object and of the objects in it
 * @defaults:	names of fields that are as they are by default, or NULL
 */
void output_fields(const json_t *object, const json_t *defaults);

/* output_json() - on a terminal with indentation, else on one line */
void output_json(const json_t *tree);

/* output_result() - @tree with --json, else the line unless --quiet */
void output_result(const struct cli *cli, const json_t *tree, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* output_note() - a line on standard error, "lanyard: " in front */
void output_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* output_error() - cli->err on standard error */
void output_error(const struct cli *cli);

/* cell_text() - the plain text of a JSON value: numbers, true and false, lists with commas */
void cell_text(const json_t *value, char cell[CELL_TEXT]);

/* row_get() - "dhcp.lease" of @object; borrowed, or NULL */
const json_t *row_get(const json_t *object, const char *field);

/* row_text() - the same as a string; "" when it is not there or no string */
const char *row_text(const json_t *object, const char *field);

/* cell_bytes() - "1.2M": a count of bytes for people */
void cell_bytes(unsigned long long bytes, char cell[CELL_TEXT]);

#endif
