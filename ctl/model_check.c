// SPDX-License-Identifier: GPL-2.0-or-later
/* What no single object can know: addresses, listeners and devices that would be used twice. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

enum { SUBNET_TRIES = 1024, SUBNETS = 1 << 14 };	/* there are 2^14 /24s in 10.64.0.0/10 */

static bool overlap(struct prefix4 a, struct prefix4 b)
{
	return prefix4_has(a, b.addr) || prefix4_has(b, a.addr);
}

static bool host_has(const struct model_ctx *ctx, struct prefix4 subnet)
{
	return ctx->env && ctx->env->subnet_free && !ctx->env->subnet_free(ctx->env->arg, subnet);
}

/* may_share() - addresses of a nat network are nobody's but its own guests', each of whom sees no other: all such may have the same */
static bool may_share(const struct net_conf *a, const struct net_conf *b)
{
	return a->mode == NET_NAT && b->mode == NET_NAT;
}

static bool subnet_taken(const struct model *model, const struct net_conf *net, struct prefix4 subnet)
{
	for (size_t i = 0; i < model->nnetworks; i++)
		if (model->networks[i].has_subnet && overlap(model->networks[i].subnet, subnet) && !may_share(&model->networks[i], net))
			return true;
	return false;
}

static int choose(struct model_ctx *ctx, const struct model *model, struct net_conf *net)
{
	/* The seed is a constant, so that a name means the same place on every host. */
	uint32_t first = (uint32_t)hash_bytes(net->name, strlen(net->name), 0x7375626e6574ull);

	/* Where the host has a route for all of them (a VPN's, say) one that is only the host's will do: guests' addresses never leave */
	for (uint32_t i = 0; i < 2 * SUBNET_TRIES; i++) {
		struct prefix4 subnet = { 0x0a400000u | ((first + i % SUBNET_TRIES) % SUBNETS) << 8, 24 };

		if (subnet_taken(model, net, subnet) || (i < SUBNET_TRIES && host_has(ctx, subnet)))
			continue;
		net->subnet = subnet;
		net->has_subnet = true;
		return 0;
	}
	return ctx_fail(ctx, NULL, NULL, -ENOSPC, "no free subnet found in 10.64.0.0/10; give one with subnet");
}

/* choose_host_only() - where VirtualBox has it, or in the next place where neither a network nor the host is */
static int choose_host_only(struct model_ctx *ctx, const struct model *model, struct net_conf *net)
{
	for (uint32_t at = 0xc0a83800u; at <= 0xc0a8ff00u; at += 256) {
		struct prefix4 subnet = { at, 24 };

		if (subnet_taken(model, net, subnet) || host_has(ctx, subnet))
			continue;
		net->subnet = subnet;
		net->has_subnet = true;
		return 0;
	}
	return ctx_fail(ctx, NULL, NULL, -ENOSPC, "no free subnet found from 192.168.56.0/24 upward; give one with subnet");
}

/* choose_alone() - 10.0.2.0/24 as everywhere, or where another network or the host is there, the next: 10.0.3.0/24 ... */
static int choose_alone(struct model_ctx *ctx, const struct model *model, struct net_conf *net)
{
	enum { PLACES = 254 };

	for (uint32_t i = 0; i < 2 * PLACES; i++) {
		struct prefix4 subnet = { 0x0a000200u + (i % PLACES << 8), 24 };

		if (subnet_taken(model, net, subnet) || (i < PLACES && host_has(ctx, subnet)))
			continue;
		net->subnet = subnet;
		net->has_subnet = true;
		return 0;
	}
	return ctx_fail(ctx, NULL, NULL, -ENOSPC, "no free subnet found from 10.0.2.0/24 upward; give one with subnet");
}

