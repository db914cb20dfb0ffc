// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_other.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/check.h"
#include "ctl/check_lease.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

enum peering { STRANGERS, LIMITED, OPEN };

/* ---- settings ---- */

/* of_segment() - the network's, with the segment's in their place; new reference */
static json_t *of_segment(const json_t *net, const char *vid, const json_t *segment)
{
	static const char *const own[] = { "subnet", "subnet6", "gateway", "gateway6", "peers" };
	json_t *settings = json_copy((json_t *)net);
	struct prefix6 subnet6;
	char ip[ADDR_TEXT];

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		json_object_del(settings, own[i]);
	json_object_update(settings, (json_t *)segment);
	json_object_set_new(settings, "name", json_sprintf("%s:%s", row_text(net, "name"), vid));
	if (prefix6_parse(row_text(segment, "subnet6"), &subnet6) == 0) {
		subnet6.addr.bytes[ADDR_SIZE - 1] = 1;	/* the gateway has the first address of every IPv6 subnet */
		json_object_set_new(settings, "gateway6", json_string(addr_format(subnet6.addr, ip)));
	}
	return settings;
}

int check_settings(struct check *c, const char *called, json_t **settings)
{
	const char *vid = strchr(called, ':') ? strchr(called, ':') + 1 : NULL;
	json_t *net = NULL, *segment;
	char path[CLI_PATH_MAX];
	struct segment_name name;
	int rc = segment_words_parse(called, &name, &c->cli->err);

	if (rc == 0) {
		cli_path(path, "networks", name.net, NULL);
		rc = cli_get(c->cli, path, &net);
	}
	if (rc < 0 || !vid) {
		*settings = net;
		return rc;
	}
	segment = json_object_get(json_object_get(net, "segments"), vid);
	if (segment) {
		*settings = of_segment(net, vid, segment);
	} else {
		rc = error_set(&c->cli->err, -ENOENT, "network %s has no segment of VLAN %s", name.net, vid);
		error_code(&c->cli->err, "not-found");
		error_hint(&c->cli->err, "lanyard segment ls %s", name.net);
	}
	json_decref(net);
	return rc;
}

/* ---- the others ---- */

static enum peering named(const json_t *net, const char *other)
{
	const json_t *peer = json_object_get(json_object_get(net, "peers"), other);

	return !peer ? STRANGERS : json_array_size(json_object_get(peer, "allow")) ? LIMITED : OPEN;
}

static enum peering peering(const json_t *a, const json_t *b)
{
	enum peering there = named(a, row_text(b, "name")), back = named(b, row_text(a, "name"));

	return there > back ? there : back;
}

/* settle() - give it time for a lease, and the IPv6 address that it makes of the prefix; its way out is the network's gateway */
static void settle(struct check *c, struct check_guest *g, const json_t *net)
{
	struct prefix6 subnet6;

	check_lease_wait(c, g, row_text(net, "subnet")[0] && !json_is_false(row_get(net, "dhcp.enabled")));
	g->has_via = mac_parse(row_text(net, "gateway_mac"), g->via) == 0;
	if (prefix6_parse(row_text(net, "subnet6"), &subnet6) == 0) {
		g->ip6 = subnet6.addr;
		g->ip6.halves[1] = addr_link_local(g->mac).halves[1];
	}
}

/* others - while they are looked through */
struct others {
	struct check *c;
	const json_t *self;
	const char *wanted;		/* or NULL */
	plug_fn *plug;
	struct error err;		/* of the one that is wanted */
};

static void look(struct others *o, const json_t *net)
{
	const char *name = row_text(net, "name");
	enum peering p = peering(o->self, net);
	unsigned which = p == OPEN ? CHECK_P1 : CHECK_B1;
	bool wanted = o->wanted && !strcmp(name, o->wanted);

	if (!strcmp(name, row_text(o->self, "name")))
		return;
	o->c->net.terms.peered |= p != STRANGERS;
	if (wanted && p != STRANGERS)
		error_set(&o->err, -EINVAL, "--other %s: it is a peer of %s, and may be reached", name, row_text(o->self, "name"));
	if (p == LIMITED)
		snprintf(o->c->listed, sizeof(o->c->listed), "%s", name);
	if (p == LIMITED || o->c->guests[which].fd >= 0)
		return;
	if (which == CHECK_B1 && (o->wanted ? !wanted : !strcmp(row_text(net, "mode"), "bridged")))
		return;
	if (o->plug(o->c, which, name) == 0)
		settle(o->c, &o->c->guests[which], net);
	else if (wanted && p == STRANGERS)
		o->err = o->c->cli->err;
}

static void look_at_all(struct others *o, const json_t *networks)
{
	json_t *net, *segment;
	const char *vid;
	size_t i;

	json_array_foreach(networks, i, net) {
		look(o, net);
		json_object_foreach(json_object_get(net, "segments"), vid, segment) {
			json_t *settings = of_segment(net, vid, segment);

			look(o, settings);
			json_decref(settings);
		}
	}
}

int others_plug(struct check *c, const json_t *self, const char *wanted, plug_fn *plug)
{
	struct others o = { .c = c, .self = self, .wanted = wanted, .plug = plug };
	json_t *answer = NULL, *there = NULL;
	int rc = wanted ? check_settings(c, wanted, &there) : 0;

	json_decref(there);
	if (rc == 0 && wanted && !strcmp(wanted, row_text(self, "name")))
		rc = error_set(&c->cli->err, -EINVAL, "--other %s: that is the network itself", wanted);
	if (rc == 0)
		rc = cli_get(c->cli, "/v1/networks", &answer);
	if (rc < 0)
		return rc;
	look_at_all(&o, json_object_get(answer, "networks"));
	json_decref(answer);
	c->cli->err = o.err;
	return o.err.rc;
}
