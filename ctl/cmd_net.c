// SPDX-License-Identifier: GPL-2.0-or-later
/* net add|set|rm|show|ls */
#include <errno.h>
#include <stdio.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cmd_dhcp.h"
#include "ctl/cmd_peer.h"

#define NET_SETTINGS                                                                                             \
	{ "--mode", 0, FLAG_TEXT, "nat-network|nat|host-only|internal|routed|bridged", "mode", "nat-network unless given" },                           \
	{ "--subnet", 0, FLAG_TEXT, "PREFIX", "subnet", "such as 10.77.0.0/24; a free /24 unless given" },        \
	{ "--subnet6", 0, FLAG_TEXT, "PREFIX|none", "subnet6", "IPv6 /64; one made of the name unless given" },   \
	{ "--gateway", 0, FLAG_TEXT, "ADDRESS", "gateway", "the network's own address; the first of the subnet" }, \
	{ "--mtu", 0, FLAG_NUMBER, "N", "mtu", "bytes of payload in a frame, 1500 unless given" },                \
	{ "--snooping", 0, FLAG_BOOL, NULL, "snooping", "multicast goes to the ports that asked for it" },          \
	{ "--unregistered", 0, FLAG_TEXT, "flood|drop", "unregistered", "multicast that nobody asked for" },      \
	{ "--stations", 0, FLAG_NUMBER, "N", "stations", "MAC addresses known at once, 16384 unless given" },     \
	{ "--nat", 0, FLAG_TEXT, "user|kernel", "nat", "who translates" },                                       \
	{ "--uplink", 0, FLAG_TEXT, "IF", "uplink", "the only interface by which guests' traffic leaves this host" },  \
	{ "--one-mac", 0, FLAG_TEXT, "auto|on|off", "one_mac", "bridged: guests go by the uplink's MAC address, as on Wi-Fi" },  \
	{ "--filtering", 0, FLAG_TEXT, "address|any", "filtering", "whose datagrams reach a guest's port" },  \
	{ "--host-access", 0, FLAG_TEXT, "none|own|loopback", "host_access", "what guests reach of this host" },  \
	{ "--nat-helper", 0, FLAG_LIST, "ftp|tftp|sip", "nat_helpers", "kernel NAT: protocols whose further connections it follows" },  \
	{ "--wire", 0, FLAG_BOOL, "true|false", "wire", "internal: two ports are the ends of a cable" },  \
	{ "--domain", 0, FLAG_TEXT, "D", "domain", "domain of the guests' names, NAME.internal unless given" },   \
	DHCP_FLAGS, \
	{ "--boot-tftp", 0, FLAG_TEXT, "DIR", "boot.tftp", "directory that the gateway lends by TFTP" },          \
	{ "--boot-server", 0, FLAG_TEXT, "ADDRESS", "boot.server", "where files are; the gateway unless given" },  \
	{ "--boot-file", 0, FLAG_TEXT, "FILE", "boot.file", "what guests boot for whom no other is named" },      \
	{ "--boot-bios", 0, FLAG_TEXT, "FILE", "boot.bios", "what a PC with BIOS boots" },                         \
	{ "--boot-efi-x64", 0, FLAG_TEXT, "FILE", "boot.efi-x64", "what an x64 UEFI machine boots" },              \
	{ "--boot-efi-arm64", 0, FLAG_TEXT, "FILE", "boot.efi-arm64", "what an ARM UEFI machine boots" },          \
	{ "--boot-http-x64", 0, FLAG_TEXT, "URL", "boot.http-x64", "what an x64 UEFI machine fetches by HTTP" },   \
	{ "--boot-ipxe", 0, FLAG_TEXT, "FILE", "boot.ipxe", "the script or program for iPXE" },                   \
	{ "--dns", 0, FLAG_BOOL, "true|false", "dns.enabled", "answer DNS" },                                    \
	{ "--dns-upstream", 0, FLAG_LIST, "ADDRESS", "dns.upstreams", "resolver for all other names" },           \
	{ "--dns-cache", 0, FLAG_NUMBER, "KB", "dns.cache_kb", "memory for what resolvers answer; 0: none" },     \
	{ "--dns-queries", 0, FLAG_NUMBER, "N", "dns.queries", "of one port that wait for resolvers" },           \
	{ "--dns-case-random", 0, FLAG_BOOL, "true|false", "dns.case_random", "ask in letters of random case" },  \
	{ "--dns-trust-ad", 0, FLAG_BOOL, "true|false", "dns.trust_ad", "pass on that a resolver calls an answer authenticated" }, \
	{ "--dns-validate", 0, FLAG_BOOL, "true|false", "dns.validate", "believe only what is signed as it must be (DNSSEC)" }, \
	{ "--dns-trust-anchor", 0, FLAG_TEXT, "FILE", "dns.trust_anchor", "by these keys instead of the world's" }, \
	{ "--dns-rebind-protect", 0, FLAG_BOOL, "true|false", "dns.rebind_protect", "no private addresses from outside" }, \
	{ "--dns-rebind-allow", 0, FLAG_LIST, "DOMAIN", "dns.rebind_allow", "but for names of this domain" },     \
	{ "--dns-domain", 0, FLAG_LIST, "D=ADDRESS", "dns.domains", "resolver for names in a domain" },           \
	{ "--dns-host", 0, FLAG_BOOL, "true|false", "dns.host", "have this host find guests by their names" },   \
	{ "--dns-listen", 0, FLAG_LIST, "ADDRESS", "dns.listen", "where this host's programs may ask for guests' names" },  \
	{ "--limit-flows", 0, FLAG_NUMBER, "N", "limits.flows", "connections and mappings of one port" },         \
	{ "--limit-sockets", 0, FLAG_NUMBER, "N", "limits.sockets", "of this host for them; 0: half of what it has" }, \
	{ "--limit-half-open", 0, FLAG_NUMBER, "N", "limits.half_open", "connections being opened" },             \
	{ "--limit-memory", 0, FLAG_NUMBER, "KB", "limits.memory_kb", "for data that cannot be sent on yet" }

