// SPDX-License-Identifier: GPL-2.0-or-later
/* top */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cli_rates.h"

enum { TITLE_LINES = 3 };	/* above the ports, and the cursor's below them */

static const struct flag top_flags[] = {
	{ "--interval", 'i', FLAG_DURATION, "TIME", NULL, "between two looks; 1s unless given" },
	{ "--sort", 's', FLAG_TEXT, "bits|frames|drops|name", NULL, "bits unless given" },
	{ "--once", '1', FLAG_SWITCH, NULL, NULL, "one table, after one interval" },
	{ 0 },
};

/* cell_rate() - "1.25M", per second */
static void cell_rate(const json_t *row, const char *field, char cell[CELL_TEXT])
{
	static const char units[] = " kMGT";
	double n = json_number_value(json_object_get(row, field));
	unsigned u = 0;

	while (n >= 999.5 && u + 2 < sizeof(units)) {
		n /= 1000;
		u++;
	}
	snprintf(cell, CELL_TEXT, u ? "%.*f%c" : "%.*f", u ? (n < 9.995 ? 2 : n < 99.95 ? 1 : 0) : 0, n, units[u]);
}

#define RATE_CELL(field) \
	static void field##_cell(const json_t *row, char cell[CELL_TEXT]) { cell_rate(row, #field, cell); }
RATE_CELL(rx_frames)
RATE_CELL(rx_bits)
RATE_CELL(tx_frames)
RATE_CELL(tx_bits)
RATE_CELL(drops)

static void name_cell(const json_t *row, char cell[CELL_TEXT])
{
	snprintf(cell, CELL_TEXT, "%s/%s", row_text(row, "network"), row_text(row, "port"));
}

static const struct column columns[] = {
	{ "PORT", NULL, name_cell },		{ "STATE", "state", NULL },	{ "RX FRAMES/S", NULL, rx_frames_cell },
	{ "RX BIT/S", NULL, rx_bits_cell },	{ "TX FRAMES/S", NULL, tx_frames_cell },
	{ "TX BIT/S", NULL, tx_bits_cell },	{ "DROPS/S", NULL, drops_cell },	{ "MOSTLY", "verdict", NULL },
	{ 0 },
};

/* fit() - as many of the first rows as the terminal has lines for */
static void fit(json_t *rates)
{
	struct winsize size;
	size_t room;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row <= TITLE_LINES)
		return;
	room = (size_t)size.ws_row - TITLE_LINES;
	while (json_array_size(rates) > room)
		json_array_remove(rates, json_array_size(rates) - 1);
}

static void show(const struct cli *cli, json_t *rates, double seconds, bool once)
{
	bool screen = !once && isatty(STDOUT_FILENO);
	json_t *tree;

	if (cli->json) {
		tree = json_pack("{s:f s:O}", "seconds", seconds, "ports", rates);
		output_json(tree);
		json_decref(tree);
		return;
	}
	if (screen) {
		fputs("\033[H\033[J", stdout);	/* to the top left, and clear from there */
		fit(rates);
	}
	output_table(cli, columns, rates);
	if (!screen && !once)
		putchar('\n');
}

/* look() - the ports' counters, and when they were read */
static int look(struct cli *cli, const char *net, json_t **ports, uint64_t *at_ms)
{
	json_t *answer = NULL;
	int rc = cli_list(cli, net, "ports", &answer);

	*at_ms = clock_now_ms();
	*ports = rc == 0 ? json_incref(json_object_get(answer, "ports")) : NULL;
	json_decref(answer);
	return rc;
}

static int usage(struct cli *cli, const char *message)
{
	error_set(&cli->err, -EINVAL, "top: %s", message);
	error_code(&cli->err, "usage");
	return -EINVAL;
}

static int top(struct cli *cli, const struct args *args)
{
	uint32_t interval = args_seconds(args, "--interval", 1);
	const char *sort = args_text(args, "--sort"), *net = args->words[0];
	bool once = args_has(args, "--once"), sorted = true;
	json_t *before = NULL, *now, *rates;
	uint64_t before_ms, now_ms;
	int rc;

	if (!interval)
		return usage(cli, "--interval: at least one second");
	rc = look(cli, net, &before, &before_ms);
	while (rc == 0 && sorted) {
		nanosleep(&(struct timespec){ .tv_sec = interval }, NULL);
		rc = look(cli, net, &now, &now_ms);
		if (rc < 0)
			break;
		rates = rates_of(before, now, now_ms > before_ms ? (double)(now_ms - before_ms) / 1000 : 1);
		sorted = rates_sort(rates, sort ? sort : "bits");
		if (sorted)
			show(cli, rates, (double)(now_ms - before_ms) / 1000, once);
		json_decref(rates);
		json_decref(before);
		before = now;
		before_ms = now_ms;
		if (once || fflush(stdout) != 0)
			break;
	}
	json_decref(before);
	return rc < 0 || sorted ? rc : usage(cli, "--sort: bits, frames, drops or name");
}

const struct command cmd_top[] = {
	{ NULL, "top", "[NET]", "what ports do per second, until interrupted", "top lab --sort drops", 0, 1, false, top_flags, top },
	{ 0 },
};
