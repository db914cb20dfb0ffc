// SPDX-License-Identifier: GPL-2.0-or-later
/* run */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/paths.h"
#include "ctl/run.h"

static const struct flag run_flags[] = {
	{ "--dhcp", 0, FLAG_TEXT, "auto|none", NULL, "none: the command gets its address itself" },
	{ "--ifname", 0, FLAG_TEXT, "IF", NULL, "the interface; eth0 unless given" },
	{ "--mac", 0, FLAG_TEXT, "MAC", NULL, "fixed by the port's name unless given" },
	{ 0 },
};

static int usage(struct cli *cli, const char *what)
{
	error_set(&cli->err, -EINVAL, "%s", what);
	error_code(&cli->err, "usage");
	return -EINVAL;
}

/* want_dhcp() - ask the network whether anybody would answer; this also finds out that there is no such network */
static int want_dhcp(struct cli *cli, const char *net, bool *dhcp)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL;
	int rc;

	cli_path(path, "networks", net, NULL);
	rc = cli_get(cli, path, &answer);
	if (rc == 0 && json_is_false(row_get(answer, "dhcp.enabled")))
		*dhcp = false;
	json_decref(answer);
	return rc;
}

static int read_flags(struct cli *cli, const struct args *args, struct run_conf *conf, uint8_t mac[MAC_SIZE])
{
	const char *dhcp = args_text(args, "--dhcp");

	if (!args->rest || !args->rest[0])
		return usage(cli, "run: -- and a command are missing");
	if (dhcp && strcmp(dhcp, "auto") && strcmp(dhcp, "none"))
		return usage(cli, "--dhcp: auto or none");
	if (args_has(args, "--mac") && (mac_parse(args_text(args, "--mac"), mac) < 0 || mac_is_group(mac)))
		return usage(cli, "--mac: not the address of one station");
	conf->mac = args_has(args, "--mac") ? mac : NULL;
	conf->dhcp = !dhcp || !strcmp(dhcp, "auto");
	conf->ifname = args_has(args, "--ifname") ? args_text(args, "--ifname") : "eth0";
	conf->medium = getenv("LANYARD_MEDIUM");	/* for tests: one medium where both would do */
	conf->argv = args->rest;
	return 0;
}

static int run(struct cli *cli, const struct args *args)
{
	struct run_conf conf = { .argv = NULL };
	char attach[CLIENT_PATH_MAX];
	uint8_t mac[MAC_SIZE];
	int rc = port_name_parse(args->words[0], &conf.name, &cli->err);

	if (rc == 0)
		rc = read_flags(cli, args, &conf, mac);
	if (rc == 0)
		rc = want_dhcp(cli, conf.name.net, &conf.dhcp);
	if (rc == 0)
		rc = client_sibling(cli->socket, PATHS_ATTACH_SOCKET, attach, &cli->err);
	if (rc < 0)
		return rc;
	client_free(cli->client);	/* its connection would stay open as long as the command runs */
	cli->client = NULL;
	conf.attach_path = attach;
	return run_command(&conf, &cli->err);
}

const struct command cmd_run[] = {
	{ NULL, "run", "NET/NAME -- COMMAND...", "run a command in a namespace of its own on the network",
	  "run lab/box1 -- bash", 1, 1, true, run_flags, run },
	{ 0 },
};
