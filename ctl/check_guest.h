/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_guest.h - a probe guest: a port of the network whose guest is this process
 *
 * The medium is one end of a stream socket pair, so it needs no right at all; the port is transient. The guest answers ARP and
 * Neighbour Discovery for its addresses, and who talks to it as a probe (check_trial.h); it opens nothing by itself.
 */
#ifndef CTL_CHECK_GUEST_H
#define CTL_CHECK_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "ctl/run_attach.h"
#include "ctl/run_dhcp.h"
#include "dhcp/dhcp6_message.h"

enum { GUEST_FRAME_MAX = 65600, GUEST_NEIGHBOURS = 8 };

struct check_guest {
	struct port_name name;
	char place[SEGMENT_NAME_TEXT];	/* the network, or its segment: "lab:20" */
	struct attachment attach;
	int fd;				/* our end of the medium, or -1 */
	int theirs;			/* the daemon's, until it has it */
	uint8_t mac[MAC_SIZE];
	struct addr ip, ip6;		/* or none */
	uint8_t len;			/* of the prefix of ip, as its lease says; else 32 */
	uint32_t router, resolver;	/* of its lease; 0: none told */

	struct prefix6 delegated;	/* to it; len 0: none */
	struct addr behind;		/* an address of that, for which it answers */
	uint8_t server6[DHCP6_DUID_MAX];	/* who delegated it */
	size_t server6_size;

	bool has_via;
	uint8_t via[MAC_SIZE];		/* next hop to what is beyond the network */

	/* DHCP, while its answers are waited for and to release the lease */
	bool leasing;
	bool offered;			/* somebody offered or gave an address */
	bool offer_router;		/* with a router option */
	uint32_t server;		/* who */
	struct dhcp_client dhcp;

	struct {
		uint32_t ip;
		uint8_t mac[MAC_SIZE];
	} neighbours[GUEST_NEIGHBOURS];	/* who answered by ARP */
	unsigned nneighbours;

	size_t have;			/* bytes of in */
	uint8_t in[4 + GUEST_FRAME_MAX];
};

/* guest_open() - make the medium and ask for the port, at @place: "lab", or on a VLAN of it, "lab:20". Return: 0, or a negative errno with @err */
int guest_open(struct check_guest *g, const char *attach_path, const char *place, const char *port, struct error *err);

/* guest_close() - the port goes */
void guest_close(struct check_guest *g);

static inline bool guest_is_there(const struct check_guest *g)
{
	return g->attach.state == ATTACH_THERE;
}

/* guest_send() - a whole frame; what the medium does not take is lost, as on any wire */
void guest_send(struct check_guest *g, const uint8_t *frame, uint32_t size);

/* guest_fill(), guest_next() - read what has come; then the next whole frame of it, or NULL. It is valid until the next call. */
void guest_fill(struct check_guest *g);
const uint8_t *guest_next(struct check_guest *g, uint32_t *size);

/* guest_neighbour() - the Ethernet address that answered for @ip, or NULL */
const uint8_t *guest_neighbour(const struct check_guest *g, uint32_t ip);

/* guest_announce() - "my IPv6 address is here", as a stack says of one that it has just made (RFC 4861 7.2.6) */
void guest_announce(struct check_guest *g);

/* guest_answer_arp(), guest_answer_nd() - answer and note what is asked and told; of ND, Return: was it a message of that? */
void guest_answer_arp(struct check_guest *g, const uint8_t *frame, uint32_t size);
struct packet;
bool guest_answer_nd(struct check_guest *g, const struct packet *p);

#endif
