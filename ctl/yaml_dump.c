// SPDX-License-Identifier: GPL-2.0-or-later
/* A tree as YAML for people: mappings that hold only scalars stand on one line, the others below one another. */
#include "ctl/yaml.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "ctl/yaml_scalar.h"

struct yaml_out {
	yaml_emitter_t emitter;
	char *text;
	size_t size, room;
};

static int on_text(void *arg, unsigned char *from, size_t size)
{
	struct yaml_out *y = arg;

	if (y->room - y->size <= size) {
		size_t room = (y->room + size + 1) * 2;
		char *text = realloc(y->text, room);

		if (!text)
			return 0;
		y->text = text;
		y->room = room;
	}
	memcpy(y->text + y->size, from, size);
	y->size += size;
	y->text[y->size] = '\0';
	return 1;
}

static int scalar(struct yaml_out *y, const char *text, int plain, int quoted)
{
	yaml_event_t event;

	return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), plain, quoted,
					    YAML_ANY_SCALAR_STYLE) && yaml_emitter_emit(&y->emitter, &event);
}

/* text() - quoted where it would be read as something else: "8080", "true", "" */
static int text(struct yaml_out *y, const char *value)
{
	const char *why;
	json_t *meaning = yaml_scalar(value, strlen(value), true, &why);
	int plain = json_is_string(meaning);

	json_decref(meaning);
	return scalar(y, value, plain, 1);
}

static int literal(struct yaml_out *y, const json_t *node)
{
	char *value = json_dumps(node, JSON_ENCODE_ANY);
	int ok = value && scalar(y, value, 1, 0);

	free(value);
	return ok;
}

static bool is_leaf(const json_t *node)
{
	return !json_is_object(node) && !json_is_array(node);
}

/* is_flat() - only scalars inside, or lists of scalars: fits on a line */
static bool is_flat(const json_t *node)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_array(node)) {
		json_array_foreach((json_t *)node, i, value)
			if (!is_leaf(value))
				return false;
		return true;
	}
	json_object_foreach((json_t *)node, key, value)
		if (!is_leaf(value) && !(json_is_array(value) && is_flat(value)))
			return false;
	return true;
}

static int emit(struct yaml_out *y, const json_t *node, unsigned depth);

static int emit_list(struct yaml_out *y, const json_t *node, unsigned depth)
{
	yaml_event_t event;
	size_t i;
	json_t *value;

	if (!yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, is_flat(node) ? YAML_FLOW_SEQUENCE_STYLE :
									 YAML_BLOCK_SEQUENCE_STYLE) ||
	    !yaml_emitter_emit(&y->emitter, &event))
		return 0;
	json_array_foreach((json_t *)node, i, value)
		if (!emit(y, value, depth + 1))
			return 0;
	return yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(&y->emitter, &event);
}

static int emit_mapping(struct yaml_out *y, const json_t *node, unsigned depth)
{
	yaml_event_t event;
	const char *key;
	json_t *value;
	bool flow = depth > 2 && is_flat(node);

	if (!yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
						 flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE) ||
	    !yaml_emitter_emit(&y->emitter, &event))
		return 0;
	json_object_foreach((json_t *)node, key, value)
		if (!scalar(y, key, 1, 1) || !emit(y, value, depth + 1))
			return 0;
	return yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(&y->emitter, &event);
}

static int emit(struct yaml_out *y, const json_t *node, unsigned depth)
{
	if (depth > YAML_DEPTH_MAX)
		return 0;
	switch (json_typeof(node)) {
	case JSON_OBJECT:
		return emit_mapping(y, node, depth);
	case JSON_ARRAY:
		return emit_list(y, node, depth);
	case JSON_STRING:
		return text(y, json_string_value(node));
	default:
		return literal(y, node);
	}
}

static int emit_document(struct yaml_out *y, const json_t *tree)
{
	yaml_event_t event;

	return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) && yaml_emitter_emit(&y->emitter, &event) &&
	       yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) && yaml_emitter_emit(&y->emitter, &event) &&
	       emit(y, tree, 0) &&
	       yaml_document_end_event_initialize(&event, 1) && yaml_emitter_emit(&y->emitter, &event) &&
	       yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(&y->emitter, &event);
}

char *yaml_dump(const json_t *tree)
{
	struct yaml_out y = { 0 };

	if (!yaml_emitter_initialize(&y.emitter))
		return NULL;
	yaml_emitter_set_output(&y.emitter, on_text, &y);
	yaml_emitter_set_unicode(&y.emitter, 1);
	yaml_emitter_set_width(&y.emitter, -1);
	if (!emit_document(&y, tree)) {
		free(y.text);
		y.text = NULL;
	}
	yaml_emitter_delete(&y.emitter);
	return y.text;
}
