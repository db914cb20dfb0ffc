// SPDX-License-Identifier: GPL-2.0-or-later
/* policy add|rm|set|ls */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cmd_subject.h"

static const struct flag add_flags[] = {
	{ "--at", 0, FLAG_NUMBER, "N", NULL, "as the Nth rule; without, as the last" },
	SUBJECT_GROUP,
	{ 0 },
};

static const struct flag rm_flags[] = {
	SUBJECT_GROUP,
	{ 0 },
};

static const struct flag set_flags[] = {
	{ "--default", 0, FLAG_TEXT, "allow|deny|deny-egress|deny-ingress", "policy.default", "what no rule decides" },
	SUBJECT_GROUP,
	{ 0 },
};

/* rule_words() - the words from @first on as one text */
static void rule_words(const struct args *args, unsigned first, char *to, size_t room)
{
	size_t n = 0;

	to[0] = '\0';
	for (unsigned i = first; i < args->nwords && n < room; i++)
		n += (size_t)snprintf(to + n, room - n, "%s%s", i > first ? " " : "", args->words[i]);
}

static void print_rule(const struct cli *cli, const json_t *answer, const char *what)
{
	const char *port = row_text(answer, "port"), *group = row_text(answer, "group");

	output_result(cli, answer, "%s%s%s%s: %s%s", row_text(answer, "network"), port[0] ? "/" : group[0] ? ", group " : "", port, group,
		      row_text(answer, "rule"), what);
}

static int policy_add(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], rule[512];
	json_t *body, *answer = NULL;
	struct subject s;
	int rc = subject_parse(cli, args, &s);

	if (rc < 0)
		return rc;
	rule_words(args, 1, rule, sizeof(rule));
	body = json_pack("{s:s}", "rule", rule);
	if (s.name.port[0])
		json_object_set_new(body, "port", json_string(s.name.port));
	if (s.group)
		json_object_set_new(body, "group", json_string(s.group));
	if (args_text(args, "--at"))
		json_object_set_new(body, "position", json_integer(atoi(args_text(args, "--at"))));
	cli_path(path, "networks", s.name.net, "policy", NULL);
	rc = cli_change(cli, "POST", path, body, &answer);
	if (rc == 0)
		print_rule(cli, answer, "");
	json_decref(answer);
	json_decref(body);
	return rc;
}

/* add_query() - "&rule=..." with what is no letter or digit escaped */
static void add_query(char path[CLI_PATH_MAX], const char *key, const char *value)
{
	size_t n = strlen(path);

	n += (size_t)snprintf(path + n, CLI_PATH_MAX - n, "%c%s=", strchr(path, '?') ? '&' : '?', key);
	for (; *value && n + 4 < CLI_PATH_MAX; value++) {
		unsigned char c = (unsigned char)*value;
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';

		n += (size_t)snprintf(path + n, CLI_PATH_MAX - n, plain ? "%c" : "%%%02X", c);
	}
}

static int policy_rm(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX], rule[512];
	unsigned long position;
	json_t *answer = NULL;
	struct subject s;
	int rc = subject_parse(cli, args, &s);

	if (rc < 0)
		return rc;
	rule_words(args, 1, rule, sizeof(rule));
	cli_path(path, "networks", s.name.net, "policy", NULL);
	if (s.name.port[0])
		add_query(path, "port", s.name.port);
	if (s.group)
		add_query(path, "group", s.group);
	add_query(path, number_parse(rule, 1, 100000, &position) == 0 ? "position" : "rule", rule);
	rc = cli_change(cli, "DELETE", path, NULL, &answer);
	if (rc == 0)
		print_rule(cli, answer, ": removed");
	json_decref(answer);
	return rc;
}

static int policy_set(struct cli *cli, const struct args *args)
{
	char path[CLI_PATH_MAX];
	json_t *body, *answer = NULL;
	struct subject s;
	int rc = subject_parse(cli, args, &s);

	if (rc < 0)
		return rc;
	body = args_settings(args, &cli->err);
	if (!body)
		return -EINVAL;
	subject_path(&s, path);
	rc = cli_change(cli, "PATCH", path, body, &answer);
	if (rc == 0)
		output_result(cli, answer, "%s%s%s: default %s", args->words[0], s.group ? ", group " : "", s.group ? s.group : "",
			      row_text(answer, "policy.default")[0] ? row_text(answer, "policy.default") : "allow");
	json_decref(answer);
	json_decref(body);
	return rc;
}

static void full_name(const json_t *row, char cell[CELL_TEXT])
{
	const char *port = row_text(row, "port");

	snprintf(cell, CELL_TEXT, "%s%s%s", row_text(row, "network"), port[0] ? "/" : "", port);
}

static void place(const json_t *row, char cell[CELL_TEXT])
{
	json_int_t position = json_integer_value(json_object_get(row, "position"));

	if (position)
		snprintf(cell, CELL_TEXT, "%lld", (long long)position);
}

/* only_port() - leave the rows of one port in the list */
static void only_port(json_t *list, const char *port)
{
	size_t i = 0;

	while (i < json_array_size(list))
		if (strcmp(row_text(json_array_get(list, i), "port"), port))
			json_array_remove(list, i);
		else
			i++;
}

static int policy_ls(struct cli *cli, const struct args *args)
{
	static const struct column columns[] = {
		{ "PORT", NULL, full_name }, { "OF", "of", NULL }, { "N", NULL, place }, { "RULE", "rule", NULL }, { "HITS", "hits", NULL },
		{ 0 },
	};
	struct subject s = { .name.net = "" };
	json_t *answer = NULL;
	int rc = args->nwords ? subject_parse(cli, args, &s) : 0;

	if (rc == 0)
		rc = cli_list(cli, s.name.net[0] ? s.name.net : NULL, "policy", &answer);
	if (rc == 0 && s.name.port[0])
		only_port(json_object_get(answer, "policy"), s.name.port);
	if (rc == 0 && cli->json)
		output_json(answer);
	else if (rc == 0)
		output_table(cli, columns, json_object_get(answer, "policy"));
	json_decref(answer);
	return rc;
}

const struct command cmd_policy[] = {
	{ "policy", "add", "NET[/PORT] ACTION DIRECTION PEER[:PORTS][/PROTOCOL]", "what guests may begin, and others with them",
	  "policy add lab/agent allow egress *.github.com:443/tcp", 4, 4, false, add_flags, policy_add },
	{ "policy", "rm", "NET[/PORT] N | RULE", "take a rule away", "policy rm lab/agent 2", 2, 4, false, rm_flags, policy_rm },
	{ "policy", "set", "NET[/PORT]", "what no rule decides", "policy set lab/agent --default deny", 1, 1, false, set_flags, policy_set },
	{ "policy", "ls", "[NET[/PORT]]", "the rules in force, and how often each decided", "policy ls lab/agent", 0, 1, false, NULL, policy_ls },
	{ 0 },
};
