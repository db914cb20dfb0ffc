// SPDX-License-Identifier: GPL-2.0-or-later
/* The DHCP server is asked what it would answer, and its answer is written for people. */
#include "ctl/live_lease.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "ctl/engine.h"
#include "dhcp/lease.h"
#include "dhcp/lease6.h"
#include "dhcp/option_table.h"
#include "dhcp/server_explain.h"
#include "switch/vlan.h"

/* guest - who is meant, as far as it is known */
struct guest {
	char port[NAME_MAX_SIZE];	/* empty: nobody knows */
	uint8_t mac[MAC_SIZE];
	uint8_t client_id[LEASE_CLIENT_ID_MAX];
	size_t client_id_size;
	bool by_port, by_mac;		/* of which it was called; neither: by client-id */
	bool absent;			/* a port for which something is reserved, and which is not there */
	uint32_t pinned;		/* what is, or 0 */
	uint16_t arch;			/* as which it would boot, if that is asked */
	struct live_segment *seg;
};

/* ---- who is meant ---- */

/* search - a lease of the guest; one that is bound rather than remembered */
struct search {
	const struct guest *guest;
	struct lease_record found;
	bool any;
};

static void look(void *arg, const struct lease_record *r)
{
	struct search *s = arg;
	const struct guest *g = s->guest;
	bool match = g->by_port ? !strcmp(r->port, g->port) : g->by_mac ? !memcmp(r->mac, g->mac, MAC_SIZE) :
		     r->client_id_size == g->client_id_size && !memcmp(r->client_id, g->client_id, g->client_id_size);

	if (!match || r->state == LEASE_DECLINED || (s->any && s->found.state == LEASE_BOUND))
		return;
	s->found = *r;
	s->any = true;
}

/* name_reserved() - the guest of a reservation that is called so: a port to come, a card, or who identifies itself so */
static bool name_reserved(const struct live_net *net, const char *text, struct guest *g)
{
	const struct reservation_conf *r = net_reservation(net->conf, text);

	if (!r || r->of.key == GUEST_CIRCUIT)
		return false;		/* who asks says the circuit */
	g->pinned = r->of.ip;
	g->by_port = g->absent = r->of.key == GUEST_PORT;
	g->by_mac = r->of.key == GUEST_MAC;
	if (g->by_port) {
		strcpy(g->port, text);
	} else if (g->by_mac) {
		memcpy(g->mac, r->of.id, MAC_SIZE);
	} else {
		memcpy(g->client_id, r->of.id, r->of.id_size);
		g->client_id_size = r->of.id_size;
	}
	return true;
}

/* name_guest() - by what is it called? */
static int name_guest(const struct live_net *net, const char *text, struct guest *g)
{
	struct live_port *p = NULL;
	int n;

	if (strlen(text) < NAME_MAX_SIZE)
		HASH_FIND_STR(net->ports, text, p);
	g->by_port = p;
	if (p)
		strcpy(g->port, text);
	g->by_mac = !p && mac_parse(text, g->mac) == 0;
	if (p || g->by_mac || name_reserved(net, text, g))
		return 0;
	n = option_value_parse(VALUE_HEX, text, g->client_id, sizeof(g->client_id));
	g->client_id_size = (size_t)n;
	return n < 0 ? -ENOENT : 0;
}

static struct live_port *port_with_mac(const struct live_net *net, const uint8_t *mac)
{
	for (struct live_port *p = net->ports; p; p = p->hh.next)
		if (!memcmp(p->conf->mac, mac, MAC_SIZE))
			return p;
	return NULL;
}

static void from_lease(struct guest *g, const struct lease_record *r)
{
	memcpy(g->port, r->port, sizeof(g->port));
	memcpy(g->mac, r->mac, MAC_SIZE);
	memcpy(g->client_id, r->client_id, r->client_id_size);
	g->client_id_size = r->client_id_size;
}

/* from_port() - who has no lease yet is known by its port: by the address that is expected of its card */
static void from_port(const struct live_net *net, struct guest *g)
{
	struct live_port *p;

	if (!g->by_port && !g->by_mac && g->client_id_size == 1 + MAC_SIZE && g->client_id[0] == HTYPE_ETHERNET)
		memcpy(g->mac, g->client_id + 1, MAC_SIZE);	/* RFC 2132 9.14 */
	else if (!g->by_port && !g->by_mac)
		mac_from_names(net->name, "?", g->mac);		/* some card that nobody has */
	HASH_FIND_STR(net->ports, g->port, p);
	if (g->absent)
		mac_from_names(net->name, g->port, g->mac);	/* what it will have */
	else if (g->by_port)
		memcpy(g->mac, p->conf->mac, MAC_SIZE);
	else if ((p = port_with_mac(net, g->mac)))
		strcpy(g->port, p->name);
}

