// SPDX-License-Identifier: GPL-2.0-or-later
/* Which subnet each network and each segment has: chosen where none was given, and none that is another's. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

enum { SUBNET_TRIES = 1024, SUBNETS = 1 << 14 };	/* there are 2^14 /24s in 10.64.0.0/10 */

/* place - of a walk over all networks and their segments */
struct place {
	size_t net, segment;		/* the next; segment 0 is the network itself */
};

static const struct net_conf *next_place(const struct model *model, struct place *at)
{
	const struct net_conf *net = &model->networks[at->net];
	size_t segment = at->segment;

	if (at->net == model->nnetworks)
		return NULL;
	if (at->segment++ == net->nsegments)
		*at = (struct place){ .net = at->net + 1 };
	return segment ? &net->segments[segment - 1].net : net;
}

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
	struct place at = { 0 };

	for (const struct net_conf *other; (other = next_place(model, &at));)
		if (other->has_subnet && overlap(other->subnet, subnet) && !may_share(other, net))
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

static int choose_for(struct model_ctx *ctx, const struct model *model, struct net_conf *net)
{
	if (net->has_subnet || (!net->has_nat && net->mode != NET_HOST_ONLY))
		return 0;
	return net->mode == NET_HOST_ONLY ? choose_host_only(ctx, model, net) : net->mode == NET_NAT ? choose_alone(ctx, model, net) :
														choose(ctx, model, net);
}

