// SPDX-License-Identifier: GPL-2.0-or-later
/* events, metrics */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/metrics.h"

/* listener - what `events` knows of the stream it reads */
struct listener {
	struct cli *cli;
	bool heard;			/* something on this connection */
	json_int_t restarts;		/* of the engine, as it said when we began; -1: it has not said yet */
};

static int print_event(const struct cli *cli, const json_t *event, const char *line)
{
	const char *key;
	json_t *value;

	if (cli->json || !json_is_object(event)) {
		puts(line);
	} else {
		fputs(row_text(event, "time"), stdout);
		json_object_foreach((json_t *)event, key, value) {
			char cell[CELL_TEXT];

			cell_text(value, cell);
			if (strcmp(key, "time"))
				printf(" %s=%s", key, cell);
		}
		putchar('\n');
	}
	return fflush(stdout) == 0 ? 0 : -EPIPE;
}

/* on_listening() - the first line of each connection: has the engine been started again since the last one? */
static int on_listening(struct listener *l, const json_t *event)
{
	json_int_t restarts = json_integer_value(json_object_get(event, "engine_restarts"));
	json_t *told;
	char *line;
	int rc = 0;

	if (l->restarts >= 0 && restarts != l->restarts) {
		told = json_pack("{s:O s:s s:I}", "time", json_object_get(event, "time"), "event", "engine-restarted", "restarts", restarts);
		line = told ? json_dumps(told, JSON_COMPACT) : NULL;
		rc = line ? print_event(l->cli, told, line) : -ENOMEM;
		free(line);
		json_decref(told);
	}
	l->restarts = restarts;
	return rc;
}

static int on_line(void *arg, const char *line)
{
	struct listener *l = arg;
	json_t *event = json_loads(line, 0, NULL);
	int rc;

	l->heard = true;
	if (!strcmp(row_text(event, "event"), "listening"))
		rc = on_listening(l, event);
	else
		rc = print_event(l->cli, event, line);
	json_decref(event);
	return rc;
}

/* events() - a stream ends with the engine; the keeper holds the socket, so that the next connection is the next engine's */
static int events(struct cli *cli, const struct args *args)
{
	struct listener l = { .cli = cli, .restarts = -1 };
	char path[CLI_PATH_MAX] = "/v1/events";
	int rc = 0;

	if (args->nwords)
		rc = net_name_parse(args->words[0], &cli->err);
	if (rc == 0 && args->nwords)
		snprintf(path, sizeof(path), "/v1/events?network=%s", args->words[0]);
	if (rc == 0)
		rc = cli_client(cli);
	if (rc < 0)
		return rc;
	do {
		l.heard = false;
		rc = client_lines(cli->client, path, on_line, &l, &cli->err);
	} while (l.heard && (rc == 0 || rc == -EIO));
	return rc == -EPIPE ? CLI_DONE : rc;
}

static int metrics(struct cli *cli, const struct args *args)
{
	struct request request = { .method = "GET", .path = "/metrics", .accept = METRICS_TYPE };
	char *text = NULL;
	int rc = cli_client(cli);

	(void)args;
	if (rc == 0)
		rc = client_text(cli->client, &request, &text, &cli->err);
	if (rc == 0)
		fputs(text, stdout);
	free(text);
	return rc;
}

const struct command cmd_events[] = {
	{ NULL, "events", "[NET]", "what happens, one line each, until interrupted", "events lab --json", 0, 1, false, NULL, events },
	{ NULL, "metrics", "", "all counters, as a page of OpenMetrics", NULL, 0, 0, false, NULL, metrics },
	{ 0 },
};
