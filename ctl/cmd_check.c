// SPDX-License-Identifier: GPL-2.0-or-later
/* check */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/check.h"
#include "ctl/check_answer.h"
#include "ctl/check_run.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static const struct flag check_flags[] = {
	{ "--outside", 0, FLAG_LIST, "ADDRESS[:PORT]", NULL, "a host beyond this one where `lanyard check --answer` runs; one of each family" },
	{ "--other", 0, FLAG_TEXT, "NET[:VLAN]", NULL, "the network that must not be reached; the first other one unless given" },
	{ "--mode", 0, FLAG_TEXT, "nat-network|nat|host-only|internal|routed|bridged", NULL, "expect what this mode promises, whatever the network's is" },
	{ "--host-access", 0, FLAG_TEXT, "none|own|loopback", NULL, "expect what this setting promises, likewise" },
	{ "--answer", 0, FLAG_SWITCH, NULL, NULL, "be the outside host of a check that runs elsewhere, until interrupted" },
	{ "--port", 0, FLAG_NUMBER, "N", NULL, "of --answer; 8473 unless given" },
	{ 0 },
};

static int usage(struct cli *cli, const char *what)
{
	error_set(&cli->err, -EINVAL, "check: %s", what);
	error_code(&cli->err, "usage");
	return -EINVAL;
}

/* --- the outside -------------------------------------------------------------------------------------------- */

/* parse_outside() - ADDRESS, ADDRESS:PORT of IPv4, [ADDRESS]:PORT */
static bool parse_outside(const char *text, struct addr *addr, uint16_t *port)
{
	char at[ADDR_TEXT + 2];
	const char *colon = strrchr(text, ':');
	unsigned long number = CHECK_OUTSIDE_PORT;
	size_t n = strlen(text);

	*port = CHECK_OUTSIDE_PORT;
	if (addr_parse(text, addr) == 0)
		return true;
	if (colon && text[n - 1] != ']') {
		if (number_parse(colon + 1, 1, 65535, &number) < 0)
			return false;
		n = (size_t)(colon - text);
	}
	if (n >= sizeof(at))
		return false;
	memcpy(at, text, n);
	at[n] = '\0';
	*port = (uint16_t)number;
	if (at[0] != '[')
		return addr_parse(at, addr) == 0 && addr_is4(*addr);
	at[n - 1] = '\0';
	return text[n - 1] == ']' && addr_parse(at + 1, addr) == 0 && !addr_is4(*addr);
}

static int read_outside(struct cli *cli, const struct args *args, struct check_conf *conf)
{
	for (unsigned i = 0; i < args->ngiven; i++) {
		struct addr addr;
		uint16_t port;

		if (strcmp(args->given[i].flag->name, "--outside"))
			continue;
		if (!parse_outside(args->given[i].value, &addr, &port))
			return usage(cli, "--outside: ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT");
		if (!addr_is_none(addr_is4(addr) ? conf->outside : conf->outside6))
			return usage(cli, "--outside: one address of each family");
		*(addr_is4(addr) ? &conf->outside : &conf->outside6) = addr;
		*(addr_is4(addr) ? &conf->port : &conf->port6) = port;
	}
	return 0;
}

static int be_outside(struct cli *cli, const struct args *args)
{
	unsigned long port = CHECK_OUTSIDE_PORT;

	if (args->nwords)
		return usage(cli, "--answer takes no network: it is for another host");
	if (args_has(args, "--port") && number_parse(args_text(args, "--port"), 1, 65535, &port) < 0)
		return usage(cli, "--port: 1 to 65535");
	return answer_run((uint16_t)port, &cli->err);
}

/* --- the table ---------------------------------------------------------------------------------------------- */

static const char *result_word(const struct check_result *r)
{
	return r->want == WANT_NOTHING ? "no matter" : r->skipped[0] ? "not probed" : result_as_expected(r) ? "ok" : "DIFFERS";
}

/* add_reason() - why it differs: how each trial that did ended, and the note */
static void reason(const struct check_result *r, char text[RESULT_TEXT])
{
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < r->ntrials && n < RESULT_TEXT; i++) {
		const struct trial *t = &r->trials[i];

		if ((t->end == TRIAL_REACHED) != t->want)
			n += (size_t)snprintf(text + n, RESULT_TEXT - n, "%s%s: %s", n ? "; " : "", t->name, t->how);
	}
	if (r->note[0] && n < RESULT_TEXT)
		snprintf(text + n, RESULT_TEXT - n, "%s%s", n ? "; " : "", r->note);
}

