// SPDX-License-Identifier: GPL-2.0-or-later
/* What a port has open: made ready before anything visible changes, so that a failure is told to who asked. */
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hash.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_dgram.h"
#include "ctl/live_hostif.h"
#include "ctl/live_stream.h"
#include "switch/port.h"

struct opened *opened_find(struct engine *e, const char *net, const char *port)
{
	struct opened *o;

	LIST_FOREACH(o, &e->opened, link)
		if (!strcmp(o->net, net) && !strcmp(o->port, port))
			return o;
	return NULL;
}

/* in_use() - does the running port use what was opened again, too? Then the keeper is to keep it. */
static bool in_use(struct engine *e, const struct opened *o)
{
	struct live_net *net = live_net_find(e, o->net);
	struct live_port *p = NULL;

	if (net)
		HASH_FIND_STR(net->ports, o->port, p);
	return p && !strcmp(p->held, o->held);
}

void opened_free(struct engine *e, struct opened *o, bool close_it)
{
	LIST_REMOVE(o, link);
	if (close_it && o->fd >= 0)
		close(o->fd);
	if (close_it && o->held[0] && !in_use(e, o))
		host_drop(e->host, o->held);
	free(o);
}

void live_port_held(struct opened *to, const char *what, const char *net, const struct port_conf *conf)
{
	uint64_t h = hash_bytes(conf->path, strlen(conf->path), 0);

	h = hash_bytes(conf->local, strlen(conf->local), h);
	h = hash_bytes(conf->ifname, strlen(conf->ifname), h);
	h = hash_bytes(conf->netns, strlen(conf->netns), h);
	if (conf->kind == PORT_KIND_TAP || conf->kind == PORT_KIND_NETNS)	/* they get it */
		h = hash_bytes(conf->mac, sizeof(conf->mac), h);
	snprintf(to->held, sizeof(to->held), "%s:%s/%s@%08x", what, net, conf->name, (unsigned)(h & 0xffffffff));
}

static int open_attached(struct engine *e, const char *net, const struct port_conf *conf, struct opened *to)
{
	static const char *const media[] = { "tap", "packet" };

	for (size_t i = 0; i < ARRAY_SIZE(media); i++) {
		snprintf(to->held, sizeof(to->held), "attached-%s:%s/%s", media[i], net, conf->name);
		to->fd = host_recall(e->host, to->held, NULL);
		to->medium = media[i];
		if (to->fd >= 0)
			return 0;
	}
	to->held[0] = '\0';
	to->fd = -1;			/* its client will come again */
	return 0;
}

static int open_netns(struct engine *e, const struct net_conf *net, const struct port_conf *conf, struct opened *to, struct error *err)
{
	enum host_medium medium = HOST_MEDIUM_TAP;

	live_port_held(to, "netns", net->name, conf);
	to->fd = host_open_netns(e->host, to->held, conf->netns, conf->ifname, conf->mac, net->mtu, e->nworkers > 1, net->owner,
				 &medium, err);
	to->medium = medium == HOST_MEDIUM_TAP ? "tap" : "packet";
	return to->fd;
}

static int open_vmm_tap(struct engine *e, const char *net, const struct port_conf *conf, uid_t uid, struct opened *to,
			struct error *err)
{
	live_port_held(to, "vmm-tap", net, conf);
	to->medium = "packet";
	to->fd = host_open_vmm_tap(e->host, to->held, conf->ifname, uid, err);
	return to->fd;
}

/* open_uplink() - what hears all is for a medium that carries one address: tap/wireless.h */
static int open_uplink(struct engine *e, const struct net_conf *net, const struct port_conf *conf, struct opened *to, struct error *err)
{
	static const enum host_hears hears[] = {
		[ONE_MAC_AUTO] = HOST_HEARS_ALL_ON_AIR, [ONE_MAC_ON] = HOST_HEARS_ALL, [ONE_MAC_OFF] = HOST_HEARS_OTHERS,
	};
	bool all = false;

	live_port_held(to, net->one_mac == ONE_MAC_AUTO ? "uplink" : net->one_mac == ONE_MAC_ON ? "uplink-one-mac" : "uplink-wired", net->name, conf);
	to->fd = host_open_uplink(e->host, to->held, conf->ifname, hears[net->one_mac], &all, err);
	to->medium = all ? "one-mac" : "packet";
	return to->fd;
}

int live_port_open(struct engine *e, const struct net_conf *nc, const struct port_conf *conf, struct opened *to, struct error *err)
{
	const char *net = nc->name;
	uid_t uid = nc->owner;
	int rc = 0;

	snprintf(to->net, sizeof(to->net), "%.63s", net);
	snprintf(to->port, sizeof(to->port), "%s", conf->name);
	to->fd = -1;
	to->held[0] = '\0';
	switch (conf->kind) {
	case PORT_KIND_TAP:
		live_port_held(to, "tap", net, conf);
		to->medium = "tap";
		rc = to->fd = host_open_tap(e->host, to->held, conf->ifname, conf->mac, 0, e->nworkers > 1, uid, err);
		break;
	case PORT_KIND_VMM_TAP:
		rc = open_vmm_tap(e, net, conf, uid, to, err);
		break;
	case PORT_KIND_NETNS:
		rc = open_netns(e, nc, conf, to, err);
		break;
	case PORT_KIND_ATTACHED:
		rc = open_attached(e, net, conf, to);
		break;
	case PORT_KIND_UPLINK:
		rc = open_uplink(e, nc, conf, to, err);
		break;
	case PORT_KIND_HOST:
		rc = live_hostif_open(e, nc, to, err);
		break;
	case PORT_KIND_STREAM:
	case PORT_KIND_VHOST_USER:
		rc = live_stream_open(e, net, conf, uid, to, err);
		break;
	case PORT_KIND_DGRAM:
	case PORT_KIND_UDP:
		rc = live_dgram_open(e, net, conf, uid, to, err);
		break;
	}
	return rc < 0 ? rc : 0;
}

void live_port_carrier(const struct live_port *p)
{
	if (p->port && p->port->ops->carrier)
		p->port->ops->carrier(p->port, p->conf->link_up);
}
