/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli_api.h - the requests that commands are made of
 *
 * Each returns 0 or a negative errno with cli->err set, and finds the daemon at first use. A JSON answer is a new
 * reference. Path segments end with NULL and are escaped here.
 */
#ifndef CTL_CLI_API_H
#define CTL_CLI_API_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "ctl/cli_words.h"

struct cli;

enum { CLI_PATH_MAX = 1024 };

/* cli_client() - connect cli->client, once */
int cli_client(struct cli *cli);

/* cli_path() - "/v1/networks/lab/ports" from "networks", "lab", "ports", NULL */
void cli_path(char path[CLI_PATH_MAX], ...) __attribute__((sentinel));

/* cli_query() - add "?KEY=VALUE", or "&KEY=VALUE" where one is there already; Return: did it fit? */
bool cli_query(char *path, size_t room, const char *key, const char *value);

int cli_get(struct cli *cli, const char *path, json_t **answer);

/* cli_network() - the network of that name, as a word of the command line has it. Return: 0 with a new reference, or a negative errno with cli->err */
int cli_network(struct cli *cli, const char *net, json_t **network);

/* cli_change() - PATCH, DELETE or PUT; @body is borrowed and may be NULL */
int cli_change(struct cli *cli, const char *method, const char *path, const json_t *body, json_t **answer);

/* cli_add() - POST @body to the collection; where the object exists with other settings and @replace is set, PUT it
 * @object:	path of the object itself
 */
int cli_add(struct cli *cli, const char *collection, const char *object, const json_t *body, bool replace,
	    json_t **answer);

/* cli_list() - every object of collection @key of network @net, or of all networks when it is NULL
 *
 * Return: 0 and {"KEY":[...]} where each row has its "network".
 */
int cli_list(struct cli *cli, const char *net, const char *key, json_t **answer);

/* cli_port_name() - "lab/web1", or "web1" where just one network has such a port */
int cli_port_name(struct cli *cli, const char *text, struct port_name *name);

#endif
