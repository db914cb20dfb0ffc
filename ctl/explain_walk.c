// SPDX-License-Identifier: GPL-2.0-or-later
/* The stages of a trial in words (ctl/explain.h). Nothing is decided here: which stage a verdict is of, and what command bears on it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "ctl/explain.h"
#include "ctl/live_policy.h"
#include "switch/forward.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/stage.h"

/* place - where on its way a frame ends, in the order in which it gets there */
enum place { AT_LINK, AT_FRAME, AT_VLAN, AT_GUARD, AT_POLICY, AT_FDB, AT_SERVICE };

static const char *const place_names[] = { "link", "frame", "vlan", "guard", "policy", "fdb", "nat" };

/* endings - verdicts in which no trial of a frame as explain_try() makes it ends are not here */
static const struct ending {
	enum place at;
	const char *hint;		/* NET and PORT stand for names; NULL: no command changes it */
} endings[VERDICT_COUNT] = {
	[VERDICT_DROP_LINK_DOWN] = { AT_LINK, "lanyard port set NET/PORT --link up" },
	[VERDICT_DROP_OVERSIZE] = { AT_FRAME, "lanyard net set NET --mtu N" },
	[VERDICT_DROP_VNET_HEADER] = { AT_FRAME, NULL },
	[VERDICT_DROP_VLAN] = { AT_VLAN, "lanyard port set NET/PORT --vlan N" },
	[VERDICT_DROP_DOUBLE_TAG] = { AT_VLAN, NULL },
	[VERDICT_DROP_SOURCE] = { AT_GUARD, NULL },
	[VERDICT_DROP_SPOOFED_GATEWAY] = { AT_GUARD, NULL },
	[VERDICT_DROP_SPOOFED_SOURCE] = { AT_GUARD, "lanyard net show NET" },
	[VERDICT_DROP_RESERVED] = { AT_GUARD, NULL },
	[VERDICT_DROP_REFLECTED] = { AT_GUARD, NULL },
	[VERDICT_DROP_FORGED_MAC] = { AT_GUARD, "lanyard guard set NET/PORT --own-mac false" },
	[VERDICT_DROP_FORGED_IP] = { AT_GUARD, "lanyard guard set NET/PORT --own-ip false" },
	[VERDICT_DROP_GATEWAY_CLAIM] = { AT_GUARD, NULL },
	[VERDICT_DROP_ROGUE_DHCP] = { AT_GUARD, "lanyard guard set NET/PORT --dhcp false" },
	[VERDICT_DROP_ROGUE_ROUTER] = { AT_GUARD, "lanyard guard set NET/PORT --router false" },
	[VERDICT_DROP_HIDDEN_HEADER] = { AT_GUARD, "lanyard guard set NET/PORT --router false" },
	[VERDICT_DROP_MAC_LIMIT] = { AT_GUARD, "lanyard guard set NET/PORT --max-macs 0" },
	[VERDICT_DROP_STORM] = { AT_GUARD, "lanyard guard ls NET" },
	[VERDICT_DROP_MIRROR] = { AT_GUARD, "lanyard mirror ls NET" },
	[VERDICT_DROP_ISOLATED] = { AT_GUARD, "lanyard guard set NET/PORT --isolated false" },
	[VERDICT_DROP_POLICY] = { AT_POLICY, "lanyard policy ls NET/PORT" },
	[VERDICT_DROP_SHAPE] = { AT_FDB, "lanyard port show NET/PORT" },
	[VERDICT_DROP_HAIRPIN] = { AT_FDB, "lanyard fdb ls NET" },
	[VERDICT_DROP_NO_DESTINATION] = { AT_FDB, "lanyard ps NET" },
	[VERDICT_DROP_MARTIAN] = { AT_SERVICE, NULL },
	[VERDICT_DROP_NO_ROUTE] = { AT_SERVICE, "lanyard net show NET" },
	[VERDICT_DROP_OTHER_NETWORK] = { AT_SERVICE, "lanyard net peer NET OTHER" },
	[VERDICT_DROP_PEER] = { AT_SERVICE, "lanyard net show NET" },
	[VERDICT_DROP_NO_NEIGHBOUR] = { AT_SERVICE, "lanyard ps" },
	[VERDICT_DROP_QUOTA] = { AT_SERVICE, "lanyard net show NET" },
	[VERDICT_DROP_NO_MEMORY] = { AT_SERVICE, "lanyard daemon show" },
	[VERDICT_CONSUMED_REFUSED] = { AT_SERVICE, "lanyard net set NET --host-access own" },
};

