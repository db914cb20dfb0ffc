// SPDX-License-Identifier: GPL-2.0-or-later
/* lease ls|pin|rm|explain */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static const struct flag pin_flags[] = {
	{ "--mac", 0, FLAG_TEXT, "MAC", "mac", "for the guest with this card, wherever it is; NAME is then the reservation's" },
	{ "--client-id", 0, FLAG_TEXT, "HEX", "client_id", "for the guest that identifies itself so" },
	{ "--circuit", 0, FLAG_TEXT, "TEXT", "circuit", "for the guest that a relay hears there" },
	{ "--hostname", 0, FLAG_TEXT, "NAME", "hostname", "what it is told that it is called, and found by" },
	{ "--alias", 0, FLAG_LIST, "NAME", "aliases", "a further name of it in DNS" },
	{ "--lease", 0, FLAG_TEXT, "TIME", "lease", "how long a lease holds" },
	{ "--option", 0, FLAG_LIST, "TEXT", "options", "\"ntp-servers 10.0.0.1\", \"force 43 01ff\", \"never routers\"" },
	{ "--option6", 0, FLAG_LIST, "TEXT", "options6", "the same of DHCPv6: \"sntp-servers fd00::7\"" },
	{ "--next-server", 0, FLAG_TEXT, "ADDRESS", "next_server", "where it boots from" },
	{ "--boot-file", 0, FLAG_TEXT, "FILE", "boot_file", "what it boots" },
	{ "--replace", 0, FLAG_SWITCH, NULL, NULL, "in place of another address pinned before" },
	{ 0 },
};

static bool has_lease(const json_t *leases, const json_t *reservation)
{
	json_t *lease;
	size_t i;

	json_array_foreach(leases, i, lease)
		if (!strcmp(row_text(lease, "ip"), row_text(reservation, "ip")) && !strcmp(row_text(lease, "port"), row_text(reservation, "port")) &&
		    !strcmp(row_text(lease, "network"), row_text(reservation, "network")))
			return true;
	return false;
}

/* print_leases() - and below them the reservations that nobody has taken up */
static void print_leases(const struct cli *cli, json_t *leases, const json_t *reservations)
{
	static const struct column columns[] = {
		{ "NETWORK", "network", NULL },	{ "IP", "ip", NULL },		{ "PORT", "port", NULL },
		{ "MAC", "mac", NULL },		{ "HOSTNAME", "hostname", NULL }, { "STATE", "state", NULL },
		{ "EXPIRES", "expires", NULL },	{ 0 },
	};
	json_t *row;
	size_t i;

	json_array_foreach(reservations, i, row) {
		if (has_lease(leases, row))
			continue;
		json_object_set_new(row, "state", json_string("reserved"));
		json_array_append(leases, row);
	}
	output_table(cli, columns, leases);
}

static int lease_ls(struct cli *cli, const struct args *args)
{
	json_t *leases = NULL, *reservations = NULL;
	int rc = cli_list(cli, args->words[0], "leases", &leases);

	if (rc == 0)
		rc = cli_list(cli, args->words[0], "reservations", &reservations);
	if (rc == 0 && cli->json) {
		json_object_update(leases, reservations);
		output_json(leases);
	} else if (rc == 0) {
		print_leases(cli, json_object_get(leases, "leases"), json_object_get(reservations, "reservations"));
	}
	json_decref(leases);
	json_decref(reservations);
	return rc;
}

static int lease_pin(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], object[CLI_PATH_MAX];
	struct port_name name;
	json_t *body, *answer = NULL;
	int rc = port_name_parse(args->words[0], &name, &cli->err);

	if (rc < 0)
		return rc;
	cli_path(path, "networks", name.net, "reservations", NULL);
	cli_path(object, "networks", name.net, "reservations", name.port, NULL);
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	json_object_set_new(body, "port", json_string(name.port));
	json_object_set_new(body, "ip", json_string(args->words[1]));
	rc = cli_add(cli, path, object, body, args_has(args, "--replace"), &answer);
	if (rc == 0)
		output_result(cli, answer, "%s/%s: %s is its address from its next lease on", name.net, name.port,
			     args->words[1]);
	json_decref(answer);
	json_decref(body);
	return rc;
}

