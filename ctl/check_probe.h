/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_probe.h - the rows of the contract, probed on a live network */
#ifndef CTL_CHECK_PROBE_H
#define CTL_CHECK_PROBE_H

#include <stdbool.h>

#include "ctl/check_rows.h"
#include "ctl/check_trial.h"

enum { RESULT_TRIALS = 8, RESULT_TEXT = 256 };

/* check_result - what became of one row */
struct check_result {
	const struct check_row *row;
	enum check_want want;
	struct trial trials[RESULT_TRIALS];
	unsigned ntrials;
	char skipped[RESULT_TEXT];	/* why it was not probed, or empty */
	char note[RESULT_TEXT];		/* what was left out of it, or what the reader should know of a difference */
};

/* probe_row() - do the trials of @r->row, which @r->want says something about; the rest of @r is zero */
void probe_row(struct check *c, struct check_result *r);

/* result_as_expected() - did each trial end as it must? So is a row that was not probed. */
bool result_as_expected(const struct check_result *r);

/* result_seen() - "yes", "no", "refused", or each trial by its name when they differ */
void result_seen(const struct check_result *r, char *text, size_t room);

#endif
