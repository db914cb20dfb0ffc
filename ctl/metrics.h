/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/metrics.h - the text of an OpenMetrics page (OpenMetrics 1.0.0, section "Text Format")
 *
 * A page is families one after another, each followed by its samples, and metrics_end(). What is wrong in a page is wrong in the
 * caller's tables, so nothing here fails but the stream, which its owner asks at the end (ferror()). Any thread.
 */
#ifndef CTL_METRICS_H
#define CTL_METRICS_H

#include <stdint.h>
#include <stdio.h>

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_INFO };

struct metric {
	const char *name;		/* of the family: ends with _UNIT where there is a unit, never with _total or _info */
	enum metric_type type;
	const char *unit;		/* "bytes", or NULL for plain numbers */
	const char *help;
};

enum { METRIC_LABELS = 3 };

/* metric_label - @value is escaped here; a label with value NULL is left out, a name of NULL ends a list */
struct metric_label {
	const char *name, *value;
};

/* metric_family() - what the samples that follow are about; metric_sample() - one of them, with up to METRIC_LABELS labels
 * metrics_end() - the end of the page, without which a reader has to take it for cut short */
void metric_family(FILE *page, const struct metric *m);
void metric_sample(FILE *page, const struct metric *m, const struct metric_label *labels, uint64_t value);
void metrics_end(FILE *page);

#endif
