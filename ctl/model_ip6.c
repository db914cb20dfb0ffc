// SPDX-License-Identifier: GPL-2.0-or-later
/* `dhcp6: {...}` and `ra: {...}` of a network or segment: what IPv6 guests are given and told beside the prefix. */
#include "ctl/model_dhcp.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

static const struct word modes[] = {
	{ "stateful", DHCP6_STATEFUL }, { "stateless", DHCP6_STATELESS }, { "off", DHCP6_OFF }, { NULL, 0 },
};

static int read_pool6(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	static const char wants[] = "a range like fd00:1:2:3::1000-fd00:1:2:3::1fff";
	const char *text = field_string(ctx, field, parent, value, wants), *dash = text ? strchr(text, '-') : NULL;
	struct addr range[2];
	char first[ADDR_TEXT];

	if (!text)
		return -EINVAL;
	if (!dash || (size_t)(dash - text) >= sizeof(first))
		return field_not_a(ctx, field, parent, text, wants);
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = '\0';
	if (addr_parse(first, &range[0]) < 0 || addr_parse(dash + 1, &range[1]) < 0 || addr_is4(range[0]) || addr_is4(range[1]) ||
	    memcmp(range[0].bytes, range[1].bytes, ADDR_SIZE) > 0)
		return field_not_a(ctx, field, parent, text, wants);
	memcpy(to, range, sizeof(range));
	return 0;
}

static json_t *write_pool6(const struct field *field, const void *from)
{
	const struct addr *range = from;
	char first[ADDR_TEXT], last[ADDR_TEXT];

	(void)field;
	return json_sprintf("%s-%s", addr_format(range[0], first), addr_format(range[1], last));
}

static const struct field_type field_pool6 = { read_pool6, write_pool6 };

/* uri_valid() - as an option may carry it; empty takes the setting back */
static bool uri_valid(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return !text[0] || strstr(text, "://");
}

static const struct field dhcp6_rows[] = {
	{ "mode", &field_word, FIELD_AT(struct net_conf, ip6.mode), .fallback = DHCP6_STATEFUL, .words = modes },
	{ "pool", &field_pool6, FIELD_AT(struct net_conf, ip6.pool) },
	{ "prefixes", &field_prefix6, FIELD_AT(struct net_conf, ip6.prefixes) },
	{ "prefix_length", &field_number, FIELD_AT(struct net_conf, ip6.prefix_length), .min = 32, .max = 64, .fallback = 60 },
	{ "ntp", &field_endpoints, FIELD_AT(struct net_conf, ip6.ntp) },
	{ "options", &field_options, FIELD_AT(struct net_conf, ip6.options), .max = OPTIONS6 },
};

static const struct field ra_rows[] = {
	{ "pref64", &field_prefix6, FIELD_AT(struct net_conf, ip6.pref64) },
	{ "captive_portal", &field_text, FIELD_AT(struct net_conf, ip6.captive_portal), .valid = uri_valid, .wants = "a URI like https://portal.example/" },
};

#define BIT(name) field_bit(dhcp6_rows, ARRAY_SIZE(dhcp6_rows), name)

int ip6_read(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	int rc = mapping_read(ctx, object, "dhcp6", dhcp6_rows, ARRAY_SIZE(dhcp6_rows), net, &net->ip6.dhcp6_set);

	return rc < 0 ? rc : mapping_read(ctx, object, "ra", ra_rows, ARRAY_SIZE(ra_rows), net, &net->ip6.ra_set);
}

/* default_pool6() - of the low half 1000:0000 to 1fff:ffff: short to write, and where neither the addresses lie that guests make for
 * themselves nor those that follow from reserved IPv4 addresses in private subnets */
static void default_pool6(struct net_conf *net)
{
	net->ip6.pool[0] = net->ip6.pool[1] = net->subnet6.addr;
	net->ip6.pool[0].halves[1] = htobe64(0x10000000);
	net->ip6.pool[1].halves[1] = htobe64(0x1fffffff);
}

static int check_pool6(struct model_ctx *ctx, const json_t *object, const struct net_conf *net)
{
	const struct addr *pool = net->ip6.pool;

	if (!addr_in(net->subnet6, pool[0]) || !addr_in(net->subnet6, pool[1]) || addr_equal(pool[0], net->subnet6.addr))
		return mapping_fail(ctx, object, "dhcp6", "pool", "is not inside the IPv6 subnet");
	if (addr_equal(pool[0], net->gateway6))
		return mapping_fail(ctx, object, "dhcp6", "pool", "holds the gateway's address");
	return 0;
}