/* ending_of() - of a verdict without one of its own, the part of the walk that said it */
static struct ending ending_of(const struct trial *t)
{
	static const enum place by_stop[] = {
		[TRIAL_ADMISSION] = AT_FRAME, [TRIAL_STAGES] = AT_GUARD, [TRIAL_DESTINATION] = AT_FDB, [TRIAL_SERVICE] = AT_SERVICE,
	};
	struct ending e = endings[t->verdict];

	if (!e.at && !e.hint)
		e.at = by_stop[t->stop];
	return e;
}

/* fill() - the command with the names in it */
static const char *fill(const struct explain *x, const char *hint, const char *port, char text[300])
{
	size_t n = 0;

	for (; *hint && n < 200; hint++) {
		if (!strncmp(hint, "NET", 3)) {
			n += (size_t)snprintf(text + n, 300 - n, "%s", x->net);
			hint += 2;
		} else if (!strncmp(hint, "PORT", 4)) {
			n += (size_t)snprintf(text + n, 300 - n, "%s", port);
			hint += 3;
		} else {
			text[n++] = *hint;
		}
	}
	text[n] = '\0';
	return text;
}

static const char *port_name(const struct explain *x, uint32_t id)
{
	const struct live_port *p = id < PORT_IDS ? x->e->by_id[id] : NULL;

	return p ? p->name : "a port that has gone";
}

/* ---- what lets it by ---- */

static void stages_passed(struct explain *x, const struct live_port *p, const struct trial *t, enum place end)
{
	const struct port_view *in = &x->e->snapshot->ports[p->id];

	if (end > AT_VLAN)
		explain_pass(x, "vlan", in->own ? "a segment of its own" : "VLAN %u", t->vid);
	if (end > AT_GUARD)
		explain_pass(x, "guard", "%s", in->stages_in & ~(uint32_t)STAGE_POLICY ? "nothing that its guards refuse" : "the port has none");
	if (end > AT_POLICY)
		explain_pass(x, "policy", "%s", (in->stages_in | in->stages_out) & STAGE_POLICY ? "its rules allow this" : "the port has no rules");
}

static void fdb_passed(struct explain *x, const struct trial *t)
{
	if (t->stop < TRIAL_DESTINATION || !t->looked_up)
		return;
	if (t->lives_at < 0)
		explain_pass(x, "fdb", "nobody knows where this MAC address lives: a copy goes to each of %u ports", t->nports);
	else
		explain_pass(x, "fdb", "lives on %s/%s", x->net, port_name(x, (uint32_t)t->lives_at));
}

/* ---- where it ends ---- */

/* rule_text() - of live_policy_rules(): rules by their index, and the defaults of both directions behind them */
static const char *rule_text(const json_t *rules, const struct explained *r, bool to_guest)
{
	size_t n = json_array_size(rules), at = r->policy_rule >= 0 ? (size_t)r->policy_rule : n - 2 + to_guest;
	const char *text = n >= 2 ? json_string_value(json_object_get(json_array_get(rules, at), "rule")) : NULL;

	return text ? text : "a rule that has gone";
}

static bool policy_blocks(struct explain *x, const struct live_port *p, const struct explained *r, const char *what)
{
	const char *port = port_name(x, r->policy_port);
	json_t *rules = live_policy_rules(x->e, x->net, port);
	char hint[300];

	explain_block(x, "policy", fill(x, "lanyard policy ls NET/PORT", port, hint), "%sdenied by the rules of %s/%s: %s", what, x->net, port,
		      rule_text(rules, r, r->policy_port != p->id));
	json_decref(rules);
	return false;
}

/* host_refuses() - the NAT would pass it on, and the host would not send it */
static bool host_refuses(struct explain *x, const struct trial *t, const char *what)
{
	char ip[ADDR_TEXT], hint[100];

	explain_pass(x, "nat", "%sto %s from a socket of the host's", what, addr_format(t->way.dst, ip));
	if (t->verdict == VERDICT_DROP_NO_PROTOCOL)	/* a ping, and lanyard may send none */
		return explain_block(x, "route", "sysctl -w net.ipv4.ping_group_range='0 2147483647'", "lanyard may send no pings on this host");
	snprintf(hint, sizeof(hint), "ip route get %s", ip);
	return explain_block(x, "route", hint, "the host does not send to %s: %s", ip, strerror(-t->way.error));
}

/* away() - the station is known, and its port takes nothing now */
static bool away(struct explain *x, const struct live_port *other, const char *what)
{
	bool down = other->state == LIVE_DOWN && !other->conf->link_up;
	char hint[300];

	return explain_block(x, "fdb", fill(x, down ? "lanyard port set NET/PORT --link up" : "lanyard port show NET/PORT", other->name, hint),
			     "%sit lives on %s/%s, which is %s%s%s", what, x->net, other->name, live_state_name(other->state),
			     other->reason[0] ? ": " : "", other->reason);
}

