// SPDX-License-Identifier: GPL-2.0-or-later
/* Bindings of IPv6 as the API shows them and takes them away. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/engine.h"
#include "dhcp/lease6.h"

struct list {
	const struct live_segment *seg;
	json_t *array;
};

static void add(void *arg, const struct lease6_record *r)
{
	const struct list *list = arg;
	char ip[PREFIX6_TEXT], via[ADDR_TEXT];
	struct live_lease l = {
		.seg = list->seg, .ip = lease6_text(r->place, ip), .mac = r->mac, .port = r->port, .hostname = r->hostname, .id = r->duid,
		.id_size = r->duid_size, .state = r->state, .expires_wall_s = r->expires_wall_s,
	};
	json_t *o = live_lease_tree(&l);

	json_object_set_new(o, "iaid", json_integer((json_int_t)r->iaid));
	if (r->place.len < 128)
		json_object_set_new(o, "via", json_string(addr_format(r->via, via)));
	json_array_append_new(list->array, o);
}

void live_leases6(const struct live_segment *seg, json_t *array)
{
	lease6_each(seg->leases6, add, &(struct list){ seg, array });
}

/* find() - the one segment on which @port (NULL: anybody) has @a; NULL: none, or *@several do */
static struct live_segment *find(struct live_net *net, const char *port, struct addr a, bool *several)
{
	struct live_segment *seg, *found = NULL;
	struct lease6_record r;

	*several = false;
	LIST_FOREACH(seg, &net->segments, link) {
		if (!seg->leases6 || seg->leaving || lease6_find(seg->leases6, a, &r) < 0 || (port && strcmp(r.port, port)))
			continue;
		*several = found;
		found = seg;
	}
	return *several ? NULL : found;
}

void live_lease6_free(struct engine *e, const char *name, const char *port, struct addr a, live_done_fn *done, void *arg)
{
	struct live_net *net = live_net_find(e, name);
	bool several = false;
	struct live_segment *seg = net ? find(net, port, a, &several) : NULL;
	struct error err = { 0 };
	struct lease6_record r;
	char text[ADDR_TEXT];

	if (!seg || lease6_free(seg->leases6, a, (int64_t)(clock_wall_ms() / 1000), &r) < 0) {
		if (several)
			error_set(&err, -EINVAL, "network %s: several guests have %s; say whose lease", name, addr_format(a, text));
		else
			error_set(&err, -ENOENT, "network %s: no lease of %s", name, addr_format(a, text));
		done(arg, &err);
		return;
	}
	lease6_follow(seg, &r);
	lease6_store_put(seg, &r, 1, done, arg);
}
