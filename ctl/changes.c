// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* same_tree() - equal exports; takes both. Out of memory counts as a difference: then too much is done, never too little. */
static bool same_tree(json_t *a, json_t *b)
{
	bool same = a && b && json_equal(a, b);

	json_decref(a);
	json_decref(b);
	return same;
}

static bool same_net(const struct net_conf *a, const struct net_conf *b, unsigned flags)
{
	return same_tree(net_export(a, flags | MODEL_OWNER), net_export(b, flags | MODEL_OWNER));
}

bool net_equal(const struct net_conf *a, const struct net_conf *b)
{
	return same_net(a, b, MODEL_EFFECTIVE);
}

bool port_equal(const struct port_conf *a, const struct port_conf *b)
{
	return same_tree(port_export(NULL, a, MODEL_EFFECTIVE), port_export(NULL, b, MODEL_EFFECTIVE));
}

bool segment_equal(const struct segment_conf *a, const struct segment_conf *b)
{
	return same_tree(segment_export(a, MODEL_EFFECTIVE), segment_export(b, MODEL_EFFECTIVE));
}

bool group_equal(const struct group_conf *a, const struct group_conf *b)
{
	return same_tree(group_export(NULL, a, 0), group_export(NULL, b, 0));
}

bool forward_same_sockets(const struct forward_conf *a, const struct forward_conf *b)
{
	return !strcmp(a->id, b->id) && a->port == b->port && a->count == b->count && a->proto == b->proto &&
	       a->nlisten == b->nlisten && !memcmp(a->listen, b->listen, a->nlisten * sizeof(a->listen[0]));
}

bool forward_equal(const struct forward_conf *a, const struct forward_conf *b)
{
	return forward_same_sockets(a, b) && a->source == b->source && a->to_port == b->to_port && !strcmp(a->to, b->to) &&
	       a->to_ip == b->to_ip;
}

bool record_equal(const struct record_conf *a, const struct record_conf *b)
{
	return a->type == b->type && !strcmp(a->name, b->name) && !strcmp(a->value, b->value);
}

bool reservation_equal(const struct reservation_conf *a, const struct reservation_conf *b)
{
	return same_tree(reservation_export(a), reservation_export(b));
}

static bool same_ports(const void *a, const void *b, bool written)
{
	return port_equal(a, b) && (!written || same_tree(port_export(NULL, a, 0), port_export(NULL, b, 0)));
}

static bool same_forwards(const void *a, const void *b, bool written)
{
	const struct forward_conf *x = a, *y = b;

	return forward_equal(x, y) && (!written || x->listen_given == y->listen_given);
}

static bool same_records(const void *a, const void *b, bool written)
{
	(void)written;
	return record_equal(a, b);
}

static bool same_reservations(const void *a, const void *b, bool written)
{
	(void)written;
	return reservation_equal(a, b);
}

static int order_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int order_records(const void *a, const void *b)
{
	const struct record_conf *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (int)x->type - (int)y->type;
}

/* kinds - where a network keeps its members, and how two of them compare */
static const struct kind {
	enum change_what what;
	size_t list, count, size;
	int (*order)(const void *a, const void *b);
	bool (*same)(const void *a, const void *b, bool written);
} kinds[] = {
	{ CHANGE_PORT, offsetof(struct net_conf, ports), offsetof(struct net_conf, nports), sizeof(struct port_conf),
	  order_names, same_ports },
	{ CHANGE_FORWARD, offsetof(struct net_conf, forwards), offsetof(struct net_conf, nforwards),
	  sizeof(struct forward_conf), order_names, same_forwards },
	{ CHANGE_RESERVATION, offsetof(struct net_conf, reservations), offsetof(struct net_conf, nreservations),
	  sizeof(struct reservation_conf), order_names, same_reservations },
	{ CHANGE_RECORD, offsetof(struct net_conf, records), offsetof(struct net_conf, nrecords),
	  sizeof(struct record_conf), order_records, same_records },
};

struct walk {
	bool written;
	changes_fn *each;
	void *arg;
};

static void tell(const struct walk *w, enum change_action action, enum change_what what, const struct net_conf *old_net,
		 const struct net_conf *new_net, const void *old, const void *new)
{
	struct change change = { action, what, old_net, new_net, old, new };
	const struct port_conf *port = old ? old : new;

	if (what == CHANGE_PORT && (port->kind == PORT_KIND_HOST || port->kind == PORT_KIND_UPLINK))
		return;			/* it comes and goes with its network's mode */
	w->each(w->arg, &change);
}

static const char *list_of(const struct kind *kind, const struct net_conf *net, size_t *n)
{
	*n = net ? *(const size_t *)(const void *)((const char *)net + kind->count) : 0;
	return net ? *(const char *const *)(const void *)((const char *)net + kind->list) : NULL;
}