int subnet_choose(struct model_ctx *ctx, struct model *model, const json_t *networks)
{
	for (size_t i = 0; i < model->nnetworks; i++) {
		struct net_conf *net = &model->networks[i];
		struct ctx_mark mark = ctx_enter(ctx, networks, net->name, "network", net->name);
		int rc = choose_for(ctx, model, net);

		for (size_t j = 0; rc == 0 && j < net->nsegments; j++)
			rc = choose_for(ctx, model, &net->segments[j].net);
		ctx_leave(ctx, mark);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int by_subnet(const void *a, const void *b)
{
	const struct net_conf *x = *(const struct net_conf *const *)a, *y = *(const struct net_conf *const *)b;

	return x->subnet.addr != y->subnet.addr ? (x->subnet.addr < y->subnet.addr ? -1 : 1) : x->subnet.len - y->subnet.len;
}

static int overlapping(struct model_ctx *ctx, const json_t *networks, const struct net_conf *a, const struct net_conf *b)
{
	struct ctx_mark mark = ctx_enter(ctx, networks, b->name, "network", b->name);
	const json_t *at = json_object_get(networks, b->name);
	char text[PREFIX4_TEXT], theirs[PREFIX4_TEXT];

	if (a->owner == b->owner)
		ctx_fail(ctx, at, "subnet", -EINVAL, "%s overlaps that of network %s, %s", prefix4_format(b->subnet, text), a->name,
			 prefix4_format(a->subnet, theirs));
	else
		ctx_fail(ctx, at, "subnet", -EINVAL, "%s overlaps that of another network", prefix4_format(b->subnet, text));
	ctx_leave(ctx, mark);
	return -EINVAL;
}

/* check_subnets4() - in the order of their beginnings, so that one meets the widest before it; those that may share are apart */
static int check_subnets4(struct model_ctx *ctx, const struct net_conf **list, size_t n, const json_t *networks)
{
	const struct net_conf *before[2] = { NULL, NULL };
	int rc = 0;

	if (n)
		qsort(list, n, sizeof(*list), by_subnet);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		unsigned sort = list[i]->mode == NET_NAT;

		for (unsigned k = 0; rc == 0 && k < ARRAY_SIZE(before); k++)
			if (before[k] && overlap(before[k]->subnet, list[i]->subnet) && !may_share(before[k], list[i]))
				rc = overlapping(ctx, networks, before[k], list[i]);
		if (!before[sort] || prefix4_last(before[sort]->subnet) < prefix4_last(list[i]->subnet))
			before[sort] = list[i];
	}
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
static int check_subnets6(struct model_ctx *ctx, const struct net_conf **list, size_t n, const json_t *networks)
{
	int rc = 0;

	if (n)
		qsort(list, n, sizeof(*list), by_subnet6);
	for (size_t i = 1; rc == 0 && i < n; i++)
		if (addr_equal(list[i - 1]->subnet6.addr, list[i]->subnet6.addr))
			rc = same_subnet6(ctx, networks, list[i - 1], list[i]);
	return rc;
}

static int holding(struct model_ctx *ctx, const json_t *networks, const struct net_conf *net, const struct net_conf *other)
{
	struct ctx_mark mark = ctx_enter(ctx, networks, net->name, "network", net->name);
	char text[PREFIX6_TEXT];

	ctx_fail(ctx, json_object_get(networks, net->name), "dhcp6", -EINVAL, "prefixes: %s holds the IPv6 subnet of %s%s",
		 prefix6_format(net->ip6.prefixes, text), other->owner == net->owner ? "network " : "another network",
		 other->owner == net->owner ? other->name : "");
	ctx_leave(ctx, mark);
	return -EINVAL;
}

/* check_delegated() - in the same order: the first subnet behind the beginning of what is delegated is in it, or none is. A router among
 * the guests would have what is for those of another network, and could speak in their names. */
static int check_delegated(struct model_ctx *ctx, const struct net_conf **list, size_t n, const json_t *networks)
{
	for (size_t i = 0; i < n; i++) {
		const struct prefix6 *given = &list[i]->ip6.prefixes;
		size_t low = 0, high = n;

		while (given->len && low < high) {
			size_t mid = (low + high) / 2;

			if (memcmp(list[mid]->subnet6.addr.bytes, given->addr.bytes, ADDR_SIZE) < 0)
				low = mid + 1;
			else
				high = mid;
		}
		if (given->len && low < n && addr_in(*given, list[low]->subnet6.addr))
			return holding(ctx, networks, list[i], list[low]);
	}
	return 0;
}

static int by_delegated(const void *a, const void *b)
{
	const struct net_conf *x = *(const struct net_conf *const *)a, *y = *(const struct net_conf *const *)b;

	return memcmp(x->ip6.prefixes.addr.bytes, y->ip6.prefixes.addr.bytes, ADDR_SIZE);
}

/* check_pools() - where the host is the gateway it has one way to each place: none of them lies in another's */
static int check_pools(struct model_ctx *ctx, const struct net_conf **list, size_t n, const json_t *networks)
{
	const struct net_conf *widest = NULL;
	char text[PREFIX6_TEXT];
	size_t nhosts = 0;

	for (size_t i = 0; i < n; i++)
		if (list[i]->has_host && list[i]->ip6.prefixes.len)
			list[nhosts++] = list[i];
	if (nhosts)
		qsort(list, nhosts, sizeof(*list), by_delegated);
	for (size_t i = 0; i < nhosts; i++) {
		const struct prefix6 *p = &list[i]->ip6.prefixes;

		if (widest && (addr_in(widest->ip6.prefixes, p->addr) || addr_in(*p, widest->ip6.prefixes.addr))) {
			struct ctx_mark mark = ctx_enter(ctx, networks, list[i]->name, "network", list[i]->name);

			ctx_fail(ctx, json_object_get(networks, list[i]->name), "dhcp6", -EINVAL, "prefixes: %s overlaps what %s%s delegates",
				 prefix6_format(*p, text), widest->owner == list[i]->owner ? "network " : "another network",
				 widest->owner == list[i]->owner ? widest->name : "");
			ctx_leave(ctx, mark);
			return -EINVAL;
		}
		widest = list[i];
	}
	return 0;
}

int check_subnets(struct model_ctx *ctx, const struct model *model, const json_t *networks)
{
	const struct net_conf **list4, **list6, *net;
	size_t n = 0, n4 = 0, n6 = 0;
	struct place at = { 0 };
	int rc;

	while (next_place(model, &at))
		n++;
	list4 = calloc(2 * n + 1, sizeof(*list4));
	if (!list4)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	list6 = list4 + n;
	for (at = (struct place){ 0 }; (net = next_place(model, &at));) {
		if (net->has_subnet)
			list4[n4++] = net;
		if (net->subnet6.len)
			list6[n6++] = net;
	}
	rc = check_subnets4(ctx, list4, n4, networks);
	if (rc == 0)
		rc = check_subnets6(ctx, list6, n6, networks);
	if (rc == 0)
		rc = check_delegated(ctx, list6, n6, networks);
	if (rc == 0)
		rc = check_pools(ctx, list6, n6, networks);
	free(list4);
	return rc;
}
