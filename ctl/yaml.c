// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/log.h"
#include "ctl/yaml_lines.h"
#include "ctl/yaml_scalar.h"

/* level - a mapping or sequence that has begun and not ended */
struct level {
	json_t *node;		/* borrowed from its parent; the root is owned by the reader */
	char *key;		/* mapping: the key whose value comes next, or NULL; for free() */
	size_t line;		/* where that key stands */
};

struct yaml_in {
	yaml_parser_t parser;
	struct level levels[YAML_DEPTH_MAX];
	unsigned depth, nodes;
	json_t *root;		/* owned */
	struct line_map *lines;	/* owned */
	struct error *err;
};

static int fail(struct yaml_in *y, size_t line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(struct yaml_in *y, size_t line, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return error_set(y->err, -EINVAL, "%s:%zu: %s", line_map_file(y->lines), line, what);
}

static size_t line_of(const yaml_event_t *event)
{
	return event->start_mark.line + 1;
}

/* begin_key() - a scalar where a mapping wants its next key */
static int begin_key(struct yaml_in *y, struct level *level, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t size = event->data.scalar.length;
	char clean[64];

	if (size == 0 || strlen(text) != size)
		return fail(y, line_of(event), "an empty or broken key");
	if (json_object_get(level->node, text))
		return fail(y, line_of(event), "%s stands here twice", log_clean(clean, sizeof(clean), text, size));
	level->key = strdup(text);
	level->line = line_of(event);
	return level->key ? 0 : error_set(y->err, -ENOMEM, "out of memory");
}

/* add() - put @node (taken) where the reader stands */
static int add(struct yaml_in *y, json_t *node, const yaml_event_t *event)
{
	struct level *level = y->depth ? &y->levels[y->depth - 1] : NULL;
	char at[24];
	int rc = -1;

	if (!node)
		return error_set(y->err, -ENOMEM, "out of memory");
	if (++y->nodes > YAML_NODES_MAX) {
		json_decref(node);
		return fail(y, line_of(event), "more than %d entries", YAML_NODES_MAX);
	}
	if (!level) {
		y->root = node;
		return 0;
	}
	if (json_is_array(level->node)) {
		snprintf(at, sizeof(at), "#%zu", json_array_size(level->node));
		rc = json_array_append_new(level->node, node);
		if (rc == 0)
			rc = line_map_add(y->lines, level->node, at, (unsigned)line_of(event));
	} else if (level->key) {
		rc = json_object_set_new_nocheck(level->node, level->key, node);
		if (rc == 0)
			rc = line_map_add(y->lines, level->node, level->key, (unsigned)level->line);
		free(level->key);
		level->key = NULL;
	}
	return rc < 0 ? error_set(y->err, -ENOMEM, "out of memory") : 0;
}

static bool wants_key(const struct yaml_in *y)
{
	return y->depth && json_is_object(y->levels[y->depth - 1].node) && !y->levels[y->depth - 1].key;
}

static int begin(struct yaml_in *y, json_t *node, const yaml_event_t *event)
{
	int rc;

	if (wants_key(y) || y->depth == YAML_DEPTH_MAX) {
		json_decref(node);
		return fail(y, line_of(event), wants_key(y) ? "a key must be plain text" : "nested deeper than %d levels",
			    YAML_DEPTH_MAX);
	}
	rc = add(y, node, event);
	if (rc == 0)
		y->levels[y->depth++] = (struct level){ .node = node };
	return rc;
}

static int scalar(struct yaml_in *y, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	const char *why = NULL;
	json_t *node;

	if (wants_key(y))
		return begin_key(y, &y->levels[y->depth - 1], event);
	node = yaml_scalar(text, event->data.scalar.length, plain, &why);
	return node ? add(y, node, event) : fail(y, line_of(event), "%s", why);
}

static const char *forbidden(const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return "aliases (*) are not taken; write it out";
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default:
		break;
	}
	return anchor ? "anchors (&) are not taken; write it out" : tag ? "tags (!) are not taken" : NULL;
}

static int take(struct yaml_in *y, const yaml_event_t *event)
{
	const char *why = forbidden(event);

	if (why)
		return fail(y, line_of(event), "%s", why);
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return y->root ? fail(y, line_of(event), "a second document; only one is taken") : 0;
	case YAML_SCALAR_EVENT:
		return scalar(y, event);
	case YAML_SEQUENCE_START_EVENT:
		return begin(y, json_array(), event);
	case YAML_MAPPING_START_EVENT:
		return begin(y, json_object(), event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		y->depth--;
		return 0;
	default:
		return 0;
	}
}

static int broken(struct yaml_in *y)
{
	const yaml_parser_t *p = &y->parser;

	if (p->error == YAML_MEMORY_ERROR)
		return error_set(y->err, -ENOMEM, "out of memory");
	if (p->error == YAML_READER_ERROR)
		return fail(y, 1, "%s (at byte %zu)", p->problem, p->problem_offset);
	return fail(y, p->problem_mark.line + 1, "%s%s%s", p->problem ? p->problem : "not YAML", p->context ? ", " : "",
		    p->context ? p->context : "");
}

static int read_events(struct yaml_in *y)
{
	yaml_event_t event;
	bool end = false;
	int rc = 0;

	while (rc == 0 && !end) {
		if (!yaml_parser_parse(&y->parser, &event))
			return broken(y);
		end = event.type == YAML_STREAM_END_EVENT;
		rc = take(y, &event);
		yaml_event_delete(&event);
	}
	return rc;
}

static json_t *finish(struct yaml_in *y, int rc, struct line_map **lines)
{
	for (unsigned i = 0; i < y->depth; i++)
		free(y->levels[i].key);
	yaml_parser_delete(&y->parser);
	if (rc == 0 && !y->root)
		y->root = json_null();
	if (rc < 0) {
		json_decref(y->root);
		y->root = NULL;
	}
	if (rc == 0 && lines)
		*lines = y->lines;
	else
		line_map_free(y->lines);
	return y->root;
}

json_t *yaml_parse(const char *text, size_t size, const char *name, struct line_map **lines, struct error *err)
{
	struct yaml_in y = { .err = err };

	if (size > YAML_SIZE_MAX) {
		error_set(err, -EFBIG, "%s: larger than %d bytes", name, YAML_SIZE_MAX);
		error_code(err, "too-large");
		return NULL;
	}
	y.lines = line_map_new(name);
	if (!y.lines || !yaml_parser_initialize(&y.parser)) {
		line_map_free(y.lines);
		error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&y.parser, (const unsigned char *)text, size);
	yaml_parser_set_encoding(&y.parser, YAML_UTF8_ENCODING);
	return finish(&y, read_events(&y), lines);
}
