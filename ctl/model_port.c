// SPDX-License-Identifier: GPL-2.0-or-later
/* The settings of a port. */
#include "ctl/model_parts.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"

static const struct word kinds[] = {
	{ "vhost-user", PORT_KIND_VHOST_USER }, { "stream", PORT_KIND_STREAM }, { "dgram", PORT_KIND_DGRAM },
	{ "udp", PORT_KIND_UDP }, { "tap", PORT_KIND_TAP }, { "vmm-tap", PORT_KIND_VMM_TAP },
	{ "netns", PORT_KIND_NETNS }, { "attached", PORT_KIND_ATTACHED }, { NULL, 0 },
};

static const struct word roles[] = { { "server", PORT_ROLE_SERVER }, { "client", PORT_ROLE_CLIENT }, { NULL, 0 } };
static const struct word frames[] = {
	{ "all", PORT_FRAMES_ALL }, { "tagged", PORT_FRAMES_TAGGED }, { "untagged", PORT_FRAMES_UNTAGGED }, { NULL, 0 },
};
static const struct word tags[] = { { "customer", PORT_TAGS_CUSTOMER }, { "service", PORT_TAGS_SERVICE }, { NULL, 0 } };
static const struct word links[] = { { "down", false }, { "up", true }, { NULL, 0 } };

