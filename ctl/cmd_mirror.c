// SPDX-License-Identifier: GPL-2.0-or-later
/* mirror add|rm|ls */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static const struct flag add_flags[] = {
	{ "--from", 0, FLAG_TEXT, "PORTS|all", "mirror.from", "whose frames: web1,db1; all unless given" },
	{ "--direction", 0, FLAG_TEXT, "in|out|both", "mirror.direction", "from the guests, to them; both of ports, in of all unless given" },
	{ "--vlans", 0, FLAG_TEXT, "VIDS", "mirror.vlans", "of these alone: 10,20-29" },
	{ 0 },
};

/* change() - PATCH the port that the first word names with @mirror, which is taken */
static int change(struct cli *cli, const struct args *args, json_t *mirror, const char *done)
{
	json_t *body = json_pack("{s:o}", "mirror", mirror), *port = NULL;
	char path[CLI_PATH_MAX];
	struct port_name name;
	int rc = cli_port_name(cli, args->words[0], &name);

	if (rc == 0) {
		cli_path(path, "networks", name.net, "ports", name.port, NULL);
		rc = cli_change(cli, "PATCH", path, body, &port);
	}
	if (rc == 0)
		output_result(cli, port, "%s/%s: %s", name.net, name.port, done);
	json_decref(port);
	json_decref(body);
	return rc;
}

/* mirror_add() - what is not said is as by default, whatever it was before */
static int mirror_add(struct cli *cli, const struct args *args)
{
	json_t *given = args_settings(args, &cli->err), *mirror;

	if (!given)
		return -EINVAL;
	mirror = json_pack("{s:s s:n s:n}", "from", "all", "direction", "vlans");
	json_object_update(mirror, json_object_get(given, "mirror"));
	json_decref(given);
	return change(cli, args, mirror, "gets copies, and takes part in nothing else");
}

static int mirror_rm(struct cli *cli, const struct args *args)
{
	return change(cli, args, json_null(), "is a port like any other");
}

static int mirror_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "NETWORK", "network", NULL },		{ "PORT", "name", NULL },		{ "FROM", "mirror.from", NULL },
		{ "DIRECTION", "mirror.direction", NULL },	{ "VLANS", "mirror.vlans", NULL },	{ "COPIES", "stats.mirrored", NULL },
		{ 0 },
	};
	json_t *answer = NULL, *mirrors = json_array(), *port;
	int rc = cli_list(cli, args->words[0], "ports", &answer);
	size_t i;

	json_array_foreach(json_object_get(answer, "ports"), i, port)
		if (json_object_get(port, "mirror"))
			json_array_append(mirrors, port);
	if (rc == 0)
		output_list(cli, "mirrors", columns, mirrors);
	else
		json_decref(mirrors);
	json_decref(answer);
	return rc;
}

const struct command cmd_mirror[] = {
	{ "mirror", "add", "NET/NAME", "give a port copies of others' frames, and nothing else", "mirror add lab/ids --from web1,db1", 1, 1,
	  false, add_flags, mirror_add },
	{ "mirror", "rm", "NET/NAME", "make it a port like any other", NULL, 1, 1, false, NULL, mirror_rm },
	{ "mirror", "ls", "[NET]", "the mirrors there are", NULL, 0, 1, false, NULL, mirror_ls },
	{ 0 },
};
