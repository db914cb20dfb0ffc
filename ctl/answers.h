/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/answers.h - the names for which our DNS answers gave an address: how people call whom a guest talks to
 *
 * One table per network, of ANSWERS_MAX addresses: a new one takes the place of the one that was told longest ago among a few. What is
 * here is for showing alone; nothing is decided by it, for whoever runs a domain says what it points to. Control thread.
 */
#ifndef CTL_ANSWERS_H
#define CTL_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { ANSWERS_MAX = 1024, ANSWERS_NAME = 128 };

struct answers;

struct answers *answers_new(void);	/* NULL without memory */
void answers_free(struct answers *t);

/* answers_note() - @reply goes to a guest: the addresses in it belong to the name it asked for */
void answers_note(struct answers *t, const uint8_t *reply, size_t size);

/* answers_name() - the name that was last told with this address; borrowed until the next note; NULL: none */
const char *answers_name(const struct answers *t, struct addr a);

#endif
