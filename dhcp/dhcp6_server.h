/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dhcp6_server.h - the DHCPv6 server of one segment: a message in, at most one message out
 *
 * RFC 8415 16 (what is discarded without a word) and 18.3, with RFC 4704 (names) and RFC 8357 (relays' ports). As dhcp/server.h does for
 * IPv4, a guest that renews what it says it has keeps it, if it is ours to give and nobody else's, though we may know nothing of it any
 * more. It is the only server of its segment and says so (preference 255), and a guest that asks for two messages gets two.
 *
 * Nothing here waits, sends or stores: time comes in, and what must be stored or sent comes out. Control thread only.
 */
#ifndef DHCP_DHCP6_SERVER_H
#define DHCP_DHCP6_SERVER_H

#include "dhcp/dhcp6_message.h"
#include "dhcp/lease6.h"
#include "dhcp/profile.h"

enum { DHCP6_SERVERS_MAX = 4, DHCP6_CLIENT_PORT = 546, DHCP6_SERVER_PORT = 547 };

struct boot_conf;

struct dhcp6_conf {
	struct prefix6 subnet;		/* addresses outside are not on this link */
	uint8_t duid[4 + MAC_SIZE];	/* ours: dhcp6_server_duid() */
	struct addr dns;		/* option 23; none: not told */
	char domain[254];		/* options 24 and 39; "": not told */
	struct addr ntp[DHCP6_SERVERS_MAX];	/* option 56 */
	unsigned nntp;
	char captive_portal[254];	/* option 103 (RFC 8910): a URI, or "" */
	uint32_t lease_s;		/* how long what is given is valid; UINT32_MAX for ever */
	struct addr gateway;		/* our address there, that files are fetched from */
	struct dhcp_settings says;	/* of the network itself; what is in it is borrowed */
	const struct dhcp_class *classes;	/* borrowed, as of IPv4; their pools are of IPv4 alone */
	unsigned nclasses;
	const struct reservations *reservations;	/* those of the table; borrowed, or NULL */
	const struct boot_conf *boot;	/* what guests boot for whom nothing else is said; borrowed, or NULL */
};

struct dhcp6_server {
	struct dhcp6_conf conf;		/* may be replaced between two messages */
	struct lease6_table *leases;	/* borrowed */
};

/* Where a message came from. */
struct dhcp6_request {
	const char *port;		/* name of the guest's port */
	uint8_t src_mac[MAC_SIZE];	/* of the frame */
	struct addr src, dst;		/* of the packet */
	uint16_t sport;
	bool store_ok;			/* false while the store refuses writes: nothing new is given then */
};

enum dhcp6_outcome {
	DHCP6_OUT_ADVERTISE,		/* answered: an offer, */
	DHCP6_OUT_REPLY,		/* something given or renewed, */
	DHCP6_OUT_INFORM,		/* settings alone, */
	DHCP6_OUT_RELEASE,		/* something taken back, */
	DHCP6_OUT_DECLINE,
	DHCP6_OUT_CONFIRM,		/* whether the guest is still where it was, */
	DHCP6_OUT_REFUSED,		/* with nothing but reasons why not */
	DHCP6_OUT_MULTICAST,		/* told to use the group's address */
	DHCP6_OUT_UNDECIDED,		/* silence: nothing can be said of what it asks */
	DHCP6_OUT_DENIED,		/* silence: a class or a reservation says that this guest is not served */
	DHCP6_OUT_STORE,		/* silence: the store refuses writes */
	DHCP6_OUT_FOREIGN_SERVER,	/* for another server */
	DHCP6_OUT_IDENTIFIERS,		/* identifiers that such a message must not have, or that it lacks */
	DHCP6_OUT_RELAY,		/* relayed from where we do not serve, or too often */
	DHCP6_OUT_UNEXPECTED,		/* a message that only servers send */
	DHCP6_OUT_MALFORMED,
	DHCP6_OUT_COUNT,
};

struct dhcp6_result {
	enum dhcp6_outcome outcome;
	uint8_t type;			/* enum dhcp6_type of the client's message; 0 if it was none */
	bool exhausted;			/* somebody got nothing because nothing is left, or for its port's quota */

	/* Where the reply goes: from our link-local address and port 547; to the sender of the frame. */
	struct addr dst;
	uint16_t dst_port;

	unsigned nrecords;		/* the store must learn of these */
	bool durable_first;		/* and before the reply leaves; else it may follow */
	struct lease6_record records[DHCP6_IAS_MAX];
};

/* dhcp6_server_duid() - an identifier made of the gateway's MAC address, which follows from the network's name: it is the same after any
 * restart, and without a store (RFC 8415 11.4) */
void dhcp6_server_duid(struct dhcp6_conf *conf, const uint8_t gateway_mac[MAC_SIZE]);

/* dhcp6_server_profile() - what is said about the guest @id, which sent @m */
void dhcp6_server_profile(const struct dhcp6_server *s, const struct guest_id *id, const struct dhcp6_message *m, struct guest_traits *traits,
			  struct dhcp_profile *profile);

/* dhcp6_server_input() - take one message from a guest or a relay
 * @data:	UDP payload
 * @now_wall_s:	wall time, seconds
 * @reply:	for the UDP payload of the answer; what has no room in it is not sent at all
 *
 * With durable_first the caller stores the records, then calls lease6_committed() for each and sends the reply, or, if the store fails,
 * drops it: the guest asks again. Bindings that ended meanwhile are told to the table's lease6_changed_fn.
 *
 * Return: bytes of the reply, 0 for silence.
 */
size_t dhcp6_server_input(struct dhcp6_server *s, const struct dhcp6_request *from, const uint8_t *data, size_t size, int64_t now_wall_s,
			  uint8_t *reply, size_t room, struct dhcp6_result *result);

/* dhcp6_outcome_name() - "advertise", "foreign-server" ...; for counters and logs */
const char *dhcp6_outcome_name(enum dhcp6_outcome outcome);

#endif
