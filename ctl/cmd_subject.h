// SPDX-License-Identifier: GPL-2.0-or-later
/* ctl/cmd_subject.h - whom guards and rules are for, as a person says it: NET, NET/PORT, or NET --group GROUP */
#pragma once

#include "ctl/cli.h"
#include "ctl/cli_api.h"

struct subject {
	struct port_name name;		/* port empty: the network, or a group of it */
	const char *group;		/* borrowed of the arguments; NULL: none was said */
};

#define SUBJECT_GROUP { "--group", 0, FLAG_TEXT, "GROUP", NULL, "for the ports that follow this group" }

/* subject_parse() - the first word, and the flag. Return: 0 or -EINVAL with @cli->err */
int subject_parse(struct cli *cli, const struct args *args, struct subject *s);

/* subject_path() - the API's path of the object that has the settings */
void subject_path(const struct subject *s, char path[CLI_PATH_MAX]);
