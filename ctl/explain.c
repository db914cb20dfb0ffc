// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/explain.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/live.h"
#include "switch/port.h"
#include "switch/snapshot.h"

enum { SPORT = 61001 };

/* ---- rows ---- */

static void row(struct explain *x, const char *stage, const char *verdict, const char *hint, const char *fmt, va_list ap)
{
	char text[400];
	json_t *o;

	vsnprintf(text, sizeof(text), fmt, ap);
	o = json_pack("{s:s s:s s:s}", "stage", stage, "verdict", verdict, "text", text);
	if (o && hint)
		json_object_set_new(o, "hint", json_string(hint));
	json_array_append_new(x->stages, o);
}

bool explain_pass(struct explain *x, const char *stage, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	row(x, stage, "pass", NULL, fmt, ap);
	va_end(ap);
	return true;
}

bool explain_unknown(struct explain *x, const char *stage, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	row(x, stage, "unknown", hint, fmt, ap);
	va_end(ap);
	return true;
}

bool explain_block(struct explain *x, const char *stage, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	row(x, stage, "block", hint, fmt, ap);
	va_end(ap);
	x->blocked = true;
	return false;
}

static json_t *answer(const struct explain *x)
{
	size_t n = json_array_size(x->stages);
	const json_t *last = n && x->blocked ? json_array_get(x->stages, n - 1) : NULL;
	char ip[ADDR_TEXT];
	json_t *o = json_pack("{s:s s:s s:s s:b s:O}", "network", x->net, "port", x->port, "destination", x->to.host, "passes",
			      !x->blocked, "stages", x->stages);

	if (o && !addr_is_none(x->dst))
		json_object_set_new(o, "address", json_string(addr_format(x->dst, ip)));
	if (o && last) {
		json_object_set(o, "blocked_by", json_object_get(last, "stage"));
		if (json_object_get(last, "hint"))
			json_object_set(o, "hint", json_object_get(last, "hint"));
	}
	return o;
}

static void end(struct explain *x)
{
	struct error err = { 0 };

	x->done(x->arg, answer(x), &err);
	json_decref(x->stages);
	free(x);
}

/* ---- the guest's own end ---- */

struct live_port *explain_port(const struct explain *x)
{
	struct live_net *net = live_net_find(x->e, x->net);
	struct live_port *p = NULL;

	if (net)
		HASH_FIND_STR(net->ports, x->port, p);
	return p;
}

static bool link_stage(struct explain *x, const struct live_port *p)
{
	char hint[200];

	if (p->state == LIVE_UP && p->port)
		return explain_pass(x, "link", "up, %s", p->medium ? p->medium : "as configured");
	if (p->state == LIVE_DOWN && !p->conf->link_up) {
		snprintf(hint, sizeof(hint), "lanyard port set %s/%s --link up", x->net, x->port);
		return explain_block(x, "link", hint, "the port's link is set down");
	}
	snprintf(hint, sizeof(hint), "lanyard port show %s/%s", x->net, x->port);
	return explain_block(x, "link", hint, "the port is %s: %s", live_state_name(p->state),
			     p->reason[0] ? p->reason : "nobody has plugged in");
}

struct live_segment *explain_segment(const struct explain *x, const struct live_port *p)
{
	return live_segment_at(p, x->vid);
}

static bool station_at(const struct live_segment *seg, const struct live_port *p, int family, struct station *st)
{
	if (!seg || !seg->stations || seg->leaving || (seg->only && seg->only != p))
		return false;
	if (family == AF_UNSPEC)
		return station_of_port(seg->stations, p->id, st);
	return station_of_family(seg->stations, p->id, family, st);
}

bool explain_station(const struct live_port *p, int family, struct station *st)
{
	const struct live_segment *seg;

	if (station_at(p->segment, p, family, st))
		return true;
	LIST_FOREACH(seg, &p->net->segments, link)
		if (station_at(seg, p, family, st))
			return true;
	return false;
}

/* find_self() - in the family of the destination's address; while that is a name, whichever the guest has, IPv4 first */
static bool find_self(struct explain *x, const struct live_port *p)
{
	return station_at(explain_segment(x, p), p, addr_is_none(x->dst) ? AF_UNSPEC : addr_family(x->dst), &x->self);
}

static bool lease_stage(struct explain *x, const struct live_port *p)
{
	const char *family = addr_is_none(x->dst) ? "" : addr_is4(x->dst) ? "IPv4 " : "IPv6 ";
	char ip[ADDR_TEXT], mac[MAC_TEXT], hint[200];

	if (find_self(x, p))
		return explain_pass(x, "lease", "%s at %s, %s", addr_format(x->self.ip, ip), mac_format(x->self.mac, mac),
				    x->self.source == STATION_DHCP ? "leased" : addr_is4(x->self.ip) ? "seen by ARP" : "seen by ND");
	snprintf(hint, sizeof(hint), "lanyard ip %s/%s --wait 30s%s", x->net, x->port, *family && !addr_is4(x->dst) ? " --ipv6" : "");
	return explain_block(x, "lease", hint, "the guest has no %saddress: no lease, and none was seen", family);
}

/* ---- the next hop ---- */

struct explain_frame explain_frame_to(const struct explain *x, const uint8_t mac[MAC_SIZE])
{
	struct explain_frame f = {
		.src = x->self.ip, .dst = x->dst, .proto = x->to.proto, .sport = SPORT, .dport = x->to.port, .tag = x->tag,
	};

	memcpy(f.src_mac, x->self.mac, MAC_SIZE);
	memcpy(f.dst_mac, mac, MAC_SIZE);
	return f;
}

