/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/subnets.h - which segment's subnet holds an address: all subnets of a snapshot, sorted
 *
 * Subnets may lie within one another only among networks of mode nat, which may all have the same. A lookup costs a binary search, and a step
 * for each subnet that holds the address and is not wanted. Built with the snapshot by the control thread, immutable then; any worker reads.
 */
#ifndef SWITCH_SUBNETS_H
#define SWITCH_SUBNETS_H

#include "base/addr.h"

struct segment;
struct snapshot;
struct subnets;

/* subnets_new() - of all segments of @snapshot, which it borrows; NULL without memory */
struct subnets *subnets_new(const struct snapshot *snapshot);
void subnets_free(struct subnets *subnets);

/* subnets_find() - as segment_for_addr() */
const struct segment *subnets_find(const struct subnets *subnets, struct addr a, const struct segment *except);

#endif
