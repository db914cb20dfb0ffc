/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/profile.h - what is said about one guest, and who says it
 *
 * Made anew for each message, of what the guest shows of itself in it. The layers stand in the order in which they are heard.
 * Borrows from the configuration and the message. Control thread; no allocation.
 */
#ifndef DHCP_PROFILE_H
#define DHCP_PROFILE_H

#include "dhcp/server.h"

struct dhcp_layer {
	const char *what;		/* "reservation", "class" or "network" */
	const char *name;		/* of it; of the network "" */
	const struct dhcp_settings *says;
};

struct dhcp_profile {
	const struct dhcp_reservation *reservation;	/* or NULL */
	unsigned pool;			/* of the first class that has one */
	const struct dhcp_layer *refused;	/* who says that this guest is not served, or NULL */
	unsigned n;
	struct dhcp_layer layer[DHCP_CLASSES_MAX + 2];
};

/* profile_make() - of the guest that shows this of itself, and sent @m */
void profile_make(struct dhcp_profile *p, const struct dhcp_conf *conf, const struct guest_id *who, const struct dhcp_message *m);

/* profile_copy() - with the pointers into itself */
void profile_copy(struct dhcp_profile *to, const struct dhcp_profile *from);

/* profile_option() - what is said of an option, or NULL: then the server's own value holds; by whom: @by, may be NULL */
const struct option_item *profile_option(const struct dhcp_profile *p, uint8_t code, const struct dhcp_layer **by);

/* profile_lease_s() - time of a lease, or 0 */
uint32_t profile_lease_s(const struct dhcp_profile *p, const struct dhcp_layer **by);

/* profile_boot() - where it goes on, or NULL */
const struct dhcp_boot *profile_boot(const struct dhcp_profile *p, const struct dhcp_layer **by);

#endif
