// SPDX-License-Identifier: GPL-2.0-or-later
/* What no single object can know: listeners, names and devices that would be used twice. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* use - one thing that only one object may have; sorted, so that equal ones meet */
struct use {
	char what[2 * GUEST_KEY_MAX + 48];	/* compared; a path is shorter */
	const struct net_conf *net;
	const char *object;
};

struct uses {
	struct use *list;
	size_t n;
};

static int by_what(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int order = strcmp(x->what, y->what);

	return order ? order : (x->net != y->net ? (x->net < y->net ? -1 : 1) : strcmp(x->object, y->object));
}

static void use(struct uses *uses, const struct net_conf *net, const char *object, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void use(struct uses *uses, const struct net_conf *net, const char *object, const char *fmt, ...)
{
	struct use *u = &uses->list[uses->n++];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(u->what, sizeof(u->what), fmt, ap);
	va_end(ap);
	u->net = net;
	u->object = object;
}

/* uses_twice() - sort, and report the first two that are equal */
static int uses_twice(struct model_ctx *ctx, const json_t *networks, struct uses *uses, const char *group, const char *what,
		      const char *key, int rc)
{
	qsort(uses->list, uses->n, sizeof(*uses->list), by_what);
	for (size_t i = 1; i < uses->n; i++)
		if (!strcmp(uses->list[i - 1].what, uses->list[i].what)) {
			const struct use *a = &uses->list[i - 1], *b = &uses->list[i];
			const struct claimant x = { a->net, a->object }, y = { b->net, b->object };
			bool swap = written_after(networks, x, y, group);

			return clash(ctx, networks, swap ? y : x, swap ? x : y, group, what, key,
				     shown(strchr(a->what, ' ') + 1), rc);
		}
	return 0;
}

static void use_device(struct uses *uses, const struct net_conf *net, const struct port_conf *port)
{
	if ((port->kind == PORT_KIND_STREAM || port->kind == PORT_KIND_VHOST_USER) && port->role == PORT_ROLE_SERVER &&
	    port->path[0])
		use(uses, net, port->name, "path %s", port->path);
	else if (port->kind == PORT_KIND_DGRAM)
		use(uses, net, port->name, "path %s", port->local);
	else if (port->kind == PORT_KIND_UDP)
		use(uses, net, port->name, "udp %s", port->local);
	else if (port->kind == PORT_KIND_TAP || port->kind == PORT_KIND_VMM_TAP || port->kind == PORT_KIND_HOST)
		use(uses, net, port->name, "interface %s", port->ifname);
	else if (port->kind == PORT_KIND_UPLINK)
		use(uses, net, port->name, "uplink %s", port->ifname);
	else if (port->kind == PORT_KIND_NETNS)
		use(uses, net, port->name, "%s interface %s", port->netns, port->ifname);
}

static int check_devices(struct model_ctx *ctx, const struct model *model, const json_t *networks, struct uses *uses)
{
	uses->n = 0;
	for (size_t i = 0; i < model->nnetworks; i++)
		for (size_t j = 0; j < model->networks[i].nports; j++)
			use_device(uses, &model->networks[i], &model->networks[i].ports[j]);
	return uses_twice(ctx, networks, uses, "ports", "port", NULL, -EBUSY);
}

static int check_macs(struct model_ctx *ctx, const struct net_conf *net, const json_t *networks, struct uses *uses)
{
	char text[MAC_TEXT];

	uses->n = 0;
	for (size_t i = 0; i < net->nports && net->mode != NET_NAT; i++)
		use(uses, net, net->ports[i].name, "mac %s", mac_format(net->ports[i].mac, text));
	return uses_twice(ctx, networks, uses, "ports", "port", "mac", -EINVAL);
}

/* key_text() - what a reservation knows its guest by, the same for the same guest; a port's name is there once anyhow */
static const char *key_text(const struct dhcp_reservation *r, char text[2 * GUEST_KEY_MAX + 1])
{
	for (unsigned i = 0; i < r->id_size; i++)
		sprintf(text + 2 * i, "%02x", r->id[i]);
	return text;
}

/* check_hostnames() - a name that is there before its guest has one address; each segment has its own */
static int check_hostnames(struct model_ctx *ctx, const struct net_conf *net, const json_t *networks, struct uses *uses)
{
	char subnet[PREFIX4_TEXT];

	uses->n = 0;
	for (size_t i = 0; i < net->nreservations && net->mode != NET_NAT; i++) {
		const struct dhcp_reservation *r = &net->reservations[i].of;

		if (r->ip && r->hostname[0])
			use(uses, net, r->name, "hostname %s in %s", r->hostname, prefix4_format(net_with(net, r->ip)->subnet, subnet));
	}
	return uses_twice(ctx, networks, uses, "reservations", "reservation", NULL, -EINVAL);
}

static int check_reservations(struct model_ctx *ctx, const struct net_conf *net, const json_t *networks, struct uses *uses)
{
	static const char *const keys[GUEST_KEYS] = { "client_id", "mac", "circuit", "port" };
	char text[2 * GUEST_KEY_MAX + 1];
	int rc;

	uses->n = 0;
	for (size_t i = 0; i < net->nreservations && net->mode != NET_NAT; i++)
		if (net->reservations[i].of.ip)
			use(uses, net, net->reservations[i].of.name, "address %s", ip4_format(net->reservations[i].of.ip, text));
	rc = uses_twice(ctx, networks, uses, "reservations", "reservation", NULL, -EINVAL);
	if (rc == 0)
		rc = check_hostnames(ctx, net, networks, uses);
	uses->n = 0;
	for (size_t i = 0; rc == 0 && i < net->nreservations; i++)
		if (net->reservations[i].of.key != GUEST_PORT)
			use(uses, net, net->reservations[i].of.name, "%s %s", keys[net->reservations[i].of.key], key_text(&net->reservations[i].of, text));
	return rc < 0 ? rc : uses_twice(ctx, networks, uses, "reservations", "reservation", NULL, -EINVAL);
}

static int check_records(struct model_ctx *ctx, const struct net_conf *net, const json_t *networks)
{
	struct ctx_mark mark = ctx_enter(ctx, networks, net->name, "network", net->name);
	int rc = 0;

	for (size_t i = 1; rc == 0 && i < net->nrecords; i++) {
		const struct record_conf *a = &net->records[i - 1], *b = &net->records[i];

		if (strcmp(a->name, b->name))
			continue;
		if (a->type == b->type)
			rc = ctx_fail(ctx, NULL, NULL, -EINVAL, "record %s: %s is there twice", a->name,
				      record_type_name(a->type));
		else if (a->type == RECORD_CNAME || b->type == RECORD_CNAME)	/* RFC 1034 3.6.2 */
			rc = ctx_fail(ctx, NULL, NULL, -EINVAL, "record %s: a CNAME stands alone", a->name);
	}
	ctx_leave(ctx, mark);
	return rc;
}

static size_t most_uses(const struct model *model)
{
	size_t n = 1, ports = 0;

	for (size_t i = 0; i < model->nnetworks; i++) {
		ports += model->networks[i].nports;
		n = MAX_OF(n, model->networks[i].nreservations);
	}
	return MAX_OF(n, ports);
}

int model_check(struct model_ctx *ctx, const struct model *model, const json_t *networks)
{
	struct uses uses = { .list = calloc(most_uses(model), sizeof(struct use)) };
	int rc = check_subnets(ctx, model, networks);

	if (!uses.list)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	for (size_t i = 0; rc == 0 && i < model->nnetworks; i++) {
		rc = check_macs(ctx, &model->networks[i], networks, &uses);
		if (rc == 0)
			rc = check_reservations(ctx, &model->networks[i], networks, &uses);
		if (rc == 0)
			rc = check_records(ctx, &model->networks[i], networks);
		if (rc == 0)
			rc = check_aliases(ctx, &model->networks[i], networks);
		if (rc == 0)
			rc = check_mirrors(ctx, &model->networks[i], networks);
	}
	if (rc == 0)
		rc = check_devices(ctx, model, networks, &uses);
	if (rc == 0)
		rc = check_listeners(ctx, model, networks);
	if (rc == 0)
		rc = check_peers(ctx, model, networks);
	free(uses.list);
	return rc;
}
