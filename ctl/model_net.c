// SPDX-License-Identifier: GPL-2.0-or-later
/* The settings of a network itself, and what follows from its mode and subnet. */
#include "ctl/model_dhcp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "ctl/host.h"
#include "switch/packet.h"

static const struct word nats[] = { { "user", NAT_KIND_USER }, { "kernel", NAT_KIND_KERNEL }, { NULL, 0 } };

static const struct word helpers[] = { { "ftp", HOST_NAT_FTP }, { "tftp", HOST_NAT_TFTP }, { "sip", HOST_NAT_SIP }, { NULL, 0 } };

static const struct word accesses[] = {
	{ "none", HOST_ACCESS_NONE }, { "own", HOST_ACCESS_OWN }, { "loopback", HOST_ACCESS_LOOPBACK }, { NULL, 0 },
};

static const struct word one_macs[] = { { "auto", ONE_MAC_AUTO }, { "on", ONE_MAC_ON }, { "off", ONE_MAC_OFF }, { NULL, 0 } };

static const struct word floods[] = { { "flood", true }, { "drop", false }, { NULL, 0 } };

static const struct word filters[] = { { "address", NAT_FILTER_ADDRESS }, { "any", NAT_FILTER_ANY }, { NULL, 0 } };

/* Names of a domain, written without a dot at the end. */
static bool domain_valid(const char *text)
{
	char label[NAME_MAX_SIZE];
	size_t n;

	do {
		n = strcspn(text, ".");
		if (n >= sizeof(label))
			return false;
		memcpy(label, text, n);
		label[n] = '\0';
		if (!name_valid(label))
			return false;
		text += n;
	} while (*text++);
	return true;
}

/* uplink_valid() - empty takes a setting back */
static bool uplink_valid(const char *text)
{
	return !text[0] || ifname_valid(text);
}

#define MODE(name) (1u << NET_##name)
#define NATS (MODE(NAT_NETWORK) | MODE(NAT))

static const struct field rows[] = {
	{ "mode", &field_word, FIELD_AT(struct net_conf, mode), .fallback = NET_NAT_NETWORK, .words = net_modes },
	{ "subnet", &field_prefix4, FIELD_AT(struct net_conf, subnet) },
	{ "gateway", &field_ip4, FIELD_AT(struct net_conf, gateway) },
	{ "subnet6", &field_prefix6, FIELD_AT(struct net_conf, subnet6) },
	/* RFC 791: every host takes 576 bytes; above 65520 an Ethernet frame of ours would not fit its length fields */
	{ "mtu", &field_number, FIELD_AT(struct net_conf, mtu), .min = 576, .max = 65520, .fallback = 1500 },
	{ "nat", &field_word, FIELD_AT(struct net_conf, nat), .fallback = NAT_KIND_USER, .words = nats, .kinds = NATS },
	{ "uplink", &field_text, FIELD_AT(struct net_conf, uplink), .valid = uplink_valid, .wants = "an interface name",
	  .kinds = NATS | MODE(ROUTED) | MODE(BRIDGED) },
	{ "one_mac", &field_word, FIELD_AT(struct net_conf, one_mac), .fallback = ONE_MAC_AUTO, .words = one_macs, .kinds = MODE(BRIDGED) },
	{ "filtering", &field_word, FIELD_AT(struct net_conf, filtering), .fallback = NAT_FILTER_ADDRESS, .words = filters, .kinds = NATS },
	{ "host_access", &field_word, FIELD_AT(struct net_conf, host_access), .fallback = HOST_ACCESS_OWN,
	  .words = accesses },
	{ "nat_helpers", &field_words, FIELD_AT(struct net_conf, nat_helpers), .words = helpers, .wants = "ftp, tftp or sip", .kinds = NATS },
	{ "domain", &field_text, FIELD_AT(struct net_conf, domain), .valid = domain_valid,
	  .wants = "a domain like lab.internal" },
	{ "wire", &field_bool, FIELD_AT(struct net_conf, wire), .kinds = MODE(INTERNAL) },
	{ "snooping", &field_bool, FIELD_AT(struct net_conf, snooping) },
	{ "unregistered", &field_word, FIELD_AT(struct net_conf, unregistered), .fallback = true, .words = floods },
	{ "stations", &field_number, FIELD_AT(struct net_conf, stations), .min = 1024, .max = 1048576, .fallback = 16384 },
	{ "owner", &field_number, FIELD_AT(struct net_conf, owner), .max = UINT32_MAX - 1 },
	{ .name = "dhcp", .type = &field_members },
	{ .name = "dhcp6", .type = &field_members },
	{ .name = "ra", .type = &field_members },
	{ .name = "dns", .type = &field_members },
	{ .name = "limits", .type = &field_members },
	{ .name = "groups", .type = &field_members },
	{ .name = "boot", .type = &field_members },
	{ .name = "segments", .type = &field_members },
	{ .name = "shapers", .type = &field_members },
	{ .name = "guard", .type = &field_members },
	{ .name = "recorder", .type = &field_members },
	{ .name = "policy", .type = &field_members },
	{ .name = "shape", .type = &field_members },
	{ .name = "ports", .type = &field_members },
	{ .name = "forwards", .type = &field_members },
	{ .name = "reservations", .type = &field_members },
	{ .name = "records", .type = &field_members },
	{ .name = "peers", .type = &field_members },
};