static json_t *trials_json(const struct check_result *r)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < r->ntrials; i++)
		json_array_append_new(list, json_pack("{s:s s:b s:b s:s}", "name", r->trials[i].name, "expected", r->trials[i].want,
						      "seen", r->trials[i].end == TRIAL_REACHED, "how", r->trials[i].how));
	return list;
}

static json_t *result_json(const struct check_result *r)
{
	char seen[RESULT_TEXT], why[RESULT_TEXT];

	result_seen(r, seen, sizeof(seen));
	reason(r, why);
	return json_pack("{s:i s:s s:s s:s s:s s:s s:o}", "row", r->row->number, "probe", r->row->what, "expected",
			 check_want_name(r->want), "seen", seen, "result", result_word(r), "reason",
			 r->skipped[0] ? r->skipped : why, "trials", trials_json(r));
}

static void cell_row(const json_t *row, char cell[CELL_TEXT])
{
	snprintf(cell, CELL_TEXT, "%02d", (int)json_integer_value(json_object_get(row, "row")));
}

static void cell_reason(const json_t *row, char cell[CELL_TEXT])
{
	snprintf(cell, CELL_TEXT, "%s", row_text(row, "reason"));
	if (!cell[0])
		snprintf(cell, CELL_TEXT, " ");
}

static void print_report(const struct cli *cli, const struct check_report *report, const json_t *rows, const char *net)
{
	static const struct column columns[] = {
		{ "ROW", NULL, cell_row },	{ "PROBE", "probe", NULL },	{ "EXPECTED", "expected", NULL },
		{ "SEEN", "seen", NULL },	{ "RESULT", "result", NULL },	{ "REASON", NULL, cell_reason },
		{ 0 },
	};
	unsigned ok = 0, differ = 0, skipped = 0;
	json_t *shown = json_array(), *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		const struct check_result *r = &report->rows[i];

		if (r->want == WANT_NOTHING)
			continue;
		json_array_append(shown, row);
		skipped += r->skipped[0] != '\0';
		ok += !r->skipped[0] && result_as_expected(r);
		differ += !result_as_expected(r);
	}
	output_table(cli, columns, shown);
	printf("%s, %s with host_access %s: %u as expected, %u different, %u not probed\n", net, report->mode, report->access, ok, differ,
	       skipped);
	json_decref(shown);
}

static int show(const struct cli *cli, const struct check_report *report, const char *net)
{
	json_t *rows = json_array(), *tree;

	for (unsigned i = 0; i < CHECK_ROWS; i++)
		json_array_append_new(rows, result_json(&report->rows[i]));
	tree = json_pack("{s:s s:s s:s s:b s:O}", "network", net, "mode", report->mode, "host_access", report->access, "as_expected",
			 report->as_expected, "rows", rows);
	if (cli->json)
		output_json(tree);
	else
		print_report(cli, report, rows, net);
	json_decref(tree);
	json_decref(rows);
	return report->as_expected ? CLI_DONE : CLI_PROBLEMS;
}

static int check(struct cli *cli, const struct args *args)
{
	struct check_conf conf = {
		.mode = args_text(args, "--mode"), .access = args_text(args, "--host-access"), .other = args_text(args, "--other"),
	};
	struct check_report *report;
	char called[SEGMENT_NAME_TEXT];
	struct segment_name name;
	int rc;

	if (args_has(args, "--answer"))
		return be_outside(cli, args);
	if (args->nwords != 1)
		return usage(cli, "which network? `lanyard check NET`");
	rc = segment_words_parse(args->words[0], &name, &cli->err);
	if (rc == 0) {
		conf.net = segment_words_format(&name, called);
		rc = read_outside(cli, args, &conf);
	}
	report = rc == 0 ? calloc(1, sizeof(*report)) : NULL;
	if (rc == 0)
		rc = report ? check_run(cli, &conf, report) : error_set(&cli->err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = show(cli, report, conf.net);
	free(report);
	return rc;
}

const struct command cmd_check[] = {
	{ NULL, "check", "NET[:VLAN] | --answer", "who reaches whom, tried on the live network",
	  "check lab --outside 198.51.100.2", 0, 1, false, check_flags, check },
	{ 0 },
};
