// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/model_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/yaml.h"

struct model *model_of_text(const char *yaml, const struct model_env *env, struct error *err)
{
	struct line_map *lines = NULL;
	json_t *tree = yaml_parse(yaml, strlen(yaml), "t", &lines, err);
	struct model *model = NULL;

	if (tree)
		model_parse(tree, lines, env, &model, err);
	line_map_free(lines);
	json_decref(tree);
	return model;
}

struct model *model_of(const char *yaml)
{
	struct error err = { 0 };
	struct model *model = model_of_text(yaml, NULL, &err);

	if (!model)
		print_message("    %s\n", err.message);
	assert_non_null(model);
	return model;
}
