// SPDX-License-Identifier: GPL-2.0-or-later
/* complete: what may stand next on a command line, for the shells' completion scripts (configs/completion/)
 *
 * Everything comes from the table of commands: first words, verbs, flags and their values as usage writes them; what usage calls
 * NET, NET/NAME, FORWARD or NAME are names of objects that there are now. A candidate is a line, with a tab and what it is; the line
 * ":files" asks the shell for its own files. Nothing is said on standard error: who completes has not finished typing. */
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_commands.h"
#include "ctl/cli_output.h"

enum { TOKEN_TEXT = 64 };

/* asked - the line so far: words[0] is the program's name, and the last is what is being typed, perhaps nothing yet */
struct asked {
	struct cli *cli;
	char **words;
	int n;
	const char *typed;
	const char *net;		/* the network that a word names, or NULL */
};

static void offer(const struct asked *a, const char *word, const char *about)
{
	if (!strncmp(word, a->typed, strlen(a->typed)))
		printf(about && *about ? "%s\t%s\n" : "%s\n", word, about);
}

/* ---- names of objects ---- */

static void offer_networks(struct asked *a)
{
	json_t *answer = NULL, *net;
	size_t i;

	if (cli_get(a->cli, "/v1/networks", &answer) == 0)
		json_array_foreach(json_object_get(answer, "networks"), i, net)
			offer(a, row_text(net, "name"), row_text(net, "mode"));
	json_decref(answer);
}

static void offer_ports(struct asked *a)
{
	json_t *answer = NULL, *port;
	size_t i;

	if (cli_list(a->cli, NULL, "ports", &answer) == 0)
		json_array_foreach(json_object_get(answer, "ports"), i, port) {
			char name[CELL_TEXT];

			if (row_text(port, "name")[0] == '@')
				continue;	/* the mode's, which nobody changes */
			snprintf(name, sizeof(name), "%s/%s", row_text(port, "network"), row_text(port, "name"));
			offer(a, name, row_text(port, "kind"));
		}
	json_decref(answer);
}

/* offer_rows() - a field of each object of the network that was named */
static void offer_rows(struct asked *a, const char *key, const char *field)
{
	json_t *answer = NULL, *row;
	size_t i;

	if (a->net && cli_list(a->cli, a->net, key, &answer) == 0)
		json_array_foreach(json_object_get(answer, key), i, row)
			offer(a, row_text(row, field), NULL);
	json_decref(answer);
}

static void offer_interfaces(struct asked *a)
{
	struct if_nameindex *list = if_nameindex();

	for (struct if_nameindex *i = list; i && i->if_name; i++)
		offer(a, i->if_name, NULL);
	if_freenameindex(list);
}

static const struct {
	const char *object, *word;	/* as usage writes it; object NULL: wherever */
	const char *key, *field;	/* rows of the network ... */
	void (*offer)(struct asked *a);	/* ... or everything by this */
} kinds[] = {
	{ NULL, "NET", NULL, NULL, offer_networks },	{ NULL, "NET/NAME", NULL, NULL, offer_ports },
	{ NULL, "IF", NULL, NULL, offer_interfaces },	{ "forward", "NAME", "forwards", "id", NULL },
	{ "dns", "NAME", "records", "name", NULL },	{ NULL, "FORWARD", "forwards", "id", NULL },
};

/* offer_word() - what one alternative of a usage text stands for */
static void offer_word(struct asked *a, const char *object, const char *word)
{
	if (islower((unsigned char)*word)) {
		offer(a, word, NULL);
		return;
	}
	if (!strcmp(word, "PATH") || !strcmp(word, "FILE"))
		puts(":files");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].word, word) || (kinds[i].object && (!object || strcmp(kinds[i].object, object))))
			continue;
		if (kinds[i].offer)
			kinds[i].offer(a);
		else
			offer_rows(a, kinds[i].key, kinds[i].field);
	}
}