/* segment_of_address() - where it is one of the subnet's, or else the network's own */
static struct live_segment *segment_of_address(const struct live_net *net, uint32_t ip)
{
	struct live_segment *seg;

	LIST_FOREACH(seg, &net->segments, link)
		if (!seg->only && !seg->leaving && ip && prefix4_has(seg->conf->subnet, ip))
			return seg;
	return net->segment;
}

static struct live_lease6_who as_who6(const struct guest *g)
{
	return (struct live_lease6_who){
		.by_port = g->by_port, .by_mac = g->by_mac, .port = g->port, .mac = g->mac, .id = g->client_id, .id_size = g->client_id_size,
	};
}

/* from_lease6() - who has no lease of IPv4 may have one of IPv6, which tells where it is. Return: has it? */
static bool from_lease6(const struct live_net *net, struct guest *g)
{
	struct live_lease6_who who = as_who6(g);
	struct live_segment *seg;
	struct lease6_record r;

	LIST_FOREACH(seg, &net->segments, link) {
		if (g->by_port || seg->leaving || (g->seg && g->seg != seg) || !live_lease6_known(seg, &who, &r))
			continue;
		memcpy(g->port, r.port, sizeof(g->port));
		memcpy(g->mac, r.mac, MAC_SIZE);
		g->seg = seg;
		return true;
	}
	return false;
}

/* find_guest() - fill in what is known of it: by its lease, or else by its port */
static void find_guest(struct live_net *net, struct guest *g)
{
	struct search s = { .guest = g };
	struct live_segment *seg;
	struct live_port *p;

	LIST_FOREACH(seg, &net->segments, link)
		if (!s.any && seg->leases && !seg->leaving && (!g->seg || g->seg == seg)) {
			lease_each(seg->leases, look, &s);
			if (s.any)
				g->seg = seg;
		}
	if (s.any)
		from_lease(g, &s.found);
	else if (!from_lease6(net, g))
		from_port(net, g);
	HASH_FIND_STR(net->ports, g->port, p);
	if (!g->seg)
		g->seg = p && p->segment ? p->segment : segment_of_address(net, g->pinned);
}

static struct live_segment *segment_of_vlan(const struct live_net *net, const char *text)
{
	struct live_segment *seg;
	unsigned long vid;

	if (number_parse(text, 1, VID_MAX, &vid) < 0)
		return NULL;
	LIST_FOREACH(seg, &net->segments, link)
		if (seg->vid == vid && !seg->leaving)
			return seg;
	return NULL;
}

/* ---- what it would be given ---- */

json_t *live_lease_layer(const struct dhcp_layer *layer)
{
	if (!layer)
		return json_string("lanyard");
	return layer->name[0] ? json_sprintf("%s %s", layer->what, layer->name) : json_string(layer->what);
}

static json_t *option_json(const struct dhcp_explained *x, uint8_t code)
{
	const struct option_kind *kind = option_coded(OPTIONS4, code);
	const struct dhcp_layer *by = NULL;
	const struct option_item *item = profile_option(&x->profile, code, &by);
	enum option_type type = item ? (enum option_type)item->type : kind ? kind->type : VALUE_HEX;
	char value[OPTION_VALUE_TEXT];
	const uint8_t *data;
	size_t size;

	data = message_option(&x->answer, code, &size);
	option_value_format(type, data, size, value);
	return json_pack("{s:i s:s s:s s:o}", "code", code, "name", kind ? kind->name : "", "value", value, "from", live_lease_layer(by));
}

/* options_json() - of the answer, without those that belong to the exchange itself */
static json_t *options_json(const struct dhcp_explained *x)
{
	json_t *list = json_array();
	size_t size;

	for (unsigned code = 1; code < OPTION_END; code++)
		if (option_settable(OPTIONS4, (uint16_t)code) && message_option(&x->answer, (uint8_t)code, &size))
			json_array_append_new(list, option_json(x, (uint8_t)code));
	return list;
}

json_t *live_lease_layers(const struct dhcp_profile *p)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < p->n; i++)
		json_array_append_new(list, live_lease_layer(&p->layer[i]));
	return list;
}

static void add_offer(json_t *o, const struct dhcp_explained *x)
{
	char ip[IP4_TEXT], lease[16], server[IP4_TEXT];

	json_object_set_new(o, "ip", json_string(ip4_format(x->ip, ip)));
	json_object_set_new(o, "why", json_string(lease_why_text(x->why)));
	json_object_set_new(o, "lease", json_string(duration_format(x->lease_s, lease)));
	json_object_set_new(o, "lease_from", live_lease_layer(x->lease_by ? x->lease_by : &x->profile.layer[x->profile.n - 1]));
	json_object_set_new(o, "options", options_json(x));
	if (x->answer.siaddr)
		json_object_set_new(o, "next_server", json_string(ip4_format(x->answer.siaddr, server)));
}