static int check_prefixes(struct model_ctx *ctx, const json_t *object, const struct net_conf *net)
{
	static const struct prefix6 global = { { .bytes = { 0x20 } }, 3 }, unique_local = { { .bytes = { 0xfc } }, 7 };
	const struct prefix6 *p = &net->ip6.prefixes;

	if (!p->len)
		return 0;
	if (p->len < 32 || p->len > 64)
		return mapping_fail(ctx, object, "dhcp6", "prefixes", "is not /32../64");
	if (!addr_in(global, p->addr) && !addr_in(unique_local, p->addr))
		return mapping_fail(ctx, object, "dhcp6", "prefixes", "is neither in 2000::/3 nor in fc00::/7");
	if (net->ip6.prefix_length < p->len)
		return mapping_fail(ctx, object, "dhcp6", "prefix_length", "is larger than all that is to be delegated");
	if (addr_in(*p, net->subnet6.addr))
		return mapping_fail(ctx, object, "dhcp6", "prefixes", "holds the network's own IPv6 subnet");
	return 0;
}

/* check_pref64() - RFC 8781 4: the lengths that its code can say */
static int check_pref64(struct model_ctx *ctx, const json_t *object, const struct net_conf *net)
{
	uint8_t len = net->ip6.pref64.len;

	if (!len || len == 96 || (len % 8 == 0 && len >= 32 && len <= 64))
		return 0;
	return mapping_fail(ctx, object, "ra", "pref64", "is not /32, /40, /48, /56, /64 or /96");
}

static int check_ntp(struct model_ctx *ctx, const json_t *object, const struct net_conf *net)
{
	for (size_t i = 0; i < ARRAY_SIZE(net->ip6.ntp) && memcmp(net->ip6.ntp[i].ip, (uint8_t[16]){ 0 }, 16); i++)
		if (!net->ip6.ntp[i].v6 || net->ip6.ntp[i].port)
			return mapping_fail(ctx, object, "dhcp6", "ntp", "names servers by IPv6 addresses, without ports");
	return 0;
}

int ip6_complete(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	int rc;

	if (!net->subnet6.len) {
		if (net->ip6.ra_set || net->ip6.dhcp6_set & ~BIT("mode") || (net->ip6.dhcp6_set && net->ip6.mode != DHCP6_OFF))
			return mapping_fail(ctx, object, net->ip6.ra_set ? "ra" : "dhcp6", NULL, "the network has no IPv6 subnet");
		net->ip6.mode = DHCP6_OFF;
		return 0;
	}
	if (!(net->ip6.dhcp6_set & BIT("mode")) && !net->dhcp_enabled)
		net->ip6.mode = DHCP6_OFF;	/* who wants no DHCP wants none of either family */
	if (!(net->ip6.dhcp6_set & BIT("pool")))
		default_pool6(net);
	rc = check_pool6(ctx, object, net);
	if (rc == 0)
		rc = check_prefixes(ctx, object, net);
	if (rc == 0)
		rc = check_pref64(ctx, object, net);
	return rc < 0 ? rc : check_ntp(ctx, object, net);
}

/* shown() - what was given, or all that means something */
static field_set shown_dhcp6(const struct net_conf *net, unsigned flags)
{
	if (!(flags & MODEL_EFFECTIVE))
		return net->ip6.dhcp6_set;
	if (!net->subnet6.len)
		return BIT("mode");
	return FIELDS_ALL & ~(net->ip6.prefixes.len ? 0 : BIT("prefix_length")) & ~(net->ip6.options.n ? 0 : BIT("options"));
}

int ip6_write(json_t *object, const struct net_conf *net, unsigned flags)
{
	json_t *dhcp6 = fields_write(dhcp6_rows, ARRAY_SIZE(dhcp6_rows), net, shown_dhcp6(net, flags), net->mode);
	json_t *ra = fields_write(ra_rows, ARRAY_SIZE(ra_rows), net, flags & MODEL_EFFECTIVE && net->subnet6.len ? FIELDS_ALL : net->ip6.ra_set,
				  net->mode);
	int rc = dhcp6 && ra ? 0 : -ENOMEM;

	if (json_object_size(dhcp6) && rc == 0)
		rc = json_object_set(object, "dhcp6", dhcp6);
	if (json_object_size(ra) && rc == 0)
		rc = json_object_set(object, "ra", ra);
	json_decref(dhcp6);
	json_decref(ra);
	return rc;
}

int ip6_missing(const struct net_conf *net, json_t *list)
{
	field_set silent = BIT("options");	/* what is said nowhere has no value to show */
	int rc = fields_missing(dhcp6_rows, ARRAY_SIZE(dhcp6_rows), net->ip6.dhcp6_set | silent, net->mode, "dhcp6.", list);

	return rc < 0 ? rc : fields_missing(ra_rows, ARRAY_SIZE(ra_rows), net->ip6.ra_set, net->mode, "ra.", list);
}
