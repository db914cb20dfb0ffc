// SPDX-License-Identifier: GPL-2.0-or-later
/* covers: ctl/yaml.c ctl/yaml_scalar.c ctl/yaml_lines.c ctl/yaml_dump.c */
/* max_len: 8192 */
/* A file of a stranger: what is taken is printed and read back to the same tree, and the model names lines that exist. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/model.h"
#include "ctl/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const json_t *tree)
{
	char *text = yaml_dump(tree);
	struct error err = { 0 };
	json_t *again;

	if (!text)
		abort();
	again = yaml_parse(text, strlen(text), "dump", NULL, &err);
	/* what was just within the limit of size may be over it when it is printed */
	if (!again && err.rc != -EFBIG)
		abort();
	if (again && !json_equal(tree, again))
		abort();
	json_decref(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_map *lines = NULL;
	struct error err = { 0 };
	struct model *model = NULL;
	json_t *tree = yaml_parse((const char *)data, size, "fuzz", &lines, &err);

	if (!tree) {
		if (err.rc >= 0 || !err.message[0] || lines)
			abort();
		return 0;
	}
	round_trip(tree);
	if (model_parse(tree, lines, NULL, &model, &err) < 0 && !err.message[0])
		abort();
	model_free(model);
	line_map_free(lines);
	json_decref(tree);
	return 0;
}