/* delete_found() - DELETE, where "not found" is no error; Return: 1 when something went, 0, or a negative errno */
static int delete_found(struct cli *cli, const char *path)
{
	int rc = cli_change(cli, "DELETE", path, NULL, NULL);

	if (rc < 0 && !strcmp(cli->err.code, "not-found"))
		return 0;
	return rc < 0 ? rc : 1;
}

/* free_port() - free the port's leases, and where that is to be @unpin its address; Return: how many went, or a negative errno */
static int free_port(struct cli *cli, const struct port_name *name, bool unpin)
{
	char path[CLI_PATH_MAX], query[CLI_PATH_MAX + NAME_MAX_SIZE + 8];
	json_t *answer = NULL, *lease;
	size_t i;
	int freed, rc;

	rc = cli_list(cli, name->net, "leases", &answer);
	if (rc < 0)
		return rc;
	cli_path(path, "networks", name->net, "reservations", name->port, NULL);
	freed = rc = unpin ? delete_found(cli, path) : 0;
	json_array_foreach(json_object_get(answer, "leases"), i, lease) {
		if (rc < 0 || strcmp(row_text(lease, "port"), name->port))
			continue;
		cli_path(path, "networks", name->net, "leases", row_text(lease, "ip"), NULL);
		snprintf(query, sizeof(query), "%s?port=%s", path, name->port);
		rc = delete_found(cli, query);
		freed += rc;
	}
	json_decref(answer);
	return rc < 0 ? rc : freed;
}

static int rm_port(struct cli *cli, const char *text, bool unpin)
{
	struct port_name name;
	int rc = port_name_parse(text, &name, &cli->err);

	if (rc == 0)
		rc = free_port(cli, &name, unpin);
	if (rc == 0)
		rc = error_set(&cli->err, -ENOENT, "port %s: has %s", text, unpin ? "neither a lease nor a pinned address" : "no lease");
	if (rc < 0)
		return rc;
	output_result(cli, NULL, "%s: freed", text);
	return 0;
}

static int rm_words(struct cli *cli, const struct args *args, bool unpin)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL;
	int rc;

	if (args->nwords == 1)
		return rm_port(cli, args->words[0], unpin);
	rc = net_name_parse(args->words[0], &cli->err);
	if (rc < 0)
		return rc;
	cli_path(path, "networks", args->words[0], "leases", args->words[1], NULL);
	rc = cli_change(cli, "DELETE", path, NULL, &answer);
	if (rc == 0)
		output_result(cli, answer, "%s: %s: freed", args->words[0], args->words[1]);
	json_decref(answer);
	return rc;
}

static int lease_rm(struct cli *cli, const struct args *args)
{
	return rm_words(cli, args, true);
}

static int lease_release(struct cli *cli, const struct args *args)
{
	return rm_words(cli, args, false);
}

static const struct flag explain_flags[] = {
	{ "--vlan", 0, FLAG_TEXT, "VLAN", NULL, "on that segment" },
	{ "--vendor", 0, FLAG_TEXT, "TEXT", NULL, "with this vendor class (option 60)" },
	{ "--user", 0, FLAG_TEXT, "TEXT", NULL, "with this user class (option 77)" },
	{ "--arch", 0, FLAG_TEXT, "N", NULL, "booting as this architecture (option 93)" },
	{ "--circuit", 0, FLAG_TEXT, "TEXT", NULL, "heard by a relay there" },
	{ 0 },
};

static void print_offer(const struct cli *cli, const json_t *answer)
{
	static const struct column columns[] = {
		{ "OPTION", "code", NULL }, { "NAME", "name", NULL }, { "VALUE", "value", NULL }, { "FROM", "from", NULL }, { 0 },
	};

	printf("address %s: %s\n", row_text(answer, "ip"), row_text(answer, "why"));
	printf("lease   %s, from %s\n", row_text(answer, "lease"), row_text(answer, "lease_from"));
	if (row_text(answer, "next_server")[0])
		printf("boots   from %s\n", row_text(answer, "next_server"));
	output_table(cli, columns, json_object_get(answer, "options"));
}

