/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli_commands.h - finding a command among all there are, and the help about them. One thread. */
#ifndef CTL_CLI_COMMANDS_H
#define CTL_CLI_COMMANDS_H

#include <stdbool.h>

struct command;
struct error;

/* command_find() - the command that argv begins with
 * @taken:	how many of argv are its name, 1 or 2
 *
 * Return: the command, or NULL with @err: code "usage", and a guess at what was meant.
 */
const struct command *command_find(char **argv, int *taken, struct error *err);

/* commands_each() - every command, those of one object in a row */
void commands_each(void (*fn)(void *arg, const struct command *command), void *arg);

/* help_all(), help_object(), help_command() - onto standard output; help_object() is false for an unknown object */
void help_all(void);
bool help_object(const char *object);
void help_command(const struct command *command);

/* usage_line() - one line on standard error */
void usage_line(const struct command *command);

#endif
