/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/connection.h - the flows of one port that its rules let begin, so that what belongs to them passes both ways
 *
 * One table per port with a policy, of a fixed size: memory is reserved at once and used as it is touched. It has groups of a few
 * places with a lock each, which is held for some tens of nanoseconds and only spun for; any worker may call anything but
 * connections_new() and connections_free(), which are the control thread's (free after a grace period).
 *
 * Of TCP a SYN begins a flow, which is open when both sides have answered; until then nothing else passes on its account. Full groups
 * make room: a flow that is over goes first, then one that nobody answered or that is closing, and what others begin with the guest
 * never displaces what the guest began. Open flows are not displaced. Timeouts: RFC 5382 REQ-5, RFC 4787 REQ-5, RFC 5508 REQ-2.
 */
#ifndef SWITCH_CONNECTION_H
#define SWITCH_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct connections;

enum connection_kind { CONNECTION_FLOW, CONNECTION_FRAGMENTS_OUT, CONNECTION_FRAGMENTS_IN };

struct connection_key {
	struct addr guest, peer;
	uint16_t guest_port, peer_port;	/* fragments: both halves of the identification */
	uint16_t vid;
	uint8_t proto;
	uint8_t kind;			/* enum connection_kind */
};

enum { CONNECTION_SYN = 2, CONNECTION_FIN = 1, CONNECTION_RST = 4, CONNECTION_ACK = 16 };	/* as in a TCP header */

struct connection_packet {
	struct connection_key key;
	uint8_t tcp_flags;
	bool by_guest;			/* who sent it */
};

/* connection_state - what the table says of a packet */
enum connection_state {
	CONNECTION_NONE,		/* it belongs to nothing that is there */
	CONNECTION_PASS,
	CONNECTION_STALE,		/* to a flow that was let begin by other rules: *by_guest says who began it */
	CONNECTION_BUSY,		/* the lock was not to be had */
};

/* CONNECTION_PLACES - flows of a port at most; hash and bad luck lose some of them before */
enum { CONNECTION_PLACES = 16384 * 15 };

struct connections *connections_new(void);
void connections_free(struct connections *t);

/* connection_pass() - does the packet belong to a flow? Then it is noted there: it lives on, and its state follows the packet
 * @rules:	number of the rules in force
 */
enum connection_state connection_pass(struct connections *t, const struct connection_packet *p, uint32_t rules, uint64_t now_ms,
				      bool *by_guest);

/* connection_look() - the same answer without a trace */
enum connection_state connection_look(struct connections *t, const struct connection_packet *p, uint32_t rules, uint64_t now_ms,
				      bool *by_guest);

/* connection_begins() - may this packet begin a flow? Of TCP a SYN alone */
bool connection_begins(const struct connection_packet *p, bool icmp_request);

/* connection_open() - @p begins a flow, or with connection_renew() one that is there is let go on by the rules of number @rules
 * Return: false when there is no place (or no lock) to be had.
 */
bool connection_open(struct connections *t, const struct connection_packet *p, uint32_t rules, uint64_t now_ms);
bool connection_renew(struct connections *t, const struct connection_key *key, uint32_t rules);

/* connection_end() - the rules of today would not let it begin */
void connection_end(struct connections *t, const struct connection_key *key);

/* connections_count() - flows now; a look at all of the table: control thread, for people */
unsigned connections_count(struct connections *t, uint64_t now_ms);

/* connections_each() - copy up to @n flows to @to; Return: how many. Control thread. */
struct connection_seen {
	struct connection_key key;
	bool by_guest, answered;
	uint64_t idle_until_ms;
};
unsigned connections_each(struct connections *t, uint64_t now_ms, struct connection_seen *to, unsigned n);

#endif
