// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli_api.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_output.h"

/* What no shell takes for anything but itself. */
#define SHELL_PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%_+=:,./-"

int cli_client(struct cli *cli)
{
	int rc;

	if (cli->client)
		return 0;
	rc = client_socket(cli->socket_given, cli->socket, &cli->err);
	if (rc < 0)
		return rc;
	cli->client = client_new(cli->socket, &cli->err);
	return cli->client ? 0 : cli->err.rc;
}

static size_t escape(char *to, size_t room, const char *from)
{
	size_t n = 0;

	for (; *from && n + 4 <= room; from++) {
		unsigned char c = (unsigned char)*from;
		const char *fmt = isalnum(c) || strchr("-._~", c) ? "%c" : "%%%02X";

		n += (size_t)snprintf(to + n, room - n, fmt, c);
	}
	return n;
}

void cli_path(char path[CLI_PATH_MAX], ...)
{
	const char *segment;
	size_t n = (size_t)snprintf(path, CLI_PATH_MAX, "/v1");
	va_list ap;

	va_start(ap, path);
	while ((segment = va_arg(ap, const char *)) && n + 2 < CLI_PATH_MAX) {
		path[n++] = '/';
		n += escape(path + n, CLI_PATH_MAX - n, segment);
	}
	va_end(ap);
	path[n] = '\0';
}

bool cli_query(char *path, size_t room, const char *key, const char *value)
{
	size_t n = strlen(path);

	if (n + strlen(key) + 3 * strlen(value) + 6 > room)
		return false;
	n += (size_t)snprintf(path + n, room - n, "%c%s=", strchr(path, '?') ? '&' : '?', key);
	n += escape(path + n, room - n, value);
	path[n] = '\0';
	return true;
}

int cli_get(struct cli *cli, const char *path, json_t **answer)
{
	return cli_change(cli, "GET", path, NULL, answer);
}

int cli_network(struct cli *cli, const char *net, json_t **network)
{
	char path[CLI_PATH_MAX];
	int rc = net_name_parse(net, &cli->err);

	if (rc < 0)
		return rc;
	cli_path(path, "networks", net, NULL);
	return cli_get(cli, path, network);
}

int cli_change(struct cli *cli, const char *method, const char *path, const json_t *body, json_t **answer)
{
	int rc = cli_client(cli);

	return rc < 0 ? rc : client_json(cli->client, method, path, body, 0, answer, &cli->err);
}

/* hint_replace() - the same command again with --replace, if it can be pasted into a shell as it is */
static void hint_replace(struct cli *cli)
{
	char line[sizeof(cli->err.hint)];
	size_t n = 0;

	for (char **word = cli->line; word && *word; word++) {
		size_t size = strlen(*word);

		if (!size || size >= sizeof(line) - n - 1 || strspn(*word, SHELL_PLAIN) != size) {
			error_hint(&cli->err, "--replace puts these settings in place of those");
			return;
		}
		n += (size_t)sprintf(line + n, " %s", *word);
	}
	line[n] = '\0';
	error_hint(&cli->err, "lanyard%s --replace", line);
}

int cli_add(struct cli *cli, const char *collection, const char *object, const json_t *body, bool replace,
	    json_t **answer)
{
	int rc = cli_change(cli, "POST", collection, body, answer);

	if (rc < 0 && replace && !strcmp(cli->err.code, "exists"))
		rc = cli_change(cli, "PUT", object, body, answer);
	else if (rc < 0 && !strcmp(cli->err.code, "exists") && !cli->err.hint[0])
		hint_replace(cli);
	return rc;
}

/* add_rows() - move the rows of one network's answer to @all, each with the network's name */
static int add_rows(struct cli *cli, const char *net, const char *key, json_t *all)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL, *row;
	size_t i;
	int rc;

	cli_path(path, "networks", net, key, NULL);
	rc = cli_get(cli, path, &answer);
	if (rc < 0)
		return rc;
	json_array_foreach(json_object_get(answer, key), i, row) {
		json_object_set_new(row, "network", json_string(net));
		json_array_append(all, row);
	}
	json_decref(answer);
	return 0;
}

static int all_networks(struct cli *cli, const char *key, json_t *all)
{
	json_t *networks = NULL, *net;
	size_t i;
	int rc = cli_get(cli, "/v1/networks", &networks);

	json_array_foreach(json_object_get(networks, "networks"), i, net) {
		rc = add_rows(cli, row_text(net, "name"), key, all);
		if (rc < 0 && strcmp(cli->err.code, "not-found"))
			break;
		rc = 0;		/* a network removed meanwhile has no rows */
	}
	json_decref(networks);
	return rc;
}

int cli_list(struct cli *cli, const char *net, const char *key, json_t **answer)
{
	json_t *all = json_array();
	int rc = net ? net_name_parse(net, &cli->err) : 0;

	if (rc == 0)
		rc = net ? add_rows(cli, net, key, all) : all_networks(cli, key, all);
	if (rc < 0) {
		json_decref(all);
		return rc;
	}
	*answer = json_pack("{s:o}", key, all);
	return *answer ? 0 : error_set(&cli->err, -ENOMEM, "daemon: out of memory");
}

int cli_port_name(struct cli *cli, const char *text, struct port_name *name)
{
	json_t *answer = NULL, *row;
	unsigned found = 0;
	size_t i;
	int rc;

	if (strchr(text, '/') || !name_valid(text))
		return port_name_parse(text, name, &cli->err);
	rc = cli_list(cli, NULL, "ports", &answer);
	if (rc < 0)
		return rc;
	json_array_foreach(json_object_get(answer, "ports"), i, row) {
		if (strcmp(row_text(row, "name"), text))
			continue;
		found++;
		snprintf(name->net, sizeof(name->net), "%s", row_text(row, "network"));
		snprintf(name->port, sizeof(name->port), "%s", text);
	}
	json_decref(answer);
	if (found == 0)
		return error_set(&cli->err, -ENOENT, "port %s: no network has a port of this name", text);
	if (found > 1) {
		error_set(&cli->err, -EINVAL, "port %s: %u networks have one; write NET/%s", text, found, text);
		error_code(&cli->err, "usage");
		return -EINVAL;
	}
	return 0;
}