int subnet_choose(struct model_ctx *ctx, struct model *model, const json_t *networks)
{
	for (size_t i = 0; i < model->nnetworks; i++) {
		struct net_conf *net = &model->networks[i];
		struct ctx_mark mark;
		int rc;

		if (net->has_subnet || (!net->has_nat && net->mode != NET_HOST_ONLY))
			continue;
		mark = ctx_enter(ctx, networks, net->name, "network", net->name);
		rc = net->mode == NET_HOST_ONLY ? choose_host_only(ctx, model, net) :
		     net->mode == NET_NAT ? choose_alone(ctx, model, net) : choose(ctx, model, net);
		ctx_leave(ctx, mark);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* use - one thing that only one object may have; sorted, so that equal ones meet */
struct use {
	char what[MODEL_PATH_TEXT + 48];	/* compared */
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

static int check_reservations(struct model_ctx *ctx, const struct net_conf *net, const json_t *networks, struct uses *uses)
{
	char text[IP4_TEXT];

	uses->n = 0;
	for (size_t i = 0; i < net->nreservations && net->mode != NET_NAT; i++)
		use(uses, net, net->reservations[i].port, "address %s", ip4_format(net->reservations[i].ip, text));
	return uses_twice(ctx, networks, uses, "reservations", "reservation", NULL, -EINVAL);
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

static int by_subnet(const void *a, const void *b)
{
	const struct net_conf *x = *(const struct net_conf *const *)a, *y = *(const struct net_conf *const *)b;

	return x->subnet.addr != y->subnet.addr ? (x->subnet.addr < y->subnet.addr ? -1 : 1) : x->subnet.len - y->subnet.len;
}

static int overlapping(struct model_ctx *ctx, const json_t *networks, const struct net_conf *a, const struct net_conf *b)
{
	struct ctx_mark mark = ctx_enter(ctx, networks, b->name, "network", b->name);
	char text[PREFIX4_TEXT];

	ctx_fail(ctx, json_object_get(networks, b->name), "subnet", -EINVAL, "%s overlaps that of %s%s",
		 prefix4_format(b->subnet, text), a->owner == b->owner ? "network " : "another network",
		 a->owner == b->owner ? a->name : "");
	ctx_leave(ctx, mark);
	return -EINVAL;
}

/* check_subnets() - in the order of their beginnings, so that one meets the widest before it; those that may share are apart */
static int check_subnets(struct model_ctx *ctx, const struct model *model, const json_t *networks)
{
	const struct net_conf **list = calloc(model->nnetworks + 1, sizeof(*list)), *before[2] = { NULL, NULL };
	size_t n = 0;
	int rc = 0;

	if (!list)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < model->nnetworks; i++)
		if (model->networks[i].has_subnet)
			list[n++] = &model->networks[i];
	qsort(list, n, sizeof(*list), by_subnet);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		unsigned sort = list[i]->mode == NET_NAT;

		for (unsigned k = 0; rc == 0 && k < ARRAY_SIZE(before); k++)
			if (before[k] && overlap(before[k]->subnet, list[i]->subnet) && !may_share(before[k], list[i]))
				rc = overlapping(ctx, networks, before[k], list[i]);
		if (!before[sort] || prefix4_last(before[sort]->subnet) < prefix4_last(list[i]->subnet))
			before[sort] = list[i];
	}
	free(list);
	return rc;
}

static int by_subnet6(const void *a, const void *b)
{
	const struct net_conf *x = *(const struct net_conf *const *)a, *y = *(const struct net_conf *const *)b;

	return memcmp(x->subnet6.addr.bytes, y->subnet6.addr.bytes, ADDR_SIZE);
}

static int same_subnet6(struct model_ctx *ctx, const json_t *networks, const struct net_conf *a, const struct net_conf *b)
{
	struct ctx_mark mark = ctx_enter(ctx, networks, b->name, "network", b->name);
	char text[PREFIX6_TEXT];

	ctx_fail(ctx, json_object_get(networks, b->name), "subnet6", -EINVAL, "%s is that of %s%s",
		 prefix6_format(b->subnet6, text), a->owner == b->owner ? "network " : "another network",
		 a->owner == b->owner ? a->name : "");
	ctx_leave(ctx, mark);
	return -EINVAL;
}

/* check_subnets6() - all have the same length: two overlap only when they are equal */
static int check_subnets6(struct model_ctx *ctx, const struct model *model, const json_t *networks)
{
	const struct net_conf **list = calloc(model->nnetworks + 1, sizeof(*list));
	size_t n = 0;
	int rc = 0;

	if (!list)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < model->nnetworks; i++)
		if (model->networks[i].subnet6.len)
			list[n++] = &model->networks[i];
	qsort(list, n, sizeof(*list), by_subnet6);
	for (size_t i = 1; rc == 0 && i < n; i++)
		if (addr_equal(list[i - 1]->subnet6.addr, list[i]->subnet6.addr))
			rc = same_subnet6(ctx, networks, list[i - 1], list[i]);
	free(list);
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
	if (rc == 0)
		rc = check_subnets6(ctx, model, networks);
	for (size_t i = 0; rc == 0 && i < model->nnetworks; i++) {
		rc = check_macs(ctx, &model->networks[i], networks, &uses);
		if (rc == 0)
			rc = check_reservations(ctx, &model->networks[i], networks, &uses);
		if (rc == 0)
			rc = check_records(ctx, &model->networks[i], networks);
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
