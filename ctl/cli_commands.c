// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli_commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/nearest.h"
#include "ctl/cli.h"
#include "ctl/cli_words.h"

static const struct command *const groups[] = {
	cmd_ps, cmd_wait, cmd_run, cmd_qemu, cmd_net, cmd_segment, cmd_group, cmd_port, cmd_forward, cmd_lease, cmd_class, cmd_dns, cmd_fdb, cmd_guard, cmd_policy, cmd_shaper, cmd_daemon, cmd_host,
	cmd_config, cmd_events, cmd_capture, cmd_mirror, cmd_top, cmd_doctor, cmd_check, cmd_complete,
	cmd_why, cmd_flows,
};

#define FOR_EACH_COMMAND(c)                                      \
	for (size_t group_ = 0; group_ < ARRAY_SIZE(groups); group_++) \
		for (const struct command *c = groups[group_]; c->run; c++)

static const char footer[] =
	"Every command takes --json, --quiet, --socket PATH and --help; `lanyard help OBJECT` shows more.\n"
	"Exit status: 0 done or already so, 1 refused or failed, 2 usage, 3 exists with other settings,\n"
	"4 not found, 5 permission, 6 daemon unreachable, 7 timed out, 8 a difference or a problem was found.\n";

/* first_word(), name_text() - "net" and "net add"; of a shortcut its one word */
static const char *first_word(const struct command *c)
{
	return c->object ? c->object : c->verb;
}

static void name_text(const struct command *c, char text[64])
{
	snprintf(text, 64, "%s%s%s", c->object ? c->object : "", c->object ? " " : "", c->verb);
}

static const struct command *unknown_object(const char *word, struct error *err)
{
	struct nearest near = nearest_start(word);

	FOR_EACH_COMMAND(c)
		nearest_try(&near, first_word(c));
	error_set(err, -EINVAL, "%.60s: unknown command", word);
	error_code(err, "usage");
	if (near.word)
		error_hint(err, "did you mean `lanyard %s`?", near.word);
	else
		error_hint(err, "lanyard help");
	return NULL;
}

static const struct command *unknown_verb(const char *object, const char *verb, struct error *err)
{
	struct nearest near = nearest_start(verb ? verb : "");
	char verbs[120] = "";

	FOR_EACH_COMMAND(c) {
		size_t n = strlen(verbs);

		if (!c->object || strcmp(c->object, object))
			continue;
		nearest_try(&near, c->verb);
		snprintf(verbs + n, sizeof(verbs) - n, "%s%s", n ? ", " : "", c->verb);
	}
	if (verb)
		error_set(err, -EINVAL, "%s: unknown verb %.60s; there are %s", object, verb, verbs);
	else
		error_set(err, -EINVAL, "%s: what about it? There are %s", object, verbs);
	error_code(err, "usage");
	if (verb && near.word)
		error_hint(err, "did you mean `lanyard %s %s`?", object, near.word);
	else
		error_hint(err, "lanyard help %s", object);
	return NULL;
}

const struct command *command_find(char **argv, int *taken, struct error *err)
{
	bool known = false;

	FOR_EACH_COMMAND(c) {
		if (strcmp(first_word(c), argv[0]))
			continue;
		known = true;
		if (!c->object || (argv[1] && !strcmp(c->verb, argv[1]))) {
			*taken = c->object ? 2 : 1;
			return c;
		}
	}
	return known ? unknown_verb(argv[0], argv[1], err) : unknown_object(argv[0], err);
}

void commands_each(void (*fn)(void *arg, const struct command *command), void *arg)
{
	FOR_EACH_COMMAND(c)
		fn(arg, c);
}

/* --- help -------------------------------------------------------------------------------------------- */

static void print_command(const struct command *c)
{
	char name[64], left[256];

	name_text(c, name);
	snprintf(left, sizeof(left), "%s %s", name, c->args);
	printf("  %-44s %s\n", left, c->help);
}

static void print_flag(const struct flag *f)
{
	char left[80], letter[8] = "";

	if (f->letter)
		snprintf(letter, sizeof(letter), "-%c, ", f->letter);
	snprintf(left, sizeof(left), "%s%s%s%s", letter, f->name, f->value ? " " : "", f->value ? f->value : "");
	printf("  %-28s %s%s\n", left, f->help, f->kind == FLAG_LIST ? " (may be repeated)" : "");
}

void help_all(void)
{
	puts("usage: lanyard OBJECT VERB NAME [--flag value]...\n");
	FOR_EACH_COMMAND(c)
		print_command(c);
	printf("\n%s", footer);
}

bool help_object(const char *object)
{
	bool known = false;

	FOR_EACH_COMMAND(c)
		if (!strcmp(first_word(c), object) && c->example) {
			printf("%s  lanyard %s\n", known ? "" : "examples:\n", c->example);
			known = true;
		}
	FOR_EACH_COMMAND(c)
		if (!strcmp(first_word(c), object)) {
			putchar('\n');
			help_command(c);
			known = true;
		}
	if (known)
		printf("\n%s", footer);
	return known;
}

void help_command(const struct command *c)
{
	char name[64];

	name_text(c, name);
	printf("lanyard %s %s\n  %s\n", name, c->args, c->help);
	for (const struct flag *f = c->flags; f && f->name; f++)
		print_flag(f);
}

void usage_line(const struct command *c)
{
	char name[64];

	name_text(c, name);
	fprintf(stderr, "usage: lanyard %s %s%s\n", name, c->args, c->flags ? " [--flag value]..." : "");
}
