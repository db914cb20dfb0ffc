/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_lease.h - what a guest would be given by DHCP, and why (control thread) */
#ifndef CTL_LIVE_LEASE_H
#define CTL_LIVE_LEASE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct dhcp_layer;
struct dhcp_profile;
struct engine;
struct error;
struct lease6_record;
struct live_segment;

/* lease_query - texts as a client gave them; NULL: not said */
struct lease_query {
	const char *guest;		/* its port, MAC address, or client-id in hex */
	const char *vlan;		/* of its segment; else where its port is, or the network's own */
	const char *vendor, *user, *arch, *circuit;	/* what else it would say of itself */
};

/* live_lease_explain() - new reference, or NULL with @err. Nothing changes. */
json_t *live_lease_explain(struct engine *e, const char *net, const struct lease_query *query, struct error *err);

/* live_lease6_who - the guest as DHCPv6 is asked about it; borrowed */
struct live_lease6_who {
	bool by_port, by_mac;		/* of which it was called; neither: by @id */
	const char *port;
	const uint8_t *mac;
	const uint8_t *id;		/* its client-id, or its DUID */
	size_t id_size;
	const char *vendor, *user;	/* what else it would say, or NULL */
	bool by_arch;
	uint16_t arch;
};

/* live_lease6_known() - a binding of IPv6 that this guest has on @seg. Return: is there one?
 * live_lease6_explain() - what DHCPv6 would give it there; NULL: the segment has none, or out of memory
 */
bool live_lease6_known(const struct live_segment *seg, const struct live_lease6_who *who, struct lease6_record *found);
json_t *live_lease6_explain(struct live_segment *seg, const struct live_lease6_who *who);

/* live_lease_layer() - who says something, for people: "class phones"; NULL: "lanyard"; live_lease_layers() - all who speak about a guest */
json_t *live_lease_layer(const struct dhcp_layer *layer);
json_t *live_lease_layers(const struct dhcp_profile *p);

#endif
