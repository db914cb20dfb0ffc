// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses of a network, and of each of its segments: what follows from a subnet, and what cannot be together. */
#include "ctl/model_dhcp.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "switch/packet.h"

int mapping_fail(struct model_ctx *ctx, const json_t *object, const char *group, const char *key, const char *what)
{
	struct ctx_mark mark = ctx_enter(ctx, object, group, group, "");

	ctx_fail(ctx, json_object_get(object, group), key, -EINVAL, "%s", what);
	ctx_leave(ctx, mark);
	return -EINVAL;
}

int mapping_read(struct model_ctx *ctx, const json_t *object, const char *key, const struct field *table, size_t n,
		 struct net_conf *net, field_set *set)
{
	return mapping_read_over(ctx, NULL, object, key, table, n, net, set);
}

int mapping_read_over(struct model_ctx *ctx, const json_t *below, const json_t *object, const char *key, const struct field *table, size_t n,
		      struct net_conf *net, field_set *set)
{
	const json_t *group = json_object_get(object, key);
	struct ctx_mark mark = ctx_enter(ctx, object, key, key, "");
	int rc;

	if (group && !json_is_object(group) && !json_is_null(group))
		return ctx_fail(ctx, object, NULL, -EINVAL, "is not a mapping");
	rc = layers_read(ctx, table, n, &(struct layers){ { below, group }, 2 }, net, set);
	if (rc == 0)
		rc = fields_of_kind(ctx, table, n, group, *set, net->mode, net->mode == NET_HOST_ONLY ?
				    "a host-only network: it answers local names only" :
				    "an internal network: it answers local names only");
	ctx_leave(ctx, mark);
	return rc;
}

bool guest_address(const struct net_conf *whole, uint32_t ip)
{
	const struct net_conf *net = net_with(whole, ip);

	return net && ip != net->subnet.addr &&
	       ip != prefix4_last(net->subnet) && ip != net->gateway && ip != net->dns;
}

/* check_subnet() - one that guests can be given addresses of */
static int check_subnet(struct model_ctx *ctx, const json_t *object, const struct net_conf *net)
{
	static const struct prefix4 never[] = {		/* RFC 6890, RFC 5771 */
		{ 0x00000000, 8 }, { 0x7f000000, 8 }, { 0xa9fe0000, 16 }, { 0xe0000000, 3 },
	};
	char text[PREFIX4_TEXT];

	if (net->subnet.len < 8 || net->subnet.len > 29)
		return ctx_fail(ctx, object, "subnet", -EINVAL, "/%u is not in /8../29", net->subnet.len);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (prefix4_has(never[i], net->subnet.addr))
			return ctx_fail(ctx, object, "subnet", -EINVAL, "%s lies in %s, which no network can have",
					prefix4_format(net->subnet, text), prefix4_format(never[i], (char[PREFIX4_TEXT]){ 0 }));
	return 0;
}

/* default_subnet6() - a unique local prefix (RFC 4193) that is the name's on every host and at every time */
static struct prefix6 default_subnet6(const struct net_conf *net)
{
	uint64_t h = hash_bytes(net->name, strlen(net->name), 0x7375626e657436ull);
	struct prefix6 p = { .len = 64 };

	p.addr.bytes[0] = 0xfd;
	for (unsigned i = 1; i < 8; i++)
		p.addr.bytes[i] = (uint8_t)(h >> 8 * i);
	return p;
}

/* complete_subnet6() - every subnet has an IPv6 one beside it, unless that is said to be none */
static int complete_subnet6(struct model_ctx *ctx, const json_t *object, struct net_conf *net, bool given)
{
	static const struct prefix6 global = { { .bytes = { 0x20 } }, 3 }, unique_local = { { .bytes = { 0xfc } }, 7 };
	char text[PREFIX6_TEXT];

	if (!given)
		net->subnet6 = net->mtu < IP6_MTU_MIN ? (struct prefix6){ .len = 0 } : default_subnet6(net);
	if (!net->subnet6.len)
		return 0;
	if (net->subnet6.len != 64)	/* RFC 4862 5.5.3d: with any other length no guest makes an address of it */
		return ctx_fail(ctx, object, "subnet6", -EINVAL, "/%u is not /64", net->subnet6.len);
	if (!addr_in(global, net->subnet6.addr) && !addr_in(unique_local, net->subnet6.addr))
		return ctx_fail(ctx, object, "subnet6", -EINVAL, "%s is neither in 2000::/3 nor in fc00::/7",
				prefix6_format(net->subnet6, text));
	if (net->mtu < IP6_MTU_MIN)
		return ctx_fail(ctx, object, "subnet6", -EINVAL, "IPv6 needs an mtu of 1280");
	net->gateway6 = net->subnet6.addr;
	net->gateway6.bytes[ADDR_SIZE - 1] = 1;
	return 0;
}

enum { HOST_ONLY_POOL = 100 };

/* In mode nat a subnet is laid out as VirtualBox and QEMU do it: gateway .2, DNS .3, and every guest .15, or as high as it goes. */
enum { ALONE_GATEWAY = 2, ALONE_GUEST = 15 };

/* alone_guest() - the address that each guest is given */
static uint32_t alone_guest(const struct net_conf *net)
{
	uint32_t ip = MIN_OF(net->subnet.addr + ALONE_GUEST, prefix4_last(net->subnet) - 1);

	while (!guest_address(net, ip))
		ip--;			/* the smallest subnet has six addresses, and two are taken */
	return ip;
}

/* default_pool() - the longer side of the gateway */
static void default_pool(struct net_conf *net)
{
	uint32_t first = net->subnet.addr + 1, last = prefix4_last(net->subnet) - 1;

	if (net->mode == NET_HOST_ONLY && last - first > HOST_ONLY_POOL && net->gateway - first < HOST_ONLY_POOL) {
		first += HOST_ONLY_POOL;	/* those below are for who likes to choose */
	} else if (net->mode == NET_NAT) {
		first = last = alone_guest(net);
	} else if (net->gateway - first > last - net->gateway) {
		last = net->gateway - 1;
	} else {
		first = net->gateway + 1;
	}
	net->pool = (struct pool_conf){ { { first, last } }, 1 };
}

/* place_dns() - behind the gateway, or before it where nothing is behind */
static void place_dns(struct net_conf *net)
{
	net->dns = net->gateway;
	if (net->mode == NET_NAT)
		net->dns += net->gateway + 1 == prefix4_last(net->subnet) ? -1 : 1;
}

int addressing_complete(struct model_ctx *ctx, const json_t *object, struct net_conf *net, bool gateway_given, bool subnet6_given)
{
	int rc = check_subnet(ctx, object, net);

	if (rc == 0)
		rc = complete_subnet6(ctx, object, net, subnet6_given);
	if (rc < 0)
		return rc;
	if (!gateway_given)
		net->gateway = net->subnet.addr + (net->mode == NET_NAT ? ALONE_GATEWAY : 1);
	if (!prefix4_has(net->subnet, net->gateway) || net->gateway == net->subnet.addr ||
	    net->gateway == prefix4_last(net->subnet))
		return ctx_fail(ctx, object, "gateway", -EINVAL, "is not an address of the subnet");
	place_dns(net);
	if (!(net->dhcp_set & field_bit(dhcp_rows, dhcp_nrows, "pool")))
		default_pool(net);
	rc = pools_check(ctx, object, net);
	return rc < 0 ? rc : ip6_complete(ctx, object, net);
}
