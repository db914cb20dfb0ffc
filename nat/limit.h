/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/limit.h - a token bucket: so many at once, so many per second; one thread per bucket
 *
 * For ICMP errors (RFC 1812 4.3.2.8) and other answers that a guest can cause at will.
 */
#ifndef NAT_LIMIT_H
#define NAT_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum { LIMIT_BURST = 50, LIMIT_PER_SECOND = 100 };

struct limit {
	uint64_t since_ms;		/* when the tokens were counted; 0: never used, full */
	uint32_t tokens;
};

/* limit_take() - is one more allowed now? */
static inline bool limit_take(struct limit *l, uint64_t now_ms)
{
	uint64_t gained = l->since_ms ? (now_ms - l->since_ms) * LIMIT_PER_SECOND / 1000 : LIMIT_BURST;

	if (gained > 0) {
		l->tokens = l->tokens + gained > LIMIT_BURST ? LIMIT_BURST : l->tokens + (uint32_t)gained;
		l->since_ms = now_ms ? now_ms : 1;
	}
	if (!l->tokens)
		return false;
	l->tokens--;
	return true;
}

#endif
