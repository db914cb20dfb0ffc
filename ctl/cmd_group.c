// SPDX-License-Identifier: GPL-2.0-or-later
/* group add|set|rm|show|ls */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cmd_port.h"

static const struct flag add_flags[] = {
	PORT_SETTINGS,
	{ "--replace", 0, FLAG_SWITCH, NULL, NULL, "put these settings in place of those it has" },
	{ 0 },
};
static const struct flag set_flags[] = { PORT_SETTINGS, { 0 } };

static void full_name(const json_t *group, char cell[CELL_TEXT])
{
	snprintf(cell, CELL_TEXT, "%s/%s", row_text(group, "network"), row_text(group, "name"));
}

/* settings() - all but the names, as one line of JSON */
static void settings(const json_t *group, char cell[CELL_TEXT])
{
	json_t *rest = json_copy((json_t *)group);
	char *text;

	json_object_del(rest, "name");
	json_object_del(rest, "network");
	text = rest ? json_dumps(rest, JSON_COMPACT) : NULL;
	snprintf(cell, CELL_TEXT, "%s", text ? text : "");
	free(text);
	json_decref(rest);
}

static void print_group(const struct cli *cli, const json_t *group)
{
	char text[CELL_TEXT];

	settings(group, text);
	output_result(cli, group, "%s/%s: %s", row_text(group, "network"), row_text(group, "name"), text);
}

/* group_path() - of the group that the first word names, NET/GROUP; @all: of all of its network's */
static int group_path(struct cli *cli, const struct args *args, struct port_name *name, char path[CLI_PATH_MAX], char all[CLI_PATH_MAX])
{
	int rc = port_name_parse(args->words[0], name, &cli->err);

	if (rc < 0)
		return rc;
	cli_path(path, "networks", name->net, "groups", name->port, NULL);
	if (all)
		cli_path(all, "networks", name->net, "groups", NULL);
	return 0;
}

static json_t *body_of(struct cli *cli, const struct args *args)
{
	json_t *body = args_settings(args, &cli->err);

	if (body && port_translate(cli, args, body) < 0) {
		json_decref(body);
		return NULL;
	}
	return body;
}

static int group_add(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], all[CLI_PATH_MAX];
	json_t *body, *group = NULL;
	struct port_name name;
	int rc = group_path(cli, args, &name, path, all);

	if (rc < 0)
		return rc;
	body = body_of(cli, args);
	if (!body)
		return -EINVAL;
	json_object_set_new(body, "name", json_string(name.port));
	rc = cli_add(cli, all, path, body, args_has(args, "--replace"), &group);
	if (rc == 0)
		print_group(cli, group);
	json_decref(group);
	json_decref(body);
	return rc;
}

static int group_set(struct cli *cli, const struct args *args)
{
	json_t *body, *group = NULL;
	char path[CLI_PATH_MAX];
	struct port_name name;
	int rc = group_path(cli, args, &name, path, NULL);

	if (rc < 0)
		return rc;
	body = body_of(cli, args);
	if (!body)
		return -EINVAL;
	rc = cli_change(cli, "PATCH", path, body, &group);
	if (rc == 0)
		print_group(cli, group);
	json_decref(group);
	json_decref(body);
	return rc;
}

static int group_rm(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL;
	struct port_name name;
	int rc = group_path(cli, args, &name, path, NULL);

	if (rc == 0)
		rc = cli_change(cli, "DELETE", path, NULL, &answer);
	if (rc == 0)
		output_result(cli, answer, "%s/%s: removed", name.net, name.port);
	json_decref(answer);
	return rc;
}

static int group_show(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	json_t *group = NULL;
	struct port_name name;
	int rc = group_path(cli, args, &name, path, NULL);

	if (rc == 0)
		rc = cli_get(cli, path, &group);
	if (rc == 0 && cli->json)
		output_json(group);
	else if (rc == 0)
		output_fields(group, NULL);
	json_decref(group);
	return rc;
}

static int group_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = { { "GROUP", NULL, full_name }, { "SETTINGS", NULL, settings }, { 0 } };
	json_t *answer = NULL;
	int rc = cli_list(cli, args->words[0], "groups", &answer);

	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		output_table(cli, columns, json_object_get(answer, "groups"));
	json_decref(answer);
	return rc;
}

const struct command cmd_group[] = {
	{ "group", "add", "NET/GROUP", "port settings under a name", "group add lab/web --vlan 10", 1, 1, false, add_flags, group_add },
	{ "group", "set", "NET/GROUP", "change a group, and all ports that follow it", "group set lab/web --vlan 20", 1, 1, false, set_flags,
	  group_set },
	{ "group", "rm", "NET/GROUP", "remove a group that no port follows", NULL, 1, 1, false, NULL, group_rm },
	{ "group", "show", "NET/GROUP", "the settings of a group", NULL, 1, 1, false, NULL, group_show },
	{ "group", "ls", "[NET]", "the groups there are", NULL, 0, 1, false, NULL, group_ls },
	{ 0 },
};
