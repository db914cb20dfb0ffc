// SPDX-License-Identifier: GPL-2.0-or-later
/* segment add|set|rm|show|ls */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cmd_dhcp.h"

#define SEGMENT_SETTINGS                                                                                        \
	{ "--name", 0, FLAG_TEXT, "NAME", "name", "what people call it" },                                      \
	{ "--subnet", 0, FLAG_TEXT, "PREFIX", "subnet", "such as 10.77.20.0/24; a free /24 unless given" },      \
	{ "--subnet6", 0, FLAG_TEXT, "PREFIX|none", "subnet6", "IPv6 /64; one made of the names unless given" }, \
	{ "--gateway", 0, FLAG_TEXT, "ADDRESS", "gateway", "the gateway there; the first of the subnet" },       \
	DHCP_FLAGS

static const struct flag add_flags[] = {
	SEGMENT_SETTINGS,
	{ "--replace", 0, FLAG_SWITCH, NULL, NULL, "put these settings in place of those it has" },
	{ 0 },
};
static const struct flag set_flags[] = { SEGMENT_SETTINGS, { 0 } };

static void print_segment(const struct cli *cli, const json_t *seg)
{
	char vid[CELL_TEXT];

	cell_text(json_object_get(seg, "vid"), vid);
	output_result(cli, seg, "%s: VLAN %s%s%s: %s, gateway %s", row_text(seg, "network"), vid, row_text(seg, "name")[0] ? " " : "",
		      row_text(seg, "name"), row_text(seg, "subnet"), row_text(seg, "gateway"));
}

/* segment_path() - of the segment named by the first two words, or of all of the network's where @all is set */
static int segment_path(struct cli *cli, const struct args *args, bool all, char path[CLI_PATH_MAX])
{
	int rc = net_name_parse(args->words[0], &cli->err);

	if (rc == 0)
		cli_path(path, "networks", args->words[0], "segments", all ? NULL : args->words[1], NULL);
	return rc;
}

static int segment_add(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], object[CLI_PATH_MAX];
	json_t *body, *seg = NULL;
	int rc = segment_path(cli, args, true, path);

	if (rc == 0)
		rc = segment_path(cli, args, false, object);
	if (rc < 0)
		return rc;
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	json_object_set_new(body, "vid", json_string(args->words[1]));
	rc = cli_add(cli, path, object, body, args_has(args, "--replace"), &seg);
	if (rc == 0)
		print_segment(cli, seg);
	json_decref(seg);
	json_decref(body);
	return rc;
}

static int segment_set(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	json_t *body, *seg = NULL;
	int rc = segment_path(cli, args, false, path);

	if (rc < 0)
		return rc;
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	rc = cli_change(cli, "PATCH", path, body, &seg);
	if (rc == 0)
		print_segment(cli, seg);
	json_decref(seg);
	json_decref(body);
	return rc;
}

static int segment_rm(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL;
	int rc = segment_path(cli, args, false, path);

	if (rc == 0)
		rc = cli_change(cli, "DELETE", path, NULL, &answer);
	if (rc == 0)
		output_result(cli, answer, "%s: VLAN %s has no segment any more", args->words[0], args->words[1]);
	json_decref(answer);
	return rc;
}

static int segment_show(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	json_t *seg = NULL;
	int rc = segment_path(cli, args, false, path);

	if (rc == 0)
		rc = cli_get(cli, path, &seg);
	if (rc == 0 && cli->json)
		output_json(seg);
	else if (rc == 0)
		output_fields(seg, NULL);
	json_decref(seg);
	return rc;
}

static int segment_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "NETWORK", "network", NULL }, { "VLAN", "vid", NULL }, { "NAME", "name", NULL }, { "SUBNET", "subnet", NULL },
		{ "GATEWAY", "gateway", NULL }, { "SUBNET6", "subnet6", NULL }, { 0 },
	};
	json_t *answer = NULL;
	int rc = cli_list(cli, args->words[0], "segments", &answer);

	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		output_table(cli, columns, json_object_get(answer, "segments"));
	json_decref(answer);
	return rc;
}

const struct command cmd_segment[] = {
	{ "segment", "add", "NET VLAN", "addresses, gateway and DHCP for a VLAN", "segment add lab 20 --subnet 10.77.20.0/24", 2, 2, false,
	  add_flags, segment_add },
	{ "segment", "set", "NET VLAN", "change a segment", "segment set lab 20 --dhcp-lease 10m", 2, 2, false, set_flags, segment_set },
	{ "segment", "rm", "NET VLAN", "the VLAN has no addresses any more", NULL, 2, 2, false, NULL, segment_rm },
	{ "segment", "show", "NET VLAN", "all settings of a segment", NULL, 2, 2, false, NULL, segment_show },
	{ "segment", "ls", "[NET]", "the segments there are", NULL, 0, 1, false, NULL, segment_ls },
	{ 0 },
};
