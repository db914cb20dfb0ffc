/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/fragment.h - guests' IP fragments for the gateway, kept until their packet is whole
 *
 * RFC 791 3.2, RFC 8200 4.5. In order or not; a fragment that overlaps another one, or contradicts it about the packet's end, spoils the
 * packet (RFC 5722 3), and what comes later of it is swallowed; bytes that are only repeated are passed over. A packet that is not whole in time
 * is forgotten, and the guest told if its beginning had come.
 *
 * Bounded: FRAGMENT_PACKETS at once, FRAGMENT_PER_PORT of one guest's port, FRAGMENT_AGE_MS long. When all places are taken, the port
 * that has most of them loses its oldest. One shard's worker; inside nat/ only.
 */
#ifndef NAT_FRAGMENT_H
#define NAT_FRAGMENT_H

#include <stdint.h>

#include "base/addr.h"
#include "base/timer.h"
#include "switch/verdict.h"

enum { FRAGMENT_PACKETS = 64, FRAGMENT_PER_PORT = 16, FRAGMENT_AGE_MS = 30000, FRAGMENT_NONE = -1 };

/* fragment_key - whose parts belong together (RFC 8200 4.5); of IPv4 with the protocol */
struct fragment_key {
	struct addr src, dst;
	uint32_t port;			/* guest's */
	uint32_t id;
	uint8_t proto;
};

struct partial {
	struct fragment_key key;
	uint64_t since_ms;		/* 0: the place is free */
	uint32_t total;			/* bytes behind the IP header, 0: not known yet */
	uint32_t units;			/* of eight bytes, that have come */
	uint32_t end;			/* behind the last byte that has come */
	uint32_t head;			/* size of the headers in front, 0: the first fragment has not come */
	bool spoilt;
	uint8_t have[8192 / 8];		/* bit per unit */
};

struct fragments {
	struct partial partials[FRAGMENT_PACKETS];
	uint8_t *space;			/* a place for each; mapped on first use */
	unsigned used;
	int given;			/* place that was given to the caller, or FRAGMENT_NONE */
};

void fragments_init(struct fragments *fs);
void fragments_fini(struct fragments *fs);

/* fragments_take() - a frame that packet_parse() called a fragment
 * @len:	the packet's length on success
 * @verdict:	otherwise what became of the fragment: CONSUMED_FRAGMENT or a DROP_*
 *
 * Return: the whole packet as an unfragmented frame, valid until the next call; or NULL.
 */
const uint8_t *fragments_take(struct fragments *fs, uint32_t port, uint64_t now_ms, const uint8_t *data, uint32_t size, uint32_t *len,
			      enum verdict *verdict);

/* fragments_forget() - drop what a port has here */
void fragments_forget(struct fragments *fs, uint32_t port);

/* fragments_late() - a packet that is not whole in time is dropped; call again until there is none
 * @data, @len:	its headers and the beginning of what follows, or NULL when the first fragment has not come; valid until the next call
 * Return: the port's id, or FRAGMENT_NONE.
 */
int64_t fragments_late(struct fragments *fs, uint64_t now_ms, const uint8_t **data, uint32_t *len);

/* fragments_next_late() - when that will be so, or UINT64_MAX */
uint64_t fragments_next_late(const struct fragments *fs);

#endif