/* What one port of the network may have of NAT. memory_kb is that of nat/hold.h, in its places of 64 KB. */
static const struct field limits_rows[] = {
	{ "flows", &field_number, FIELD_AT(struct net_conf, limits.flows), .min = 16, .max = 1048576, .fallback = 65536 },
	{ "sockets", &field_number, FIELD_AT(struct net_conf, limits.sockets), .min = 0, .max = 1048576, .fallback = 0 },
	{ "half_open", &field_number, FIELD_AT(struct net_conf, limits.half_open), .min = 1, .max = 65536, .fallback = 256 },
	{ "memory_kb", &field_number, FIELD_AT(struct net_conf, limits.memory_kb), .min = 64, .max = 8128, .fallback = 8128 },
};

#define BIT(name) field_bit(rows, ARRAY_SIZE(rows), name)

bool net_mode_has(enum net_mode mode, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].name, key))
			return !rows[i].kinds || rows[i].kinds >> mode & 1;
	return true;
}

static int supported(struct model_ctx *ctx, const json_t *object, const struct net_conf *net)
{
	if (net->nat == NAT_KIND_KERNEL && net->mode == NET_NAT)
		return ctx_fail(ctx, object, "nat", -EINVAL, "kernel is for mode nat-network: in mode nat every guest has the same address");
	if (net->nat_helpers && net->nat != NAT_KIND_KERNEL)
		return ctx_fail(ctx, object, "nat_helpers", -EINVAL, "are the kernel's: with nat: kernel");
	return 0;
}

