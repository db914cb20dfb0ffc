// SPDX-License-Identifier: GPL-2.0-or-later
/* class add|set|rm|ls: guests that DHCP tells something of their own */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static const struct flag set_flags[] = {
	{ "--mac", 0, FLAG_TEXT, "MAC", "mac", "whose card is of this kind: 52:54:00:*" },
	{ "--vendor", 0, FLAG_TEXT, "PATTERN", "vendor", "whose vendor class (option 60, of DHCPv6 16) is so: \"PXEClient*\"" },
	{ "--user", 0, FLAG_TEXT, "PATTERN", "user", "whose user class (option 77, of DHCPv6 15) is so: iPXE" },
	{ "--circuit", 0, FLAG_TEXT, "PATTERN", "circuit", "whom a relay hears there" },
	{ "--port", 0, FLAG_TEXT, "PATTERN", "port", "whose port is called so: \"web*\"" },
	{ "--arch", 0, FLAG_NUMBER, "N", "arch", "who boots as this architecture (option 93, of DHCPv6 61)" },
	{ "--pool", 0, FLAG_LIST, "FIRST-LAST", "pool", "addresses for them, and for nobody else" },
	{ "--option", 0, FLAG_LIST, "TEXT", "options", "\"ntp-servers 10.0.0.1\", \"force 43 01ff\", \"never routers\"" },
	{ "--option6", 0, FLAG_LIST, "TEXT", "options6", "the same of DHCPv6: \"sntp-servers fd00::7\"" },
	{ "--lease", 0, FLAG_TEXT, "TIME", "lease", "how long a lease holds" },
	{ "--refuse", 0, FLAG_BOOL, "true|false", "refuse", "they are not served" },
	{ "--next-server", 0, FLAG_TEXT, "ADDRESS", "next_server", "where they boot from" },
	{ "--boot-file", 0, FLAG_TEXT, "FILE", "boot_file", "what they boot" },
	{ 0 },
};

/* split() - "lab/phones" or "lab:20/phones": the path of the network or segment, and the class's name */
static int split(struct cli *cli, const char *text, char path[CLI_PATH_MAX], const char **name)
{
	char where[SEGMENT_NAME_TEXT], vid[8];
	const char *slash = strchr(text, '/');
	struct segment_name seg;

	if (!slash || (size_t)(slash - text) >= sizeof(where) || !name_valid(slash + 1))
		return error_set(&cli->err, -EINVAL, "%.100s: not NET/CLASS or NET:VLAN/CLASS", text);
	memcpy(where, text, (size_t)(slash - text));
	where[slash - text] = '\0';
	if (segment_name_parse(where, &seg) < 0)
		return error_set(&cli->err, -EINVAL, "%.100s: not NET/CLASS or NET:VLAN/CLASS", text);
	snprintf(vid, sizeof(vid), "%u", seg.vid);
	if (seg.vid == 1)
		cli_path(path, "networks", seg.net, NULL);
	else
		cli_path(path, "networks", seg.net, "segments", vid, NULL);
	*name = slash + 1;
	return 0;
}

/* known() - is there such a class already? Return: 1 or 0, or a negative errno. */
static int known(struct cli *cli, const char *path, const char *name)
{
	json_t *object = NULL;
	int rc = cli_get(cli, path, &object);

	if (rc == 0)
		rc = json_object_get(json_object_get(json_object_get(object, "dhcp"), "classes"), name) != NULL;
	json_decref(object);
	return rc;
}

/* patch() - {"dhcp": {"classes": {NAME: @value}}} of the network or segment; @value is taken */
static int patch(struct cli *cli, const char *path, const char *name, json_t *value, const char *text, const char *done)
{
	json_t *body = json_pack("{s:{s:{s:o}}}", "dhcp", "classes", name, value);
	int rc = cli_change(cli, "PATCH", path, body, NULL);

	json_decref(body);
	if (rc == 0)
		output_result(cli, NULL, "%s: %s", text, done);
	return rc;
}

static int change(struct cli *cli, const struct args *args, bool add)
{
	char path[CLI_PATH_MAX];
	const char *name;
	json_t *settings;
	int rc = split(cli, args->words[0], path, &name);

	if (rc == 0)
		rc = known(cli, path, name);
	if (rc < 0)
		return rc;
	if (rc == 1 && add)
		return error_set(&cli->err, -EEXIST, "class %s exists; `lanyard class set` changes it", args->words[0]);
	if (rc == 0 && !add)
		return error_set(&cli->err, -ENOENT, "there is no class %s", args->words[0]);
	settings = args_settings(args, &cli->err);
	return settings ? patch(cli, path, name, settings, args->words[0], "guests hear of it when they renew") : -EINVAL;
}

static int class_add(struct cli *cli, const struct args *args)
{
	return change(cli, args, true);
}

static int class_set(struct cli *cli, const struct args *args)
{
	return change(cli, args, false);
}

static int class_rm(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	const char *name;
	int rc = split(cli, args->words[0], path, &name);

	if (rc == 0)
		rc = known(cli, path, name);
	if (rc == 0)
		rc = error_set(&cli->err, -ENOENT, "there is no class %s", args->words[0]);
	return rc < 0 ? rc : patch(cli, path, name, json_null(), args->words[0], "removed");
}

/* add_rows() - one row for each class of a network or segment */
static void add_rows(json_t *rows, const json_t *object, const char *of)
{
	const char *name;
	json_t *class;

	json_object_foreach(json_object_get(json_object_get(object, "dhcp"), "classes"), name, class) {
		json_t *row = json_pack("{s:s s:s}", "of", of, "name", name);

		json_object_update(row, class);
		json_array_append_new(rows, row);
	}
}

static int class_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "OF", "of", NULL }, { "NAME", "name", NULL }, { "MAC", "mac", NULL }, { "VENDOR", "vendor", NULL }, { "USER", "user", NULL },
		{ "ARCH", "arch", NULL }, { "CIRCUIT", "circuit", NULL }, { "PORT", "port", NULL }, { "POOL", "pool", NULL },
		{ "LEASE", "lease", NULL }, { "REFUSE", "refuse", NULL }, { "OPTIONS", "options", NULL }, { "OPTIONS6", "options6", NULL }, { 0 },
	};
	char of[SEGMENT_NAME_TEXT + 8];
	json_t *network = NULL, *rows, *segment;
	const char *vid;
	int rc = cli_network(cli, args->words[0], &network);

	if (rc < 0)
		return rc;
	rows = json_array();
	add_rows(rows, network, args->words[0]);
	json_object_foreach(json_object_get(network, "segments"), vid, segment) {
		snprintf(of, sizeof(of), "%.63s:%.5s", args->words[0], vid);
		add_rows(rows, segment, of);
	}
	output_list(cli, "classes", columns, rows);
	json_decref(network);
	return 0;
}

const struct command cmd_class[] = {
	{ "class", "add", "NET[:VLAN]/NAME", "guests whom DHCP tells something of their own", "class add lab/phones --mac 00:04:f2:* --lease 8h", 1, 1,
	  false, set_flags, class_add },
	{ "class", "set", "NET[:VLAN]/NAME", "change one; what is not given stays", NULL, 1, 1, false, set_flags, class_set },
	{ "class", "rm", "NET[:VLAN]/NAME", "take it away", NULL, 1, 1, false, NULL, class_rm },
	{ "class", "ls", "NET", "those of a network", NULL, 1, 1, false, NULL, class_ls },
	{ 0 },
};
