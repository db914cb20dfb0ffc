/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/names_seen.h - the addresses that our own DNS answers gave for the names that rules are about, for as long as the answers hold
 *
 * A name (or pattern) of rules has a number, which whoever compiles rules gives it; the table knows (number, address) until a time.
 * The control thread alone writes; workers ask at any time without a lock. The table is bounded: an address is kept in one of a few
 * places, and a new one takes the place of that which would end first, so that whoever floods it with answers shortens answers, and
 * no more.
 */
#ifndef SWITCH_NAMES_SEEN_H
#define SWITCH_NAMES_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct names_seen;

enum { NAMES_SEEN_MAX = 8192 };

/* names_seen_new() - an empty table; Return: for names_seen_free(), after a grace period, or NULL */
struct names_seen *names_seen_new(void);
void names_seen_free(struct names_seen *t);

/* names_seen_add() - @a belongs to the name until @until_ms (monotonic), or to when it was said before, whichever is later */
void names_seen_add(struct names_seen *t, uint16_t name, struct addr a, uint64_t until_ms, uint64_t now_ms);

/* names_seen_has() - does it now? Any thread; a table that is being written just there says no. */
bool names_seen_has(const struct names_seen *t, uint16_t name, struct addr a, uint64_t now_ms);

/* names_seen_drop() - forget a name whose number is to be another's; names_seen_count() - addresses that it has now; control thread */
void names_seen_drop(struct names_seen *t, uint16_t name);
unsigned names_seen_count(const struct names_seen *t, uint16_t name, uint64_t now_ms);

#endif