int net_read(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	int rc = fields_read(ctx, rows, ARRAY_SIZE(rows), object, net, &net->set);

	if (rc < 0)
		return rc;
	rc = supported(ctx, object, net);
	if (rc < 0)
		return rc;
	rc = fields_of_kind(ctx, rows, ARRAY_SIZE(rows), object, net->set, net->mode,
			    net->mode == NET_HOST_ONLY ? "a host-only network" : net->mode == NET_ROUTED ? "a routed network" :
			    net->mode == NET_BRIDGED ? "a bridged network" :
			    NATS >> net->mode & 1 ? "a NAT network" : "an internal network");
	if (rc < 0)
		return rc;
	rc = mapping_read(ctx, object, "dhcp", dhcp_rows, dhcp_nrows, net, &net->dhcp_set);
	if (rc < 0)
		return rc;
	rc = ip6_read(ctx, object, net);
	if (rc < 0)
		return rc;
	rc = mapping_read(ctx, object, "dns", dns_rows, dns_nrows, net, &net->dns_set);
	if (rc < 0)
		return rc;
	rc = mapping_read(ctx, object, "limits", limits_rows, ARRAY_SIZE(limits_rows), net, &net->limits_set);
	if (rc == 0)
		rc = net_parts_read(ctx, object, net);
	if (rc == 0)
		rc = boot_read(ctx, object, net);
	if (rc < 0)
		return rc;
	net->has_nat = NATS >> net->mode & 1;
	net->has_host = net->mode == NET_HOST_ONLY || net->mode == NET_ROUTED || (net->has_nat && net->nat == NAT_KIND_KERNEL);
	net->has_router = net->has_nat || net->mode == NET_ROUTED || net->mode == NET_BRIDGED;
	net->has_subnet = net->set & BIT("subnet");
	if (!(net->set & BIT("owner")) && ctx->env)
		net->owner = ctx->env->owner;
	return 0;
}

/* complete_bare() - an internal network without addresses has nothing that needs one */
static int complete_bare(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	if (net->set & BIT("gateway"))
		return ctx_fail(ctx, object, "gateway", -EINVAL, "the network has no subnet");
	if (net->subnet6.len)
		return ctx_fail(ctx, object, "subnet6", -EINVAL, "the network has no subnet to go with it");
	if (net->dhcp_set && (net->dhcp_enabled || net->dhcp_set & ~1u))
		return mapping_fail(ctx, object, "dhcp", "enabled", "the network has no subnet to give addresses of");
	if (net->dns_set & 1 && net->dns_enabled)
		return mapping_fail(ctx, object, "dns", "enabled", "the network has no subnet, and so no address to ask");
	if (net->dns_host || net->dns_listen[0].port || memcmp(net->dns_listen[0].ip, (uint8_t[16]){ 0 }, 16))
		return mapping_fail(ctx, object, "dns", net->dns_host ? "host" : "listen", "the network has no subnet, and so no names of guests");
	net->dhcp_enabled = net->dns_enabled = false;
	return ip6_complete(ctx, object, net);
}

int net_complete(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	if (!(net->set & BIT("domain")))
		snprintf(net->domain, sizeof(net->domain), "%s.internal", net->name);
	if (net->mode == NET_INTERNAL) {
		if (net->set & BIT("host_access") && net->host_access != HOST_ACCESS_NONE)
			return ctx_fail(ctx, object, "host_access", -EINVAL, "an internal network has no way to the host");
		net->host_access = HOST_ACCESS_NONE;
	}
	if ((net->has_host && !net->has_nat) || net->mode == NET_BRIDGED) {
		if (net->set & BIT("host_access"))
			return ctx_fail(ctx, object, "host_access", -EINVAL, "the host is a member of this network: its own firewall decides");
		net->host_access = HOST_ACCESS_NONE;
	}
	if (net->mode == NET_ROUTED && !net->has_subnet)
		return ctx_fail(ctx, object, "subnet", -EINVAL, "is missing: a routed network has addresses that others know the way to");
	if (net->mode == NET_BRIDGED && net->has_subnet)
		return ctx_fail(ctx, object, "subnet", -EINVAL, "a bridged network has the addresses of the LAN that it is part of");
	if (net->mode == NET_BRIDGED && !net->uplink[0])
		return ctx_fail(ctx, object, "uplink", -EINVAL, "is missing: which interface of this host leads to the LAN?");
	if (net->mode == NET_BRIDGED && !strncmp(net->uplink, HOST_IFACE_PREFIX, strlen(HOST_IFACE_PREFIX)))
		return ctx_fail(ctx, object, "uplink", -EINVAL, "%s is an interface of lanyard's own", net->uplink);
	while (net->nupstreams < UPSTREAMS_MAX &&
	       memcmp(net->upstreams[net->nupstreams].ip, (uint8_t[16]){ 0 }, 16))
		net->nupstreams++;
	if (boot_complete(ctx, object, net) < 0)
		return -EINVAL;
	if (!net->has_subnet)
		return complete_bare(ctx, object, net);
	if (net->wire)
		return ctx_fail(ctx, object, "wire", -EINVAL, "a wire has two ends and nobody between them: it has no subnet");
	net->set |= BIT("subnet");	/* one that was chosen stays */
	return addressing_complete(ctx, object, net, net->set & BIT("gateway"), net->set & BIT("subnet6"));
}

