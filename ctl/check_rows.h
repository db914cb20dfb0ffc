/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_rows.h - the contract of the modes as a table: what each of 25 probes is to see
 *
 * One row for each probe, one letter for each mode; `lanyard check` and the tests of every mode and NAT back end walk the same rows.
 * Pure, any thread. Source: DESIGN section 4.
 */
#ifndef CTL_CHECK_ROWS_H
#define CTL_CHECK_ROWS_H

#include <stdbool.h>
#include <stdint.h>

enum { CHECK_ROWS = 25 };

/* in the order of the table's letters */
enum check_mode { CHECK_NAT, CHECK_NAT_NETWORK, CHECK_HOST_ONLY, CHECK_INTERNAL, CHECK_BRIDGED, CHECK_ROUTED, CHECK_MODES };

enum check_access { CHECK_ACCESS_NONE, CHECK_ACCESS_OWN, CHECK_ACCESS_LOOPBACK };

/* check_terms - the settings of a network that the contract depends on */
struct check_terms {
	enum check_mode mode;
	enum check_access access;
	bool dhcp, dns;			/* does it have them switched on? */
	bool addressed;			/* it has a subnet */
	bool ip6;
	bool delegates;			/* prefixes, to routers among its guests */
	bool peered;			/* there is a network that it reaches, or is reached from, by `net peer` */
	bool kernel;			/* the host's kernel translates: guests' frames get to an interface of it */
};

enum check_want {
	WANT_YES,			/* must succeed */
	WANT_NO,			/* must fail */
	WANT_FORWARD,			/* must succeed, by a forward that was asked for */
	WANT_REFUSED,			/* asking for it must be an error */
	WANT_NOTHING,			/* the mode says nothing of it, or not with these settings */
};

struct check_row {
	uint8_t number;			/* 1..CHECK_ROWS */
	const char *modes;		/* a letter for each mode; the table's comment tells their meaning */
	const char *what;		/* the probe in words */
};

extern const struct check_row check_rows[CHECK_ROWS];

enum check_want check_want(const struct check_row *row, const struct check_terms *terms);

/* check_want_name() - "yes", "no", "by forward", "refused", "-" */
const char *check_want_name(enum check_want want);

/* check_mode_parse() - a mode's name or alias; check_access_parse() - "none", "own", "loopback". Return: -1 for none of them */
int check_mode_parse(const char *name);
int check_access_parse(const char *name);

#endif
