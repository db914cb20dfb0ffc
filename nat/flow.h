/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/flow.h - one translated flow: a TCP connection, or the UDP mapping of one inside endpoint
 *
 * A flow has three sides: the guest, the gateway (what the guest sees) and the remote (a host socket). It lives in one shard and is touched by that
 * shard's worker only. Inside nat/ only.
 */
#ifndef NAT_FLOW_H
#define NAT_FLOW_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/addr.h"
#include "base/text.h"
#include "base/timer.h"
#include "nat/filter.h"
#include "nat/sock.h"
#include "switch/worker.h"

struct flow;
struct forward;
struct nat_port;
struct nat_shard;

/* flow_key - the guest's port belongs to it: no guest can speak in a flow of another one's port */
struct flow_key {
	struct addr guest, remote;	/* as the guest sees them, of one family; no remote for a UDP mapping */
	uint32_t port;			/* id of the guest's port */
	uint16_t guest_port, remote_port;
	uint8_t proto;
};

enum flow_class {			/* which list of the port a flow is in, each from stale to fresh */
	FLOW_TCP, FLOW_UDP,
	FLOW_CLOSED,			/* TCP kept for late segments only, without a socket */
	FLOW_CLASSES,
};

enum tcp_phase {
	TCP_PHASE_CONNECTING,		/* guest's SYN seen, host socket connects */
	TCP_PHASE_ANSWERED,		/* SYN-ACK sent to the guest */
	TCP_PHASE_CALLING,		/* forward: SYN sent to the guest */
	TCP_PHASE_OPEN,			/* data flows; FINs have their own flags */
	TCP_PHASE_CLOSED,		/* both sides done; late segments are answered for a while */
};

/* tcp - the guest's side of a connection; names as in RFC 9293 3.3.1 */
struct tcp {
	uint8_t phase;			/* enum tcp_phase */
	uint8_t snd_scale, rcv_scale;	/* window scales (RFC 7323), 0 when not agreed */
	uint8_t dupacks;		/* in a row from the guest */
	uint8_t retries;		/* retransmission timeouts in a row, or SYNs sent */
	uint8_t probes;			/* window probes in a row */
	uint8_t acks_due;		/* pure ACKs to send at the end of the turn */
	uint8_t stalls;			/* frames in a row that the guest's port did not take */
	uint8_t quick;			/* ACKs to be sent at once, since the remote was slow to answer */

	bool half_open : 1;		/* counted as such at the port */
	bool called : 1;		/* opened from outside, by a forward */
	bool readable : 1;		/* the socket may have data beyond snd_nxt */
	bool rdhup : 1;			/* the remote has ended its side */
	bool urgent : 1;		/* it sent urgent data, at which a read stops short */
	bool eof : 1;			/* all that the remote sent is known to end at fin_seq */
	bool fin_sent : 1, fin_acked : 1;
	bool guest_fin : 1;		/* guest's FIN taken, socket shut for writing */
	bool want_space : 1;		/* waiting for EPOLLOUT */
	bool blocked : 1;		/* the socket takes nothing now */
	bool spilled : 1;		/* data inside the window was not taken: have the guest resend it */
	bool recovering : 1;		/* fast retransmit until snd_una reaches recover (RFC 6582) */
	bool resend : 1;		/* send again from snd_una at the end of the turn */
	bool peek_offset : 1;		/* the kernel has SO_PEEK_OFF for TCP, as far as we know */
	bool peek_set : 1;		/* it is in use on the socket */
	bool unconfirmed : 1;		/* the remote does not know yet that its SYN-ACK came */
	bool confirm_next : 1;		/* at the end of the next turn it is to know */
	bool pair : 1;			/* the socket is one end of a pair, and we serve the other (nat/tcp_serve.h) */
	bool large : 1;			/* the guest sends super-frames */
	bool wrote : 1, no_delay : 1;	/* something was sent to the socket; TCP_NODELAY is set there */
	bool broken : 1;		/* the remote has reset: what it sent before goes to the guest, and then the reset */
	bool failed : 1;		/* the socket is of no use: end the flow now */

