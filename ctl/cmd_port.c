// SPDX-License-Identifier: GPL-2.0-or-later
/* port add|set|rm|show|ls */
#include "ctl/cmd_port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

#define ALIASES { "--alias", 0, FLAG_LIST, "NAME", "aliases", "a further name of the guest; \"\": none" }

static const struct flag add_flags[] = {
	{ "--stream", 0, FLAG_TEXT, "PATH|ADDRESS:PORT", "path", "a socket for QEMU's -netdev stream" },
	{ "--vhost-user", 0, FLAG_TEXT, "PATH", "path", "a socket for a VMM's vhost-user network device" },
	{ "--role", 0, FLAG_TEXT, "server|client", "role", "of lanyard on that socket; server unless given" },
	{ "--queues", 0, FLAG_NUMBER, "N", "queues", "pairs that a vhost-user guest may use; 4 unless given" },
	{ "--dgram", 0, FLAG_TEXT, "LOCAL,REMOTE", NULL, "unix datagram sockets, ours and the peer's: paths" },
	{ "--udp", 0, FLAG_TEXT, "LOCAL,REMOTE", NULL, "a frame in each UDP datagram; both are ADDRESS:PORT" },
	{ "--tap", 0, FLAG_TEXT, "IF", NULL, "a TAP interface of this host" },
	{ "--vmm-tap", 0, FLAG_TEXT, "IF", NULL, "a TAP interface that a VMM has open" },
	{ "--netns", 0, FLAG_TEXT, "NAME|PID|PATH", "netns", "a network namespace" },
	{ "--ifname", 0, FLAG_TEXT, "IF", "ifname", "the interface made in the namespace; eth0 unless given" },
	{ "--mac", 0, FLAG_TEXT, "MAC", "mac", "fixed by the port's name unless given" },
	{ "--group", 0, FLAG_TEXT, "GROUP", "group", "of the network's, whose settings hold where none are given here" },
	ALIASES,
	PORT_SETTINGS,
	{ "--replace", 0, FLAG_SWITCH, NULL, NULL, "put these settings in place of those it has" },
	{ 0 },
};
static const struct flag set_flags[] = {
	{ "--mac", 0, FLAG_TEXT, "MAC", "mac", "the guest's address" },
	{ "--group", 0, FLAG_TEXT, "GROUP", "group", "follow a group; \"\": none any more" },
	ALIASES,
	PORT_SETTINGS, { 0 } };

static void port_address(const json_t *port, char cell[CELL_TEXT])
{
	json_t *address;
	size_t i, n = 0;

	json_array_foreach(json_object_get(port, "addresses"), i, address) {
		char ip[CELL_TEXT];

		cell_text(json_object_get(address, "ip"), ip);
		if (i && strchr(ip, ':'))
			return;			/* they come last; one is told where there is no other */
		n += (size_t)snprintf(cell + n, CELL_TEXT - n, "%s%s", i ? "," : "", ip);
		if (n >= CELL_TEXT)
			return;
	}
}

static void port_full_name(const json_t *port, char cell[CELL_TEXT])
{
	snprintf(cell, CELL_TEXT, "%s/%s", row_text(port, "network"), row_text(port, "name"));
}

static void port_vlan(const json_t *port, char cell[CELL_TEXT])
{
	cell_text(json_object_get(port, json_object_get(port, "trunk") ? "trunk" : json_object_get(port, "tunnel") ? "tunnel" : "vlan"), cell);
}

static void port_rx(const json_t *port, char cell[CELL_TEXT])
{
	cell_bytes((unsigned long long)json_integer_value(row_get(port, "stats.rx_bytes")), cell);
}

static void port_tx(const json_t *port, char cell[CELL_TEXT])
{
	cell_bytes((unsigned long long)json_integer_value(row_get(port, "stats.tx_bytes")), cell);
}

/* port_drops() - frames from and to the port that were dropped, for whatever reason; `port show` has each reason */
static void port_drops(const json_t *port, char cell[CELL_TEXT])
{
	json_int_t drops = json_integer_value(row_get(port, "stats.tx_drops"));
	const char *name;
	json_t *n;

	json_object_foreach(json_object_get(port, "verdicts"), name, n)
		if (strncmp(name, "forwarded", 9) && strncmp(name, "flooded", 7) && strncmp(name, "consumed", 8))
			drops += json_integer_value(n);
	snprintf(cell, CELL_TEXT, "%lld", (long long)drops);
}

const struct column port_columns[] = {
	{ "PORT", NULL, port_full_name },	{ "KIND", "kind", NULL },	{ "MEDIUM", "medium", NULL },
	{ "STATE", "state", NULL },		{ "ADDRESS", NULL, port_address }, { "MAC", "mac", NULL },
	{ "RX", NULL, port_rx },		{ "TX", NULL, port_tx },	{ "DROPS", NULL, port_drops },
	{ "REASON", "reason", NULL },		{ 0 },
};

void print_port(const struct cli *cli, const json_t *port)
{
	const char *reason = row_text(port, "reason");

	output_result(cli, port, "%s/%s: %s, %s, mac %s%s%s", row_text(port, "network"), row_text(port, "name"),
		     row_text(port, "kind"), row_text(port, "state"), row_text(port, "mac"), reason[0] ? ": " : "",
		     reason);
}

static int usage(struct cli *cli, const char *message)
{
	error_set(&cli->err, -EINVAL, "port: %s", message);
	error_code(&cli->err, "usage");
	return -EINVAL;
}

