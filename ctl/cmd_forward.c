// SPDX-License-Identifier: GPL-2.0-or-later
/* forward add|rm|ls */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static const struct flag add_flags[] = {
	{ "--listen", 0, FLAG_LIST, "ADDRESS", "listen", "of this host; 127.0.0.1 and ::1 unless given" },
	{ "--lan", 0, FLAG_SWITCH, NULL, NULL, "listen on every address, for other machines too" },
	{ "--name", 0, FLAG_TEXT, "NAME", "name", "to call it by" },
	{ "--source", 0, FLAG_TEXT, "client|gateway", "source", "whose address the guest sees; client" },
	{ "--replace", 0, FLAG_SWITCH, NULL, NULL, "put this forward in place of the one there is" },
	{ 0 },
};

static json_t *forward_body(const struct args *args, const struct forward_words *f, struct error *err)
{
	json_t *body = args_settings(args, err);

	if (!body)
		return NULL;
	json_object_set_new(body, "port", json_integer(f->ports.first));
	if (f->ports.count > 1)
		json_object_set_new(body, "count", json_integer(f->ports.count));
	json_object_set_new(body, "proto", json_string(f->proto));
	json_object_set_new(body, "to", json_string(f->to));
	json_object_set_new(body, "to_port", json_integer(f->to_port));
	if (args_has(args, "--lan"))
		json_object_set_new(body, "listen", json_pack("[s,s]", "0.0.0.0", "::"));
	else if (f->listen[0])
		json_object_set_new(body, "listen", json_pack("[s]", f->listen));
	return body;
}

static int check_listen(struct cli *cli, const struct args *args, const struct forward_words *f)
{
	if (args_has(args, "--lan") + args_has(args, "--listen") + (f->listen[0] != '\0') <= 1)
		return 0;
	error_set(&cli->err, -EINVAL, "forward: the address to listen on is given once: --lan, --listen or ADDRESS:PORT");
	error_code(&cli->err, "usage");
	return -EINVAL;
}

/* open_wide() - is it reached by other machines, whichever they are? */
static bool open_wide(const json_t *forward)
{
	json_t *list = json_object_get(forward, "listen"), *at;
	size_t i;

	json_array_foreach(list, i, at)
		if (!strcmp(json_string_value(at), "0.0.0.0") || !strcmp(json_string_value(at), "::"))
			return true;
	return false;
}

static uint16_t count_of(const json_t *forward)
{
	json_int_t n = json_integer_value(json_object_get(forward, "count"));

	return n > 1 ? (uint16_t)n : 1;
}

static char *ports_of(const json_t *forward, const char *key, char text[PORT_RANGE_TEXT])
{
	uint16_t first = (uint16_t)json_integer_value(json_object_get(forward, key));

	return port_range_format((struct port_range){ first, count_of(forward) }, text);
}

static void forward_port(const json_t *forward, char cell[CELL_TEXT])
{
	char ports[PORT_RANGE_TEXT];

	snprintf(cell, CELL_TEXT, "%s", ports_of(forward, "port", ports));
}

static void forward_to(const json_t *forward, char cell[CELL_TEXT])
{
	char to[64], ports[PORT_RANGE_TEXT];

	snprintf(to, sizeof(to), "%s", row_text(forward, "to"));
	snprintf(cell, CELL_TEXT, strchr(to, ':') ? "[%s]:%s" : "%s:%s", to, ports_of(forward, "to_port", ports));
}

static void print_forward(const struct cli *cli, const char *net, const json_t *forward)
{
	const char *state = row_text(forward, "state"), *reason = row_text(forward, "reason");
	const char *hint = row_text(forward, "hint");
	char listen[CELL_TEXT], id[CELL_TEXT], ports[PORT_RANGE_TEXT], to[CELL_TEXT];

	cell_text(json_object_get(forward, "listen"), listen);
	cell_text(json_object_get(forward, "id"), id);
	forward_to(forward, to);
	output_result(cli, forward, "%s: forward %s: %s port%s %s to %s, %s", net, id, listen[0] ? listen : "loopback",
		      count_of(forward) > 1 ? "s" : "", ports_of(forward, "port", ports), to, state);
	if (open_wide(forward))
		output_note("%s: forward %s is open to every machine that reaches this host (%s)", net, id, listen);
	if (reason[0] && strcmp(state, "up"))
		output_note("%s: forward %s: %s: %s%s%s", net, id, state, reason, hint[0] ? "\nhint: " : "", hint);
}

static int forward_add(struct cli *cli, const struct args *args)
{
	const char *net = args->words[0];
	char path[CLI_PATH_MAX], object[CLI_PATH_MAX], ports[PORT_RANGE_TEXT], number[PORT_RANGE_TEXT + 8], id[FORWARD_ID_TEXT];
	struct forward_words f;
	json_t *body, *forward = NULL;
	int rc = net_name_parse(net, &cli->err);

	if (rc == 0)
		rc = forward_parse(args->words[1], &f, &cli->err);
	if (rc == 0)
		rc = check_listen(cli, args, &f);
	if (rc < 0)
		return rc;
	snprintf(number, sizeof(number), "%s/%s", port_range_format(f.ports, ports), f.proto);
	forward_id(args_text(args, "--name") ? args_text(args, "--name") : number, id);
	cli_path(path, "networks", net, "forwards", NULL);
	cli_path(object, "networks", net, "forwards", id, NULL);
	body = forward_body(args, &f, &cli->err);
	if (!body)
		return -EINVAL;
	rc = cli_add(cli, path, object, body, args_has(args, "--replace"), &forward);
	if (rc == 0)
		print_forward(cli, net, forward);
	json_decref(forward);
	json_decref(body);
	return rc;
}

static int forward_rm(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], id[FORWARD_ID_TEXT];
	json_t *answer = NULL;
	int rc = net_name_parse(args->words[0], &cli->err);

	if (rc < 0)
		return rc;
	forward_id(args->words[1], id);
	cli_path(path, "networks", args->words[0], "forwards", id, NULL);
	rc = cli_change(cli, "DELETE", path, NULL, &answer);
	if (rc == 0)
		output_result(cli, answer, "%s: forward %s: removed", args->words[0], args->words[1]);
	json_decref(answer);
	return rc;
}

static int forward_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "NETWORK", "network", NULL },	{ "ID", "id", NULL },		{ "LISTEN", "listen", NULL },
		{ "PORT", NULL, forward_port },	{ "PROTO", "proto", NULL },	{ "TO", NULL, forward_to },
		{ "STATE", "state", NULL },	{ "HITS", "hits", NULL },	{ "ACTIVE", "active", NULL },
		{ "REASON", "reason", NULL },	{ 0 },
	};
	json_t *answer = NULL;
	int rc = cli_list(cli, args->words[0], "forwards", &answer);

	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		output_table(cli, columns, json_object_get(answer, "forwards"));
	json_decref(answer);
	return rc;
}

const struct command cmd_forward[] = {
	{ "forward", "add", "NET [LISTEN:]PORT:GUEST[:PORT][/udp]", "open a way in to a guest", "forward add lab 8080:web1:80",
	  2, 2, false, add_flags, forward_add },
	{ "forward", "rm", "NET PORT[/udp]|NAME", "close it", "forward rm lab 8080", 2, 2, false, NULL, forward_rm },
	{ "forward", "ls", "[NET]", "the forwards, with hits", NULL, 0, 1, false, NULL, forward_ls },
	{ 0 },
};
