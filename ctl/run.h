/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/run.h - run a command in fresh namespaces attached to a network
 *
 * The calling process moves into the namespaces itself and stays beside the command: it keeps the medium's
 * descriptor, attaches it again when the daemon comes back, and prolongs the lease. It has one thread, and is fit
 * for nothing but to exit afterwards.
 */
#ifndef CTL_RUN_H
#define CTL_RUN_H

#include <stdbool.h>

#include "base/text.h"
#include "ctl/cli_words.h"

struct error;

struct run_conf {
	const char *attach_path;	/* of attach.sock */
	struct port_name name;
	const char *ifname;
	const uint8_t *mac;		/* or NULL for the fixed one of the name */
	const char *medium;		/* "tap", "packet", or NULL for what works */
	bool dhcp;			/* get an address before the command starts */
	char **argv;			/* the command, ended by NULL */
};

/* run_command() - Return: the command's exit status, 128 + signal when a signal ended it, 126 or 127 when it cannot be
 * started; or a negative errno with @err when things did not get that far.
 */
int run_command(const struct run_conf *conf, struct error *err);

#endif
