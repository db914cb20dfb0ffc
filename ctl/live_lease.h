/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_lease.h - what a guest would be given by DHCP, and why (control thread) */
#ifndef CTL_LIVE_LEASE_H
#define CTL_LIVE_LEASE_H

#include <jansson.h>
#include <stdint.h>

struct engine;
struct error;

/* lease_query - texts as a client gave them; NULL: not said */
struct lease_query {
	const char *guest;		/* its port, MAC address, or client-id in hex */
	const char *vlan;		/* of its segment; else where its port is, or the network's own */
	const char *vendor, *user, *arch, *circuit;	/* what else it would say of itself */
};

/* live_lease_explain() - new reference, or NULL with @err. Nothing changes. */
json_t *live_lease_explain(struct engine *e, const char *net, const struct lease_query *query, struct error *err);

#endif