/* members() - both lists are sorted: walk them side by side */
static void members(const struct walk *w, const struct kind *kind, const struct net_conf *old_net,
		    const struct net_conf *new_net)
{
	size_t nold, nnew;
	const char *old = list_of(kind, old_net, &nold), *new = list_of(kind, new_net, &nnew);

	while (nold || nnew) {
		int order = !nold ? 1 : !nnew ? -1 : kind->order(old, new);

		if (order < 0)
			tell(w, CHANGE_REMOVE, kind->what, old_net, new_net, old, NULL);
		else if (order > 0)
			tell(w, CHANGE_ADD, kind->what, old_net, new_net, NULL, new);
		else if (!kind->same(old, new, w->written))
			tell(w, CHANGE_SET, kind->what, old_net, new_net, old, new);
		if (order <= 0) {
			old += kind->size;
			nold--;
		}
		if (order >= 0) {
			new += kind->size;
			nnew--;
		}
	}
}

static void network(const struct walk *w, const struct net_conf *old, const struct net_conf *new)
{
	if (!old)
		tell(w, CHANGE_ADD, CHANGE_NETWORK, NULL, new, NULL, NULL);
	else if (new && !(net_equal(old, new) && (!w->written || same_net(old, new, 0))))
		tell(w, CHANGE_SET, CHANGE_NETWORK, old, new, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		members(w, &kinds[i], old, new);
	if (!new)
		tell(w, CHANGE_REMOVE, CHANGE_NETWORK, old, NULL, NULL, NULL);
}

static void walk_networks(const struct walk *w, const struct model *old, const struct model *new)
{
	const struct net_conf *a = old ? old->networks : NULL, *b = new ? new->networks : NULL;
	size_t na = old ? old->nnetworks : 0, nb = new ? new->nnetworks : 0;

	while (na || nb) {
		int order = !na ? 1 : !nb ? -1 : strcmp(a->name, b->name);

		network(w, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
		if (order <= 0) {
			a++;
			na--;
		}
		if (order >= 0) {
			b++;
			nb--;
		}
	}
}

void changes_each(const struct model *old, const struct model *new, changes_fn *each, void *arg)
{
	walk_networks(&(struct walk){ false, each, arg }, old, new);
}

void changes_written(const struct model *old, const struct model *new, changes_fn *each, void *arg)
{
	walk_networks(&(struct walk){ true, each, arg }, old, new);
}

static json_t *object_of(const struct change *c)
{
	static const char *const words[] = { "network", "port", "forward", "reservation", "record" };
	const char *net = (c->new_net ? c->new_net : c->old_net)->name;
	const void *object = c->new ? c->new : c->old;
	const struct record_conf *record = object;

	if (c->what == CHANGE_NETWORK)
		return json_sprintf("network %s", net);
	if (c->what == CHANGE_RECORD)
		return json_sprintf("record %s/%s-%s", net, record->name, record_type_name(record->type));
	return json_sprintf("%s %s/%s", words[c->what], net, (const char *)object);	/* each begins with its name */
}

/* text_of() - a setting's value for people; "-" where there is none */
static char *text_of(const json_t *value)
{
	if (json_is_string(value))
		return strdup(json_string_value(value));
	return value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : strdup("-");
}

static void append_setting(json_t *list, const char *key, const json_t *old, const json_t *new)
{
	char *a = text_of(old), *b = text_of(new);

	if (a && b)
		json_array_append_new(list, json_sprintf("%s: %s to %s", key, a, b));
	free(a);
	free(b);
}

/* compare() - each setting that differs, those of a group of settings as "GROUP.SETTING" */
static void compare(json_t *list, const char *group, json_t *old, json_t *new)
{
	json_t *both = json_object(), *value;
	const char *key;

	json_object_update(both, old);
	json_object_update(both, new);
	json_object_foreach(both, key, value) {
		json_t *a = json_object_get(old, key), *b = json_object_get(new, key);
		char path[128];

		snprintf(path, sizeof(path), "%s%s%s", group, *group ? "." : "", key);
		if (json_is_object(value) && (!a || json_is_object(a)) && (!b || json_is_object(b)))
			compare(list, path, a, b);
		else if (!a || !b || !json_equal(a, b))
			append_setting(list, path, a, b);
	}
	json_decref(both);
}

/* settings_of() - those of a network that change: ["mode: internal to host-only", "dhcp.pool: ...", ...] */
static json_t *settings_of(const struct change *c)
{
	json_t *old = net_export(c->old_net, MODEL_EFFECTIVE), *new = net_export(c->new_net, MODEL_EFFECTIVE), *list = json_array();

	compare(list, "", old, new);
	json_decref(old);
	json_decref(new);
	return list;
}

static void append(void *arg, const struct change *c)
{
	static const char *const words[] = { "remove", "add", "change" };
	json_t *one = json_pack("{s:s, s:o}", "action", words[c->action], "object", object_of(c));

	if (one && c->what == CHANGE_NETWORK && c->action == CHANGE_SET)
		json_object_set_new(one, "settings", settings_of(c));
	json_array_append_new(arg, one);
}

json_t *changes_list(const struct model *old, const struct model *new)
{
	json_t *list = json_array();

	if (list)
		changes_each(old, new, append, list);
	return list;
}
