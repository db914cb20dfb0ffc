/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/server.h - the DHCPv4 server of one segment: a message in, at most one message out
 *
 * RFC 2131 4.3 and 4.1, with RFC 6842 (client-id echoed), RFC 3046, 3527 and 5107 (relay information echoed and heeded, and for who renews remembered), RFC 4039
 * (rapid commit), RFC 8925 (who can do without IPv4 is not kept an address), RFC 2563 (who gets no address may be told not to choose one), BOOTP (RFC 1534) and, on purpose, one difference: a guest that renews or reboots into an address of our subnet which nobody has is given it
 * even if we know nothing of it, because we are the only server and may have lost our store. Another server's
 * guests are never touched.
 *
 * Nothing here waits, sends or stores: time comes in, and what must be stored or sent comes out. Control thread
 * only.
 */
#ifndef DHCP_SERVER_H
#define DHCP_SERVER_H

#include "dhcp/lease.h"
#include "dhcp/message.h"
#include "dhcp/reservation.h"

enum { DHCP_ROUTES_MAX = 28 };		/* that fit one option */

struct dhcp_conf {
	struct prefix4 subnet;
	uint32_t server_ip;		/* our address in the segment: server identifier and source of replies */
	uint32_t router;		/* option 3; 0 sends none */
	struct prefix4 routes[DHCP_ROUTES_MAX];	/* option 121 without a router: what lies behind server_ip */
	unsigned nroutes;
	uint32_t dns;			/* option 6; 0 sends none */
	char domain[254];		/* options 15 and 119; "" sends none */
	uint16_t mtu;			/* option 26, and what a reply has to fit into; 0 sends none */
	uint32_t lease_s;		/* time of a lease; DHCP_INFINITE for ever */
	uint32_t lease_min_s;		/* least a guest may ask for; 0: a minute, or lease_s if that is less */
	uint32_t lease_max_s;		/* most; 0: lease_s */
	struct dhcp_settings says;	/* of the network itself; what is in it is borrowed */
	const struct dhcp_class *classes;	/* borrowed; a guest belongs to each that matches, and the first that says something is heard */
	unsigned nclasses;
	const struct reservations *reservations;	/* borrowed, or NULL */
	const struct boot_conf *boot;	/* what guests boot for whom nothing else is said; borrowed, or NULL */
	bool rapid_commit;		/* RFC 4039: who asks for it has its address in two messages */
	bool bootp;			/* BOOTP clients are given addresses, for ever */
};

struct dhcp_server {
	struct dhcp_conf conf;		/* may be replaced between two messages */
	struct lease_table *leases;	/* borrowed */
};

/* Where a message came from. */
struct dhcp_request {
	const char *port;		/* name of the guest's port; half of who the guest is */
	uint8_t src_mac[MAC_SIZE];	/* of the frame; a relay's replies go there */
	uint32_t src_ip;		/* of the packet */
	bool store_ok;			/* false while the store refuses writes: no new binding is made then */
};

enum dhcp_outcome {
	DHCP_OUT_OFFER,			/* answered */
	DHCP_OUT_ACK,
	DHCP_OUT_NAK,
	DHCP_OUT_INFORM,
	DHCP_OUT_RELEASE,		/* done, without an answer */
	DHCP_OUT_DECLINE,
	DHCP_OUT_FOREIGN_SERVER,	/* the guest took another server's offer */
	DHCP_OUT_STRANGER,		/* RELEASE or DECLINE of what is not the guest's */
	DHCP_OUT_EXHAUSTED,		/* no address is left */
	DHCP_OUT_QUOTA,			/* the port has its share */
	DHCP_OUT_STORE,			/* the store refuses writes */
	DHCP_OUT_RELAY,			/* relayed from where we do not serve, or over too many hops */
	DHCP_OUT_BOOTP,			/* no DHCP message, and BOOTP is not served */
	DHCP_OUT_REFUSED,		/* a class or a reservation says so */
	DHCP_OUT_UNEXPECTED,		/* a message that only servers send */
	DHCP_OUT_MALFORMED,
	DHCP_OUT_NO_MEMORY,
	DHCP_OUT_COUNT,
};

struct dhcp_result {
	enum dhcp_outcome outcome;
	uint8_t type;			/* enum dhcp_type of the message, 0 if it was none */
	uint8_t mac[MAC_SIZE];		/* of the guest, where the message was well formed */

	/* Where the reply goes: from server_ip port 67. */
	uint32_t dst_ip;
	uint16_t dst_port;
	uint8_t dst_mac[MAC_SIZE];

	bool has_record;		/* the store must learn of record */
	bool durable_first;		/* and before the reply leaves; else it may follow */
	struct lease_record record;
};

/* dhcp_server_input() - take one message from a guest
 * @data:	UDP payload; longer than MESSAGE_SIZE_MAX is malformed
 * @now_wall_s:	wall time, seconds
 * @reply:	for the UDP payload of the answer; @room at least 576
 *
 * With durable_first the caller stores result->record, then calls lease_committed() and sends the reply, or, if
 * the store fails, drops it: the guest asks again. Other records are stored likewise, without holding the reply
 * back. Changes of other leases (those that ended, meanwhile) are told to the lease table's lease_changed_fn.
 *
 * Return: bytes of the reply, 0 for silence.
 */
size_t dhcp_server_input(struct dhcp_server *s, const struct dhcp_request *from, const uint8_t *data, size_t size,
			 int64_t now_wall_s, uint8_t *reply, size_t room, struct dhcp_result *result);

/* dhcp_outcome_name() - "offer", "foreign-server" ...; for counters and logs */
const char *dhcp_outcome_name(enum dhcp_outcome outcome);

#endif
