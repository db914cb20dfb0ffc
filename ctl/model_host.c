// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's end of a network in modes host-only, routed and bridged, and the uplink of the last: ports that the mode brings along, in
 * no file and in no request. */
#include "ctl/model_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ctl/host.h"

/* host_ifname() - ly-NET; a longer name is cut and told from others by a number made of the whole */
static void host_ifname(const char *net, char ifname[IFNAME_TEXT])
{
	enum { KEPT = 7 };
	uint32_t h = (uint32_t)hash_bytes(net, strlen(net), 0x69666e616d65ull);

	if (strlen(net) + strlen(HOST_IFACE_PREFIX) < IFNAME_TEXT)
		snprintf(ifname, IFNAME_TEXT, HOST_IFACE_PREFIX "%.12s", net);
	else
		snprintf(ifname, IFNAME_TEXT, HOST_IFACE_PREFIX "%.*s%05x", KEPT, net, (unsigned)(h & 0xfffff));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static struct port_conf *own_port(struct net_conf *net, const char *name, enum port_kind kind)
{
	struct port_conf *port = &net->ports[net->nports++];

	net->nown++;
	*port = (struct port_conf){ .kind = kind, .transient = true, .link_up = true, .pvid = 1, .queues = 1 };
	snprintf(port->name, sizeof(port->name), "%s", name);
	mac_from_names(net->name, name, port->mac);
	return port;
}

/* all_vlans() - untagged is VID 1, and all others pass with their tags */
static void all_vlans(struct port_conf *port)
{
	port->vlan_mode = PORT_VLAN_TRUNK;
	port->native = 1;
	for (unsigned vid = 2; vid < MODEL_VLANS - 1; vid++)
		port->trunk[vid / 64] |= 1ull << vid % 64;
}

static void add_bridged(struct net_conf *net)
{
	struct port_conf *host = own_port(net, HOST_PORT, PORT_KIND_HOST), *uplink = own_port(net, UPLINK_PORT, PORT_KIND_UPLINK);

	host_ifname(net->name, host->ifname);
	memcpy(uplink->ifname, net->uplink, sizeof(uplink->ifname));
	uplink->queues = net->one_mac;
	all_vlans(host);
	all_vlans(uplink);
}

void own_ports_add(struct net_conf *net)
{

	if (net->has_host) {
		struct port_conf *port = own_port(net, HOST_PORT, PORT_KIND_HOST);

		mac_from_names(net->name, "@gateway", port->mac);	/* the gateway is the host */
		host_ifname(net->name, port->ifname);
	} else if (net->mode == NET_BRIDGED) {
		add_bridged(net);
	}
	qsort(net->ports, net->nports, sizeof(*net->ports), by_name);
}
