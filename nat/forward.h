/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/forward.h - listening sockets of the host whose clients are led to a guest
 *
 * The sockets are bound (and, for TCP, listening) before they come here: those of one address, for one port or several in a row; a
 * forward that listens on several addresses is several struct forward. They are watched by one worker; each client is handed to the
 * worker that owns the guest's port.
 *
 * Clients come to the guest from their own address and port, so that its logs and bans mean what they say. From the gateway's
 * address, each from a port of its own (49152-65535, RFC 6335 6), come those whose own address the guest could not answer
 * or would take for a neighbour's: clients on this host, in a network of lanyard's, of the other address family, link-local
 * ones; and all where the target asks for it.
 *
 * TCP: the guest is called when a client has connected; nothing is read from the client before the guest has answered, and a guest that refuses, or
 * is silent for 20 s, makes the client see a reset. UDP: a client is remembered for 300 s after the last datagram either way, at
 * most FORWARD_CLIENTS per port, the stalest going first.
 *
 * Unless another thread is named, functions belong to the control thread.
 */
#ifndef NAT_FORWARD_H
#define NAT_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct flow;
struct forward;
struct nat;
struct nat_shard;
struct site;
struct worker;

enum { FORWARD_CLIENTS = 1024, FORWARD_BY_IP = UINT32_MAX };

/* forward_target - the guest */
struct forward_target {
	uint32_t port;			/* port id: wherever it has its address; or FORWARD_BY_IP */
	struct addr ip;			/* for FORWARD_BY_IP, or a fixed address of the port; else none */
	uint16_t to_port;		/* for the host's port @first, and so on in a row */
	uint16_t first;			/* 0: the port of the first socket */
	bool gateway;			/* show all clients as the gateway */
};

struct forward_counts {
	uint64_t hits;			/* connections, or new UDP clients */
	uint64_t active;		/* now */
	uint64_t refused;		/* the guest refused, did not answer, or its quota is used up */
	uint64_t no_address;		/* the guest had no known address or is not there */
};

/* forward_new_many() - lead clients of @fds to @target
 * @nat:	of the guest's segment; must outlive the forward
 * @proto:	IPPROTO_TCP or IPPROTO_UDP
 * @fds:	@n sockets, at least one; taken on success; made nonblocking
 * @w:		the worker that watches them, best the one that owns the target's port
 * Return: NULL with errno (ENOMEM, EMFILE when nat/budget.h has none left, EAGAIN when the worker's inbox is full, or what
 *	getsockname() says).
 */
struct forward *forward_new_many(struct nat *nat, uint8_t proto, const int *fds, unsigned n, const struct forward_target *target,
				 struct worker *w);

/* forward_new() - with a single socket */
static inline struct forward *forward_new(struct nat *nat, uint8_t proto, int fd, const struct forward_target *target,
					  struct worker *w)
{
	return forward_new_many(nat, proto, &fd, 1, target, w);
}

/* forward_retarget() - new clients (UDP: also the next datagram of known ones) go there; Return: 0 or -ENOMEM */
int forward_retarget(struct forward *forward, const struct forward_target *target);

/* forward_stop() - take no new clients and give up the host's ports; TCP connections live on, UDP clients are forgotten
 * Nothing may be asked of the forward afterwards; it frees itself when its last connection has gone.
 * Return: false when the worker's inbox was full: nothing has happened, call again.
 */
bool forward_stop(struct forward *forward);

void forward_count(const struct forward *forward, struct forward_counts *counts);

/* forward_is_loopback() - is there a forward on this port of 127.0.0.1? Guests are not let through to it. Any thread. */
bool forward_is_loopback(uint8_t proto, uint16_t port);

/* forward_is_everywhere() - is there one on this port of all the host's addresses, so that nothing else is? Guests reach it there
 * too (RFC 4787 REQ-9). */
bool forward_is_everywhere(uint8_t proto, uint16_t port);

/* ---- for the rest of nat/, on a worker ---- */

/* forward_refused() - the guest did not want the client */
void forward_refused(struct forward *forward);

/* forward_put_flow() - a flow lets go of its forward (NULL is accepted) */
void forward_put_flow(struct forward *forward);

/* forward_find_mac() - the guest's MAC address from the stations; asks for it by ARP when unknown. Return: was it known? */
bool forward_find_mac(struct nat_shard *s, const struct site *site, uint32_t port_id, struct addr ip, uint8_t mac[6]);

#endif
