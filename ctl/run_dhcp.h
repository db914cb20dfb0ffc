/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/run_dhcp.h - a DHCPv4 client for one interface, as a state machine without I/O (RFC 2131 4.4, figure 5)
 *
 * The caller sends what dhcp_client_tick() writes, hands what it received to dhcp_client_input(), and looks at
 * what changed. Time and randomness are arguments. One thread; no allocation.
 */
#ifndef CTL_RUN_DHCP_H
#define CTL_RUN_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { DHCP_DNS_MAX = 3 };	/* nameservers that a resolver looks at (resolv.conf(5), MAXNS) */

enum dhcp_state {
	DHCP_CLIENT_SELECTING,	/* DISCOVER sent, or to be sent */
	DHCP_CLIENT_REQUESTING,
	DHCP_CLIENT_BOUND,
	DHCP_CLIENT_RENEWING,
	DHCP_CLIENT_REBINDING,
};

enum dhcp_news {
	DHCP_NOTHING,
	DHCP_BOUND,		/* binding is new or prolonged */
	DHCP_LOST,		/* the address in binding must not be used any more */
};

enum { DHCP_CLIENT_ROUTES = 32 };

struct dhcp_binding {
	uint32_t ip;
	uint8_t len;			/* of the subnet */
	uint32_t router;		/* 0 for none */
	struct {
		struct prefix4 to;
		uint32_t by;
	} routes[DHCP_CLIENT_ROUTES];	/* further ones */
	unsigned nroutes;
	uint32_t dns[DHCP_DNS_MAX];
	unsigned ndns;
	char domain[256];		/* or empty */
	uint32_t lease_s;		/* UINT32_MAX: for ever */
};

struct dhcp_client {
	enum dhcp_state state;
	uint8_t mac[MAC_SIZE];
	char hostname[NAME_MAX_SIZE];
	uint32_t xid;
	unsigned tries;			/* messages of this state */
	uint32_t offered_ip, server_id;
	struct dhcp_binding binding;	/* valid from the first DHCP_BOUND on */
	uint64_t began_ms;		/* of this exchange */
	uint64_t t1_ms, t2_ms, end_ms;	/* when to renew, to rebind, to stop */
	uint64_t next_ms;		/* when dhcp_client_tick() has something to do; UINT64_MAX: never */
};

/* dhcp_client_init() - begin with a DISCOVER, due at once
 * @hostname:	what the guest calls itself, or NULL
 * @seed:	random
 */
void dhcp_client_init(struct dhcp_client *c, const uint8_t mac[MAC_SIZE], const char *hostname, uint32_t seed,
		      uint64_t now_ms);

/* dhcp_client_tick() - do what is due
 * @data:	receives the message to send
 *
 * Return: bytes to send, or 0. *@news is DHCP_LOST when the lease ran out.
 */
size_t dhcp_client_tick(struct dhcp_client *c, uint64_t now_ms, uint8_t *data, size_t room, enum dhcp_news *news);

/* dhcp_client_input() - a UDP payload came for port 68; what is not for us, or makes no sense, changes nothing */
enum dhcp_news dhcp_client_input(struct dhcp_client *c, uint64_t now_ms, const uint8_t *data, size_t size);

/* dhcp_client_release() - write the RELEASE of the address; Return: bytes to send, 0 when there is nothing to release */
size_t dhcp_client_release(struct dhcp_client *c, uint8_t *data, size_t room);

/* dhcp_client_unicast() - does the next message go to the server alone (server_id), from our address? */
bool dhcp_client_unicast(const struct dhcp_client *c);

/* dhcp_client_listening() - is an answer expected? */
bool dhcp_client_listening(const struct dhcp_client *c);

#endif
