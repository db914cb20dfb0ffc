// SPDX-License-Identifier: GPL-2.0-or-later
/* ps, ip, wait */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cmd_port.h"

enum { POLL_MS = 100, WAIT_S = 30 };

static const struct flag ip_flags[] = {
	{ "--wait", 'w', FLAG_DURATION, "TIME", NULL, "until the port is there and has an address, but no longer" },
	{ "--ipv6", '6', FLAG_SWITCH, NULL, NULL, "its IPv6 addresses" },
	{ 0 },
};

static const struct flag wait_flags[] = {
	{ "--for", 0, FLAG_TEXT, "link|lease|address|address6|dns", NULL, "lease unless given" },
	{ "--timeout", 0, FLAG_DURATION, "TIME", NULL, "no longer than this; 30s unless given" },
	{ 0 },
};

static int ps(struct cli *cli, const struct args *args)
{
	json_t *answer = NULL;
	int rc = cli_list(cli, args->words[0], "ports", &answer);

	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		output_table(cli, port_columns, json_object_get(answer, "ports"));
	json_decref(answer);
	return rc;
}

/* of_family() - those addresses alone, as a new array */
static json_t *of_family(const json_t *all, bool six)
{
	json_t *some = json_array(), *address;
	size_t i;

	json_array_foreach(all, i, address)
		if ((strchr(row_text(address, "ip"), ':') != NULL) == six)
			json_array_append(some, address);
	return some;
}

/* print_addresses() - one a line; with --json {"addresses":[...]}, takes them */
static int print_addresses(struct cli *cli, const struct port_name *name, json_t *addresses)
{
	json_t *address;
	size_t i;

	if (json_array_size(addresses) == 0) {
		error_set(&cli->err, -ENOENT, "port %s/%s: has no address yet", name->net, name->port);
		error_hint(&cli->err, "lanyard ip %.63s/%.63s --wait 30s", name->net, name->port);
		return -ENOENT;
	}
	if (cli->json) {
		json_t *tree = json_pack("{s:s,s:s,s:O}", "network", name->net, "port", name->port, "addresses", addresses);

		output_json(tree);
		json_decref(tree);
		return 0;
	}
	json_array_foreach(addresses, i, address)
		puts(row_text(address, "ip"));
	return 0;
}

static bool has_network(struct cli *cli, const char *net)
{
	struct error ignored = { 0 };
	char path[CLI_PATH_MAX];
	json_t *answer = NULL;
	int rc;

	cli_path(path, "networks", net, NULL);
	rc = client_json(cli->client, "GET", path, NULL, 0, &answer, &ignored);
	json_decref(answer);
	return rc == 0;
}

/* get_port() - within @wait_s seconds, with what @query_end asks for: a port that is being made, as by `lanyard run` in the background, is waited for, too */
static int get_port(struct cli *cli, const struct port_name *name, uint32_t wait_s, const char *query_end, json_t **port)
{
	char path[CLI_PATH_MAX], query[CLI_PATH_MAX + 40];
	uint64_t end = clock_now_ms() + wait_s * UINT64_C(1000);
	int rc;

	cli_path(path, "networks", name->net, "ports", name->port, NULL);
	for (;;) {
		uint64_t now = clock_now_ms();
		unsigned left = now < end ? (unsigned)((end - now + 999) / 1000) : 0;

		snprintf(query, sizeof(query), left ? "%s?wait=%u%s" : "%s", path, left, query_end);
		rc = client_json(cli->client, "GET", query, NULL, (long)left, port, &cli->err);
		if (rc == 0 || !wait_s || strcmp(cli->err.code, "not-found") || !has_network(cli, name->net))
			return rc;
		if (!left)
			return error_set(&cli->err, -ETIMEDOUT, "port %s/%s: is not there after %u s", name->net, name->port,
					 wait_s);
		nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
	}
}

static int ip(struct cli *cli, const struct args *args)
{
	uint32_t wait_s = args_seconds(args, "--wait", 0);
	bool six = args_has(args, "--ipv6");
	json_t *port = NULL, *addresses;
	struct port_name name;
	int rc = cli_port_name(cli, args->words[0], &name);

	if (rc == 0)
		rc = cli_client(cli);
	if (rc < 0)
		return rc;
	rc = get_port(cli, &name, wait_s, six ? "&family=6" : "", &port);
	if (rc < 0)
		return rc;
	addresses = of_family(json_object_get(port, "addresses"), six);
	rc = print_addresses(cli, &name, addresses);
	json_decref(addresses);
	json_decref(port);
	return rc;
}

static int wait_port(struct cli *cli, const struct args *args)
{
	static const char *const known[] = { "link", "lease", "address", "address6", "dns" };
	const char *what = args_text(args, "--for");
	uint32_t wait_s = args_seconds(args, "--timeout", WAIT_S);
	char query_end[16] = "&for=lease";
	json_t *port = NULL;
	struct port_name name;
	size_t i;
	int rc;

	for (i = 0; what && i < ARRAY_SIZE(known) && strcmp(known[i], what); i++)
		;
	if (what && i == ARRAY_SIZE(known)) {
		error_set(&cli->err, -EINVAL, "wait: --for %.40s: link, lease, address, address6 or dns", what);
		error_code(&cli->err, "usage");
		return -EINVAL;
	}
	if (what)
		snprintf(query_end, sizeof(query_end), "&for=%s", known[i]);
	rc = cli_port_name(cli, args->words[0], &name);
	if (rc == 0)
		rc = cli_client(cli);
	if (rc == 0)
		rc = get_port(cli, &name, wait_s ? wait_s : 1, query_end, &port);
	if (rc == 0 && cli->json)
		output_json(port);
	json_decref(port);
	return rc;
}

const struct command cmd_ps[] = {
	{ NULL, "ps", "[NET]", "ports with state, addresses and traffic", "ps lab", 0, 1, false, NULL, ps },
	{ NULL, "ip", "NET/NAME", "the addresses of a guest", "ip lab/web1 --wait 30s", 1, 1, false, ip_flags, ip },
	{ NULL, "wait", "NET/NAME", "until a guest has its lease, link or name", "wait lab/web1 --for dns --timeout 1m", 1, 1, false, wait_flags,
	  wait_port },
	{ 0 },
};