/* offer_token() - "none|own|loopback", "[NET]", "PORT[/udp]|NAME": each alternative, as far as its brackets */
static void offer_token(struct asked *a, const char *object, const char *token)
{
	char text[TOKEN_TEXT], *rest = NULL;

	snprintf(text, sizeof(text), "%s", *token == '[' ? token + 1 : token);
	for (char *word = strtok_r(text, "|", &rest); word; word = strtok_r(NULL, "|", &rest)) {
		word[strcspn(word, "[].")] = '\0';
		offer_word(a, object, word);
	}
}

/* ---- where on the line ---- */

static const struct flag *flag_named(const struct flag *flags, const char *word)
{
	for (const struct flag *f = flags; f && f->name; f++)
		if (!strcmp(f->name, word) || (f->letter && word[0] == '-' && word[1] == f->letter && !word[2]))
			return f;
	return NULL;
}

static void offer_flags(struct asked *a, const struct flag *flags)
{
	for (const struct flag *f = flags; f && f->name; f++)
		offer(a, f->name, f->help);
}

/* offer_place() - the @place'th word of those that are no flags, counted from 0 */
static void offer_place(struct asked *a, const struct command *c, unsigned place)
{
	char text[256], *rest = NULL;
	unsigned at = 0;

	snprintf(text, sizeof(text), "%s", c->args);
	for (char *token = strtok_r(text, " ", &rest); token; token = strtok_r(NULL, " ", &rest)) {
		if (!strcmp(token, "|"))
			at = 0;			/* another way to say it */
		else if (token[0] == '-')
			strtok_r(NULL, " ", &rest);	/* a flag that must be given, with its value */
		else if (at++ == place)
			offer_token(a, c->object, token);
	}
}

/* within() - the line is that far inside command @c, whose own words end at @first */
static void within(struct asked *a, const struct command *c, int first)
{
	const struct flag *open = NULL;		/* waits for its value */
	unsigned place = 0;

	for (int i = first; i < a->n - 1; i++) {
		const char *word = a->words[i];

		if (open)
			open = NULL;
		else if (!strcmp(word, "--") && c->rest) {
			puts(":files");
			return;
		} else if (word[0] == '-') {
			open = flag_named(c->flags, word);
			open = open ? open : flag_named(cli_general, word);
			open = open && open->kind != FLAG_SWITCH ? open : NULL;
		} else if (place++ == 0) {
			a->net = word;
		}
	}
	if (open)
		offer_token(a, c->object, open->value ? open->value : "");
	else if (a->typed[0] == '-') {
		offer_flags(a, c->flags);
		offer_flags(a, cli_general);
	} else {
		offer_place(a, c, place);
	}
}

static void offer_first(void *arg, const struct command *c)
{
	static const char *last;		/* an object's commands stand in a row */

	if (c->object && last && !strcmp(c->object, last))
		return;
	last = c->object;
	offer(arg, c->object ? c->object : c->verb, c->object ? NULL : c->help);
}

static void offer_verb(void *arg, const struct command *c)
{
	const struct asked *a = arg;

	if (c->object && !strcmp(c->object, a->words[1]))
		offer(a, c->verb, c->help);
}

static int complete(struct cli *cli, const struct args *args)
{
	struct asked a = { .cli = cli, .words = args->rest };
	const struct command *c;
	struct error ignored;
	int taken;

	while (a.words && a.words[a.n])
		a.n++;
	if (a.n < 2)
		return CLI_DONE;
	a.typed = a.words[a.n - 1];
	if (a.n == 2 && a.typed[0] == '-') {
		offer_flags(&a, cli_general);
	} else if (a.n == 2) {
		commands_each(offer_first, &a);
		offer(&a, "help", "about all commands, or one object's");
	} else if (!strcmp(a.words[1], "help")) {
		if (a.n == 3)
			commands_each(offer_first, &a);
	} else if ((c = command_find(a.words + 1, &taken, &ignored)) && a.n > taken + 1) {
		within(&a, c, taken + 1);
	} else if (a.n == 3) {
		commands_each(offer_verb, &a);
	}
	return CLI_DONE;
}

const struct command cmd_complete[] = {
	{ NULL, "complete", "-- lanyard WORDS...", "what may stand next on that line, for completion in shells", NULL, 0, 0, true, NULL, complete },
	{ 0 },
};
