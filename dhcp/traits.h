/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/traits.h - what a guest shows of itself in a message, of either family
 *
 * Both families have the same things to say and write them differently: what tells guests apart (dhcp/class.h, dhcp/boot.h, dhcp/profile.h)
 * looks here. Borrows from the message. Any thread; no allocation.
 */
#ifndef DHCP_TRAITS_H
#define DHCP_TRAITS_H

#include "dhcp/dhcp6_message.h"
#include "dhcp/message.h"
#include "dhcp/reservation.h"

/* guest_said - of what sort it says it is: one text, or parts, each with its length before it, or either, where clients do not agree */
struct guest_said {
	const uint8_t *data;		/* NULL: it does not say */
	size_t size;
	bool whole;
	uint8_t length_size;		/* bytes of a part's length; 0: there are no parts */
};

struct guest_traits {
	struct guest_id id;
	struct guest_said vendor, user;
	uint32_t enterprise;		/* whose names of vendors' classes these are; DHCPv6 alone */
	const uint8_t *arch;		/* its architectures, two bytes each, the one that it likes best first (RFC 4578 2.1); or NULL */
	size_t arch_size;
};

/* traits4(), traits6() - of the guest @id, which sent @m */
void traits4(struct guest_traits *t, const struct guest_id *id, const struct dhcp_message *m);
void traits6(struct guest_traits *t, const struct guest_id *id, const struct dhcp6_message *m);

/* said_any() - does it say something of which @fits holds? */
bool said_any(const struct guest_said *said, bool (*fits)(const char *text, const uint8_t *data, size_t size), const char *text);

#endif
