// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/yaml_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

/* place - found by @id, which is the parent's address and behind it the key's letters */
struct place {
	UT_hash_handle hh;
	unsigned line;
	char id[];
};

struct line_map {
	struct place *places;
	char *file;
};

static size_t id_write(char *id, const json_t *parent, const char *key, size_t length)
{
	memcpy(id, &parent, sizeof(parent));
	memcpy(id + sizeof(parent), key, length);
	return sizeof(parent) + length;
}

struct line_map *line_map_new(const char *file)
{
	struct line_map *lines = calloc(1, sizeof(*lines));

	if (lines)
		lines->file = strdup(file);
	if (lines && lines->file)
		return lines;
	free(lines);
	return NULL;
}

void line_map_free(struct line_map *lines)
{
	struct place *place, *next;

	if (!lines)
		return;
	HASH_ITER(hh, lines->places, place, next) {
		HASH_DEL(lines->places, place);
		free(place);
	}
	free(lines->file);
	free(lines);
}

int line_map_add(struct line_map *lines, const json_t *parent, const char *key, unsigned line)
{
	size_t length = strlen(key), size;
	struct place *place = malloc(sizeof(*place) + sizeof(parent) + length);

	if (!place)
		return -ENOMEM;
	place->line = line;
	size = id_write(place->id, parent, key, length);
	HASH_ADD_KEYPTR(hh, lines->places, place->id, size, place);
	return 0;
}

unsigned line_map_find(const struct line_map *lines, const json_t *parent, const char *key)
{
	char id[sizeof(parent) + 256];
	size_t length = strlen(key), size;
	struct place *place = NULL;

	if (length > 256)
		return 0;	/* no name of ours is that long; the message goes without a line */
	size = id_write(id, parent, key, length);
	HASH_FIND(hh, lines->places, id, size, place);
	return place ? place->line : 0;
}

const char *line_map_file(const struct line_map *lines)
{
	return lines->file;
}
