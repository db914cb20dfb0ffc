// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/model_fields.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "base/nearest.h"
#include "ctl/yaml.h"

const char *shown(const char *text)
{
	static _Thread_local char buffers[4][72];
	static _Thread_local unsigned turn;
	char *to = buffers[turn++ % ARRAY_SIZE(buffers)];

	log_clean(to, sizeof(buffers[0]), text, strlen(text));
	return to;
}

static unsigned line_of(const struct model_ctx *ctx, const json_t *parent, const char *key)
{
	unsigned line = ctx->lines && parent && key ? line_map_find(ctx->lines, parent, key) : 0;

	return line ? line : ctx->line;
}

int ctx_fail(struct model_ctx *ctx, const json_t *parent, const char *key, int rc, const char *fmt, ...)
{
	unsigned line = line_of(ctx, parent, key);
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	error_set(ctx->err, rc, "%s", what);
	if (key)
		error_prefix(ctx->err, "%s", shown(key));
	if (ctx->where[0])
		error_prefix(ctx->err, "%s", ctx->where);
	if (line)
		error_prefix(ctx->err, "%s:%u", line_map_file(ctx->lines), line);
	return rc;
}

struct ctx_mark ctx_enter(struct model_ctx *ctx, const json_t *parent, const char *key, const char *what, const char *name)
{
	struct ctx_mark mark = { strlen(ctx->where), ctx->line };

	ctx->line = line_of(ctx, parent, key);
	snprintf(ctx->where + mark.where, sizeof(ctx->where) - mark.where, "%s%s%s%s", mark.where ? ": " : "", what,
		 name[0] ? " " : "", shown(name));
	return mark;
}

void ctx_leave(struct model_ctx *ctx, struct ctx_mark mark)
{
	ctx->where[mark.where] = '\0';
	ctx->line = mark.line;
}