static bool blocks(struct explain *x, const struct live_port *p, const struct explained *r, struct ending end, const char *what)
{
	const struct trial *t = &r->trial;
	const struct segment *other = NULL;
	const struct live_net *net;
	char hint[300];

	if (t->verdict == VERDICT_DROP_POLICY)
		return policy_blocks(x, p, r, what);
	if (t->way.asked && (t->verdict == VERDICT_CONSUMED_REFUSED || t->verdict == VERDICT_DROP_NO_PROTOCOL))
		return host_refuses(x, t, what);
	if (t->verdict == VERDICT_DROP_OTHER_NETWORK)
		other = segment_for_addr(x->e->snapshot, x->dst, NULL);
	net = other ? live_net_by_id(x->e, other->net->net_id) : NULL;
	if (net && net == p->net)
		return explain_block(x, "nat", NULL, "%s%s: VLAN %u of this network, to which nothing leads", what, verdict_name(t->verdict), other->vid);
	if (net) {
		snprintf(hint, sizeof(hint), "lanyard net peer %s %s", x->net, net->name);
		return explain_block(x, "nat", hint, "%s%s: %s", what, verdict_name(t->verdict), verdict_meaning(t->verdict));
	}
	return explain_block(x, place_names[end.at], end.hint ? fill(x, end.hint, x->port, hint) : NULL, "%s%s: %s", what,
			     verdict_name(t->verdict), verdict_meaning(t->verdict));
}

/* ---- where it arrives ---- */

/* beyond() - by a peering into another network, whose stages it has to pass, too */
static bool beyond(struct explain *x, const struct trial *t)
{
	const struct live_port *to = t->nports && t->ports[0] < PORT_IDS ? x->e->by_id[t->ports[0]] : NULL;
	struct ending end = ending_of(&(struct trial){ .verdict = t->beyond, .stop = TRIAL_DESTINATION });

	explain_pass(x, "peer", "routed into the other network");
	if (verdict_is_drop(t->beyond) || !to)
		return explain_block(x, place_names[end.at], NULL, "there: %s: %s", verdict_name(t->beyond), verdict_meaning(t->beyond));
	return explain_pass(x, "delivery", "to %s/%s; its own firewall is not known here", to->net->name, to->name);
}

static bool arrives(struct explain *x, const struct trial *t)
{
	const char *to = t->nports ? port_name(x, t->ports[0]) : "";

	if (t->stop == TRIAL_SERVICE && t->verdict == VERDICT_CONSUMED_NAT)
		return explain_leaves_host(x, t);
	if (t->made)
		return beyond(x, t);
	if (t->stop == TRIAL_SERVICE)
		return explain_pass(x, "gateway", "%s", verdict_meaning(t->verdict));
	if (t->verdict == VERDICT_FORWARDED && !strcmp(to, HOST_PORT))
		return explain_at_host(x);
	if (t->verdict == VERDICT_FORWARDED && to[0] == '@')
		return explain_unknown(x, "uplink", NULL, "handed to the network behind the uplink");
	if (t->verdict == VERDICT_FORWARDED)
		return explain_pass(x, "delivery", "to %s/%s; its own firewall is not known here", x->net, to);
	if (!t->nports)
		return explain_block(x, "fdb", NULL, "nobody is there to get a copy");
	return explain_pass(x, "delivery", "to %u ports", t->nports);
}

/* lost() - flooded, or not, because the port where the station lives takes nothing: it is not among those that get a copy */
static const struct live_port *lost(const struct explain *x, const struct trial *t)
{
	const struct live_port *lives = t->looked_up && t->lives_at >= 0 && t->lives_at < PORT_IDS ? x->e->by_id[t->lives_at] : NULL;

	if (t->verdict != VERDICT_FLOODED && t->verdict != VERDICT_DROP_NO_DESTINATION)
		return NULL;
	for (unsigned i = 0; lives && i < t->nports && i < TRIAL_PORTS; i++)
		if (t->ports[i] == lives->id)
			return NULL;
	return lives;
}

bool explain_walk(struct explain *x, const struct live_port *p, const struct explained *r, const char *what)
{
	const struct trial *t = &r->trial;
	const struct live_port *away_from = lost(x, t);
	bool stops = away_from || verdict_is_drop(t->verdict) || t->verdict == VERDICT_CONSUMED_REFUSED;
	struct ending end = stops ? ending_of(t) : (struct ending){ AT_SERVICE, NULL };

	if (away_from)
		end.at = AT_FDB;
	stages_passed(x, p, t, end.at);
	if (away_from)
		return away(x, away_from, what);
	if (end.at > AT_FDB)
		fdb_passed(x, t);
	return stops ? blocks(x, p, r, end, what) : arrives(x, t);
}
