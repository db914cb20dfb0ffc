/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/message.h - a DHCPv4 message as it came off the wire
 *
 * message_parse() checks and takes apart a UDP payload (RFC 2131 2, RFC 2132): fixed header, magic cookie and
 * options, including those in `file` and `sname` (option 52) and those sent in several pieces (RFC 3396).
 * Everything is copied, so the result does not borrow from the packet. Both ends use it: the server for what
 * guests send, the client of `lanyard run` for what a server answers. Addresses are in host order, 0 for
 * absent. Any thread; no allocation.
 */
#ifndef DHCP_MESSAGE_H
#define DHCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { DHCP_SERVER_PORT = 67, DHCP_CLIENT_PORT = 68 };

enum { BOOTP_REQUEST = 1, BOOTP_REPLY = 2 };		/* op */
enum { HTYPE_ETHERNET = 1 };				/* htype */
enum { DHCP_FLAG_BROADCAST = 0x8000 };			/* flags */
enum { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };		/* bits of option 52 */
enum {
	DHCP_COOKIE = 0x63825363,
	DHCP_FIXED_SIZE = 236,		/* bytes before the cookie */
	DHCP_CHADDR_SIZE = 16, DHCP_SNAME_SIZE = 64, DHCP_FILE_SIZE = 128,
};

enum {
	MESSAGE_SIZE_MAX = 2048,	/* a longer payload is refused: no client sends one */
	DHCP_INFINITE = 0xffffffffu,	/* a lease time that never ends (RFC 2131 3.3) */
};

enum dhcp_type {
	DHCP_NO_TYPE,		/* BOOTP */
	DHCP_DISCOVER, DHCP_OFFER, DHCP_REQUEST, DHCP_DECLINE, DHCP_ACK, DHCP_NAK, DHCP_RELEASE, DHCP_INFORM,
};

enum dhcp_option {
	OPTION_PAD = 0,
	OPTION_SUBNET_MASK = 1,
	OPTION_ROUTER = 3,
	OPTION_DNS = 6,
	OPTION_HOSTNAME = 12,
	OPTION_DOMAIN = 15,
	OPTION_MTU = 26,
	OPTION_BROADCAST = 28,
	OPTION_REQUESTED_IP = 50,
	OPTION_LEASE_TIME = 51,
	OPTION_OVERLOAD = 52,
	OPTION_TYPE = 53,
	OPTION_SERVER_ID = 54,
	OPTION_PARAMETERS = 55,
	OPTION_MESSAGE = 56,
	OPTION_MAX_SIZE = 57,
	OPTION_T1 = 58,
	OPTION_T2 = 59,
	OPTION_VENDOR_CLASS = 60,
	OPTION_CLIENT_ID = 61,
	OPTION_BOOT_SERVER = 66,
	OPTION_BOOT_FILE = 67,
	OPTION_USER_CLASS = 77,
	OPTION_RAPID_COMMIT = 80,	/* RFC 4039 */
	OPTION_RELAY_INFO = 82,
	OPTION_ARCH = 93,		/* RFC 4578 */
	OPTION_V6ONLY = 108,		/* RFC 8925 */
	OPTION_AUTO_CONFIG = 116,	/* RFC 2563 */
	OPTION_SEARCH = 119,
	OPTION_ROUTES = 121,
	OPTION_ROUTES_MS = 249,		/* the same, as some clients ask for it */
	OPTION_END = 255,
};

struct dhcp_message {
	uint8_t op, htype, hlen, hops;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	uint8_t chaddr[DHCP_CHADDR_SIZE];	/* bytes past hlen are zero */

	/* What the options say, where they have the right size. */
	uint8_t type;				/* enum dhcp_type, 1..8 */
	uint32_t requested_ip, server_id;
	uint32_t lease_s;			/* asked or granted; see has_lease */
	bool has_lease;
	uint16_t max_size;			/* 0 when absent or below 576 */
	char hostname[NAME_MAX_SIZE];		/* cleaned to one DNS label, or "" */

	/* Each option's bytes, its pieces joined; see message_option(). */
	struct {
		uint16_t at, size;
		bool there;
	} index[256];
	uint8_t bytes[MESSAGE_SIZE_MAX];
};

/* message_parse() - take a UDP payload apart
 *
 * Return: 0; -EBADMSG when it is malformed: truncated, hlen above 16, an option that runs past its end, or a
 * wrong size of an option that decides what the message means (50, 53, 54); -EPROTO when there is no magic
 * cookie or no option 53 (BOOTP). Other options of a wrong size are kept as bytes and left out of the typed
 * fields.
 */
int message_parse(struct dhcp_message *m, const uint8_t *data, size_t size);

/* message_option() - the bytes of option @code, borrowed from @m, or NULL when absent; *@size may be 0 when
 * present
 */
const uint8_t *message_option(const struct dhcp_message *m, uint8_t code, size_t *size);

/* message_asks() - is the option in the guest's parameter request list? */
bool message_asks(const struct dhcp_message *m, uint8_t code);

/* message_option_u32() - the value of a four-byte option (or the first of a list of such), or 0 */
uint32_t message_option_u32(const struct dhcp_message *m, uint8_t code);

/* message_clean_hostname() - make one DNS label of what a guest calls itself
 *
 * Up to the first dot; letters are made small, anything but letters and digits becomes '-', and none is left at
 * the ends.
 * @to holds "" when nothing remains.
 */
void message_clean_hostname(char to[NAME_MAX_SIZE], const uint8_t *from, size_t size);

#endif
