/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_other.h - the other networks of a check: one that must not be reached, and a peer that must be */
#ifndef CTL_CHECK_OTHER_H
#define CTL_CHECK_OTHER_H

#include <jansson.h>

struct check;

/* others_plug() - the guests CHECK_B1, into the first other network that lets it in (or @wanted, unless it is NULL), and CHECK_P1, into the first
 * peer that is open both ways. Guests of a bridged network are as much of the outside as any host of that LAN, so it is none of them.
 * @self: the network as the API shows it; @plug: puts a guest there, and returns 0 when it is
 */
void others_plug(struct check *c, const json_t *self, const char *wanted, int (*plug)(struct check *c, unsigned which, const char *net));

#endif