/* As the kernel's dev_valid_name(), and no control characters. */
bool ifname_valid(const char *text)
{
	if (!text[0] || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (; *text; text++)
		if (*text == '/' || *text == ':' || *text == '%' || !isgraph((unsigned char)*text))
			return false;
	return true;
}

static bool clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool stream_valid(const char *text)
{
	struct endpoint e;

	return (text[0] == '/' && clean(text)) || (endpoint_parse(text, &e) == 0 && e.port);
}

static bool netns_valid(const char *text)
{
	return text[0] && clean(text) && (text[0] == '/' || !strchr(text, '/')) && strcmp(text, ".") && strcmp(text, "..");
}

/* shaper_valid() - empty takes a setting back */
static bool shaper_valid(const char *text)
{
	return !text[0] || name_valid(text);
}

/* group_name_valid() - empty takes a setting back */
static bool group_name_valid(const char *text)
{
	return !text[0] || name_valid(text);
}

#define KIND(name) (1u << PORT_KIND_##name)
enum { GROUP_KIND = 31 };		/* as if a group were a kind of port: it has the rows without kinds */
#define A_PORT (~(1u << GROUP_KIND))

const struct field port_rows[] = {
	{ "kind", &field_word, FIELD_AT(struct port_conf, kind), .fallback = PORT_KIND_ATTACHED, .words = kinds,
	  .kinds = A_PORT },
	{ "group", &field_text, FIELD_AT(struct port_conf, group), .valid = group_name_valid, .wants = "the name of a group", .kinds = A_PORT },
	{ "mac", &field_mac, FIELD_AT(struct port_conf, mac), .kinds = A_PORT },
	{ "vlan", &field_number, FIELD_AT(struct port_conf, pvid), .min = 1, .max = 4094, .fallback = 1 },
	{ "trunk", &field_vlans, FIELD_AT(struct port_conf, trunk) },
	{ "native", &field_number, FIELD_AT(struct port_conf, native), .min = 1, .max = 4094 },
	{ "native_tagged", &field_bool, FIELD_AT(struct port_conf, native_tagged) },
	{ "frames", &field_word, FIELD_AT(struct port_conf, frames), .fallback = PORT_FRAMES_ALL, .words = frames },
	{ "tags", &field_word, FIELD_AT(struct port_conf, tags), .fallback = PORT_TAGS_CUSTOMER, .words = tags },
	{ .name = "translate", .type = &field_members },
	{ "tunnel", &field_number, FIELD_AT(struct port_conf, tunnel), .min = 1, .max = 4094 },
	{ "link", &field_word, FIELD_AT(struct port_conf, link_up), .fallback = true, .words = links },
	{ "path", &field_text, FIELD_AT(struct port_conf, path), .valid = stream_valid,
	  .wants = "an absolute path, or ADDRESS:PORT", .kinds = KIND(STREAM) | KIND(VHOST_USER) },
	{ "role", &field_word, FIELD_AT(struct port_conf, role), .words = roles, .kinds = KIND(STREAM) | KIND(VHOST_USER) },
	{ "queues", &field_number, FIELD_AT(struct port_conf, queues), .min = 1, .max = MODEL_PAIRS_MAX, .fallback = 4,
	  .kinds = KIND(VHOST_USER) },
	{ "local", &field_text, FIELD_AT(struct port_conf, local), .valid = stream_valid,
	  .wants = "an absolute path, or ADDRESS:PORT", .kinds = KIND(DGRAM) | KIND(UDP) },
	{ "remote", &field_text, FIELD_AT(struct port_conf, remote), .valid = stream_valid,
	  .wants = "an absolute path, or ADDRESS:PORT", .kinds = KIND(DGRAM) | KIND(UDP) },
	{ "netns", &field_text, FIELD_AT(struct port_conf, netns), .valid = netns_valid,
	  .wants = "a namespace: a name, a process id or an absolute path", .kinds = KIND(NETNS) },
	{ "ifname", &field_text, FIELD_AT(struct port_conf, ifname), .valid = ifname_valid,
	  .wants = "an interface name", .kinds = KIND(TAP) | KIND(VMM_TAP) | KIND(NETNS) | KIND(ATTACHED) | KIND(HOST) },
	{ "relay", &field_bool, FIELD_AT(struct port_conf, relay) },
	{ "aliases", &field_names, FIELD_AT(struct port_conf, aliases), .max = true, .wants = "a name without dots", .kinds = A_PORT },
	{ .name = "guard", .type = &field_members },
	{ .name = "mirror", .type = &field_members },
	{ .name = "recorder", .type = &field_members },
	{ .name = "policy", .type = &field_members },
	{ .name = "shape", .type = &field_members },
	{ "shaper", &field_text, FIELD_AT(struct port_conf, shaper), .valid = shaper_valid, .wants = "the name of a shaper" },
	{ "transient", &field_bool, FIELD_AT(struct port_conf, transient), .kinds = KIND(ATTACHED) },
};

const size_t port_nrows = ARRAY_SIZE(port_rows);

#define BIT(name) field_bit(port_rows, port_nrows, name)

const char *port_kind_name(enum port_kind kind)
{
	return kind == PORT_KIND_HOST ? "host" : kind == PORT_KIND_UPLINK ? "uplink" : word_of(kinds, kind);	/* those no file can ask for */
}

static int check_name(struct model_ctx *ctx, const json_t *object, const char *name)
{
	if (!name_valid(name))
		return ctx_fail(ctx, object, NULL, -EINVAL, "not a name: use a-z, 0-9 and - inside, at most 63 letters");
	if (!strcmp(name, "host") || !strcmp(name, "gateway"))	/* they have addresses of their own in every network */
		return ctx_fail(ctx, object, NULL, -EINVAL, "this name belongs to the gateway; choose another");
	return 0;
}

/* is_one_host() - may it be a peer? Not "any address", and not a group, whose members could not be told from strangers. */
static bool is_one_host(const struct endpoint *e)
{
	static const uint8_t any[16];

	return memcmp(e->ip, any, sizeof(any)) && (e->v6 ? e->ip[0] != 0xff : e->ip[0] < 224);
}

/* check_ends() - both ends of a datagram port, of one sort */
static int check_ends(struct model_ctx *ctx, const json_t *object, const struct port_conf *port)
{
	bool udp = port->kind == PORT_KIND_UDP;
	const char *wants = udp ? "is not ADDRESS:PORT" : "is not an absolute path";
	struct endpoint local, remote;

	if (!port->local[0])
		return ctx_fail(ctx, object, "local", -EINVAL, "is missing: %s", udp ? "ADDRESS:PORT of ours" : "the path of our socket");
	if (!port->remote[0])
		return ctx_fail(ctx, object, "remote", -EINVAL, "is missing: %s", udp ? "ADDRESS:PORT of the peer" : "the path of the peer's socket");
	if (udp == (port->local[0] == '/'))
		return ctx_fail(ctx, object, "local", -EINVAL, "%s", wants);
	if (udp == (port->remote[0] == '/'))
		return ctx_fail(ctx, object, "remote", -EINVAL, "%s", wants);
	if (!strcmp(port->local, port->remote))
		return ctx_fail(ctx, object, "remote", -EINVAL, "is our own end; give the peer's");
	if (!udp)
		return 0;
	endpoint_parse(port->local, &local);
	endpoint_parse(port->remote, &remote);
	if (!is_one_host(&remote))
		return ctx_fail(ctx, object, "remote", -EINVAL, "%s is not the address of one host", shown(port->remote));
	return local.v6 == remote.v6 ? 0 : ctx_fail(ctx, object, "remote", -EINVAL, "is of another address family than local");
}

static int check_medium(struct model_ctx *ctx, const json_t *object, struct port_conf *port)
{
	static const char *const a[] = {
		[PORT_KIND_STREAM] = "a stream port", [PORT_KIND_TAP] = "a tap port", [PORT_KIND_NETNS] = "a netns port",
		[PORT_KIND_ATTACHED] = "an attached port", [PORT_KIND_VHOST_USER] = "a vhost-user port",
		[PORT_KIND_DGRAM] = "a dgram port", [PORT_KIND_UDP] = "a udp port", [PORT_KIND_VMM_TAP] = "a vmm-tap port",
	};
	int rc = fields_of_kind(ctx, port_rows, port_nrows, object, port->set, port->kind, a[port->kind]);

	if (rc < 0)
		return rc;
	if (port->kind == PORT_KIND_VHOST_USER && port->path[0] && port->path[0] != '/')
		return ctx_fail(ctx, object, "path", -EINVAL, "is not absolute: descriptors pass through a unix socket");
	if ((port->kind == PORT_KIND_STREAM || port->kind == PORT_KIND_VHOST_USER) && port->role == PORT_ROLE_CLIENT &&
	    !port->path[0])
		return ctx_fail(ctx, object, "path", -EINVAL, "is missing: where shall a client connect to?");
	if (port->kind == PORT_KIND_DGRAM || port->kind == PORT_KIND_UDP)
		return check_ends(ctx, object, port);
	if ((port->kind == PORT_KIND_TAP || port->kind == PORT_KIND_VMM_TAP) && !port->ifname[0])
		return ctx_fail(ctx, object, "ifname", -EINVAL, "is missing: which interface?");
	if (port->kind == PORT_KIND_NETNS && !port->netns[0])
		return ctx_fail(ctx, object, "netns", -EINVAL, "is missing: which namespace?");
	if (port->kind == PORT_KIND_NETNS && !port->ifname[0])
		strcpy(port->ifname, "eth0");
	if (port->transient && !(ctx->env && ctx->env->transient))
		return ctx_fail(ctx, object, "transient", -EINVAL, "is for ports made by attaching, not a setting");
	return 0;
}

/* beneath() - what @group says as far as a port's own settings leave it: a port that is of a VLAN itself is not of the group's
 * Return: a new reference, or NULL when there is nothing or no memory.
 */
static json_t *beneath(const json_t *group, const json_t *object)
{
	json_t *left = group ? json_copy((json_t *)group) : NULL;

	if (left)
		model_vlan_over(left, object);
	return left;
}

/* read_all() - the port's fields and parts, where it says nothing those of its group; @set receives the fields of either */
static int read_all(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, struct port_conf *port, field_set *set)
{
	const char *name = json_string_value(json_object_get(object, "group"));
	const json_t *group = name && *name ? group_tree(ctx, name) : NULL;
	json_t *left;
	int rc;

	if (name && *name && !group)
		return ctx_fail(ctx, object, "group", -EINVAL, "the network has no group %s", shown(name));
	left = beneath(group, object);
	if (group && !left)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	rc = layers_read(ctx, port_rows, port_nrows, &(struct layers){ { left, object }, 2 }, port, &port->set);
	if (rc == 0)
		rc = port_parts_read(ctx, net, left, object, port);
	*set = port->set | (rc == 0 ? fields_given(port_rows, port_nrows, left) : 0);
	json_decref(left);
	return rc;
}

int port_settings_read(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, struct port_conf *to)
{
	int rc = fields_read(ctx, port_rows, port_nrows, object, to, &to->set);

	if (rc == 0)
		rc = fields_of_kind(ctx, port_rows, port_nrows, object, to->set, GROUP_KIND, "a group");
	if (rc == 0)
		rc = port_parts_read(ctx, net, NULL, object, to);
	if (rc == 0)
		rc = vlan_check(ctx, net, object, to->set, to);
	if (rc < 0)
		port_parts_free(to);
	return rc;
}

json_t *port_settings_write(const struct net_conf *net, const struct port_conf *port, unsigned flags)
{
	json_t *object = fields_write(port_rows, port_nrows, port, port->set, GROUP_KIND);

	if (object && port_parts_write(object, net, port, flags) == 0)
		return object;
	json_decref(object);
	return NULL;
}

static int read_port(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, struct port_conf *port)
{
	field_set set = 0;
	int rc = check_name(ctx, object, name);

	if (rc < 0)
		return rc;
	rc = read_all(ctx, net, object, port, &set);
	if (rc < 0)
		return rc;
	if (!(port->set & BIT("kind")))
		return ctx_fail(ctx, object, "kind", -EINVAL, "is missing: vhost-user, stream, dgram, udp, tap, vmm-tap, netns or attached");
	rc = vlan_check(ctx, net, object, set, port);
	if (rc < 0)
		return rc;
	strcpy(port->name, name);
	if (!(port->set & BIT("mac")))
		mac_from_names(net->name, name, port->mac);
	rc = shaper_check(ctx, net, object, port);
	return rc < 0 ? rc : check_medium(ctx, object, port);
}

int port_read(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, void *to)
{
	int rc = read_port(ctx, net, name, object, to);

	if (rc < 0)
		port_parts_free(to);
	return rc;
}

static field_set vlan_bits(void)
{
	return BIT("vlan") | BIT("trunk") | BIT("tunnel") | BIT("native") | BIT("native_tagged") | BIT("frames") | BIT("tags");
}

/* vlan_shown() - what there is to tell of the VLANs that a port is of */
static field_set vlan_shown(const struct port_conf *port)
{
	if (port->vlan_mode != PORT_VLAN_TRUNK)
		return port->vlan_mode == PORT_VLAN_TUNNEL ? BIT("tunnel") : BIT("vlan");
	return BIT("trunk") | (port->native ? BIT("native") : 0) | (port->native_tagged ? BIT("native_tagged") : 0) |
	       (port->frames ? BIT("frames") : 0) | (port->tags ? BIT("tags") : 0);
}

json_t *port_export(const struct net_conf *net, const struct port_conf *port, unsigned flags)
{
	field_set set = port->set;
	json_t *object;

	if (flags & MODEL_EFFECTIVE)
		set = (FIELDS_ALL & ~vlan_bits()) | (net && (net->mode == NET_NAT || net->wire) ? 0 : vlan_shown(port));
	if (!port->group[0])
		set &= ~BIT("group");
	if (!port->path[0])
		set &= ~BIT("path");
	if (!port->shaper[0])
		set &= ~BIT("shaper");
	if (!port->ifname[0])
		set &= ~BIT("ifname");
	object = fields_write(port_rows, port_nrows, port, set, port->kind);
	if (object && (port->kind == PORT_KIND_HOST || port->kind == PORT_KIND_UPLINK))
		json_object_set_new(object, "kind", json_string(port_kind_name(port->kind)));
	if (object && port_parts_write(object, net, port, flags) == 0)
		return object;
	json_decref(object);
	return NULL;
}
