// SPDX-License-Identifier: GPL-2.0-or-later
/* flows */
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cli_watch.h"

static void guest_cell(const json_t *row, char cell[CELL_TEXT])
{
	snprintf(cell, CELL_TEXT, "%.63s/%.63s %.100s", row_text(row, "network"), row_text(row, "port"), row_text(row, "guest"));
}

static void bytes_cell(const json_t *row, const char *field, char cell[CELL_TEXT])
{
	if (json_object_get(row, field))
		cell_bytes((unsigned long long)json_integer_value(json_object_get(row, field)), cell);
}

static void out_cell(const json_t *row, char cell[CELL_TEXT])
{
	bytes_cell(row, "bytes_out", cell);
}

static void in_cell(const json_t *row, char cell[CELL_TEXT])
{
	bytes_cell(row, "bytes_in", cell);
}

static const struct column columns[] = {
	{ "GUEST", NULL, guest_cell }, { "REMOTE", "remote", NULL }, { "NAME", "remote_name", NULL }, { "PROTO", "proto", NULL },
	{ "BY", "by", NULL },	       { "STATE", "state", NULL },   { "AGE", "age", NULL },	      { "IDLE", "idle", NULL },
	{ "OUT", NULL, out_cell },     { "IN", NULL, in_cell },	     { 0 },
};

/* add_flows() - those of one network to the rows of all; @port may be NULL. Return: 0 or negative errno */
static int add_flows(struct cli *cli, const char *net, const char *port, json_t *rows, json_int_t *more)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL, *row;
	size_t i;
	int rc;

	cli_path(path, "networks", net, "flows", NULL);
	if (port)
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "?port=%s", port);
	rc = cli_get(cli, path, &answer);
	json_array_foreach(json_object_get(answer, "flows"), i, row) {
		json_object_set_new(row, "network", json_string(net));
		json_array_append(rows, row);
	}
	*more += json_integer_value(json_object_get(answer, "more"));
	json_decref(answer);
	return rc;
}

static int all_flows(struct cli *cli, json_t *rows, json_int_t *more)
{
	json_t *networks = NULL, *net;
	size_t i;
	int rc = cli_get(cli, "/v1/networks", &networks);

	json_array_foreach(json_object_get(networks, "networks"), i, net) {
		rc = add_flows(cli, row_text(net, "name"), NULL, rows, more);
		if (rc < 0 && strcmp(cli->err.code, "not-found"))
			break;
		rc = 0;		/* a network removed meanwhile has no flows */
	}
	json_decref(networks);
	return rc;
}

static int list(struct cli *cli, const char *word, json_t *rows, json_int_t *more)
{
	struct port_name name;
	int rc;

	if (!word)
		return all_flows(cli, rows, more);
	if (!strchr(word, '/')) {
		rc = net_name_parse(word, &cli->err);
		return rc < 0 ? rc : add_flows(cli, word, NULL, rows, more);
	}
	rc = port_name_parse(word, &name, &cli->err);
	return rc < 0 ? rc : add_flows(cli, name.net, name.port, rows, more);
}

static const struct flag flags[] = {
	{ "--watch", 'w', FLAG_TEXT, "TIME", NULL, "look at the frames themselves for so long: 5s; guests among one another, too" },
	{ 0 },
};

static int flows(struct cli *cli, const struct args *args)
{
	json_t *rows, *tree;
	json_int_t more = 0;
	int rc;

	if (args_has(args, "--watch"))
		return flows_watch(cli, args->words[0], args_text(args, "--watch"));
	rows = json_array();
	rc = list(cli, args->words[0], rows, &more);
	if (rc == 0 && cli->json) {
		tree = json_pack("{s:O s:I}", "flows", rows, "more", more);
		output_json(tree);
		json_decref(tree);
	} else if (rc == 0) {
		output_table(cli, columns, rows);
	}
	if (rc == 0 && more && !cli->json)
		output_note("%lld more are not shown", (long long)more);
	json_decref(rows);
	return rc;
}

const struct command cmd_flows[] = {
	{ NULL, "flows", "[NET | NET/NAME]", "who talks to whom", "flows lab --watch 5s", 0, 1, false, flags, flows },
	{ 0 },
};
