/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/yaml.h - a YAML file as a jansson tree, and back
 *
 * A strict part of YAML 1.2: one document of mappings, sequences and scalars. Anchors, aliases, tags, duplicate keys
 * and deep nesting are refused, so that a file of a stranger costs no more than its size. Plain scalars are typed by
 * the core schema (1.2, 10.3.2); what is quoted is text. Every node's line is remembered for error messages.
 */
#ifndef CTL_YAML_H
#define CTL_YAML_H

#include <stddef.h>

#include <jansson.h>

#include "base/error.h"

struct line_map;

enum { YAML_SIZE_MAX = 1 << 20, YAML_DEPTH_MAX = 16, YAML_NODES_MAX = 1 << 17 };

/* yaml_parse() - read a document
 * @name:	the file's name, for messages
 * @lines:	receives where its nodes stand, for line_map_free(); NULL when that is not wanted. The map holds no
 *		reference to the tree, and must not be asked about one that is gone.
 *
 * Return: a new reference, or NULL with @err: "lab.yaml:3: ..."
 */
json_t *yaml_parse(const char *text, size_t size, const char *name, struct line_map **lines, struct error *err);

/* yaml_load() - the same from a file, which must be a regular file of at most YAML_SIZE_MAX bytes */
json_t *yaml_load(const char *path, struct line_map **lines, struct error *err);

/* yaml_read() - the same from an open file, which is closed; a negative errno in its place is the reason for the failure */
json_t *yaml_read(int fd, const char *name, struct line_map **lines, struct error *err);

/* yaml_dump() - @tree as text that yaml_parse() reads back to an equal tree
 *
 * Return: a string for free(), or NULL when out of memory.
 */
char *yaml_dump(const json_t *tree);

/* line_map_find() - the line of @key ("#3" is the fourth element of a sequence) in @parent, or 0 when unknown */
unsigned line_map_find(const struct line_map *lines, const json_t *parent, const char *key);
const char *line_map_file(const struct line_map *lines);
void line_map_free(struct line_map *lines);

#endif
