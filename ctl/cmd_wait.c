// SPDX-License-Identifier: GPL-2.0-or-later
/* wait */
#include "ctl/cmd_wait.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

enum { POLL_MS = 100, WAIT_S = 30 };

static const struct flag wait_flags[] = {
	{ "--for", 0, FLAG_TEXT, "link|lease|address|address6|dns", NULL, "of a guest; lease unless given" },
	{ "--timeout", 0, FLAG_DURATION, "TIME", NULL, "no longer than this; 30s unless given" },
	{ 0 },
};

static void pause_a_moment(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = POLL_MS * 1000000L }, NULL);
}

/* ---- a guest ---- */

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

int wait_for_port(struct cli *cli, const struct port_name *name, uint32_t wait_s, const char *query_end, json_t **port)
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
		pause_a_moment();
	}
}

static int wait_guest(struct cli *cli, const struct args *args, uint32_t wait_s)
{
	static const char *const known[] = { "link", "lease", "address", "address6", "dns" };
	const char *what = args_text(args, "--for");
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
		rc = wait_for_port(cli, &name, wait_s, query_end, &port);
	if (rc == 0 && cli->json)
		output_json(port);
	json_decref(port);
	return rc;
}

/* ---- a network, or a forward of it ---- */

/* awaited - what is looked at again and again. Once looked, *@shown is it (to be released), and the answer is 0: it is as it should be; -EAGAIN: not yet, for
 * the reason in cli->err; another negative errno: it is no use to go on */
typedef int look_fn(struct cli *cli, const char *net, const char *what, json_t **shown);

/* not_yet() - what is not there may be made in a moment */
static int not_yet(struct cli *cli, int rc)
{
	return rc < 0 && !strcmp(cli->err.code, "not-found") ? -EAGAIN : rc;
}

/* lacking() - a port that the mode has of itself, the host's or the uplink, and that is not up; NULL: all are */
static const json_t *lacking(const json_t *ports)
{
	const json_t *port;
	size_t i;

	json_array_foreach(ports, i, port)
		if (row_text(port, "name")[0] == '@' && strcmp(row_text(port, "state"), "up"))
			return port;
	return NULL;
}

static int look_at_net(struct cli *cli, const char *net, const char *what, json_t **shown)
{
	json_t *answer = NULL;
	const json_t *port;
	char path[CLI_PATH_MAX];
	int rc;

	(void)what;
	cli_path(path, "networks", net, NULL);
	rc = not_yet(cli, cli_get(cli, path, shown));
	if (rc == 0)
		rc = not_yet(cli, cli_list(cli, net, "ports", &answer));
	port = rc == 0 ? lacking(json_object_get(answer, "ports")) : NULL;
	if (port) {
		error_set(&cli->err, -EAGAIN, "network %s: its port %s is %s: %.200s", net, row_text(port, "name"), row_text(port, "state"),
			  row_text(port, "reason")[0] ? row_text(port, "reason") : "no reason is known");
		rc = -EAGAIN;
	}
	json_decref(answer);
	return rc;
}

static int look_at_forward(struct cli *cli, const char *net, const char *what, json_t **shown)
{
	char path[CLI_PATH_MAX];
	int rc;

	cli_path(path, "networks", net, "forwards", what, NULL);
	rc = not_yet(cli, cli_get(cli, path, shown));
	if (rc == 0 && strcmp(row_text(*shown, "state"), "up")) {
		error_set(&cli->err, -EAGAIN, "%s: forward %s: %.200s", net, row_text(*shown, "id"), row_text(*shown, "reason"));
		error_hint(&cli->err, "%s", row_text(*shown, "hint"));
		return -EAGAIN;
	}
	return rc;
}

static int wait_until(struct cli *cli, look_fn *look, const char *net, const char *what, uint32_t wait_s)
{
	uint64_t end = clock_now_ms() + wait_s * UINT64_C(1000);
	json_t *shown = NULL;
	struct error last;
	int rc;

	while ((rc = look(cli, net, what, &shown)) == -EAGAIN && clock_now_ms() < end) {
		json_decref(shown);
		shown = NULL;
		cli->err = (struct error){ 0 };
		pause_a_moment();
	}
	if (rc == 0 && cli->json)
		output_json(shown);
	json_decref(shown);
	if (rc != -EAGAIN)
		return rc;
	last = cli->err;
	cli->err = (struct error){ 0 };
	error_hint(&cli->err, "%s", last.hint);
	return error_set(&cli->err, -ETIMEDOUT, "%.300s (after %u s)", last.message, wait_s);
}

/* ---- the command ---- */

static int wait_for(struct cli *cli, const struct args *args)
{
	uint32_t wait_s = args_seconds(args, "--timeout", WAIT_S);
	const char *net = args->words[0], *forward = args->nwords > 1 ? args->words[1] : NULL;
	char id[FORWARD_ID_TEXT];
	int rc;

	wait_s = MAX_OF(wait_s, 1u);
	if (strchr(net, '/') && !forward)
		return wait_guest(cli, args, wait_s);
	if (args_has(args, "--for")) {
		error_set(&cli->err, -EINVAL, "wait: --for is about a guest: NET/NAME");
		error_code(&cli->err, "usage");
		return -EINVAL;
	}
	rc = net_name_parse(net, &cli->err);
	if (rc < 0)
		return rc;
	if (!forward)
		return wait_until(cli, look_at_net, net, NULL, wait_s);
	forward_id(forward, id);
	return wait_until(cli, look_at_forward, net, id, wait_s);
}

const struct command cmd_wait[] = {
	{ NULL, "wait", "NET/NAME | NET [FORWARD]", "until a guest has its lease, link or name; a network, or a forward of it, is up",
	  "wait lab/web1 --for dns --timeout 1m", 1, 2, false, wait_flags, wait_for },
	{ 0 },
};
