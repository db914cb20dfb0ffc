/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/settings.h - what a network, a class of guests or a reservation says about the answers of the DHCP servers
 *
 * The same settings can be said in each of these places; who is closer to the guest is heard first: its reservation, then the classes
 * that it belongs to in their order, then the network (dhcp/profile.h). Zero or empty: nothing is said.
 *
 * Plain data, filled by who reads the configuration; the pointers within are owned by that.
 */
#ifndef DHCP_SETTINGS_H
#define DHCP_SETTINGS_H

#include "base/text.h"
#include "dhcp/option_set.h"

enum { DHCP_PATTERN_MAX = 128, DHCP_ARCHS_MAX = 16, DHCP_CLASSES_MAX = 64 };

/* dhcp_boot - where a guest that boots from the network goes on (RFC 2131 2: siaddr, sname, file; RFC 5970 3.1: a URL); heard as one, from who
 * says any of it */
struct dhcp_boot {
	uint32_t server;		/* host order */
	char server_name[64];
	char file[128];
};

struct dhcp_settings {
	struct option_set options, options6;	/* of DHCPv4 and DHCPv6 */
	struct dhcp_boot boot;
	uint32_t lease_s;		/* time of a lease; 0: not said */
	bool refuse;			/* not served at all */
};

/* dhcp_match - which guests belong to a class: those for whom all holds that is said
 *
 * Patterns are compared with all bytes that the guest sent: '*' stands for any number of them; one that begins with 0x is bytes in hex.
 */
struct dhcp_match {
	bool by_mac;
	uint8_t mac[MAC_SIZE], mac_mask[MAC_SIZE];	/* 52:54:00:*:*:* */
	char vendor[DHCP_PATTERN_MAX];			/* option 60; DHCPv6: one of the texts of 16 */
	char user[DHCP_PATTERN_MAX];			/* option 77: whole, or one of its parts (RFC 3004); 15 */
	char circuit[DHCP_PATTERN_MAX];			/* option 82, sub-option 1, of a relayed guest; 18 */
	char port[DHCP_PATTERN_MAX];			/* name of the port */
	uint16_t arch[DHCP_ARCHS_MAX];			/* option 93: one of these (RFC 4578 2.1); 61 */
	unsigned narch;
};

struct dhcp_class {
	char name[NAME_MAX_SIZE];
	struct dhcp_match match;
	struct dhcp_settings says;
	unsigned pool;			/* of DHCPv4 its own among the lease table's, or 0: everybody's */
};

#endif
