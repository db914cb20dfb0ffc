// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's end of a network in modes host-only and routed: a port that the mode brings along, in no file and in no request. */
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

void host_port_add(struct net_conf *net)
{
	struct port_conf *port = &net->ports[net->nports++];

	*port = (struct port_conf){
		.name = HOST_PORT, .kind = PORT_KIND_HOST, .transient = true, .link_up = true, .pvid = 1, .queues = 1,
	};
	mac_from_names(net->name, "@gateway", port->mac);	/* the gateway is the host */
	host_ifname(net->name, port->ifname);
	qsort(net->ports, net->nports, sizeof(*net->ports), by_name);
}