/* print_place() - what it would be given of one sort */
static void print_place(const char *what, const json_t *answer, const char *key, const char *why)
{
	if (row_text(answer, key)[0])
		printf("%s %s: %s\n", what, row_text(answer, key), row_text(answer, why));
}

static void print_heard(const json_t *answer)
{
	json_t *layer;
	size_t i;

	printf("heard   ");
	json_array_foreach(json_object_get(answer, "heard"), i, layer)
		printf("%s%s", i ? ", " : "", json_string_value(layer));
	printf("\n");
}

static void print_nothing(const json_t *answer)
{
	const char *by = row_text(answer, "refused_by");

	printf("nothing: %s%s%s\n", row_text(answer, "outcome"), by[0] ? " by " : "", by);
}

static void print_explained6(const struct cli *cli, const json_t *answer)
{
	static const struct column columns[] = {
		{ "OPTION6", "code", NULL }, { "NAME", "name", NULL }, { "VALUE", "value", NULL }, { "FROM", "from", NULL }, { 0 },
	};

	printf("dhcp6   DUID %s\n", row_text(answer, "duid"));
	print_heard(answer);
	print_place("address", answer, "ip", "why");
	print_place("prefix ", answer, "prefix", "prefix_why");
	if (!row_text(answer, "ip")[0] && !row_text(answer, "prefix")[0])
		print_nothing(answer);
	else
		printf("lease   %s, from %s\n", row_text(answer, "lease"), row_text(answer, "lease_from"));
	output_table(cli, columns, json_object_get(answer, "options"));
}

static void print_explained4(const struct cli *cli, const json_t *answer)
{
	print_heard(answer);
	if (!strcmp(row_text(answer, "outcome"), "offer"))
		print_offer(cli, answer);
	else
		print_nothing(answer);
}

static void print_explained(const struct cli *cli, const json_t *answer)
{
	const json_t *six = json_object_get(answer, "dhcp6");

	printf("guest   %s/%s, MAC %s%s%s\n", row_text(answer, "network"), row_text(answer, "port")[0] ? row_text(answer, "port") : "?",
	       row_text(answer, "mac"), row_text(answer, "client_id")[0] ? ", client-id " : "", row_text(answer, "client_id"));
	if (json_is_true(json_object_get(answer, "absent")))
		printf("absent  there is no such port; what follows holds when it comes\n");
	if (row_text(answer, "outcome")[0])
		print_explained4(cli, answer);
	if (six)
		print_explained6(cli, six);
}

static int lease_explain(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL;
	int rc = net_name_parse(args->words[0], &cli->err);

	if (rc < 0)
		return rc;
	cli_path(path, "networks", args->words[0], "leases", "explain", NULL);
	if (!cli_query(path, sizeof(path), "guest", args->words[1]))
		rc = -E2BIG;
	for (const struct flag *f = explain_flags; rc == 0 && f->name; f++)
		if (args_has(args, f->name) && !cli_query(path, sizeof(path), f->name + 2, args_text(args, f->name)))
			rc = -E2BIG;
	if (rc < 0)
		return error_set(&cli->err, rc, "that is longer than any guest says of itself");
	rc = cli_get(cli, path, &answer);
	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		print_explained(cli, answer);
	json_decref(answer);
	return rc;
}

const struct command cmd_lease[] = {
	{ "lease", "ls", "[NET]", "who has which address", "lease ls lab", 0, 1, false, NULL, lease_ls },
	{ "lease", "pin", "NET/NAME IP", "give a port this address always", "lease pin lab/web1 10.77.0.50", 2, 2, false,
	  pin_flags, lease_pin },
	{ "lease", "explain", "NET NAME|RESERVATION|MAC|CLIENT-ID", "what a guest would be given, and who says so", "lease explain lab web1", 2, 2, false,
	  explain_flags, lease_explain },
	{ "lease", "release", "NET/NAME | NET IP", "free leases; what is pinned stays", "lease release lab/web1", 1, 2, false, NULL, lease_release },
	{ "lease", "rm", "NET/NAME | NET IP", "free leases, and unpin a port's address", "lease rm lab/web1", 1, 2, false, NULL,
	  lease_rm },
	{ 0 },
};
