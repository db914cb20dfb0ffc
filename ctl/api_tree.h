/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_tree.h - finding and placing one object in the tree of a model, whatever kind it is of */
#ifndef CTL_API_TREE_H
#define CTL_API_TREE_H

#include "ctl/api_edit.h"

/* tree_get() - the object, borrowed, or NULL. A network is found by @net alone; a record by its NAME-TYPE. */
json_t *tree_get(json_t *tree, enum edit_what what, const char *net, const char *id);

/* tree_put() - place @value (taken; NULL is out of memory) there, over what there was; 0 or -ENOMEM */
int tree_put(json_t *tree, enum edit_what what, const char *net, const char *id, json_t *value);

void tree_remove(json_t *tree, enum edit_what what, const char *net, const char *id);

/* tree_merge() - lay @patch over @object: null removes, objects are merged */
void tree_merge(json_t *object, const json_t *patch);

/* tree_split() - a forward of the file's shape with its parts apart, as the API's patches name them */
json_t *tree_split(const struct forward_conf *forward, const json_t *patch);

#endif
