// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli_output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/cli.h"

enum { COLUMNS_MAX = 12 };

/* --- values ------------------------------------------------------------------------------------------- */

const json_t *row_get(const json_t *object, const char *field)
{
	const char *dot = strchr(field, '.');
	char head[32];

	if (!dot)
		return json_object_get(object, field);
	snprintf(head, sizeof(head), "%.*s", (int)(dot - field), field);
	return row_get(json_object_get(object, head), dot + 1);
}

const char *row_text(const json_t *object, const char *field)
{
	const char *text = json_string_value(row_get(object, field));

	return text ? text : "";
}

/* clean() - anything but printable ASCII as \xNN; cut where @room ends */
static const char *clean(char *to, size_t room, const char *from)
{
	size_t n = 0;

	to[0] = '\0';
	for (; *from && n + 5 <= room; from++) {
		unsigned char c = (unsigned char)*from;

		n += (size_t)snprintf(to + n, room - n, c >= 0x20 && c < 0x7f ? "%c" : "\\x%02x", c);
	}
	return to;
}

static void list_text(const json_t *list, char cell[CELL_TEXT])
{
	size_t i, n = 0;
	json_t *item;

	json_array_foreach(list, i, item) {
		char one[CELL_TEXT];

		cell_text(item, one);
		n += (size_t)snprintf(cell + n, CELL_TEXT - n, "%s%s", i ? "," : "", one);
		if (n >= CELL_TEXT)
			return;
	}
}

void cell_text(const json_t *value, char cell[CELL_TEXT])
{
	char *dump;

	cell[0] = '\0';
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		clean(cell, CELL_TEXT, json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(cell, CELL_TEXT, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(cell, CELL_TEXT, "%g", json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		snprintf(cell, CELL_TEXT, "%s", json_is_true(value) ? "true" : "false");
		break;
	case JSON_ARRAY:
		list_text(value, cell);
		break;
	case JSON_OBJECT:
		dump = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII);
		snprintf(cell, CELL_TEXT, "%s", dump ? dump : "");
		free(dump);
		break;
	default:
		break;
	}
}

void cell_bytes(unsigned long long bytes, char cell[CELL_TEXT])
{
	static const char units[] = " KMGTPE";
	double n = (double)bytes;
	unsigned unit = 0;

	while (n >= 1000 && unit < sizeof(units) - 2) {
		n /= 1000;
		unit++;
	}
	if (unit == 0)
		snprintf(cell, CELL_TEXT, "%llu", bytes);
	else
		snprintf(cell, CELL_TEXT, "%.*f%c", n < 10 ? 1 : 0, n, units[unit]);
}

/* --- tables ------------------------------------------------------------------------------------------ */

static void make_cell(const struct column *column, const json_t *row, char cell[CELL_TEXT])
{
	cell[0] = '\0';
	if (column->format)
		column->format(row, cell);
	else
		cell_text(row_get(row, column->field), cell);
	if (!cell[0])
		snprintf(cell, CELL_TEXT, "-");
}

static void measure(const struct column *columns, const json_t *rows, bool header, int widths[COLUMNS_MAX])
{
	for (unsigned c = 0; c < COLUMNS_MAX && columns[c].title; c++) {
		json_t *row;
		size_t i;

		widths[c] = header ? (int)strlen(columns[c].title) : 0;
		json_array_foreach(rows, i, row) {
			char cell[CELL_TEXT];

			make_cell(&columns[c], row, cell);
			widths[c] = MAX_OF(widths[c], (int)strlen(cell));
		}
	}
}

/* print_cell() - the last cell of a line is not filled up with blanks */
static void print_cell(const struct column *column, const char *text, int width)
{
	if (column[1].title)
		printf("%-*s  ", width, text);
	else
		printf("%s\n", text);
}

void output_table(const struct cli *cli, const struct column *columns, const json_t *rows)
{
	int widths[COLUMNS_MAX];
	json_t *row;
	size_t i;

	measure(columns, rows, !cli->no_header, widths);
	for (unsigned c = 0; !cli->no_header && columns[c].title; c++)
		print_cell(&columns[c], columns[c].title, widths[c]);
	json_array_foreach(rows, i, row)
		for (unsigned c = 0; columns[c].title; c++) {
			char cell[CELL_TEXT];

			make_cell(&columns[c], row, cell);
			print_cell(&columns[c], cell, widths[c]);
		}
}

/* --- one object --------------------------------------------------------------------------------------- */

static bool list_has(const json_t *list, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (json_string_value(item) && !strcmp(json_string_value(item), name))
			return true;
	return false;
}

static void print_inner(const json_t *object, const char *prefix, const json_t *defaults)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		char name[80], cell[CELL_TEXT];

		snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] ? "." : "", key);
		if (value == defaults)
			continue;
		if (json_is_object(value)) {
			print_inner(value, name, defaults);
			continue;
		}
		cell_text(value, cell);
		snprintf(name + strlen(name), sizeof(name) - strlen(name), ":");
		printf("%-16s %s", name, cell[0] ? cell : "-");
		name[strlen(name) - 1] = '\0';
		puts(list_has(defaults, name) ? "  (default)" : "");
	}
}

