// SPDX-License-Identifier: GPL-2.0-or-later
/* qemu */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/qemu.h"

static const struct flag qemu_flags[] = {
	{ "--mac", 0, FLAG_TEXT, "MAC", "mac", "fixed by the port's name unless given" },
	{ "--path", 0, FLAG_TEXT, "PATH", NULL, "the socket, of a port that is made now" },
	{ "--vhost-user", 0, FLAG_SWITCH, NULL, NULL, "a vhost-user port: frames are read and written in the guest's own memory" },
	{ "--role", 0, FLAG_TEXT, "server|client", "role", "of lanyard on the socket, of a port that is made now" },
	{ "--queues", 0, FLAG_NUMBER, "N", "queues", "pairs of a vhost-user guest, 1 unless given" },
	{ "--memory", 0, FLAG_TEXT, "SIZE|none", NULL, "of a vhost-user guest, 512M unless given; none: said elsewhere" },
	{ "--packed", 0, FLAG_SWITCH, NULL, NULL, "a vhost-user guest uses packed rings" },
	{ 0 },
};

/* socket_path() - beside the daemon's sockets where we may make one, else in the user's own directory
 *
 * A dot between the names: neither may have one, so no two ports meet at one path.
 */
static int socket_path(struct cli *cli, const struct args *args, const struct port_name *name, char path[CLIENT_PATH_MAX])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *given = args_text(args, "--path");
	char file[2 * NAME_MAX_SIZE + 8], dir[CLIENT_PATH_MAX], own[CLIENT_PATH_MAX];
	int rc;

	if (given) {
		if (given[0] == '/' && snprintf(path, CLIENT_PATH_MAX, "%s", given) < CLIENT_PATH_MAX)
			return 0;
		return error_set(&cli->err, -EINVAL, "--path: not an absolute path of at most %d bytes", CLIENT_PATH_MAX - 1);
	}
	snprintf(file, sizeof(file), "%s.%s.sock", name->net, name->port);
	rc = client_sibling(cli->socket, ".", dir, &cli->err);
	if (rc < 0)
		return rc;
	if (access(dir, W_OK) == 0 || !runtime || !*runtime)
		return client_sibling(cli->socket, file, path, &cli->err);
	if (snprintf(own, sizeof(own), "%s/", runtime) >= (int)sizeof(own))
		return error_set(&cli->err, -ENAMETOOLONG, "XDG_RUNTIME_DIR: its path is too long for a socket");
	return client_sibling(own, file, path, &cli->err);
}

static const char *wanted_kind(const struct args *args)
{
	return args_has(args, "--vhost-user") ? "vhost-user" : "stream";
}

static int make_port(struct cli *cli, const struct args *args, const struct port_name *name, struct qemu_version version,
		     json_t **port)
{
	char collection[CLI_PATH_MAX], object[CLI_PATH_MAX], path[CLIENT_PATH_MAX];
	int rc = socket_path(cli, args, name, path);
	json_t *body;

	if (rc < 0)
		return rc;
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	json_object_set_new(body, "name", json_string(name->port));
	json_object_set_new(body, "kind", json_string(wanted_kind(args)));
	json_object_set_new(body, "path", json_string(path));
	if (!args_has(args, "--vhost-user") && !args_has(args, "--role"))
		json_object_set_new(body, "role", json_string(qemu_dials(version) ? "server" : "client"));
	cli_path(collection, "networks", name->net, "ports", NULL);
	cli_path(object, "networks", name->net, "ports", name->port, NULL);
	rc = cli_add(cli, collection, object, body, false, port);
	json_decref(body);
	return rc;
}

/* same() - was this setting given, if at all, as the port has it? */
static bool same(const struct args *args, const char *flag, const json_t *port, const char *key)
{
	return !args_has(args, flag) || !strcasecmp(args_text(args, flag), row_text(port, key));
}

static unsigned queues_wanted(const struct args *args)
{
	return args_has(args, "--queues") ? (unsigned)strtoul(args_text(args, "--queues"), NULL, 10) : 1;
}

/* check_port() - is the port that is there one that QEMU can use, and the one that was asked for? */
static int check_port(struct cli *cli, const struct args *args, const struct port_name *name, const json_t *port)
{
	bool vhost = !strcmp(row_text(port, "kind"), "vhost-user");

	if ((!vhost && strcmp(row_text(port, "kind"), wanted_kind(args))) || row_text(port, "path")[0] != '/') {
		error_set(&cli->err, -EINVAL, "port %s/%s: is no %s port on a unix socket", name->net, name->port, wanted_kind(args));
		error_hint(&cli->err, "lanyard port show %.63s/%.63s", name->net, name->port);
		return -EINVAL;
	}
	if (!same(args, "--mac", port, "mac") || !same(args, "--path", port, "path") || !same(args, "--role", port, "role"))
		return error_set(&cli->err, -EEXIST, "port %s/%s: exists with other settings", name->net, name->port);
	if (!vhost && (args_has(args, "--queues") || args_has(args, "--memory") || args_has(args, "--packed")))
		return error_set(&cli->err, -EINVAL, "port %s/%s: is a stream port, which has no queues, memory or packed rings",
				 name->net, name->port);
	if (vhost && queues_wanted(args) > json_integer_value(json_object_get(port, "queues")))
		return error_set(&cli->err, -EEXIST, "port %s/%s: exists with fewer queues", name->net, name->port);
	return 0;
}