#define DRY_RUN { "--dry-run", 0, FLAG_SWITCH, NULL, NULL, "only show what would change, and what would refuse it" }

static const struct flag add_flags[] = {
	NET_SETTINGS,
	{ "--replace", 0, FLAG_SWITCH, NULL, NULL, "put these settings in place of those it has" },
	DRY_RUN,
	{ 0 },
};
static const struct flag set_flags[] = { NET_SETTINGS, DRY_RUN, { 0 } };
static const struct flag rm_flags[] = {
	DRY_RUN,
	{ "--force", 0, FLAG_SWITCH, NULL, NULL, "with its ports and forwards" },
	{ 0 },
};

static void print_net(const struct cli *cli, const json_t *net)
{
	json_t *warning;
	size_t i;

	output_result(cli, net, "%s: %s%s%s%s%s", row_text(net, "name"), row_text(net, "mode"),
		     row_text(net, "subnet")[0] ? " " : ", no subnet", row_text(net, "subnet"), row_text(net, "gateway")[0] ? ", gateway " : "",
		     row_text(net, "gateway"));
	json_array_foreach(json_object_get(net, "warnings"), i, warning)
		output_note("%s: %s", row_text(net, "name"), json_string_value(warning));
}

/* dry_path() - the same path, for a look at what would happen */
static const char *dry_path(const struct args *args, const char *path, char dry[CLI_PATH_MAX + 16])
{
	snprintf(dry, CLI_PATH_MAX + 16, "%s%s", path, args_has(args, "--dry-run") ? "?dry_run=true" : "");
	return dry;
}

static void print_answer(const struct cli *cli, const struct args *args, const json_t *answer)
{
	if (args_has(args, "--dry-run"))
		output_changes(cli, answer);
	else
		print_net(cli, answer);
}

