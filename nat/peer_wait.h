/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/peer_wait.h - packets toward guests of a segment that nothing was heard of yet, while they are asked for by ARP or ND
 *
 * A few, and of each destination and sender fewer (RFC 1812 3.3.2, RFC 1122 2.3.2.2). Whoever hears the answer takes them; what is not
 * answered for in PEER_WAIT_MS is told of with the next packet to that address, and forgotten. One for all workers, behind a lock that
 * they only try. The control thread makes and frees it (after a grace period).
 */
#ifndef NAT_PEER_WAIT_H
#define NAT_PEER_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "switch/frame.h"

enum { PEER_WAIT_PLACES = 32, PEER_WAIT_EACH = 4, PEER_WAIT_FRAME = 1600, PEER_WAIT_MS = 3000, PEER_WAIT_AGAIN_MS = 1000 };

struct peer_wait;

/* peer_waiting - a frame complete but for who gets it */
struct peer_waiting {
	uint64_t since_ms, asked_ms;	/* 0: the place is free */
	struct addr dst;
	uint32_t sender;		/* port id */
	struct offload offload;
	uint16_t vid;			/* of the segment where dst lives */
	uint16_t len;
	uint8_t data[PEER_WAIT_FRAME];
};

/* peer_wait_said - what became of a frame, and what is to be done */
struct peer_wait_said {
	bool kept;			/* it waits now; else there was no place, it was too long, or others were at the table */
	bool ask;			/* ask for the address, now */
	bool nobody;			/* nobody has answered in all the time */
	unsigned forgotten;		/* frames that waited too long, and are gone now */
};

struct peer_wait *peer_wait_new(void);	/* NULL without memory */
void peer_wait_free(struct peer_wait *wait);

/* peer_wait_put() - keep @frame until @dst is heard of, if it is one to @keep */
struct peer_wait_said peer_wait_put(struct peer_wait *wait, struct addr dst, uint32_t sender, const struct frame *frame, bool keep,
				    uint64_t now_ms);

/* peer_wait_is_empty() - without the lock: as it is, or was a moment ago
 * peer_wait_take() - one that waits for @dst on the segment @vid, into *to; Return: was there one? */
bool peer_wait_is_empty(const struct peer_wait *wait);
bool peer_wait_take(struct peer_wait *wait, struct addr dst, uint16_t vid, struct peer_waiting *to);

#endif