static int get_port(struct cli *cli, const struct args *args, const struct port_name *name, struct qemu_version version,
		    json_t **port)
{
	char path[CLI_PATH_MAX];
	int rc;

	cli_path(path, "networks", name->net, "ports", name->port, NULL);
	rc = cli_get(cli, path, port);
	if (rc < 0 && !strcmp(cli->err.code, "not-found"))
		return make_port(cli, args, name, version, port);
	return rc < 0 ? rc : check_port(cli, args, name, *port);
}

static unsigned network_mtu(struct cli *cli, const char *net)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL;
	unsigned mtu;

	cli_path(path, "networks", net, NULL);
	cli_get(cli, path, &answer);
	mtu = (unsigned)json_integer_value(json_object_get(answer, "mtu"));
	json_decref(answer);
	return mtu;
}

static void print_args(const struct cli *cli, const json_t *port, int n, char args[QEMU_ARGS][QEMU_ARG_TEXT])
{
	json_t *tree = json_pack("{s:[],s:O}", "args", "port", port);
	char word[2 * QEMU_ARG_TEXT];

	for (int i = 0; i < n; i++)
		json_array_append_new(json_object_get(tree, "args"), json_string(args[i]));
	if (cli->json)
		output_json(tree);
	for (int i = 0; i < n && !cli->json; i++)
		printf("%s%c", shell_quote(word, sizeof(word), args[i]), i + 1 < n ? ' ' : '\n');
	json_decref(tree);
}

/* make_args() - the words for @port. Return: how many, or a negative errno */
static int make_args(struct cli *cli, const struct args *args, const struct port_name *name, const json_t *port,
		     struct qemu_version version, char words[QEMU_ARGS][QEMU_ARG_TEXT])
{
	const char *memory = args_text(args, "--memory");
	struct qemu_port p = {
		.net = name->net, .port = name->port, .path = row_text(port, "path"), .mac = row_text(port, "mac"),
		.dials = strcmp(row_text(port, "role"), "client"), .mtu = network_mtu(cli, name->net),
		.vhost = !strcmp(row_text(port, "kind"), "vhost-user"), .queues = queues_wanted(args),
		.packed = args_has(args, "--packed"), .emulated = access("/dev/kvm", R_OK | W_OK) < 0, .memory = memory ? memory : "512M",
	};
	int rc;

	if (memory && !strcmp(memory, "none"))
		p.memory = NULL;
	rc = qemu_check(version, p.vhost, &cli->err);
	if (rc < 0)
		return rc;
	rc = qemu_args(&p, version, words);
	return rc < 0 ? error_set(&cli->err, rc, "port %s/%s: its socket's path is too long", name->net, name->port) : rc;
}

static int check_memory(struct cli *cli, const struct args *args)
{
	const char *memory = args_text(args, "--memory");

	if (!memory || !strcmp(memory, "none") || qemu_memory_valid(memory))
		return 0;
	error_set(&cli->err, -EINVAL, "--memory: not a size like 512M or 4G");
	error_code(&cli->err, "usage");
	return -EINVAL;
}

static int qemu(struct cli *cli, const struct args *args)
{
	char words[QEMU_ARGS][QEMU_ARG_TEXT];
	struct qemu_version version;
	struct port_name name;
	json_t *port = NULL;
	int rc = port_name_parse(args->words[0], &name, &cli->err);

	if (rc == 0)
		rc = check_memory(cli, args);
	if (rc == 0)
		rc = qemu_find(&version, &cli->err);
	if (rc == 0)
		rc = qemu_check(version, args_has(args, "--vhost-user"), &cli->err);
	if (rc == 0)
		rc = get_port(cli, args, &name, version, &port);
	if (rc == 0)
		rc = make_args(cli, args, &name, port, version, words);
	if (rc >= 0) {
		if (!version.major)
			output_note("no qemu-system-x86_64 is there; these arguments fit QEMU 7.2 and later");
		print_args(cli, port, rc, words);
	}
	json_decref(port);
	return rc < 0 ? rc : 0;
}

const struct command cmd_qemu[] = {
	{ NULL, "qemu", "NET/NAME", "QEMU's arguments for a port, which is made on first use",
	  "qemu lab/web1", 1, 1, false, qemu_flags, qemu },
	{ 0 },
};
