// SPDX-License-Identifier: GPL-2.0-or-later
/* Beyond the switch: what the host's routes and its own firewall make of a packet (ctl/explain.h). The kernel is asked for the route, and the
 * keeper for the rules; what they say of the packet is ctl/firewall.h's. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/explain.h"
#include "ctl/firewall.h"
#include "ctl/host_client.h"
#include "ctl/route_get.h"

enum { RULESET_MAX = 32 << 20 };

/* ---- the firewall ---- */

/* read_ruleset() - of the host, as it is now; NULL with @err. @more: there are rules that are not in it */
static json_t *read_ruleset(const struct explain *x, bool *more, struct error *err)
{
	int fd = host_ruleset(x->e->host, more, err);
	json_error_t why;
	json_t *tree;
	struct stat st;

	if (fd < 0)
		return NULL;
	tree = fstat(fd, &st) == 0 && st.st_size <= RULESET_MAX ? json_loadfd(fd, 0, &why) : NULL;
	close(fd);
	if (!tree)
		error_set(err, -EFBIG, "there are more of them than can be looked at");
	return tree;
}

/* turned() - the first answer to @p, which has been asked about */
static struct firewall_packet turned(const struct firewall_packet *p)
{
	return (struct firewall_packet){
		.iif = p->oif, .oif = p->iif, .src = p->dst, .dst = p->src, .sport = p->dport, .dport = p->sport, .proto = p->proto, .answer = true,
		.ct_mark = p->ct_mark,
	};
}

/* passage - the hooks that a packet comes by, and those of its answer */
struct passage {
	enum firewall_hook out[3], back[3];
	unsigned nout, nback;
};

static enum firewall_verdict ask_all(const json_t *rules, const enum firewall_hook *hooks, unsigned n, struct firewall_packet *p,
				     char text[FIREWALL_TEXT])
{
	enum firewall_verdict all = FIREWALL_PASS;
	char one[FIREWALL_TEXT];

	for (unsigned i = 0; i < n && all != FIREWALL_BLOCK; i++) {
		enum firewall_verdict v = firewall_ask(rules, hooks[i], p, one);

		if (v == FIREWALL_BLOCK || (v == FIREWALL_UNSURE && all == FIREWALL_PASS)) {
			all = v;
			memcpy(text, one, FIREWALL_TEXT);
		}
	}
	return all;
}

static bool firewall_stage(struct explain *x, const struct passage *way, struct firewall_packet *p)
{
	static const char hint[] = "nft list ruleset";
	struct firewall_packet answer;
	struct error err = { .rc = 0 };
	enum firewall_verdict v;
	char text[FIREWALL_TEXT];
	const char *what = "it";
	bool more = false;
	json_t *rules = read_ruleset(x, &more, &err);

	if (!rules)
		return explain_unknown(x, "firewall", "sudo nft list ruleset", err.rc == -EPERM ? "the host's own firewall is not this daemon's to read, it has no "
				       "right to (CAP_NET_ADMIN)" : "the host's own firewall cannot be read: %s", err.message);
	v = ask_all(rules, way->out, way->nout, p, text);
	if (v == FIREWALL_PASS) {
		answer = turned(p);
		v = ask_all(rules, way->back, way->nback, &answer, text);
		what = "the answer";
	}
	json_decref(rules);
	if (v == FIREWALL_BLOCK)
		return explain_block(x, "firewall", hint, "the host's own rules drop %s: %s", what, text);
	if (v == FIREWALL_UNSURE)
		return explain_unknown(x, "firewall", hint, "the host's own rules may drop %s: %s", what, text);
	if (more)
		return explain_unknown(x, "firewall", "iptables-legacy-save", "nothing of nftables on the host is in the way; its tables of iptables are "
				       "not read here");
	return explain_pass(x, "firewall", "nothing of the host's own is in the way");
}

/* ---- by a socket ---- */

static void route_stage(struct explain *x, const struct route_got *got, const char *ip)
{
	char via[ADDR_TEXT];

	if (got->local)
		explain_pass(x, "route", "%s is the host's own", ip);
	else if (addr_is_none(got->via))
		explain_pass(x, "route", "out by %s", got->ifname);
	else
		explain_pass(x, "route", "out by %s, to %s", got->ifname, addr_format(got->via, via));
}

bool explain_leaves_host(struct explain *x, const struct trial *t)
{
	static const struct passage out = { { FIREWALL_OUTPUT, FIREWALL_POSTROUTING }, { FIREWALL_PREROUTING, FIREWALL_INPUT }, 2, 2 };
	const struct live_net *net = live_net_find(x->e, x->net);
	char ip[ADDR_TEXT], src[ADDR_TEXT], by[64] = "";
	struct firewall_packet p = { .iif = "", .src = t->way.src, .dst = t->way.dst, .dport = x->to.port, .proto = x->to.proto };
	struct route_got got;

	explain_pass(x, "nat", "to %s from a socket of the host's%s", addr_format(t->way.dst, ip), t->way.known ? ", as part of a flow that is there" : "");
	if (route_get(t->way.src, t->way.dst, NULL, net ? net->conf->uplink : "", &got) == 0) {
		p.oif = got.local ? "lo" : got.ifname;
		snprintf(by, sizeof(by), " by %s", p.oif);
	}
	if (addr_is_none(t->way.src))
		explain_pass(x, "route", "the host has a way there%s", by);
	else
		explain_pass(x, "route", "the host has a way there%s, from %s", by, addr_format(t->way.src, src));
	return firewall_stage(x, &out, &p);
}

/* ---- as a member of the network ---- */

bool explain_at_host(struct explain *x)
{
	static const struct passage through = { { FIREWALL_PREROUTING, FIREWALL_FORWARD, FIREWALL_POSTROUTING }, { FIREWALL_FORWARD, FIREWALL_POSTROUTING }, 3, 2 };
	static const struct passage into = { { FIREWALL_PREROUTING, FIREWALL_INPUT }, { FIREWALL_OUTPUT, FIREWALL_POSTROUTING }, 2, 2 };
	const struct live_net *net = live_net_find(x->e, x->net);
	const struct port_conf *host = net ? net_port(net->conf, HOST_PORT) : NULL;
	struct firewall_packet p = { .src = x->self.ip, .dst = x->dst, .dport = x->to.port, .proto = x->to.proto };
	char ip[ADDR_TEXT], self[ADDR_TEXT], hint[300];
	struct route_got got;
	int rc = host ? route_get(x->self.ip, x->dst, host->ifname, "", &got) : -ENODEV;

	explain_pass(x, "host", "handed to the host%s%s", host ? " on " : "", host ? host->ifname : "");
	snprintf(hint, sizeof(hint), "ip route get %s from %s iif %s", addr_format(x->dst, ip), addr_format(x->self.ip, self),
		 host ? host->ifname : "");
	if (rc < 0)
		return explain_block(x, "route", hint, "the host does not pass it on: %s", strerror(-rc));
	route_stage(x, &got, ip);
	p.iif = host->ifname;
	p.oif = got.local ? "" : got.ifname;
	return firewall_stage(x, got.local ? &into : &through, &p);
}
