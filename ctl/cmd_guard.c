// SPDX-License-Identifier: GPL-2.0-or-later
/* guard set|ls, fdb add|rm */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cmd_subject.h"

static const struct flag set_flags[] = {
	{ "--own-mac", 0, FLAG_BOOL, NULL, "guard.own_mac", "no MAC address but the port's own" },
	{ "--own-ip", 0, FLAG_BOOL, NULL, "guard.own_ip", "no IP address but its leased, reserved and listed ones" },
	{ "--address", 0, FLAG_LIST, "IP", "guard.addresses", "list an address of its own" },
	{ "--mac", 0, FLAG_LIST, "MAC", "guard.macs", "a further MAC address that lives here for good" },
	{ "--dhcp", 0, FLAG_TEXT, "true|false|auto", "guard.dhcp", "no answers of DHCP servers" },
	{ "--router", 0, FLAG_TEXT, "true|false|auto", "guard.router", "no IPv6 router advertisements" },
	{ "--isolated", 0, FLAG_BOOL, NULL, "guard.isolated", "nothing from and to other isolated ports" },
	{ "--promiscuous", 0, FLAG_BOOL, NULL, "guard.promiscuous", "it is given every frame of its VLANs" },
	{ "--loop", 0, FLAG_BOOL, NULL, "guard.loop", "close the port while it brings back what others send" },
	{ "--max-macs", 0, FLAG_NUMBER, "N", "guard.max_macs", "MAC addresses behind it at once; 0: any number" },
	{ "--broadcast", 0, FLAG_NUMBER, "FPS", "guard.broadcast", "frames a second; 0: any number" },
	{ "--multicast", 0, FLAG_NUMBER, "FPS", "guard.multicast", "likewise" },
	{ "--unknown", 0, FLAG_NUMBER, "FPS", "guard.unknown", "likewise, to stations that nobody knows" },
	SUBJECT_GROUP,
	{ 0 },
};

static int guard_set(struct cli *cli, const struct args *args)
{
	json_t *body, *answer = NULL;
	char path[CLI_PATH_MAX];
	struct subject s;
	int rc = subject_parse(cli, args, &s);

	if (rc < 0)
		return rc;
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	subject_path(&s, path);
	rc = cli_change(cli, "PATCH", path, body, &answer);
	if (rc == 0)
		output_result(cli, answer, "%s%s%s: guarded", args->words[0], s.group ? ", group " : "", s.group ? s.group : "");
	json_decref(answer);
	json_decref(body);
	return rc;
}

static void full_name(const json_t *row, char cell[CELL_TEXT])
{
	snprintf(cell, CELL_TEXT, "%s/%s", row_text(row, "network"), row_text(row, "name"));
}

/* guards() - those that are on or limited, by their names in the file */
static void guards(const json_t *row, char cell[CELL_TEXT])
{
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach(json_object_get(row, "guard"), key, value) {
		char number[24] = "";

		if (json_is_false(value) || (json_is_integer(value) && !json_integer_value(value)))
			continue;
		if (json_is_integer(value))
			snprintf(number, sizeof(number), "=%lld", (long long)json_integer_value(value));
		else if (json_is_string(value))
			snprintf(number, sizeof(number), "=%s", json_string_value(value));
		else if (json_is_array(value))
			snprintf(number, sizeof(number), "=%zu", json_array_size(value));
		if (n < CELL_TEXT)
			n += (size_t)snprintf(cell + n, CELL_TEXT - n, "%s%s%s", n ? " " : "", key, number);
	}
}

/* refused() - frames that a guard stopped, by verdict */
static void refused(const json_t *row, char cell[CELL_TEXT])
{
	static const char *const names[] = {
		"forged-mac", "forged-ip", "gateway-claim", "rogue-dhcp", "rogue-router", "hidden-header", "mac-limit", "storm", "loop", "isolated", NULL,
	};
	const json_t *verdicts = json_object_get(row, "verdicts");
	size_t n = 0;

	for (const char *const *name = names; *name; name++) {
		json_int_t count = json_integer_value(json_object_get(verdicts, *name));

		if (count && n < CELL_TEXT)
			n += (size_t)snprintf(cell + n, CELL_TEXT - n, "%s%s %lld", n ? ", " : "", *name, (long long)count);
	}
}

static int guard_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "PORT", NULL, full_name }, { "GUARDS", NULL, guards }, { "REFUSED", NULL, refused }, { 0 },
	};
	json_t *answer = NULL;
	int rc = cli_list(cli, args->words[0], "ports", &answer);

	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		output_table(cli, columns, json_object_get(answer, "ports"));
	json_decref(answer);
	return rc;
}

/* macs_with() - the port's list with @mac in it, or without */
static json_t *macs_with(const json_t *port, const char *mac, bool in)
{
	json_t *list = json_array(), *each;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(port, "guard"), "macs"), i, each)
		if (strcmp(json_string_value(each), mac))
			json_array_append(list, each);
	if (in)
		json_array_append_new(list, json_string(mac));
	return list;
}

static int fdb_change(struct cli *cli, const struct args *args, bool add)
{
	json_t *port = NULL, *body, *answer = NULL;
	char path[CLI_PATH_MAX], text[MAC_TEXT];
	uint8_t mac[MAC_SIZE];
	struct subject s;
	int rc = subject_parse(cli, args, &s);

	if (rc < 0)
		return rc;
	if (!s.name.port[0])
		return error_set(&cli->err, -EINVAL, "%s: where shall it live? NET/PORT", args->words[0]);
	subject_path(&s, path);
	if (mac_parse(args->words[1], mac) < 0)
		return error_set(&cli->err, -EINVAL, "%s is not a MAC address", args->words[1]);
	mac_format(mac, text);
	rc = cli_get(cli, path, &port);
	if (rc < 0)
		return rc;
	body = json_pack("{s:{s:o}}", "guard", "macs", macs_with(port, text, add));
	rc = cli_change(cli, "PATCH", path, body, &answer);
	if (rc == 0)
		output_result(cli, answer, "%s: %s%s", args->words[0], text, add ? "" : ": removed");
	json_decref(answer);
	json_decref(body);
	json_decref(port);
	return rc;
}

static int fdb_add(struct cli *cli, const struct args *args)
{
	return fdb_change(cli, args, true);
}

static int fdb_rm(struct cli *cli, const struct args *args)
{
	return fdb_change(cli, args, false);
}

const struct command cmd_guard[] = {
	{ "guard", "set", "NET[/PORT]", "what guests may send, and are shown", "guard set lab/web1 --own-ip true", 1, 1, false, set_flags, guard_set },
	{ "guard", "ls", "[NET]", "the guards of each port, and what they refused", "guard ls lab", 0, 1, false, NULL, guard_ls },
	{ "fdb", "add", "NET/PORT MAC", "a MAC address lives on this port for good", "fdb add lab/web1 02:00:00:00:00:07", 2, 2, false, NULL,
	  fdb_add },
	{ "fdb", "rm", "NET/PORT MAC", "no longer", NULL, 2, 2, false, NULL, fdb_rm },
	{ 0 },
};