	uint16_t own_port;		/* of the socket outside, at ... */
	struct addr own;		/* ... this address; none: nobody has asked yet (nat/outside.h) */
	uint16_t held;			/* nat/hold.h: data behind rcv_nxt that waits */
	uint16_t mss;			/* payload of a segment to the guest */
	uint32_t snd_una, snd_nxt, snd_max;	/* toward the guest; snd_max: highest ever sent */
	uint32_t snd_wnd, snd_wl1;	/* guest's window in bytes, and the segment that told it */
	uint32_t head;			/* sequence number of the first byte in the socket's receive queue */
	uint32_t peek;			/* sequence number at which the kernel's peek offset stands */
	uint32_t fin_seq;		/* of our FIN */
	uint32_t recover;
	uint32_t rcv_nxt, rcv_adv;	/* from the guest; rcv_adv: right edge of the window told */
	uint32_t rcv_told;		/* what was acknowledged last */
	uint32_t window_max;		/* most bytes that the guest should have under way */
	uint32_t space, space_asked;	/* bytes the socket is believed to take; what it was when asked */
	uint64_t rto_ms;		/* when to retransmit or probe; 0: no need */
	uint64_t stall_ms;		/* when to offer frames again; 0: no need */
	uint64_t ack_ms;		/* when an ACK that waits for an answer is due; 0: none waits */
	uint64_t progress_ms;		/* when the guest last acknowledged something */
};

struct udp {
	struct filter filter;		/* remotes it has talked to */
	struct addr host_addr;		/* the address that stands behind the gateway's, or none */
	struct addr last;		/* whom the guest wrote to last, at ... */
	uint16_t last_port;		/* ... this port; for people */
	struct manner manner;		/* of the socket */
	uint16_t raw_id;		/* nat/rawicmp.h: an echo's identifier outside; 0: it has a ping socket */
	bool only_dns;
	bool trains;			/* the socket is asked for several datagrams in one piece */
	bool alone;			/* datagrams cannot leave together (nat/udp_batch.h) */
	uint8_t batch;			/* datagrams to ask for at once */
};

/* client - a UDP forward's client: where answers go */
struct client {
	union sock_addr addr;
	uint8_t addr_size;
	uint16_t listener;		/* of the forward: the port that it had talked to */
	struct in6_addr local;		/* the address it talked to; IPv4 in the last four bytes */
};

/* flow_kind - what a flow is: TCP, UDP mapping, UDP client of a forward */
struct flow_kind {
	enum flow_class class;		/* the list it is born into */
	void (*ready)(struct worker *w, struct watch *watch, uint32_t events);
	void (*expired)(struct flow *f, uint64_t now_ms);	/* flow_due() has come; sets the next time or ends the flow */
	void (*work)(struct flow *f);	/* at the end of a turn after flow_defer(); may be NULL */
	void (*fini)(struct flow *f);	/* release what is its own; the rest is done by flow_free() */
	const char *(*state)(const struct flow *f);	/* a word for the API */
};

struct flow {
	const struct flow_kind *kind;
	struct flow *next;		/* in the bucket; in the free list */
	struct flow_key key;
	uint8_t class;			/* enum flow_class */
	uint8_t charge;			/* enum budget_kind of its socket */
	bool working;			/* in the shard's list of flows with work */
	uint8_t mac[MAC_SIZE];		/* guest's */
	uint16_t host_port;		/* nat/hostport.h; 0: the kernel chose one */
	bool hurried;			/* the kernel was told to be less patient with its remote (nat/way.h) */
	bool outside;			/* the socket was made for others than this host */
	uint32_t device;		/* index of the interface that it is bound to, or 0 (nat/sock.h) */
	struct nat_shard *shard;
	struct nat_port *port;
	TAILQ_ENTRY(flow) list;
	TAILQ_ENTRY(flow) work;
	struct watch watch;		/* watch.fd is -1 when there is no socket of its own */
	struct timer timer;
	uint64_t opened_ms;
	uint64_t bytes_out, bytes_in;	/* payload that the host's socket took, and that came from it for the guest; for people */
	uint64_t used_ms;		/* last outbound packet (UDP), last packet either way (TCP) */
	struct forward *forward;	/* counted; NULL unless opened by one */
	struct flow *next_client;	/* UDP forward: in the bucket of clients */
	union {
		struct tcp tcp;
		struct {
			struct udp udp;
			struct client client;
		};
	};
};

_Static_assert(sizeof(struct flow) <= 512, "a flow stays small: a guest may have ten thousand");

TAILQ_HEAD(flow_list, flow);

#endif
