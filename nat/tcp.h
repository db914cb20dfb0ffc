/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/tcp.h - a guest's TCP connection relayed to a host socket
 *
 * No TCP stack: the host's does the work toward the remote, and toward the guest only what a faithful relay needs. The
 * guest is told SYN-ACK once the host socket is connected; its data is written straight from the frame and acknowledged as
 * far as the socket took it; data for the guest stays in the socket's receive queue (MSG_PEEK) until the guest has acknowledged
 * it, so retransmission needs no memory. FIN, RST and errors are carried over, each side on its own.
 *
 * Packets only change the flow's numbers and mark it; acknowledging, reading and sending happen once per turn in
 * tcp_work(). tcp_open.c: begin and refusal; tcp_in.c: segments from the guest; tcp_out.c: segments to it; tcp.c: life
 * and time. Sources: RFC 9293, 7323 (scale), 5961 (blind attacks), 6528 (sequence numbers), 6582 (recovery), 5382 (NAT).
 * Inside nat/ only; the shard's worker.
 */
#ifndef NAT_TCP_H
#define NAT_TCP_H

#include "nat/shard.h"
#include "switch/verdict.h"

struct arrival;
struct packet;
struct policy;
struct quoted_error;

enum {
	TCP_RTO_MS = 200,		/* first retransmission timeout toward the guest, who is near */
	TCP_RTO_MAX_MS = 60000,
	TCP_SYN_RTO_MS = 1000,		/* RFC 6298 2 */
	TCP_ANSWERS = 5,		/* SYN-ACKs sent before giving up */
	TCP_CALL_MS = 20000,		/* how long a guest may take to answer a forward's SYN */
	TCP_GIVE_UP_MS = 900000,	/* guest acknowledges nothing; RFC 9293 3.8.3 R2 asks for 100 s, Linux takes about as long */
	TCP_CLOSED_MS = 10000,		/* late segments are answered for so long */
};

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* tcp_has_unread() - does the socket surely hold bytes that were not consumed? Then closing it is a reset (RFC 9293 3.10.4, RFC 2525 2.17) */
static inline bool tcp_has_unread(const struct tcp *t)
{
	return !t->broken && seq_before(t->head, t->eof ? t->fin_seq : t->snd_max);
}

/* tcp_input() - a segment from a guest; @pass: what the policy says about its destination, for a SYN */
enum verdict tcp_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p);

/* tcp_call() - a forward's client is connected on @fd: open a connection to the guest of @port
 * Takes @fd and the reference to @forward on success. Return: 0 or negative errno.
 */
int tcp_call(struct nat_shard *s, struct nat_port *port, struct forward *forward, const struct flow_key *key, int fd);

/* ---- between the parts ---- */

extern const struct flow_kind tcp_kind;

/* tcp_begin() - answer a guest's SYN by a connection to the remote, or refuse it (tcp_open.c) */
enum verdict tcp_begin(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p,
		       const struct flow_key *key);

/* tcp_connected() - the host socket says whether it is connected: not, if @events have an error; may end the flow
 * tcp_call_again() - SYN to the guest of a forward, with its address looked up anew */
void tcp_connected(struct flow *f, uint32_t events);
void tcp_call_again(struct flow *f);

/* tcp_call_refused() - the guest will not have it: its client sees a reset */
void tcp_call_refused(struct flow *f);

/* tcp_crossed() - the guest of a forward sent a SYN of its own: simultaneous open (RFC 9293 3.5, RFC 5382 REQ-2) */
void tcp_crossed(struct flow *f, const struct packet *p);

/* tcp_opened() - the three-way handshake with the guest is done: @p is its last segment */
void tcp_opened(struct flow *f, const struct packet *p);

/* tcp_confirm() - the guest's side is open: the remote is to know, unless data has told it by the end of the next turn, before which nobody sleeps */
void tcp_confirm(struct flow *f);

/* tcp_segment() - a segment for a flow in TCP_PHASE_OPEN (tcp_in.c) */
enum verdict tcp_segment(struct flow *f, const struct packet *p);

/* tcp_guest_error() - the guest says by ICMP what became of the segment that began at @seq; may end the flow (tcp_in.c)
 * Only of one that is under way (RFC 5927 4.1). Where there is no port a call ends; a connection that is open ends by nothing of the kind (RFC 5382
 * REQ-10), but what is too big is sent in smaller segments. Return: false when nothing such is under way.
 */
bool tcp_guest_error(struct flow *f, uint32_t seq, const struct quoted_error *e);

/* tcp_work() - consume, send, acknowledge; may end the flow (tcp.c) */
void tcp_work(struct flow *f);

/* tcp_arm() - set the flow's timer to whatever comes first */
void tcp_arm(struct flow *f);

/* tcp_reset() - end the flow; both sides see a reset */
void tcp_reset(struct flow *f);

/* tcp_send_control() - a segment without data: SYN, FIN, ACK, RST from the flow's numbers (tcp_out.c) */
bool tcp_send_control(struct flow *f, const struct site *site, uint8_t flags, uint32_t seq);

/* tcp_push() - consume what the guest acknowledged and send what the socket holds and the guest's window allows */
void tcp_push(struct flow *f, const struct site *site);

/* tcp_send_acks() - the pure ACKs that are due */
void tcp_send_acks(struct flow *f, const struct site *site);

/* tcp_rewind() - send everything again from the first unacknowledged byte */
void tcp_rewind(struct tcp *t);

/* tcp_half_open_max() - connections that a guest's port may have being opened on this worker */
uint32_t tcp_half_open_max(const struct nat_shard *s);

/* tcp_half_open() - where the port counts this connection while it is being opened: what comes from outside has a count
 * of its own, so that it cannot use up the guest's */
static inline uint32_t *tcp_half_open(struct flow *f)
{
	return f->tcp.called ? &f->port->calling : &f->port->half_open;
}

/* tcp_expect_space() - what a socket takes that has just connected, as seen within the last second
 * tcp_ask_space() - how much would the socket take? tcp_want_space() - have EPOLLOUT reported when it takes more */
void tcp_expect_space(struct flow *f);
void tcp_ask_space(struct flow *f);

/* tcp_take_held() - give the socket what was held back for it, as far as it is next in order and the socket takes it */
void tcp_take_held(struct flow *f);
void tcp_want_space(struct flow *f);

#endif
