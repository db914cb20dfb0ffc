/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/hold.h - a guest's TCP data that cannot go to its socket yet: it came before what precedes it, or the socket was full
 *
 * A relay that dropped such data would make the guest believe that it is under way, and wait for a timeout: a guest's stack has no
 * other way to learn of it. A shard has a fixed number of places, taken from memory only when used; when they are gone, or a flow or its
 * guest has its share, data is dropped after all. A guest may have as many as are still free (Choudhury and Hahne's dynamic threshold):
 * one alone has half of them, and whatever some do, the next one finds places. One shard's worker; inside nat/ only.
 */
#ifndef NAT_HOLD_H
#define NAT_HOLD_H

#include <stdbool.h>
#include <stdint.h>

enum { HOLD_PLACES = 256, HOLD_PER_FLOW = 64, HOLD_NONE = 0 };

/* held - one piece of a flow's data, in a list sorted by seq */
struct held {
	uint32_t seq, size;
	uint16_t *share;		/* count of the guest's places */
	uint16_t next;			/* place, or HOLD_NONE */
	bool fin;			/* the guest's FIN stands behind it */
};

struct hold {
	uint8_t *space;			/* HOLD_PLACES pieces; mapped on first use */
	struct held held[HOLD_PLACES];	/* place 0 is none */
	uint16_t free;			/* first free place, or HOLD_NONE */
	uint16_t used;
};

void hold_init(struct hold *h);
void hold_fini(struct hold *h);

/* hold_put() - keep a copy of @size bytes at @seq in the flow's list @head (HOLD_NONE at first)
 * @share:	how many places the flow's guest has, 0 at first; stays where it is as long as one is held
 * @most:	that it may have; 0: as many as others
 * Return: true when it is kept, or was already; false when there is no place, or the flow or its guest has its share.
 */
bool hold_put(struct hold *h, uint16_t *head, uint16_t *share, uint32_t most, uint32_t seq, const uint8_t *data, uint32_t size, bool fin);

/* hold_data() - the bytes of a place; hold_drop_first(), hold_drop_all() - give places back */
const uint8_t *hold_data(const struct hold *h, uint16_t place);
void hold_drop_first(struct hold *h, uint16_t *head);
void hold_drop_all(struct hold *h, uint16_t *head);

#endif
