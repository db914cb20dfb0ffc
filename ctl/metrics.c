// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/metrics.h"

#include <inttypes.h>

static const struct {
	const char *name, *suffix;
} types[] = {
	[METRIC_COUNTER] = { "counter", "_total" }, [METRIC_GAUGE] = { "gauge", "" }, [METRIC_INFO] = { "info", "_info" },
};

/* put_escaped() - as a label's value, and as a help text, may stand in the page */
static void put_escaped(FILE *page, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", page);
		else if (*text == '"' || *text == '\\')
			fprintf(page, "\\%c", *text);
		else
			fputc(*text, page);
	}
}

void metric_family(FILE *page, const struct metric *m)
{
	fprintf(page, "# TYPE %s %s\n", m->name, types[m->type].name);
	if (m->unit)
		fprintf(page, "# UNIT %s %s\n", m->name, m->unit);
	fprintf(page, "# HELP %s ", m->name);
	put_escaped(page, m->help);
	fputc('\n', page);
}

void metric_sample(FILE *page, const struct metric *m, const struct metric_label *labels, uint64_t value)
{
	char before = '{';

	fprintf(page, "%s%s", m->name, types[m->type].suffix);
	for (unsigned i = 0; labels && i < METRIC_LABELS && labels[i].name; i++) {
		if (!labels[i].value)
			continue;
		fprintf(page, "%c%s=\"", before, labels[i].name);
		put_escaped(page, labels[i].value);
		fputc('"', page);
		before = ',';
	}
	fprintf(page, "%s %" PRIu64 "\n", before == ',' ? "}" : "", value);
}

void metrics_end(FILE *page)
{
	fputs("# EOF\n", page);
}
