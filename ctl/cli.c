// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/cli_commands.h"
#include "ctl/cli_output.h"
#include "ctl/version.h"

const struct flag cli_general[] = {
	{ "--json", 0, FLAG_SWITCH, NULL, NULL, "print the API's answer, and errors, as JSON" },
	{ "--quiet", 'q', FLAG_SWITCH, NULL, NULL, "no line about a change that went well" },
	{ "--no-header", 0, FLAG_SWITCH, NULL, NULL, "tables without their first line" },
	{ "--socket", 0, FLAG_TEXT, "PATH", NULL, "the daemon's socket" },
	{ "--help", 'h', FLAG_SWITCH, NULL, NULL, "about this command" },
	{ "--version", 'V', FLAG_SWITCH, NULL, NULL, "the version of this program" },
	{ 0 },
};

static const struct {
	const char *code;
	int status;
} statuses[] = {
	{ "usage", CLI_USAGE },			{ "exists", CLI_EXISTS },
	{ "not-found", CLI_NOT_FOUND },		{ "permission", CLI_PERMISSION },
	{ "unreachable", CLI_UNREACHABLE },	{ "timed-out", CLI_TIMED_OUT },
};

int cli_status(const struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (!strcmp(err->code, statuses[i].code))
			return statuses[i].status;
	return CLI_REFUSED;
}

static void take_general(struct cli *cli, const struct args *args)
{
	cli->json = args_has(args, "--json");
	cli->quiet = args_has(args, "--quiet");
	cli->no_header = args_has(args, "--no-header");
	cli->socket_given = args_text(args, "--socket");
}

/* usage() - report what is wrong with the line; @command may be NULL */
static int usage(struct cli *cli, const struct command *command)
{
	output_error(cli);
	if (command && !cli->json)
		usage_line(command);
	return CLI_USAGE;
}

static int check_words(struct cli *cli, const struct command *command, const struct args *args)
{
	int rc = 0;

	if (args->nwords < command->min_words)
		rc = error_set(&cli->err, -EINVAL, "%s%s%s: %s is missing", command->object ? command->object : "",
			       command->object ? " " : "", command->verb, command->args);
	else if (args->nwords > command->max_words)
		rc = error_set(&cli->err, -EINVAL, "%.100s: one word too many", args->words[command->max_words]);
	else if (args->rest && !command->rest)
		rc = error_set(&cli->err, -EINVAL, "%s: takes no command after --", command->verb);
	error_code(&cli->err, "usage");
	return rc;
}

static int run_command(struct cli *cli, const struct command *command, struct args *args, char **argv)
{
	int rc = args_parse(args, command->flags, cli_general, argv, false, &cli->err);

	take_general(cli, args);
	if (args_has(args, "--help")) {
		help_command(command);
		return CLI_DONE;
	}
	if (rc < 0 || check_words(cli, command, args) < 0)
		return usage(cli, command);
	rc = command->run(cli, args);
	if (rc >= 0)
		return rc;
	if (cli_status(&cli->err) == CLI_USAGE)
		return usage(cli, command);
	output_error(cli);
	return cli_status(&cli->err);
}

/* help_word() - `lanyard help [OBJECT [VERB]]` */
static int help_word(struct cli *cli, char **argv)
{
	const struct command *command;
	int taken;

	if (!argv[0]) {
		help_all();
		return CLI_DONE;
	}
	if (!argv[1] && help_object(argv[0]))
		return CLI_DONE;
	command = command_find(argv, &taken, &cli->err);
	if (!command)
		return usage(cli, NULL);
	help_command(command);
	return CLI_DONE;
}

/* is_help() - "help", "-h" and "--help" ask for help wherever a verb is expected */
static bool is_help(const char *word)
{
	return word && (!strcmp(word, "help") || !strcmp(word, "-h") || !strcmp(word, "--help"));
}

static int dispatch(struct cli *cli, struct args *args, char **argv)
{
	const struct command *command;
	int taken;

	cli->line = argv;
	if (is_help(argv[0]))
		return help_word(cli, argv + 1);
	if (is_help(argv[1]) && help_object(argv[0]))
		return CLI_DONE;
	command = command_find(argv, &taken, &cli->err);
	if (!command)
		return usage(cli, NULL);
	return run_command(cli, command, args, argv + taken);
}

int cli_run(int argc, char **argv)
{
	struct cli cli = { .json = false };
	struct args args = { .ngiven = 0 };
	int rc, n;

	signal(SIGPIPE, SIG_IGN);	/* a reader that went away shows as a failed write at the end */
	n = argc > 1 ? args_parse(&args, NULL, cli_general, argv + 1, true, &cli.err) : 0;
	take_general(&cli, &args);
	if (n < 0) {
		rc = usage(&cli, NULL);
	} else if (args_has(&args, "--version")) {
		printf("lanyard %s\n", LANYARD_VERSION);
		rc = CLI_DONE;
	} else if (args_has(&args, "--help")) {
		help_all();
		rc = CLI_DONE;
	} else if (n + 1 >= argc) {
		fputs("usage: lanyard OBJECT VERB NAME [--flag value]...\nhint: lanyard help\n", stderr);
		rc = CLI_USAGE;
	} else {
		rc = dispatch(&cli, &args, argv + 1 + n);
	}
	client_free(cli.client);
	if (fflush(stdout) != 0 && rc == CLI_DONE)
		rc = CLI_REFUSED;
	return rc;
}
