// SPDX-License-Identifier: GPL-2.0-or-later
/* dns add|rm|ls|hosts|resolve, fdb ls, daemon show */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static const struct flag add_flags[] = {
	{ "--replace", 0, FLAG_SWITCH, NULL, NULL, "in place of another value" },
	{ 0 },
};

/* address_type() - the record type for an address, or NULL when it is none */
static const char *address_type(const char *text)
{
	struct in6_addr ip;

	return inet_pton(AF_INET, text, &ip) == 1 ? "A" : inet_pton(AF_INET6, text, &ip) == 1 ? "AAAA" : NULL;
}

/* print_record() - as in a zone file */
static void print_record(const struct cli *cli, const json_t *record)
{
	char name[CELL_TEXT], value[CELL_TEXT];

	cell_text(json_object_get(record, "name"), name);
	cell_text(json_object_get(record, "value"), value);
	output_result(cli, record, "%s %s %s", name, row_text(record, "type"), value);
}

static int dns_add(struct cli *cli, const struct args *args)
{
	const char *net = args->words[0], *name = args->words[1];
	const char *type = args->nwords == 4 ? args->words[2] : address_type(args->words[2]);
	char path[CLI_PATH_MAX], object[CLI_PATH_MAX], id[320];
	json_t *body, *record = NULL;
	int rc = net_name_parse(net, &cli->err);

	if (rc == 0 && !type) {
		rc = error_set(&cli->err, -EINVAL, "%.100s: not an address; other records are written NAME TYPE VALUE",
			       args->words[2]);
		error_code(&cli->err, "usage");
	}
	if (rc < 0)
		return rc;
	snprintf(id, sizeof(id), "%s-%s", name, type);
	cli_path(path, "networks", net, "records", NULL);
	cli_path(object, "networks", net, "records", id, NULL);
	body = json_pack("{s:s,s:s,s:s}", "name", name, "type", type, "value", args->words[args->nwords - 1]);
	rc = cli_add(cli, path, object, body, args_has(args, "--replace"), &record);
	if (rc == 0)
		print_record(cli, record);
	json_decref(record);
	json_decref(body);
	return rc;
}

/* rm_one() - Return: 1, or a negative errno */
static int rm_one(struct cli *cli, const char *net, const char *id)
{
	char path[CLI_PATH_MAX];
	int rc;

	cli_path(path, "networks", net, "records", id, NULL);
	rc = cli_change(cli, "DELETE", path, NULL, NULL);
	return rc < 0 ? rc : 1;
}

/* rm_all() - every type of @name; Return: how many there were, or a negative errno */
static int rm_all(struct cli *cli, const char *net, const char *name)
{
	json_t *answer = NULL, *record;
	size_t i;
	int removed = 0, rc = cli_list(cli, net, "records", &answer);

	json_array_foreach(json_object_get(answer, "records"), i, record) {
		if (rc < 0 || strcasecmp(row_text(record, "name"), name))
			continue;
		rc = rm_one(cli, net, row_text(record, "id"));
		removed++;
	}
	json_decref(answer);
	if (rc >= 0 && removed == 0)
		return error_set(&cli->err, -ENOENT, "network %s: no record of the name %.100s", net, name);
	return rc < 0 ? rc : removed;
}

static int dns_rm(struct cli *cli, const struct args *args)
{
	char id[320];
	int rc = net_name_parse(args->words[0], &cli->err);

	if (rc < 0)
		return rc;
	if (args->nwords == 3) {
		snprintf(id, sizeof(id), "%s-%s", args->words[1], args->words[2]);
		rc = rm_one(cli, args->words[0], id);
	} else {
		rc = rm_all(cli, args->words[0], args->words[1]);
	}
	if (rc < 0)
		return rc;
	output_result(cli, NULL, "%s: %s: removed", args->words[0], args->words[1]);
	return 0;
}

/* list() - the rows of collection @key as a table */
static int list(struct cli *cli, const struct args *args, const char *key, const struct column *columns)
{
	json_t *answer = NULL;
	int rc = cli_list(cli, args->words[0], key, &answer);

	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		output_table(cli, columns, json_object_get(answer, key));
	json_decref(answer);
	return rc;
}

static int dns_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "NETWORK", "network", NULL }, { "NAME", "name", NULL }, { "TYPE", "type", NULL },
		{ "VALUE", "value", NULL },	{ 0 },
	};

	return list(cli, args, "records", columns);
}