/* add_group() - {"dhcp": {...}} unless nothing is in it */
static void add_group(json_t *object, const char *key, json_t *group)
{
	if (json_object_size(group))
		json_object_set(object, key, group);
	json_decref(group);
}

static field_set shown_rows(const struct net_conf *net, field_set set, unsigned flags)
{
	if (flags & MODEL_EFFECTIVE)
		set = FIELDS_ALL;
	if (!net->has_subnet)
		set &= ~(BIT("subnet") | BIT("gateway") | BIT("subnet6"));
	if (!net->uplink[0])
		set &= ~BIT("uplink");
	if (!net->nat_helpers)
		set &= ~BIT("nat_helpers");
	if ((net->has_host || net->mode == NET_BRIDGED) && !net->has_nat)
		set &= ~BIT("host_access");	/* the host is a member */
	return flags & MODEL_OWNER ? set | BIT("owner") : set & ~BIT("owner");
}

json_t *net_export(const struct net_conf *net, unsigned flags)
{
	json_t *object = fields_write(rows, ARRAY_SIZE(rows), net, shown_rows(net, net->set, flags), net->mode);
	field_set dhcp = dhcp_shown(net, flags), dns = net->dns_set, limits = net->limits_set;

	if (!object)
		return NULL;
	if (flags & MODEL_EFFECTIVE) {
		dns = net->has_subnet ? FIELDS_ALL : 1;
		dhcp = net->has_subnet ? dhcp : 1;
		limits = net->has_nat ? FIELDS_ALL : limits;
	}
	add_group(object, "peers", peers_tree(net));
	add_group(object, "dhcp", fields_write(dhcp_rows, dhcp_nrows, net, dhcp, net->mode));
	if (ip6_write(object, net, flags) < 0) {
		json_decref(object);
		return NULL;
	}
	add_group(object, "dns", fields_write(dns_rows, dns_nrows, net, dns, net->mode));
	add_group(object, "boot", boot_tree(net));
	add_group(object, "limits", fields_write(limits_rows, ARRAY_SIZE(limits_rows), net, limits, net->mode));
	if (segments_write(object, net, flags) == 0 && groups_write(object, net, flags) == 0 && shapers_write(object, net) == 0 && net_parts_write(object, net, flags) == 0)
		return object;
	json_decref(object);
	return NULL;
}

json_t *net_defaults(const struct net_conf *net)
{
	json_t *list = json_array();
	field_set hidden = BIT("owner") | BIT("uplink") | BIT("nat_helpers") | (net->has_subnet ? 0 : BIT("subnet") | BIT("gateway") | BIT("subnet6"));

	if (list && fields_missing(rows, ARRAY_SIZE(rows), net->set | hidden, net->mode, "", list) == 0 &&
	    fields_missing(dhcp_rows, dhcp_nrows, net->dhcp_set | ~dhcp_shown(net, MODEL_EFFECTIVE), net->mode, "dhcp.", list) == 0 && ip6_missing(net, list) == 0 &&
	    fields_missing(dns_rows, dns_nrows, net->dns_set, net->mode, "dns.", list) == 0 &&
	    fields_missing(limits_rows, ARRAY_SIZE(limits_rows), net->limits_set, net->mode, "limits.", list) == 0)
		return list;
	json_decref(list);
	return NULL;
}