static int net_add(struct cli *cli, const struct args *args)
{
	const char *name = args->words[0];
	char path[CLI_PATH_MAX], all[CLI_PATH_MAX + 16], one[CLI_PATH_MAX + 16];
	json_t *body, *net = NULL;
	int rc = net_name_parse(name, &cli->err);

	if (rc < 0)
		return rc;
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	json_object_set_new(body, "name", json_string(name));
	cli_path(path, "networks", name, NULL);
	rc = cli_add(cli, dry_path(args, "/v1/networks", all), dry_path(args, path, one), body, args_has(args, "--replace"), &net);
	if (rc == 0)
		print_answer(cli, args, net);
	json_decref(net);
	json_decref(body);
	return rc;
}

static int net_set(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], dry[CLI_PATH_MAX + 16];
	json_t *body, *net = NULL;
	int rc = net_name_parse(args->words[0], &cli->err);

	if (rc < 0)
		return rc;
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	cli_path(path, "networks", args->words[0], NULL);
	rc = cli_change(cli, "PATCH", dry_path(args, path, dry), body, &net);
	if (rc == 0)
		print_answer(cli, args, net);
	json_decref(net);
	json_decref(body);
	return rc;
}

static int net_rm(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], query[CLI_PATH_MAX + 40];
	json_t *answer = NULL;
	int rc = net_name_parse(args->words[0], &cli->err);

	if (rc < 0)
		return rc;
	cli_path(path, "networks", args->words[0], NULL);
	snprintf(query, sizeof(query), "%s?force=%s&dry_run=%s", path, args_has(args, "--force") ? "true" : "false",
		 args_has(args, "--dry-run") ? "true" : "false");
	rc = cli_change(cli, "DELETE", query, NULL, &answer);
	if (rc == 0 && args_has(args, "--dry-run"))
		output_changes(cli, answer);
	else if (rc == 0)
		output_result(cli, answer, "%s: removed", args->words[0]);
	json_decref(answer);
	return rc;
}

static int net_show(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	json_t *net = NULL;
	int rc = net_name_parse(args->words[0], &cli->err);

	if (rc < 0)
		return rc;
	cli_path(path, "networks", args->words[0], NULL);
	rc = cli_get(cli, path, &net);
	if (rc == 0 && cli->json)
		output_json(net);
	else if (rc == 0)
		output_fields(net, json_object_get(net, "defaults"));
	json_decref(net);
	return rc;
}

static int net_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "NAME", "name", NULL },	{ "MODE", "mode", NULL },	{ "SUBNET", "subnet", NULL },
		{ "GATEWAY", "gateway", NULL },	{ "NAT", "nat", NULL },		{ "DOMAIN", "domain", NULL },
		{ "PORTS", "ports", NULL },	{ "OWNER", "owner", NULL },	{ 0 },
	};
	json_t *answer = NULL;
	int rc = cli_get(cli, "/v1/networks", &answer);

	(void)args;
	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		output_table(cli, columns, json_object_get(answer, "networks"));
	json_decref(answer);
	return rc;
}

const struct command cmd_net[] = {
	{ "net", "add", "NET", "make a network", "net add lab --subnet 10.77.0.0/24", 1, 1, false, add_flags, net_add },
	{ "net", "set", "NET", "change a network", "net set lab --host-access none", 1, 1, false, set_flags, net_set },
	{ "net", "rm", "NET", "remove a network", "net rm lab --force", 1, 1, false, rm_flags, net_rm },
	{ "net", "show", "NET", "all settings of a network", "net show lab", 1, 1, false, NULL, net_show },
	{ "net", "peer", "A B", "let guests of two networks, or VLANs (lab:20), reach one another", "net peer web db --allow tcp/5432", 2, 2, false, peer_flags, net_peer },
	{ "net", "ls", "", "the networks there are", "net ls", 0, 0, false, NULL, net_ls },
	{ 0 },
};
