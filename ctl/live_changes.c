// SPDX-License-Identifier: GPL-2.0-or-later
/* The journal of what the keeper has changed on the host, for people to read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_hostif.h"

static json_t *change_json(const struct host_change *c)
{
	static const char *const kinds[] = {
		[HOST_CHANGE_FILE] = "file", [HOST_CHANGE_INTERFACE] = "interface", [HOST_CHANGE_ADDRESS] = "address",
		[HOST_CHANGE_SYSCTL] = "sysctl", [HOST_CHANGE_FILTER] = "filter", [HOST_CHANGE_TABLE] = "table",
		[HOST_CHANGE_NAMES] = "names", [HOST_CHANGE_ROUTES] = "routes",
	};
	time_t t = (time_t)c->wall_s;
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_pack("{s:I s:s s:s s:s s:s s:s s:s}", "order", (json_int_t)c->order, "network", strchr(c->name, ':') ? strchr(c->name, ':') + 1 : c->name, "kind", kinds[c->kind], "target",
			 c->target, "before", c->before, "after", c->after, "since", when);
}

static int by_order(const void *a, const void *b)
{
	const struct host_change *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

/* read_changes() - those that are whole; Return: how many */
static size_t read_changes(int fd, struct host_change **list)
{
	struct host_change *more, c;
	size_t n = 0;

	*list = NULL;
	for (off_t at = 0; pread(fd, &c, sizeof(c), at) == sizeof(c); at += (off_t)sizeof(c)) {
		if (!host_change_check(&c))
			continue;
		more = realloc(*list, (n + 1) * sizeof(c));
		if (!more)
			break;
		*list = more;
		more[n++] = c;
	}
	if (n)
		qsort(*list, n, sizeof(c), by_order);
	return n;
}

json_t *live_hostif_changes(struct engine *e, struct error *err)
{
	int fd = host_changes(e->host, err);
	struct host_change *list;
	json_t *array;
	size_t n;

	if (fd < 0)
		return NULL;
	n = read_changes(fd, &list);
	close(fd);
	array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, change_json(&list[i]));
	free(list);
	return array;
}
