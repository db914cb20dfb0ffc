// SPDX-License-Identifier: GPL-2.0-or-later
/* lease ls|pin|rm */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static const struct flag pin_flags[] = {
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
	body = json_pack("{s:s,s:s}", "port", name.port, "ip", args->words[1]);
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

/* free_port() - unpin the port's address and free its leases; Return: how many went, or a negative errno */
static int free_port(struct cli *cli, const struct port_name *name)
{
	char path[CLI_PATH_MAX], query[CLI_PATH_MAX + NAME_MAX_SIZE + 8];
	json_t *answer = NULL, *lease;
	size_t i;
	int freed, rc;

	rc = cli_list(cli, name->net, "leases", &answer);
	if (rc < 0)
		return rc;
	cli_path(path, "networks", name->net, "reservations", name->port, NULL);
	freed = rc = delete_found(cli, path);
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

static int rm_port(struct cli *cli, const char *text)
{
	struct port_name name;
	int rc = port_name_parse(text, &name, &cli->err);

	if (rc == 0)
		rc = free_port(cli, &name);
	if (rc == 0)
		rc = error_set(&cli->err, -ENOENT, "port %s: has neither a lease nor a pinned address", text);
	if (rc < 0)
		return rc;
	output_result(cli, NULL, "%s: freed", text);
	return 0;
}

static int lease_rm(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL;
	int rc;

	if (args->nwords == 1)
		return rm_port(cli, args->words[0]);
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

const struct command cmd_lease[] = {
	{ "lease", "ls", "[NET]", "who has which address", "lease ls lab", 0, 1, false, NULL, lease_ls },
	{ "lease", "pin", "NET/NAME IP", "give a port this address always", "lease pin lab/web1 10.77.0.50", 2, 2, false,
	  pin_flags, lease_pin },
	{ "lease", "rm", "NET/NAME | NET IP", "free leases, and unpin a port's address", "lease rm lab/web1", 1, 2, false, NULL,
	  lease_rm },
	{ 0 },
};
