/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/yaml_scalar.h - what a scalar of a YAML file means (YAML 1.2, 10.3.2: the core schema) */
#ifndef CTL_YAML_SCALAR_H
#define CTL_YAML_SCALAR_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* yaml_scalar() - null, a boolean, a number or text; what is not @plain (it was quoted) is text
 *
 * Return: a new reference, or NULL and *@why says what is wrong with it.
 */
json_t *yaml_scalar(const char *text, size_t size, bool plain, const char **why);

#endif
