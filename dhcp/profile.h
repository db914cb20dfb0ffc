/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/profile.h - what is said about one guest, and who says it
 *
 * Made anew for each message, of what the guest shows of itself in it. The layers stand in the order in which they are heard.
 * Borrows from the configuration and the message. Control thread; no allocation.
 */
#ifndef DHCP_PROFILE_H
#define DHCP_PROFILE_H

#include "dhcp/traits.h"

struct dhcp_layer {
	const char *what;		/* "reservation", "class" or "network" */
	const char *name;		/* of it; of the network "" */
	const struct dhcp_settings *says;
};

/* dhcp_sayers - all who may say something; borrowed */
struct dhcp_sayers {
	const struct dhcp_settings *network;
	const struct dhcp_class *classes;
	unsigned nclasses;
	const struct reservations *reservations;	/* or NULL */
};

struct dhcp_profile {
	enum option_family family;
	const struct dhcp_reservation *reservation;	/* or NULL */
	unsigned pool;			/* of the first class that has one */
	const struct dhcp_layer *refused;	/* who says that this guest is not served, or NULL */
	unsigned n;
	struct dhcp_layer layer[DHCP_CLASSES_MAX + 2];
};

/* profile_make() - of the guest that shows this of itself in a message of this family */
void profile_make(struct dhcp_profile *p, enum option_family family, const struct dhcp_sayers *sayers, const struct guest_traits *t);

/* layer_options() - what a layer says of options of the profile's family */
const struct option_set *layer_options(const struct dhcp_profile *p, const struct dhcp_layer *layer);

/* profile_copy() - with the pointers into itself */
void profile_copy(struct dhcp_profile *to, const struct dhcp_profile *from);

/* profile_option() - what is said of an option, or NULL: then the server's own value holds; by whom: @by, may be NULL */
const struct option_item *profile_option(const struct dhcp_profile *p, uint16_t code, const struct dhcp_layer **by);

/* profile_lease_s() - time of a lease, or 0 */
uint32_t profile_lease_s(const struct dhcp_profile *p, const struct dhcp_layer **by);

/* profile_boot() - where it goes on, or NULL */
const struct dhcp_boot *profile_boot(const struct dhcp_profile *p, const struct dhcp_layer **by);

#endif
