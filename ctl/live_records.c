// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/engine.h"
#include "dhcp/dns.h"

/* rows - records in order of their names */
struct rows {
	struct record_conf *of;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	const struct record_conf *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->type != y->type ? (x->type < y->type ? -1 : 1) : strcmp(x->value, y->value);
}

static size_t count_list(const char *list)
{
	const char *name;
	size_t n = 0, size;

	while (model_list_next(&list, &name, &size))
		n++;
	return n;
}

static size_t count_aliases(const struct net_conf *conf)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->nports; i++)
		n += count_list(conf->ports[i].aliases);
	for (size_t i = 0; i < conf->nreservations; i++)
		n += count_list(conf->reservations[i].aliases);
	return n;
}

static void add_aliases(struct rows *rows, const char *list, const char *of)
{
	const char *name;
	size_t size;

	while (model_list_next(&list, &name, &size)) {
		struct record_conf *r = &rows->of[rows->n++];

		memcpy(r->name, name, size);
		r->type = RECORD_CNAME;
		strcpy(r->value, of);
	}
}

/* wanted() - all that the model says; .of is NULL without memory */
static struct rows wanted(const struct net_conf *conf)
{
	struct rows rows = { calloc(conf->nrecords + count_aliases(conf) + 1, sizeof(*rows.of)), 0 };

	if (!rows.of)
		return rows;
	if (conf->nrecords)
		memcpy(rows.of, conf->records, conf->nrecords * sizeof(*rows.of));
	rows.n = conf->nrecords;
	for (size_t i = 0; i < conf->nports; i++)
		add_aliases(&rows, conf->ports[i].aliases, conf->ports[i].name);
	for (size_t i = 0; i < conf->nreservations; i++)
		add_aliases(&rows, conf->reservations[i].aliases, reservation_host(&conf->reservations[i]));
	qsort(rows.of, rows.n, sizeof(*rows.of), by_name);
	return rows;
}

/* group() - how many from @i on have the same name */
static size_t group(const struct rows *rows, size_t i)
{
	size_t n = 0;

	while (i + n < rows->n && !strcmp(rows->of[i].name, rows->of[i + n].name))
		n++;
	return n;
}

/* set_name() - these are the records of their name now; with @n 0 the first one says the name, which has none any more */
static int set_name(struct live_net *net, const struct record_conf *of, size_t n)
{
	const struct dns_name *origin = &net->zone->origin;
	struct dns_record *records = calloc(n + 1, sizeof(*records));
	struct dns_name owner;
	int rc = records ? dns_owner_parse(&owner, of->name, origin) : -ENOMEM;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = dns_record_parse(&records[i], (uint16_t)of[i].type, of[i].value, origin);
	if (rc == 0)
		rc = names_assign(net->names, &owner, records, (unsigned)n);
	free(records);
	return rc;
}

static bool same(const struct record_conf *a, const struct record_conf *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (by_name(&a[i], &b[i]))
			return false;
	return true;
}

static void change(struct live_net *net, const struct record_conf *of, size_t n)
{
	int rc = set_name(net, of, n);

	if (rc < 0)
		log_warn("net=%s event=record-refused name=%s reason=\"%s\"", net->name, of->name, strerror(-rc));
}

/* Both are in order, so one walk over the two finds what differs. */
void live_records_configure(struct live_net *net)
{
	struct rows old = { net->records, net->nrecords }, new = wanted(net->conf);
	size_t i = 0, j = 0;

	if (!new.of) {
		log_warn("net=%s event=records-failed reason=\"out of memory\"", net->name);
		return;
	}
	while (i < old.n || j < new.n) {
		size_t had = group(&old, i), has = group(&new, j);
		int order = !had ? 1 : !has ? -1 : strcmp(old.of[i].name, new.of[j].name);

		if (order < 0)
			change(net, &old.of[i], 0);
		else if (order > 0 || had != has || !same(&old.of[i], &new.of[j], has))
			change(net, &new.of[j], has);
		i += order <= 0 ? had : 0;
		j += order >= 0 ? has : 0;
	}
	free(net->records);
	net->records = new.of;
	net->nrecords = new.n;
}
