/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/ring_tcp.h - a TCP client on the rings of a guest: the load of tests/bench/vhosttcp.c
 *
 * Flows of one guest to one remote, spread over its queue pairs. Data goes out in frames to be cut by whoever cannot take
 * them whole, as far as the remote's window allows; what comes in is acknowledged and forgotten. Lost data is sent again from the
 * first byte that lacks (after three repeated acknowledgements, or a timeout); no congestion control. Source: RFC 9293, 7323 (scale).
 * One thread.
 */
#ifndef TESTS_PACKET_RING_TCP_H
#define TESTS_PACKET_RING_TCP_H

#include "tests/packet/ring_link.h"

enum { RING_FLOWS_MAX = 1024 };

enum ring_load {
	RING_UP,			/* send all the time */
	RING_DOWN,			/* receive all the time */
	RING_CONNECT,			/* connect, send a byte, await one, reset; and again */
};

struct ring_tcp_conf {
	enum ring_load load;
	struct addr remote;
	uint16_t port;
	unsigned flows;			/* up to RING_FLOWS_MAX; flow i belongs to pair i modulo pairs */
	uint32_t window;		/* bytes that each flow lets come */
	uint16_t mss;
	bool verify;			/* byte n of each stream is n modulo 251: sent so, and looked at when it comes */
};

struct ring_flow {
	enum { RING_IDLE, RING_SYN_SENT, RING_OPEN } state;
	unsigned index, pair, turn;	/* turn: connections so far */
	uint16_t sport, mss;
	uint32_t iss, snd_una, snd_nxt, snd_max, snd_wnd, rcv_nxt, rcv_first;
	uint8_t snd_scale, dupacks;
	unsigned unacked;		/* frames that came and were not acknowledged */
	bool ack_now;
	uint64_t deadline_ns;		/* when what is in flight is sent again; 0: nothing is */
	unsigned retries;
};

struct ring_tcp {
	struct ring_link link;		/* first */
	struct ring_tcp_conf conf;
	struct ring_flow *flows;
	uint8_t *pattern;		/* with verify: what to send */
	uint64_t now_ns, asked_ns;
	/* counted since the beginning */
	uint64_t bytes;			/* acknowledged by the remote, or received in order */
	uint64_t connections;		/* CONNECT: done */
	uint64_t resent, reset, bad;	/* frames sent again; connections that ended before their time; frames that are not what they should be */
	uint64_t strayed;		/* segments on another queue than their flow's */
};

/* ring_tcp_open() - plug in at @path, with flows that are not connected yet
 * Return: 0 or a negative errno with @why; ring_tcp_close() is due either way.
 */
int ring_tcp_open(struct ring_tcp *t, const struct ring_tcp_conf *conf, const struct vguest_conf *guest, const char *path,
		  struct addr ip, struct addr gateway, const char **why);
void ring_tcp_close(struct ring_tcp *t);	/* connections are reset */

/* ring_tcp_turn() - receive, answer and send once. Return: was there anything to do? */
bool ring_tcp_turn(struct ring_tcp *t, uint64_t now_ns);

/* ring_tcp_connected() - how many are connected now */
unsigned ring_tcp_connected(const struct ring_tcp *t);

#endif
