// SPDX-License-Identifier: GPL-2.0-or-later
/* shaper add|rm|ls */
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static const struct flag add_flags[] = {
	{ "--egress", 0, FLAG_TEXT, "RATE", "egress", "what its guests send together: 10mbit, \"10mbit peak 20mbit burst 64kB\"" },
	{ "--ingress", 0, FLAG_TEXT, "RATE", "ingress", "what they are sent" },
	{ 0 },
};

/* patch() - {"shapers": {NAME: @value}} of the network; @value is taken */
static int patch(struct cli *cli, const char *net, const char *name, json_t *value)
{
	json_t *body = json_pack("{s:{s:o}}", "shapers", name, value);
	char path[CLI_PATH_MAX];
	int rc;

	cli_path(path, "networks", net, NULL);
	rc = cli_change(cli, "PATCH", path, body, NULL);
	json_decref(body);
	return rc;
}

static int shaper_add(struct cli *cli, const struct args *args)
{
	struct port_name name;
	json_t *rates;
	int rc = port_name_parse(args->words[0], &name, &cli->err);

	if (rc < 0)
		return rc;
	rates = args_settings(args, &cli->err);
	if (!rates)
		return -1;
	rc = patch(cli, name.net, name.port, rates);
	if (rc == 0)
		output_result(cli, NULL, "%s/%s: ports take part with `lanyard port set %s/PORT --shaper %s`", name.net, name.port, name.net,
			      name.port);
	return rc;
}

static int shaper_rm(struct cli *cli, const struct args *args)
{
	struct port_name name;
	int rc = port_name_parse(args->words[0], &name, &cli->err);

	if (rc == 0)
		rc = patch(cli, name.net, name.port, json_null());
	if (rc == 0)
		output_result(cli, NULL, "%s: removed", args->words[0]);
	return rc;
}

/* rows_of() - one row for each shaper of the network */
static json_t *rows_of(const json_t *network)
{
	json_t *rows = json_array(), *shaper;
	const char *name;

	json_object_foreach(json_object_get(network, "shapers"), name, shaper) {
		json_t *row = json_pack("{s:O s:s}", "network", json_object_get(network, "name"), "name", name);

		json_object_update(row, shaper);
		json_array_append_new(rows, row);
	}
	return rows;
}

static int shaper_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "NETWORK", "network", NULL }, { "NAME", "name", NULL }, { "EGRESS", "egress", NULL }, { "INGRESS", "ingress", NULL }, { 0 },
	};
	json_t *network = NULL;
	int rc = cli_network(cli, args->words[0], &network);

	if (rc < 0)
		return rc;
	output_list(cli, "shapers", columns, rows_of(network));
	json_decref(network);
	return 0;
}

const struct command cmd_shaper[] = {
	{ "shaper", "add", "NET/NAME", "a rate that several ports share", "shaper add lab/backup --egress 100mbit", 1, 1, false, add_flags,
	  shaper_add },
	{ "shaper", "rm", "NET/NAME", "take it away", NULL, 1, 1, false, NULL, shaper_rm },
	{ "shaper", "ls", "NET", "those of a network", NULL, 1, 1, false, NULL, shaper_ls },
	{ 0 },
};
