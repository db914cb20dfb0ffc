/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/yaml_lines.h - making the map from nodes to lines; only ctl/yaml.c does (ctl/yaml.h has the asking side)
 *
 * A node is known by its parent and its key, because equal scalars (true, null) are one node in jansson.
 */
#ifndef CTL_YAML_LINES_H
#define CTL_YAML_LINES_H

#include "ctl/yaml.h"

/* line_map_new() - an empty map; NULL when out of memory. line_map_add() - 0 or -ENOMEM */
struct line_map *line_map_new(const char *file);
int line_map_add(struct line_map *lines, const json_t *parent, const char *key, unsigned line);

#endif
