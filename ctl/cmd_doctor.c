// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/cmd_doctor_checks.h"

static const char *const states[] = { [FINDING_OK] = "OK", [FINDING_WARN] = "WARN", [FINDING_FAIL] = "FAIL" };

/* look_daemon() - the one that commands talk to; none is needed for the answer to the others */
static void look_daemon(struct cli *cli, struct finding *f, json_t **engine)
{
	json_t *daemon = NULL;

	if (cli_get(cli, "/v1/daemon", &daemon) == 0) {
		*engine = json_incref(json_object_get(daemon, "engine"));
		f->state = FINDING_OK;
		snprintf(f->text, sizeof(f->text), "lanyardd %.30s answers at %.120s", row_text(daemon, "version"), cli->socket);
	} else {
		f->state = FINDING_WARN;
		snprintf(f->text, sizeof(f->text), "%.190s", cli->err.message);
		snprintf(f->command, sizeof(f->command), "lanyardd &");
	}
	json_decref(daemon);
	cli->err = (struct error){ 0 };
}

static bool is_open(const char *fence)
{
	return !strncmp(fence, "open", strlen("open"));
}

/* look_engine() - what is left to whoever takes over the process that strangers talk to */
static void look_engine(json_t *engine, struct finding *f)
{
	const char *files = row_text(engine, "files"), *calls = row_text(engine, "calls");
	json_int_t uid = json_integer_value(json_object_get(engine, "uid"));
	json_t *refused = json_object_get(engine, "refused");

	f->state = is_open(files) || is_open(calls) || uid == 0 || json_array_size(refused) ? FINDING_WARN : FINDING_OK;
	snprintf(f->text, sizeof(f->text), "%s%lld; files: %.40s; system calls: %.40s",
		 uid ? "user " : "root without rights (the log says why: event=engine-as-root), user ", (long long)uid, files, calls);
	if (json_array_size(refused))
		snprintf(f->command, sizeof(f->command), "a report of the refused system call %.40s, please",
			 json_string_value(json_array_get(refused, 0)));
}

/* look_networks() - what the daemon has to say of the caller's: of the first with a warning, and how many others have some */
static void look_networks(struct cli *cli, struct finding *f)
{
	json_t *answer = NULL, *net, *warnings;
	size_t i, n = 0;

	f->state = FINDING_OK;
	if (cli_get(cli, "/v1/networks", &answer) == 0) {
		json_array_foreach(json_object_get(answer, "networks"), i, net) {
			warnings = json_object_get(net, "warnings");
			if (!json_array_size(warnings) || n++)
				continue;
			f->state = FINDING_WARN;
			snprintf(f->text, sizeof(f->text), "%.63s: %.130s", row_text(net, "name"), json_string_value(json_array_get(warnings, 0)));
			snprintf(f->command, sizeof(f->command), "lanyard net show %.63s", row_text(net, "name"));
		}
	}
	if (n > 1)
		snprintf(f->command, sizeof(f->command), "lanyard net show NET, of this one and %zu more", n - 1);
	else if (!n)
		snprintf(f->text, sizeof(f->text), "%zu, no warnings", json_array_size(json_object_get(answer, "networks")));
	json_decref(answer);
	cli->err = (struct error){ 0 };
}

static void show(const struct cli *cli, json_t *list, const char *name, const struct finding *f)
{
	if (cli->json) {
		json_array_append_new(list, json_pack("{s:s s:s s:s s:s}", "name", name, "state", states[f->state], "text", f->text,
						      "command", f->command));
		return;
	}
	printf("%-4s  %-11s  %s\n", states[f->state], name, f->text);
	if (f->command[0])
		printf("%-4s  %-11s  %s\n", "", "", f->command);
}

static int doctor(struct cli *cli, const struct args *args)
{
	json_t *list = json_array(), *tree, *engine = NULL;
	struct finding f = { 0 };
	bool works = true;

	(void)args;
	for (const struct check *c = doctor_checks; c->name; c++) {
		f = (struct finding){ 0 };
		c->look(&f);
		works &= f.state != FINDING_FAIL;
		show(cli, list, c->name, &f);
	}
	f = (struct finding){ 0 };
	look_daemon(cli, &f, &engine);
	show(cli, list, "daemon", &f);
	if (engine) {
		f = (struct finding){ 0 };
		look_engine(engine, &f);
		show(cli, list, "engine", &f);
		json_decref(engine);
		f = (struct finding){ 0 };
		look_networks(cli, &f);
		show(cli, list, "networks", &f);
	}
	tree = json_pack("{s:b s:o}", "works", works, "checks", list);
	if (cli->json)
		output_json(tree);
	json_decref(tree);
	return works ? CLI_DONE : CLI_PROBLEMS;
}

const struct command cmd_doctor[] = {
	{ NULL, "doctor", "", "will it work here, and what would help", "doctor", 0, 0, false, NULL, doctor },
	{ 0 },
};
