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
	json_object_set_new(body, "kind", json_string("stream"));
	json_object_set_new(body, "path", json_string(path));
	json_object_set_new(body, "role", json_string(qemu_dials(version) ? "server" : "client"));
	cli_path(collection, "networks", name->net, "ports", NULL);
	cli_path(object, "networks", name->net, "ports", name->port, NULL);
	rc = cli_add(cli, collection, object, body, false, port);
	json_decref(body);
	return rc;
}

/* check_port() - is the port that is there one that QEMU can use, and the one that was asked for? */
static int check_port(struct cli *cli, const struct args *args, const struct port_name *name, const json_t *port)
{
	const char *mac = args_text(args, "--mac"), *path = args_text(args, "--path");

	if (strcmp(row_text(port, "kind"), "stream") || row_text(port, "path")[0] != '/') {
		error_set(&cli->err, -EINVAL, "port %s/%s: is no stream port on a unix socket", name->net, name->port);
		error_hint(&cli->err, "lanyard port show %.63s/%.63s", name->net, name->port);
		return -EINVAL;
	}
	if ((mac && strcasecmp(mac, row_text(port, "mac"))) || (path && strcmp(path, row_text(port, "path"))))
		return error_set(&cli->err, -EEXIST, "port %s/%s: exists with other settings", name->net, name->port);
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

static void print_args(const struct cli *cli, const json_t *port, char args[QEMU_ARGS][QEMU_ARG_TEXT])
{
	char word[2 * QEMU_ARG_TEXT];

	if (cli->json) {
		json_t *tree = json_pack("{s:[s,s,s,s],s:O}", "args", args[0], args[1], args[2], args[3], "port", port);

		output_json(tree);
		json_decref(tree);
		return;
	}
	for (unsigned i = 0; i < QEMU_ARGS; i++)
		printf("%s%s", i ? " " : "", shell_quote(word, sizeof(word), args[i]));
	putchar('\n');
}

static int qemu(struct cli *cli, const struct args *args)
{
	char words[QEMU_ARGS][QEMU_ARG_TEXT];
	struct qemu_version version;
	struct port_name name;
	json_t *port = NULL;
	int rc = port_name_parse(args->words[0], &name, &cli->err);

	if (rc == 0)
		rc = qemu_find(&version, &cli->err);
	if (rc == 0)
		rc = get_port(cli, args, &name, version, &port);
	if (rc == 0) {
		struct qemu_port p = {
			.net = name.net, .port = name.port, .path = row_text(port, "path"), .mac = row_text(port, "mac"),
			.dials = strcmp(row_text(port, "role"), "client"), .mtu = network_mtu(cli, name.net),
		};

		rc = qemu_args(&p, version, words);
		if (rc < 0)
			error_set(&cli->err, rc, "port %s/%s: its socket's path is too long", name.net, name.port);
		else if (!version.major)
			output_note("no qemu-system-x86_64 is there; these arguments fit QEMU 7.2 and later");
	}
	if (rc == 0)
		print_args(cli, port, words);
	json_decref(port);
	return rc;
}

const struct command cmd_qemu[] = {
	{ NULL, "qemu", "NET/NAME", "QEMU's arguments for a port, which is made on first use",
	  "qemu lab/web1", 1, 1, false, qemu_flags, qemu },
	{ 0 },
};
