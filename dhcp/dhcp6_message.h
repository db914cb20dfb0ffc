/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dhcp6_message.h - DHCPv6 messages as clients and relays send them, parsed
 *
 * Pure functions, any thread, no allocation. What is parsed borrows the bytes it was parsed from. Sources: RFC 8415 7.3, 8, 9, 11, 21;
 * RFC 4704 4 (name), RFC 6939 4 (a client's link-layer address, told by its relay), RFC 8357 5 (a relay's port).
 */
#ifndef DHCP_DHCP6_MESSAGE_H
#define DHCP_DHCP6_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/text.h"

enum dhcp6_type {
	DHCP6_SOLICIT = 1, DHCP6_ADVERTISE, DHCP6_REQUEST, DHCP6_CONFIRM, DHCP6_RENEW, DHCP6_REBIND, DHCP6_REPLY, DHCP6_RELEASE,
	DHCP6_DECLINE, DHCP6_RECONFIGURE, DHCP6_INFORMATION_REQUEST, DHCP6_RELAY_FORWARD, DHCP6_RELAY_REPLY,
};

enum dhcp6_option {
	OPTION6_CLIENT_ID = 1, OPTION6_SERVER_ID, OPTION6_IA_NA, OPTION6_IA_TA, OPTION6_IA_ADDRESS, OPTION6_REQUEST, OPTION6_PREFERENCE,
	OPTION6_RELAY_MESSAGE = 9, OPTION6_STATUS = 13, OPTION6_RAPID_COMMIT, OPTION6_USER_CLASS, OPTION6_VENDOR_CLASS, OPTION6_INTERFACE_ID = 18, OPTION6_DNS = 23,
	OPTION6_SEARCH, OPTION6_IA_PD, OPTION6_IA_PREFIX, OPTION6_SNTP = 31, OPTION6_REFRESH_TIME, OPTION6_NAME = 39, OPTION6_NTP = 56,
	OPTION6_BOOT_URL = 59, OPTION6_ARCH = 61, OPTION6_LINK_ADDRESS = 79, OPTION6_SOL_MAX_RT = 82, OPTION6_CAPTIVE_PORTAL = 103, OPTION6_RELAY_PORT = 135,
};

enum {
	DHCP6_DUID_MIN = 3, DHCP6_DUID_MAX = 130,	/* a type, and 1 to 128 bytes (RFC 8415 11.1) */
	DHCP6_IAS_MAX = 8, DHCP6_IA_ITEMS = 4,		/* of a message, and of an IA; more are not looked at */
	DHCP6_RELAYS_MAX = 8,				/* HOP_COUNT_LIMIT (RFC 8415 7.6) */
	DHCP6_XID_SIZE = 3,
};

/* dhcp6_ia - an identity association: what a client has, or hopes for; its own wishes about times are not kept */
struct dhcp6_ia {
	uint16_t type;			/* OPTION6_IA_NA, _TA or _PD */
	uint32_t iaid;
	struct prefix6 item[DHCP6_IA_ITEMS];	/* addresses with length 128; prefixes with theirs, and with the address zero a mere wish for it */
	unsigned nitems;
};

struct dhcp6_message {
	uint8_t type;			/* enum dhcp6_type */
	const uint8_t *xid;		/* DHCP6_XID_SIZE bytes */
	const uint8_t *client_id, *server_id;	/* or NULL */
	size_t client_id_size, server_id_size;
	const uint8_t *request;		/* the codes that it asks for, two bytes each; or NULL */
	size_t request_count;
	const uint8_t *user, *vendor, *arch;	/* options 15, 16 and 61 (RFC 5970 3.3), or NULL; of several the first */
	size_t user_size, vendor_size, arch_size;
	bool rapid_commit;
	bool has_name;			/* option 39 */
	char hostname[NAME_MAX_SIZE];	/* its first label, cleaned, or "" */
	struct dhcp6_ia ia[DHCP6_IAS_MAX];
	unsigned nias;
};

/* dhcp6_relay - what a relay put around a message, and wants back */
struct dhcp6_relay {
	uint8_t hops;
	struct addr link, peer;
	const uint8_t *interface_id;	/* or NULL */
	size_t interface_id_size;
	const uint8_t *port;		/* two bytes that it wants back: it listens at the port that it sends from; or NULL */
};

/* dhcp6_relays - those around a message, the last one that it passed first */
struct dhcp6_relays {
	struct dhcp6_relay of[DHCP6_RELAYS_MAX];
	unsigned n;
	const uint8_t *link_address;	/* of the client, as the first relay saw it: MAC_SIZE bytes; or NULL */
};

/* dhcp6_message_parse() - a client's message
 * Return: 0, or -EBADMSG for one that ends too early, or has an identifier twice or of no allowed length.
 */
int dhcp6_message_parse(struct dhcp6_message *m, const uint8_t *data, size_t size);

/* dhcp6_message_option() - the first option of this code in a message that was parsed, outside its IAs. Return: borrowed, or NULL. */
const uint8_t *dhcp6_message_option(const uint8_t *data, size_t size, uint16_t code, size_t *option_size);

/* dhcp6_relays_parse() - take off what relays put around a message
 * @data, @size:	in: the UDP payload; out: the client's message
 *
 * Return: 0, also where there is no relay; -EBADMSG; -ELOOP for too many.
 */
int dhcp6_relays_parse(struct dhcp6_relays *relays, const uint8_t **data, size_t *size);

/* dhcp6_duid_mac() - the MAC address in an identifier that was made of one (RFC 8415 11.2, 11.4). Return: is there one? */
bool dhcp6_duid_mac(const uint8_t *duid, size_t size, uint8_t mac[MAC_SIZE]);

#endif