static json_t *guest_json(const struct live_net *net, const struct guest *g)
{
	char mac[MAC_TEXT], id[OPTION_VALUE_TEXT];
	json_t *o;

	option_value_format(VALUE_HEX, g->client_id, g->client_id_size, id);
	o = json_pack("{s:s s:s s:s s:s}", "network", net->name, "port", g->port, "mac", mac_format(g->mac, mac), "client_id", id);
	if (!g->seg->only)
		json_object_set_new(o, "vid", json_integer(g->seg->vid));
	if (g->absent)
		json_object_set_new(o, "absent", json_true());
	return o;
}

static void add_explained(json_t *o, const struct dhcp_explained *x)
{
	json_object_set_new(o, "outcome", json_string(dhcp_outcome_name(x->outcome)));
	json_object_set_new(o, "heard", live_lease_layers(&x->profile));
	if (x->profile.refused)
		json_object_set_new(o, "refused_by", live_lease_layer(x->profile.refused));
	if (x->outcome == DHCP_OUT_OFFER)
		add_offer(o, x);
}

/* ask() - the segment's server */
static int ask(struct guest *g, const struct lease_query *query, struct dhcp_explained *x, struct error *err)
{
	struct dhcp_question q = {
		.port = g->port, .mac = g->mac, .client_id = g->client_id, .client_id_size = g->client_id_size, .vendor = query->vendor,
		.user = query->user, .circuit = query->circuit, .by_arch = query->arch, .arch = g->arch, .asks_all = true,
	};

	if (query->circuit)
		q.giaddr = prefix4_last(g->seg->conf->subnet) - 1;	/* of a relay somewhere there */
	if (q.giaddr == g->seg->conf->gateway)
		q.giaddr--;
	if (dhcp_server_explain(&g->seg->server, &q, (int64_t)(clock_wall_ms() / 1000), x) < 0)
		return error_set(err, -EINVAL, "no guest can say that of itself in one message");
	return 0;
}

static int explain4(json_t *o, struct guest *g, const struct lease_query *query, struct error *err)
{
	struct dhcp_explained *x = malloc(sizeof(*x));
	int rc = x ? ask(g, query, x, err) : error_set(err, -ENOMEM, "out of memory");

	if (rc == 0)
		add_explained(o, x);
	free(x);
	return rc;
}

/* explain() - of each family that is given there; what is behind a relay for DHCPv4 may be elsewhere for DHCPv6 */
static json_t *explain(struct live_net *net, struct guest *g, const struct lease_query *query, struct error *err)
{
	struct live_lease6_who who = as_who6(g);
	json_t *o, *six;
	unsigned long arch = 0;

	if (query->arch && number_parse(query->arch, 0, UINT16_MAX, &arch) < 0) {
		error_set(err, -EINVAL, "arch: not a number in 0..65535");
		return NULL;
	}
	g->arch = who.arch = (uint16_t)arch;
	who.by_arch = query->arch;
	who.vendor = query->vendor;
	who.user = query->user;
	o = guest_json(net, g);
	if (g->seg->leases && explain4(o, g, query, err) < 0) {
		json_decref(o);
		return NULL;
	}
	six = query->circuit ? NULL : live_lease6_explain(g->seg, &who);
	if (six)
		json_object_set_new(o, "dhcp6", six);
	return o;
}

json_t *live_lease_explain(struct engine *e, const char *name, const struct lease_query *query, struct error *err)
{
	struct live_net *net = live_net_find(e, name);
	struct guest g = { .by_port = false };

	if (!net)
		return error_set(err, -ENOENT, "there is no network %s", name), NULL;
	if (query->vlan) {
		g.seg = segment_of_vlan(net, query->vlan);
		if (!g.seg)
			return error_set(err, -ENOENT, "network %s has no segment %.20s", name, query->vlan), NULL;
	}
	if (name_guest(net, query->guest, &g) < 0) {
		error_set(err, -ENOENT, "network %s: %.80s is no port or reservation of it, no MAC address and no client-id in hex", name, query->guest);
		return NULL;
	}
	find_guest(net, &g);
	if (!g.seg && g.absent)
		return error_set(err, -ENOENT, "network %s: port %s has an address set aside, and is not there: its segment comes with it", name, g.port), NULL;
	if (!g.seg || (!g.seg->leases && !g.seg->leases6))
		return error_set(err, -EINVAL, "network %s does not answer DHCP there", name), NULL;
	live_segment_arm(g.seg);	/* what is due ends first, as it would for the guest's own question */
	return explain(net, &g, query, err);
}
