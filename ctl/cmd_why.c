// SPDX-License-Identifier: GPL-2.0-or-later
/* why */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static void put_escaped(char **at, const char *end, const char *text)
{
	for (; *text && end - *at > 4; text++) {
		if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9') || strchr("-._:/", *text))
			*(*at)++ = *text;
		else
			*at += sprintf(*at, "%%%02X", (unsigned char)*text);
	}
	**at = '\0';
}

static void print_stage(const json_t *stage)
{
	char cell[CELL_TEXT];

	cell_text(json_object_get(stage, "text"), cell);
	printf("%-10s %-8s %s\n", row_text(stage, "stage"), row_text(stage, "verdict"), cell);
	if (!strcmp(row_text(stage, "verdict"), "unknown") && row_text(stage, "hint")[0])
		printf("%-10s %-8s look at it yourself: %s\n", "", "", row_text(stage, "hint"));
}

static void print_answer(const json_t *answer)
{
	json_t *stage;
	size_t i;

	json_array_foreach(json_object_get(answer, "stages"), i, stage)
		print_stage(stage);
	if (json_is_true(json_object_get(answer, "passes")))
		printf("%s/%s would reach %s\n", row_text(answer, "network"), row_text(answer, "port"), row_text(answer, "destination"));
	else
		printf("%s/%s would not reach %s: %s blocks\n", row_text(answer, "network"), row_text(answer, "port"),
		       row_text(answer, "destination"), row_text(answer, "blocked_by"));
	if (row_text(answer, "hint")[0])
		printf("hint: %s\n", row_text(answer, "hint"));
}

static int why(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], *at, *end = path + sizeof(path);
	json_t *answer = NULL;
	struct port_name name;
	bool passes;
	int rc = cli_port_name(cli, args->words[0], &name);

	if (rc < 0)
		return rc;
	at = path + snprintf(path, sizeof(path), "/v1/explain?port=%s/%s&to=", name.net, name.port);
	put_escaped(&at, end, args->words[1]);
	rc = cli_get(cli, path, &answer);
	if (rc < 0)
		return rc;
	passes = json_is_true(json_object_get(answer, "passes"));
	if (cli->json)
		output_json(answer);
	else
		print_answer(answer);
	json_decref(answer);
	return passes ? CLI_DONE : CLI_REFUSED;
}

const struct command cmd_why[] = {
	{ NULL, "why", "NET/NAME DESTINATION[:PORT[/PROTO]]", "would a guest reach it, stage by stage, and what changes it",
	  "why lab/web1 1.1.1.1:443", 2, 2, false, NULL, why },
	{ 0 },
};
