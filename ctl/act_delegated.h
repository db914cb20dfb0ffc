/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_delegated.h - the host's routes to prefixes that were delegated to guests (in lanyard-ways)
 *
 * The journal has one record for each network: routes by its interface inside of one prefix. With it goes one that says that the rest of
 * that prefix is unreachable; the ways to the guests that have a part are below it, and come and go with HOST_DELEGATED. All carry a protocol
 * number of their own (rtm_protocol), by which they are told from others' of the same place.
 */
#ifndef CTL_ACT_DELEGATED_H
#define CTL_ACT_DELEGATED_H

#include "ctl/act.h"

struct error;

enum { DELEGATED_PROTOCOL = 76, DELEGATED_REST_METRIC = 4000000 };

/* delegated_begin() - make what HOST_CHANGE_ROUTES means before a prefix is delegated; Return: 0 or negative errno with @err
 * delegated_end() - take all of it away, as far as it is there; Return: 0 or negative errno */
int delegated_begin(const struct host_change *c, struct error *err);
int delegated_end(const struct host_change *c);

/* delegated_tell() - the ways that @h->fd has are those by the interface of @h->request
 * Return: 0, or negative errno with @r filled in. */
int delegated_tell(const struct host_delegated *m, const struct act_about *h, struct host_reply *r);

#endif
