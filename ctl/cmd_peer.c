// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cmd_peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

const struct flag peer_flags[] = {
	{ "--allow", 0, FLAG_LIST, "PROTO/PORT,...", NULL, "only this, only from A to B, and the answers: tcp/80,udp/5000-5009,icmp" },
	{ "--rm", 0, FLAG_SWITCH, NULL, NULL, "they reach one another no more" },
	{ 0 },
};

/* allow_list() - of every --allow the parts between commas; NULL out of memory */
static json_t *allow_list(const struct args *args)
{
	json_t *list = json_array();

	for (unsigned i = 0; list && i < args->ngiven; i++) {
		const char *text = args->given[i].value;

		if (strcmp(args->given[i].flag->name, "--allow"))
			continue;
		for (size_t n; *text; text += n + (text[n] == ',')) {
			n = strcspn(text, ",");
			json_array_append_new(list, json_stringn(text, n));
		}
	}
	return list;
}

/* end_path() - of the settings of "lab" or "lab:20", which was looked at */
static void end_path(const char *end, char path[CLI_PATH_MAX])
{
	struct segment_name name = { .vid = 1 };

	segment_name_parse(end, &name);
	cli_path(path, "networks", name.net, name.vid == 1 ? NULL : "segments", strchr(end, ':') ? strchr(end, ':') + 1 : NULL, NULL);
}

/* patch() - the one side's word on the other; takes @peer */
static int patch(struct cli *cli, const char *end, const char *other, json_t *peer, json_t **answer)
{
	json_t *body = json_pack("{s:{s:o}}", "peers", other, peer);
	char path[CLI_PATH_MAX];
	int rc;

	if (!body)
		return error_set(&cli->err, -EINVAL, "%.60s: not a network's name, or not text", other);
	end_path(end, path);
	rc = cli_change(cli, "PATCH", path, body, answer);
	json_decref(body);
	return rc;
}

/* has_peer() - does @end name @other? Return: 1, 0, or a negative errno */
static int has_peer(struct cli *cli, const char *end, const char *other)
{
	char path[CLI_PATH_MAX];
	json_t *shown = NULL;
	int rc;

	end_path(end, path);
	rc = cli_get(cli, path, &shown);
	if (rc == 0)
		rc = json_object_get(json_object_get(shown, "peers"), other) != NULL;
	json_decref(shown);
	return rc;
}

static int part(struct cli *cli, const char *a, const char *b)
{
	int there = has_peer(cli, a, b), back = there < 0 ? there : has_peer(cli, b, a), rc = back < 0 ? back : 0;
	json_t *answer = NULL;

	if (rc == 0 && !there && !back)
		return error_set(&cli->err, -ENOENT, "%s and %s are no peers", a, b);
	if (rc == 0 && there)
		rc = patch(cli, a, b, json_null(), &answer);
	if (rc == 0 && back) {
		json_decref(answer);
		answer = NULL;
		rc = patch(cli, b, a, json_null(), &answer);
	}
	if (rc == 0)
		output_result(cli, answer, "%s and %s: peers no more", a, b);
	json_decref(answer);
	return rc;
}

/* told_by_lease() - guests who have no default route learn the way to a peer from their lease; a segment's are those of its network's mode */
static bool told_by_lease(struct cli *cli, const char *end)
{
	struct segment_name name = { .vid = 1 };
	char path[CLI_PATH_MAX];
	json_t *net = NULL;
	bool told = false;

	segment_name_parse(end, &name);
	cli_path(path, "networks", name.net, NULL);
	if (cli_get(cli, path, &net) == 0)
		told = !strcmp(row_text(net, "mode"), "internal") || !strcmp(row_text(net, "mode"), "host-only");
	json_decref(net);
	return told;
}

static int unite(struct cli *cli, const char *a, const char *b, json_t *allow)
{
	bool all = !json_array_size(allow);
	json_t *answer = NULL;
	int rc = patch(cli, a, b, json_pack("{s:O}", "allow", all ? json_null() : allow), &answer);

	if (rc == 0 && all)
		output_result(cli, answer, "%s and %s: peers, guests of each reach those of the other", a, b);
	else if (rc == 0)
		output_result(cli, answer, "%s: guests may open %zu thing%s in %s, which answers", a, json_array_size(allow),
			      json_array_size(allow) == 1 ? "" : "s", b);
	if (rc == 0 && told_by_lease(cli, a))
		output_note("guests of %s hear of the way when they renew their lease", a);
	json_decref(answer);
	return rc;
}

/* end_words() - as settings have it */
static int end_words(const char *text, char end[SEGMENT_NAME_TEXT], struct error *err)
{
	struct segment_name name;
	int rc = segment_words_parse(text, &name, err);

	if (rc == 0)
		segment_words_format(&name, end);
	return rc;
}

int net_peer(struct cli *cli, const struct args *args)
{
	char a[SEGMENT_NAME_TEXT], b[SEGMENT_NAME_TEXT];
	int rc = end_words(args->words[0], a, &cli->err);
	json_t *allow;

	if (rc == 0)
		rc = end_words(args->words[1], b, &cli->err);
	if (rc < 0)
		return rc;
	if (args_has(args, "--rm"))
		return part(cli, a, b);
	allow = allow_list(args);
	rc = allow ? unite(cli, a, b, allow) : error_set(&cli->err, -ENOMEM, "out of memory");
	json_decref(allow);
	return rc;
}
