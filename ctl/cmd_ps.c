// SPDX-License-Identifier: GPL-2.0-or-later
/* ps, ip */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cmd_port.h"
#include "ctl/cmd_wait.h"

static const struct flag ip_flags[] = {
	{ "--wait", 'w', FLAG_DURATION, "TIME", NULL, "until the port is there and has an address, but no longer" },
	{ "--ipv6", '6', FLAG_SWITCH, NULL, NULL, "its IPv6 addresses" },
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
	rc = wait_for_port(cli, &name, wait_s, six ? "&family=6" : "", &port);
	if (rc < 0)
		return rc;
	addresses = of_family(json_object_get(port, "addresses"), six);
	rc = print_addresses(cli, &name, addresses);
	json_decref(addresses);
	json_decref(port);
	return rc;
}

const struct command cmd_ps[] = {
	{ NULL, "ps", "[NET]", "ports with state, addresses and traffic", "ps lab", 0, 1, false, NULL, ps },
	{ NULL, "ip", "NET/NAME", "the addresses of a guest", "ip lab/web1 --wait 30s", 1, 1, false, ip_flags, ip },
	{ 0 },
};
