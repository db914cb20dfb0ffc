// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cmd_subject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int wrong(struct cli *cli, const char *text, const char *what)
{
	error_set(&cli->err, -EINVAL, "%.80s: %s", text, what);
	error_code(&cli->err, "usage");
	return -EINVAL;
}

int subject_parse(struct cli *cli, const struct args *args, struct subject *s)
{
	const char *text = args->words[0];
	int rc;

	*s = (struct subject){ .group = args_text(args, "--group") };
	if (strchr(text, '/')) {
		rc = port_name_parse(text, &s->name, &cli->err);
		return rc == 0 && s->group ? wrong(cli, text, "a port, or the group of a network?") : rc;
	}
	rc = net_name_parse(text, &cli->err);
	if (rc == 0)
		snprintf(s->name.net, sizeof(s->name.net), "%s", text);
	if (rc == 0 && s->group && !name_valid(s->group))
		rc = wrong(cli, s->group, "not a group's name (a-z, 0-9 and -)");
	return rc;
}

void subject_path(const struct subject *s, char path[CLI_PATH_MAX])
{
	if (s->group)
		cli_path(path, "networks", s->name.net, "groups", s->group, NULL);
	else if (s->name.port[0])
		cli_path(path, "networks", s->name.net, "ports", s->name.port, NULL);
	else
		cli_path(path, "networks", s->name.net, NULL);
}
