/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_trial.h - one attempt to reach somebody, and what became of it
 *
 * A trial begins at a probe guest or at a socket of the host, and carries a number that nobody else sends. It is reached when the answer
 * is back; one that must fail is reached as soon as anything of it arrives. What is not answered is sent again until its time is over.
 */
#ifndef CTL_CHECK_TRIAL_H
#define CTL_CHECK_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"

struct check;
struct check_guest;
struct packet;

#define TRIAL_WORD "lanyard-check "		/* what the payload of each trial begins with; its number follows */

enum {
	TRIAL_ETHERTYPE = 0x88b5,	/* IEEE Std 802, local experimental EtherType 1 */
	TRIAL_PAYLOAD = 192,
	TRIAL_PORTS = 32768,		/* where the ports of trials begin, below those that kernels give out last */
};

enum trial_kind {
	TRIAL_ETHER,			/* a frame of our own EtherType from guest to guest, or to the host's sniffer */
	TRIAL_UDP, TRIAL_TCP, TRIAL_ECHO,	/* from a guest */
	TRIAL_HOST_UDP, TRIAL_HOST_TCP,	/* from a socket of the host */
};

enum trial_end { TRIAL_OPEN, TRIAL_REACHED, TRIAL_REFUSED, TRIAL_SILENT };

struct trial {
	const char *name;		/* "TCP" */
	enum trial_kind kind;
	bool want;			/* must it succeed? */
	enum trial_end end;
	char how[72];			/* it ended, or empty */

	struct check_guest *from;	/* NULL: the host */
	struct check_guest *to;		/* the probe guest where it is to arrive, or NULL */
	uint16_t at_port;		/* there, of TCP */
	uint8_t mac[MAC_SIZE];		/* next hop of a guest's trial */
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t ttl;			/* 0: the usual one */
	uint32_t delay_ms;		/* before it begins */
	uint16_t error;			/* type << 8 | code of the ICMP (IPv4) error that is success; 0: none is */
	uint32_t nonce;
	char payload[TRIAL_PAYLOAD];
	size_t size;			/* of payload */
	bool (*answered_by)(const struct trial *t, const uint8_t *data, size_t size);	/* NULL: by what holds the number */
	bool refusable;			/* the answer's last word may be "no" */

	/* under way */
	bool arrived, answered;
	char said[TRIAL_PAYLOAD];	/* text of the answer behind the number */
	uint32_t seq, ack;		/* of TCP, once answered */
	int fd;				/* of the host, or -1 */
	uint64_t next_ms, limit_ms;
	unsigned tries;
};

/* trial_init() - a trial without a way, its number and payload chosen; trial_void() - one that cannot even begin */
void trial_init(struct check *c, struct trial *t, const char *name, enum trial_kind kind, bool want);
void trial_void(struct trial *t, const char *why);

/* trials_run() - do them all, at once, until each has ended */
void trials_run(struct check *c, struct trial *trials, unsigned n);

/* check_turn() - wait until something happens, at most until @limit_ms, and see to it: ports, leases, listeners, trials */
void check_turn(struct check *c, uint64_t limit_ms);

/* trial_end() - what became of it, told by whoever noticed (printf-like); the first word counts
 * trial_arrived() - it was seen where it was to arrive; trial_answer() - a payload came back
 */
void trial_ended(struct trial *t, enum trial_end end, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void trial_arrived(struct trial *t);
void trial_answer(struct trial *t, const uint8_t *data, size_t size);

/* trial_of() - the open trial whose number stands in this payload, or NULL */
struct trial *trial_of(struct check *c, const uint8_t *data, size_t size);

/* check_packet.c: what a guest sends for a trial; what it says when that is over; and what it does with a frame */
void trial_send(struct trial *t);
void trial_hang_up(struct trial *t);
void check_input(struct check *c, struct check_guest *g, const uint8_t *frame, uint32_t size);

#endif