/* add_ends() - "LOCAL,REMOTE": a path may have commas, but none before its first slash */
static int add_ends(struct cli *cli, const char *text, json_t *body)
{
	const char *comma = text[0] == '/' ? strstr(text, ",/") : strchr(text, ',');

	if (!comma)
		return usage(cli, "both ends are wanted, ours and the peer's: LOCAL,REMOTE");
	json_object_set_new(body, "local", json_stringn(text, (size_t)(comma - text)));
	json_object_set_new(body, "remote", json_string(comma + 1));
	return 0;
}

/* add_kind() - what kind of port the flags describe */
static int add_kind(struct cli *cli, const struct args *args, json_t *body)
{
	static const char *const kinds[] = { "--vhost-user", "--stream", "--dgram", "--udp", "--tap", "--vmm-tap", "--netns" };
	const char *kind = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!args_has(args, kinds[i]))
			continue;
		kind = kinds[i];
		n++;
	}
	if (n != 1)
		return usage(cli, "one of --vhost-user, --stream, --dgram, --udp, --tap, --vmm-tap and --netns is wanted");
	json_object_set_new(body, "kind", json_string(kind + 2));
	if (!strcmp(kind, "--tap") || !strcmp(kind, "--vmm-tap"))
		json_object_set_new(body, "ifname", json_string(args_text(args, kind)));
	if (!strcmp(kind, "--dgram") || !strcmp(kind, "--udp"))
		return add_ends(cli, args_text(args, kind), body);
	return 0;
}

int port_translate(struct cli *cli, const struct args *args, json_t *body)
{
	const char *text = args_text(args, "--translate");
	json_t *pairs = text ? json_object() : NULL;

	if (!text)
		return 0;
	for (const char *p = text; *p; p += *p == ',') {
		unsigned wire, vid;
		char number[12];
		int used = 0;

		if (sscanf(p, "%5u:%5u%n", &wire, &vid, &used) != 2 || (p[used] && p[used] != ',')) {
			json_decref(pairs);
			return usage(cli, "--translate wants WIRE:VLAN pairs, such as 10:110,20:120");
		}
		snprintf(number, sizeof(number), "%u", wire);
		json_object_set_new(pairs, number, json_integer(vid));
		p += used;
	}
	json_object_set_new(body, "translate", *text ? pairs : json_null());
	if (!*text)
		json_decref(pairs);
	return 0;
}

static int port_add(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], object[CLI_PATH_MAX];
	struct port_name name;
	json_t *body, *port = NULL;
	int rc = port_name_parse(args->words[0], &name, &cli->err);

	if (rc < 0)
		return rc;
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	rc = add_kind(cli, args, body);
	if (rc == 0)
		rc = port_translate(cli, args, body);
	if (rc == 0) {
		json_object_set_new(body, "name", json_string(name.port));
		cli_path(path, "networks", name.net, "ports", NULL);
		cli_path(object, "networks", name.net, "ports", name.port, NULL);
		rc = cli_add(cli, path, object, body, args_has(args, "--replace"), &port);
	}
	if (rc == 0)
		print_port(cli, port);
	json_decref(port);
	json_decref(body);
	return rc;
}

/* port_path() - the path of the port named by the first word */
static int port_path(struct cli *cli, const struct args *args, struct port_name *name, char path[CLI_PATH_MAX])
{
	int rc = cli_port_name(cli, args->words[0], name);

	if (rc == 0)
		cli_path(path, "networks", name->net, "ports", name->port, NULL);
	return rc;
}

static int port_set(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	struct port_name name;
	json_t *body, *port = NULL;
	int rc = port_path(cli, args, &name, path);

	if (rc < 0)
		return rc;
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	rc = port_translate(cli, args, body);
	if (rc == 0)
		rc = cli_change(cli, "PATCH", path, body, &port);
	if (rc == 0)
		print_port(cli, port);
	json_decref(port);
	json_decref(body);
	return rc;
}

static int port_rm(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	struct port_name name;
	json_t *answer = NULL;
	int rc = port_path(cli, args, &name, path);

	if (rc < 0)
		return rc;
	rc = cli_change(cli, "DELETE", path, NULL, &answer);
	if (rc == 0)
		output_result(cli, answer, "%s/%s: removed", name.net, name.port);
	json_decref(answer);
	return rc;
}

static int port_show(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	struct port_name name;
	json_t *port = NULL;
	int rc = port_path(cli, args, &name, path);

	if (rc == 0)
		rc = cli_get(cli, path, &port);
	if (rc == 0 && cli->json)
		output_json(port);
	else if (rc == 0)
		output_fields(port, NULL);
	json_decref(port);
	return rc;
}

static int port_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "PORT", NULL, port_full_name },	{ "KIND", "kind", NULL },	{ "STATE", "state", NULL },
		{ "VLAN", NULL, port_vlan },		{ "LINK", "link", NULL },	{ "MAC", "mac", NULL },
		{ "PATH", "path", NULL },		{ "REASON", "reason", NULL },	{ 0 },
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

const struct command cmd_port[] = {
	{ "port", "add", "NET/NAME", "make a port", "port add lab/web1 --stream /tmp/web1.sock", 1, 1, false, add_flags,
	  port_add },
	{ "port", "set", "NET/NAME", "change a port", "port set lab/web1 --link down", 1, 1, false, set_flags, port_set },
	{ "port", "rm", "NET/NAME", "remove a port", NULL, 1, 1, false, NULL, port_rm },
	{ "port", "show", "NET/NAME", "all about a port, each verdict too", "port show lab/web1", 1, 1, false, NULL,
	  port_show },
	{ "port", "ls", "[NET]", "the ports there are", NULL, 0, 1, false, NULL, port_ls },
	{ 0 },
};
