// SPDX-License-Identifier: GPL-2.0-or-later
/* host-changes */
#include <stdio.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static void value_cell(const json_t *row, char cell[CELL_TEXT])
{
	const char *before = row_text(row, "before"), *after = row_text(row, "after");

	snprintf(cell, CELL_TEXT, *before ? "%s, was %s" : "%s", after, before);
}

static int host_changes(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "NETWORK", "network", NULL }, { "KIND", "kind", NULL }, { "WHAT", "target", NULL }, { "VALUE", "after", value_cell },
		{ "SINCE", "since", NULL }, { 0 },
	};
	json_t *answer = NULL;
	int rc = cli_get(cli, "/v1/host-changes", &answer);

	(void)args;
	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		output_table(cli, columns, json_object_get(answer, "changes"));
	json_decref(answer);
	return rc;
}

const struct command cmd_host[] = {
	{ NULL, "host-changes", "", "what lanyard has changed on this host, and what it was before", NULL, 0, 0, false, NULL, host_changes },
	{ 0 },
};