/* nobody_there() - the question that the guest would ask everybody finds nobody of whom it is known that he would answer */
static bool nobody_there(struct explain *x, const struct live_port *p, const char *stage)
{
	struct explain_frame f = explain_frame_to(x, x->self.mac);
	char ip[ADDR_TEXT];
	struct explained r;

	f.proto = 0;
	if (explain_try(p, &f, &r) < 0)
		return explain_block(x, "link", NULL, "the port has just gone");
	if (verdict_is_drop(r.trial.verdict))
		return explain_walk(x, p, &r, "the question for its MAC address: ");
	return explain_block(x, stage, "lanyard ps", "nobody on this segment has said that it has %s; the question goes to %u ports",
			     addr_format(x->dst, ip), r.trial.nports);
}

/* next_hop() - Return: 1 and *mac; 0 when a stage blocked or nothing more can be known */
static int next_hop(struct explain *x, const struct live_port *p, const struct segment *seg, uint8_t mac[MAC_SIZE])
{
	const char *stage = addr_is4(x->dst) ? "arp" : "nd";
	char text[MAC_TEXT];
	struct station st;

	if (addr_equal(x->dst, x->self.ip))
		return explain_pass(x, stage, "that is the guest itself"), 0;
	if (segment_is_gateway(seg, x->dst) || (seg->has_subnet && !segment_has(seg, x->dst) && (addr_is4(x->dst) || !addr_is_link_local(x->dst)))) {
		memcpy(mac, seg->gateway_mac, MAC_SIZE);
		return explain_pass(x, stage, "by the gateway, %s", mac_format(mac, text));
	}
	if (seg->stations && station_find(seg->stations, x->dst, &st)) {
		memcpy(mac, st.mac, MAC_SIZE);
		return explain_pass(x, stage, "lives at %s", mac_format(mac, text));
	}
	if (!seg->has_subnet)
		return explain_unknown(x, stage, NULL, "lanyard is no gateway of this network, and has not seen this address; the guest's own "
				       "router decides"), 0;
	return nobody_there(x, p, stage);
}

/* trunk_vid() - the VLAN of a trunk's guest: one where it has an address, else the native one, else the first */
static uint16_t trunk_vid(const struct live_port *p, const struct vlan_conf *v)
{
	const struct live_segment *seg;
	uint16_t vid = v->pvid;
	struct station st;

	LIST_FOREACH(seg, &p->net->segments, link)
		if (vlan_member(v, seg->vid) && station_at(seg, p, AF_UNSPEC, &st))
			return seg->vid;
	for (uint16_t first = 1; !vid && first <= VID_MAX; first++)
		vid = vlan_listed(v, first) ? first : 0;
	return vid;
}

/* wire_side() - where the guest's frames are, and how they are tagged on its wire */
static void wire_side(struct explain *x, const struct live_port *p)
{
	const struct port_view *in = &x->e->snapshot->ports[p->id];
	const struct vlan_conf *v = &in->vlan;

	x->vid = v->trunk ? trunk_vid(p, v) : v->pvid;
	if (v->trunk && (x->vid != v->pvid || v->tagged_only))
		x->tag = v->map ? v->map->wire[x->vid] : x->vid;
}

static void frame_stages(struct explain *x, const struct live_port *p)
{
	const struct segment *seg = segment_at(&x->e->snapshot->ports[p->id], x->vid);
	struct explain_frame f;
	struct explained r;
	uint8_t mac[MAC_SIZE];

	if (!seg)
		explain_unknown(x, "arp", NULL, "VLAN %u has no addresses of lanyard's; who answers there is not known", x->vid);
	if (!seg || next_hop(x, p, seg, mac) != 1)
		return;
	f = explain_frame_to(x, mac);
	if (explain_try(p, &f, &r) < 0)
		explain_block(x, "link", NULL, "the port has just gone");
	else
		explain_walk(x, p, &r, "");
}

/* ---- the course ---- */

void explain_go_on(struct explain *x)
{
	const struct live_port *p = explain_port(x);

	if (!x->blocked && (!p || !p->port))
		explain_block(x, "link", NULL, "the port has just gone");
	if (!x->blocked && addr_family(x->dst) != addr_family(x->self.ip))
		lease_stage(x, p);
	if (!x->blocked)
		frame_stages(x, p);
	end(x);
}

static void begin(struct explain *x, const struct live_port *p)
{
	if (x->to.is_addr)
		x->dst = x->to.addr;
	if (!link_stage(x, p) || p->id >= x->e->snapshot->nports) {
		end(x);
		return;
	}
	wire_side(x, p);
	if (!lease_stage(x, p))
		end(x);
	else if (x->to.is_addr || explain_name(x, p) != -EINPROGRESS)
		explain_go_on(x);
}

void live_explain(struct engine *e, const char *net, const char *port, const char *to, live_explain_fn *done, void *arg)
{
	struct explain *x = calloc(1, sizeof(*x));
	struct error err = { 0 };
	struct live_port *p;
	int rc = -ENOMEM;

	if (x) {
		x->e = e;
		snprintf(x->net, sizeof(x->net), "%s", net);
		snprintf(x->port, sizeof(x->port), "%s", port);
		x->done = done;
		x->arg = arg;
		x->stages = json_array();
		rc = explain_target_parse(to, &x->to, &err);
	}
	p = rc == 0 ? explain_port(x) : NULL;
	if (rc == 0 && p) {
		begin(x, p);
		return;
	}
	if (rc == 0)
		error_set(&err, -ENOENT, "network %s has no port %s", net, port);
	else if (!x)
		error_set(&err, rc, "out of memory");
	if (x)
		json_decref(x->stages);
	free(x);
	done(arg, NULL, &err);
}