/* dns_hosts() - as in hosts(5), for who lets the host find guests by himself */
static int dns_hosts(struct cli *cli, const struct args *args)
{
	json_t *answer = NULL, *row;
	int rc = cli_list(cli, args->words[0], "hosts", &answer);
	size_t i;

	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		json_array_foreach(json_object_get(answer, "hosts"), i, row)
			printf("%s\t%s\n", row_text(row, "address"), row_text(row, "name"));
	json_decref(answer);
	return rc;
}

/* ---- resolve ---- */

static const struct flag resolve_flags[] = {
	{ "--as", 0, FLAG_TEXT, "PORT", NULL, "as this guest, with its rules" },
	{ 0 },
};

static void print_resolved(const json_t *answer)
{
	char cell[CELL_TEXT], name[CELL_TEXT];
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(answer, "steps"), i, row) {
		cell_text(json_object_get(row, "text"), cell);
		printf("%-10s %s\n", row_text(row, "step"), cell);
	}
	printf("%-10s %s%s\n", "answer", row_text(answer, "rcode"), json_is_true(json_object_get(answer, "authenticated")) ? ", authenticated" : "");
	json_array_foreach(json_object_get(answer, "records"), i, row) {
		cell_text(json_object_get(row, "name"), name);
		cell_text(json_object_get(row, "value"), cell);
		printf("%s %lld %s %s\n", name, (long long)json_integer_value(json_object_get(row, "ttl")), row_text(row, "type"), cell);
	}
}

static int dns_resolve(struct cli *cli, const struct args *args)
{
	const char *as = args_text(args, "--as"), *type = args->nwords > 2 ? args->words[2] : "A";
	char path[CLI_PATH_MAX], vid[8];
	struct segment_name where;
	json_t *answer = NULL;
	int rc = segment_words_parse(args->words[0], &where, &cli->err);

	if (rc < 0)
		return rc;
	snprintf(vid, sizeof(vid), "%u", where.vid);
	cli_path(path, "networks", where.net, "resolve", NULL);
	if (!cli_query(path, sizeof(path), "name", args->words[1]) || !cli_query(path, sizeof(path), "type", type) ||
	    (as && !cli_query(path, sizeof(path), "port", as)) || (strchr(args->words[0], ':') && !cli_query(path, sizeof(path), "vid", vid)))
		return error_set(&cli->err, -EINVAL, "%.100s...: too long", args->words[1]);
	rc = cli_get(cli, path, &answer);
	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		print_resolved(answer);
	json_decref(answer);
	return rc;
}

static int fdb_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "NETWORK", "network", NULL },	{ "VID", "vid", NULL },	{ "MAC", "mac", NULL }, { "PORT", "port", NULL },
		{ "ORIGIN", "origin", NULL },	{ "AGE", "age", NULL }, { "MOVES", "moves", NULL }, { 0 },
	};

	return list(cli, args, "fdb", columns);
}

static int daemon_show(struct cli *cli, const struct args *args)
{
	json_t *daemon = NULL;
	int rc = cli_get(cli, "/v1/daemon", &daemon);

	(void)args;
	if (rc == 0 && cli->json)
		output_json(daemon);
	else if (rc == 0)
		output_fields(daemon, NULL);
	json_decref(daemon);
	return rc;
}

const struct command cmd_dns[] = {
	{ "dns", "add", "NET NAME ADDRESS | NET NAME TYPE VALUE", "give a name to the network", "dns add lab db 10.77.0.9", 3, 4,
	  false, add_flags, dns_add },
	{ "dns", "rm", "NET NAME [TYPE]", "take it away", "dns rm lab db", 2, 3, false, NULL, dns_rm },
	{ "dns", "ls", "[NET]", "the records that were added", NULL, 0, 1, false, NULL, dns_ls },
	{ "dns", "hosts", "[NET]", "names and addresses of guests, as lines of hosts(5)", "dns hosts lab", 0, 1, false, NULL, dns_hosts },
	{ "dns", "resolve", "NET[:VLAN] NAME [TYPE]", "what a guest would be told of a name, and why", "dns resolve lab www.example.com AAAA --as web1", 2, 3, false,
	  resolve_flags, dns_resolve },
	{ 0 },
};

const struct command cmd_fdb[] = {
	{ "fdb", "ls", "[NET]", "which MAC address lives on which port", "fdb ls lab", 0, 1, false, NULL, fdb_ls },
	{ 0 },
};

const struct command cmd_daemon[] = {
	{ "daemon", "show", "", "version, processes, workers, time up", "daemon show", 0, 0, false, NULL, daemon_show },
	{ 0 },
};
