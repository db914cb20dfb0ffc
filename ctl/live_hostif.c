// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_hostif.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/host_routes.h"
#include "ctl/live_clash.h"
#include "ctl/live_delegated.h"
#include "ctl/live_kernel.h"

static void fill(struct host_iface *m, const struct engine *e, const struct net_conf *net)
{
	const struct port_conf *port = net_port(net, HOST_PORT);
	uint32_t ip_be = htonl(net->gateway);

	*m = (struct host_iface){
		.mtu = net->mtu, .bridged = net->mode == NET_BRIDGED, .len4 = net->subnet.len, .len6 = net->subnet6.len, .queues = e->nworkers > 1,
		.routed = net->has_router && net->has_host, .localnet = net->has_nat && net->host_access == HOST_ACCESS_LOOPBACK,
	};
	memcpy(m->mac, port->mac, sizeof(m->mac));
	memcpy(m->addr4, &ip_be, sizeof(m->addr4));
	if (m->len6)
		memcpy(m->addr6, net->gateway6.bytes, sizeof(m->addr6));
	m->pool6_len = net->ip6.prefixes.len;
	memcpy(m->pool6, net->ip6.prefixes.addr.bytes, sizeof(m->pool6));
	memcpy(m->ifname, port->ifname, sizeof(m->ifname));
	if (m->routed || m->bridged)
		memcpy(m->uplink, net->uplink, sizeof(m->uplink));
	if (net->has_nat && !m->uplink[0])
		host_routes_default(m->uplink);		/* or what comes back is not passed on */
	if (m->routed && m->uplink[0])
		m->uplink_index = if_nametoindex(m->uplink);
}

static bool same_subnet(const struct net_conf *a, const struct net_conf *b)
{
	return a && a->has_host && a->subnet.addr == b->subnet.addr && a->subnet.len == b->subnet.len;
}

/* check_subnet() - the host must not know it as another place; what was accepted once stays, whatever the host learns later */
static int check_subnet(const struct engine *e, const struct net_conf *net, struct error *err)
{
	const struct net_conf *old = model_net(e->model, net->name);
	struct prefix4 other = net->subnet;
	struct host_route found;
	char ours[PREFIX4_TEXT], theirs[PREFIX4_TEXT];

	if (!net->has_subnet || same_subnet(old, net) || !host_routes_find(net->subnet, net_port(net, HOST_PORT)->ifname, &found))
		return 0;
	error_set(err, -EBUSY, "subnet: %s overlaps %s, which this host has %s %s",
		  prefix4_format(net->subnet, ours), prefix4_format(found.prefix, theirs), found.ifname[0] ? "on" : "a route for",
		  found.ifname);
	error_code(err, "subnet-in-use");
	if (net->mode == NET_HOST_ONLY && live_free_subnet(e, &other))
		error_hint(err, "lanyard net %s %s --mode host-only --subnet %s", old ? "set" : "add", net->name, prefix4_format(other, ours));
	return -EBUSY;
}

static int check_net(const struct engine *e, const struct net_conf *net, struct error *err)
{
	int rc = 0;

	if (net->has_host)
		rc = check_subnet(e, net, err);
	if (rc == 0 && net_port(net, HOST_PORT) && net->uplink[0] && !if_nametoindex(net->uplink))
		rc = error_set(err, -ENODEV, "uplink %s: this host has no such interface", net->uplink);
	if (rc < 0)
		error_prefix(err, "network %s", net->name);
	return rc;
}

int live_check(struct engine *e, const struct model *next, struct error *err)
{
	int rc = live_forward_check(next, err);

	for (size_t i = 0; i < next->nnetworks && rc == 0; i++)
		rc = check_net(e, &next->networks[i], err);
	return rc;
}

int live_hostif_open(struct engine *e, const struct net_conf *net, struct opened *to, struct error *err)
{
	struct host_iface m;
	int rc = check_subnet(e, net, err);

	if (rc < 0)
		return rc;
	snprintf(to->held, sizeof(to->held), HOSTIF_HELD "%s", net->name);
	to->medium = "tap";
	fill(&m, e, net);
	to->fd = host_open_iface(e->host, to->held, &m, err);
	if (to->fd >= 0 && net->nat == NAT_KIND_KERNEL) {
		rc = live_kernel_open(e, net, to->held, err);
		if (rc < 0 && !same_subnet(model_net(e->model, net->name), net))
			host_drop(e->host, to->held);
		if (rc < 0) {
			close(to->fd);
			to->fd = rc;
		}
	}
	return to->fd;
}

int live_hostif_prepare(struct engine *e, const struct net_conf *net, struct error *err)
{
	const struct net_conf *old = model_net(e->model, net->name);
	struct host_iface a, b;
	struct opened o = { .fd = -1 };

	if (!old || !net_port(old, HOST_PORT))
		return 0;
	fill(&a, e, old);
	fill(&b, e, net);
	if (!memcmp(&a, &b, sizeof(a)) && old->nat_helpers == net->nat_helpers)	/* one that the kernel lacks is refused now or never */
		return 0;
	e->hostif_changed = true;
	if (live_hostif_open(e, net, &o, err) < 0) {
		error_prefix(err, "network %s", net->name);
		return err->rc;
	}
	close(o.fd);
	return 0;
}

const char *live_hostif_held(const struct net_conf *net, char to[HOST_NAME_SIZE])
{
	snprintf(to, HOST_NAME_SIZE, HOSTIF_HELD "%s", net->name);
	return to;
}

void live_hostif_refresh(struct engine *e, const struct net_conf *net)
{
	char name[HOST_NAME_SIZE];
	struct error err = { 0 };
	struct host_iface m;
	int fd;

	fill(&m, e, net);
	fd = host_open_iface(e->host, live_hostif_held(net, name), &m, &err);
	live_delegated_again(live_net_find(e, net->name));
	if (fd >= 0)
		close(fd);
	else
		log_error("net=%s event=host-interface-lost reason=\"%s\"", net->name, err.message);
}

/* find_uplink() - by what the network's interface is connected with the outside; Return: is there such a name at the moment? */
static bool find_uplink(const struct net_conf *conf, char uplink[IFNAME_TEXT])
{
	memcpy(uplink, conf->uplink, sizeof(conf->uplink));
	return conf->has_host && conf->has_router && (uplink[0] || (conf->has_nat && host_routes_default(uplink)));
}

void live_hostif_configured(struct live_net *net)
{
	char uplink[IFNAME_TEXT];

	if (!find_uplink(net->conf, uplink) || !strcmp(uplink, net->uplink_was))
		return;			/* the same one: whether it is the same interface follows with the next look */
	memcpy(net->uplink_was, uplink, sizeof(uplink));
	net->uplink_index = if_nametoindex(uplink);
}

void live_hostif_follow(struct live_net *net)
{
	char uplink[IFNAME_TEXT];
	unsigned now;

	if (!find_uplink(net->conf, uplink))
		return;
	now = if_nametoindex(uplink);
	if (now && (now != net->uplink_index || strcmp(uplink, net->uplink_was))) {
		log_info("net=%s event=uplink-again uplink=%s", net->name, uplink);
		live_hostif_refresh(net->engine, net->conf);
	}
	memcpy(net->uplink_was, uplink, sizeof(uplink));
	net->uplink_index = now;
}

void live_hostif_restore(struct engine *e)
{
	if (!e->hostif_changed)
		return;
	e->hostif_changed = false;
	for (size_t i = 0; i < e->model->nnetworks; i++) {
		if (net_port(&e->model->networks[i], HOST_PORT))
			live_hostif_refresh(e, &e->model->networks[i]);
	}
}