void output_fields(const json_t *object, const json_t *defaults)
{
	print_inner(object, "", defaults);
}

void output_json(const json_t *tree)
{
	json_dumpf(tree, stdout, isatty(STDOUT_FILENO) ? JSON_INDENT(2) : JSON_COMPACT);
	putchar('\n');
}

/* --- lines -------------------------------------------------------------------------------------------- */

void output_result(const struct cli *cli, const json_t *tree, const char *fmt, ...)
{
	va_list ap;

	if (cli->json) {
		json_t *none = json_object();

		output_json(tree ? tree : none);
		json_decref(none);
		return;
	}
	if (cli->quiet)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void output_note(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("lanyard: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void output_list(const struct cli *cli, const char *what, const struct column *columns, json_t *rows)
{
	json_t *tree = json_pack("{s:o}", what, rows);

	if (cli->json)
		output_json(tree);
	else
		output_table(cli, columns, rows);
	json_decref(tree);
}

/* change_rows() - a row for each setting that changes, and one for each other change; new reference */
static json_t *change_rows(const json_t *changes)
{
	json_t *rows = json_array(), *change, *setting;
	size_t i, j;

	json_array_foreach(changes, i, change) {
		if (!json_array_size(json_object_get(change, "settings")))
			json_array_append(rows, change);
		json_array_foreach(json_object_get(change, "settings"), j, setting)
			json_array_append_new(rows, json_pack("{s:O, s:O, s:O}", "action", json_object_get(change, "action"),
							      "object", json_object_get(change, "object"), "setting", setting));
	}
	return rows;
}

void output_changes(const struct cli *cli, const json_t *answer)
{
	static const struct column columns[] = {
		{ "ACTION", "action", NULL }, { "OBJECT", "object", NULL }, { "SETTING", "setting", NULL }, { 0 },
	};
	const json_t *changes = json_object_get(answer, "changes");
	json_t *rows = change_rows(changes);

	if (cli->json)
		output_json(answer);
	else if (json_array_size(rows) > 0)
		output_table(cli, columns, rows);
	else if (!cli->quiet)
		puts("nothing to change");
	json_decref(rows);
}

static void error_json(const struct error *err)
{
	json_t *tree = json_pack("{s:{s:s,s:s}}", "error", "code", err->code, "message", err->message);

	if (tree && err->hint[0])
		json_object_set_new(json_object_get(tree, "error"), "hint", json_string(err->hint));
	if (tree)
		json_dumpf(tree, stderr, JSON_COMPACT);
	else
		fprintf(stderr, "{\"error\":{\"code\":\"%s\",\"message\":\"not printable\"}}", err->code);
	fputc('\n', stderr);
	json_decref(tree);
}

void output_error(const struct cli *cli)
{
	char line[2 * sizeof(cli->err.message)];

	fflush(stdout);
	if (cli->json) {
		error_json(&cli->err);
		return;
	}
	fprintf(stderr, "lanyard: %s\n", clean(line, sizeof(line), cli->err.message));
	if (cli->err.hint[0])
		fprintf(stderr, "hint: %s\n", clean(line, sizeof(line), cli->err.hint));
}