static const struct field *row_named(const struct field *rows, size_t nrows, const char *name)
{
	for (size_t i = 0; i < nrows; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

/* unknown() - refuse a field that no row has, and guess which was meant */
static int unknown(struct model_ctx *ctx, const struct field *rows, size_t nrows, const json_t *object, const char *key)
{
	struct nearest near = nearest_start(key);

	for (size_t i = 0; i < nrows; i++)
		nearest_try(&near, rows[i].name);
	if (near.word)
		return ctx_fail(ctx, object, key, -EINVAL, "unknown field; did you mean %s?", near.word);
	return ctx_fail(ctx, object, key, -EINVAL, "unknown field");
}

static void store_number(void *to, size_t size, int64_t value)
{
	uint64_t v = (uint64_t)value;

	/* The hosts we run on are little endian or store whole members; each width is written as itself. */
	switch (size) {
	case 1: *(uint8_t *)to = (uint8_t)v; break;
	case 2: *(uint16_t *)to = (uint16_t)v; break;
	case 4: *(uint32_t *)to = (uint32_t)v; break;
	default: *(uint64_t *)to = v; break;
	}
}

static int64_t load_number(const void *from, size_t size)
{
	switch (size) {
	case 1: return *(const uint8_t *)from;
	case 2: return *(const uint16_t *)from;
	case 4: return *(const uint32_t *)from;
	default: return (int64_t)*(const uint64_t *)from;
	}
}

static void set_defaults(const struct field *rows, size_t nrows, void *to)
{
	for (size_t i = 0; i < nrows; i++)
		if (rows[i].type == &field_bool || rows[i].type == &field_number || rows[i].type == &field_word ||
		    rows[i].type == &field_duration)
			store_number((char *)to + rows[i].offset, rows[i].size, rows[i].fallback);
}

/* read_over() - what @object says, over what is in @to already */
static int read_over(struct model_ctx *ctx, const struct field *rows, size_t nrows, const json_t *object, void *to, field_set *set)
{
	const char *key;
	json_t *value;
	field_set given = 0;

	json_object_foreach((json_t *)object, key, value) {
		const struct field *row = row_named(rows, nrows, key);
		int rc;

		if (!row)
			return unknown(ctx, rows, nrows, object, key);
		if (json_is_null(value) && row->type != &field_members)
			return ctx_fail(ctx, object, key, -EINVAL, "has no value");
		rc = row->type->read(ctx, row, object, value, (char *)to + row->offset);
		if (rc < 0)
			return rc;
		given |= (field_set)1 << (row - rows);
	}
	*set = given;
	return 0;
}

int fields_read(struct model_ctx *ctx, const struct field *rows, size_t nrows, const json_t *object, void *to, field_set *set)
{
	return layers_read(ctx, rows, nrows, &(struct layers){ { object }, 1 }, to, set);
}

int layers_read(struct model_ctx *ctx, const struct field *rows, size_t nrows, const struct layers *layers, void *to, field_set *set)
{
	int rc = 0;

	set_defaults(rows, nrows, to);
	for (unsigned i = 0; rc == 0 && i < layers->n; i++)
		rc = read_over(ctx, rows, nrows, layers->of[i], to, set);
	return rc;
}

field_set fields_given(const struct field *rows, size_t nrows, const json_t *object)
{
	field_set given = 0;

	for (size_t i = 0; i < nrows; i++)
		given |= (field_set)(json_object_get(object, rows[i].name) != NULL) << i;
	return given;
}

static bool has_row(const struct field *row, unsigned kind)
{
	return !row->kinds || row->kinds >> kind & 1;
}

int fields_of_kind(struct model_ctx *ctx, const struct field *rows, size_t nrows, const json_t *object, field_set set,
		   unsigned kind, const char *what)
{
	for (size_t i = 0; i < nrows; i++)
		if (set >> i & 1 && !has_row(&rows[i], kind))
			return ctx_fail(ctx, object, rows[i].name, -EINVAL, "is not a setting of %s", what);
	return 0;
}

json_t *fields_write(const struct field *rows, size_t nrows, const void *from, field_set set, unsigned kind)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < nrows; i++) {
		if (!(set >> i & 1) || !rows[i].type->write || !has_row(&rows[i], kind))
			continue;
		if (json_object_set_new(object, rows[i].name,
					rows[i].type->write(&rows[i], (const char *)from + rows[i].offset)) < 0) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

int fields_missing(const struct field *rows, size_t nrows, field_set set, unsigned kind, const char *prefix, json_t *list)
{
	for (size_t i = 0; i < nrows; i++)
		if (!(set >> i & 1) && rows[i].type->write && has_row(&rows[i], kind) &&
		    json_array_append_new(list, json_sprintf("%s%s", prefix, rows[i].name)) < 0)
			return -ENOMEM;
	return 0;
}

field_set field_bit(const struct field *rows, size_t nrows, const char *name)
{
	return (field_set)1 << (row_named(rows, nrows, name) - rows);
}

const char *word_of(const struct word *words, int value)
{
	for (; words->text; words++)
		if (words->value == value)
			return words->text;
	return "?";
}

static int read_bool(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	if (!json_is_boolean(value))
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is neither true nor false");
	*(bool *)to = json_is_true(value);
	return 0;
}

static json_t *write_bool(const struct field *field, const void *from)
{
	(void)field;
	return json_boolean(*(const bool *)from);
}

static int read_number(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	json_int_t v = json_integer_value(value);

	if (!json_is_integer(value))
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is not a whole number");
	if (v < field->min || v > field->max)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "%lld is not in %lld..%lld", (long long)v,
				(long long)field->min, (long long)field->max);
	store_number(to, field->size, v);
	return 0;
}

static json_t *write_number(const struct field *field, const void *from)
{
	return json_integer(load_number(from, field->size));
}

static int read_word(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	const char *text = json_string_value(value);
	char all[160] = "";
	int last = -1;

	for (const struct word *w = field->words; w->text; w++) {
		if (text && !strcmp(w->text, text)) {
			store_number(to, field->size, w->value);
			return 0;
		}
		if (w->value == last)
			continue;	/* an alias */
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", last < 0 ? "" : ", ", w->text);
		last = w->value;
	}
	if (!text)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is none of %s", all);
	return ctx_fail(ctx, parent, field->name, -EINVAL, "%s is none of %s", shown(text), all);
}

static json_t *write_word(const struct field *field, const void *from)
{
	return json_string(word_of(field->words, (int)load_number(from, field->size)));
}

const struct field_type field_bool = { read_bool, write_bool };
const struct field_type field_number = { read_number, write_number };
const struct field_type field_word = { read_word, write_word };
