/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/forward.h - a listening socket of the host whose clients are led to a guest
 *
 * The socket is bound (and, for TCP, listening) before it comes here; a forward that listens on several addresses is several
 * struct forward. It is watched by one worker; each client is handed to the worker that owns the guest's port. To the guest,
 * clients come from the gateway's address, each from a port of its own (49152-65535, RFC 6335 6).
 *
 * TCP: the guest is called when a client has connected; nothing is read from the client before the guest has answered, and a guest that refuses, or
 * is silent for 20 s, makes the client see a reset. UDP: a client is remembered for 300 s after the last datagram either way, at
 * most FORWARD_CLIENTS per forward, the stalest going first.
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
	uint16_t to_port;
};

struct forward_counts {
	uint64_t hits;			/* connections, or new UDP clients */
	uint64_t active;		/* now */
	uint64_t refused;		/* the guest refused, did not answer, or its quota is used up */
	uint64_t no_address;		/* the guest had no known address or is not there */
};

/* forward_new() - lead clients of @fd to @target
 * @nat:	of the guest's segment; must outlive the forward
 * @proto:	IPPROTO_TCP or IPPROTO_UDP
 * @fd:		taken on success; made nonblocking
 * @w:		the worker that watches it, best the one that owns the target's port
 * Return: NULL with errno (ENOMEM, EAGAIN when the worker's inbox is full, or what getsockname() says).
 */
struct forward *forward_new(struct nat *nat, uint8_t proto, int fd, const struct forward_target *target, struct worker *w);

/* forward_retarget() - new clients (UDP: also the next datagram of known ones) go there; Return: 0 or -ENOMEM */
int forward_retarget(struct forward *forward, const struct forward_target *target);

/* forward_stop() - take no new clients and give up the host's port; TCP connections live on, UDP clients are forgotten
 * Nothing may be asked of the forward afterwards; it frees itself when its last connection has gone.
 * Return: false when the worker's inbox was full: nothing has happened, call again.
 */
bool forward_stop(struct forward *forward);

void forward_count(const struct forward *forward, struct forward_counts *counts);

/* forward_is_loopback() - is there a forward on this port of 127.0.0.1? Guests are not let through to it. Any thread. */
bool forward_is_loopback(uint8_t proto, uint16_t port);

/* ---- for the rest of nat/, on a worker ---- */

/* forward_refused() - the guest did not want the client */
void forward_refused(struct forward *forward);

/* forward_put_flow() - a flow lets go of its forward (NULL is accepted) */
void forward_put_flow(struct forward *forward);

/* forward_find_mac() - the guest's MAC address from the stations; asks for it by ARP when unknown. Return: was it known? */
bool forward_find_mac(struct nat_shard *s, const struct site *site, uint32_t port_id, struct addr ip, uint8_t mac[6]);

#endif
