/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_run.h - a whole check: read the network, plug in, probe each row, unplug */
#ifndef CTL_CHECK_RUN_H
#define CTL_CHECK_RUN_H

#include "ctl/check_probe.h"

struct cli;

struct check_conf {
	const char *net;
	const char *mode, *access;	/* expect these of it rather than its own; or NULL */
	const char *other;		/* the other network, or NULL for any */
	struct addr outside, outside6;	/* or none */
	uint16_t port, port6;		/* of theirs */
};

struct check_report {
	char mode[16], access[12];	/* what was expected */
	struct check_result rows[CHECK_ROWS];
	bool as_expected;
};

/* check_run() - Return: 0 with all rows, or a negative errno with cli->err */
int check_run(struct cli *cli, const struct check_conf *conf, struct check_report *report);

#endif
