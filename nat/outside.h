/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/outside.h - as whom the world sees a guest's flow, for who looks at frames (switch/capture.h). Inside nat/ only. */
#ifndef NAT_OUTSIDE_H
#define NAT_OUTSIDE_H

#include <stdbool.h>
#include <stdint.h>

struct heading;
struct nat_shard;
struct outside;

/* shard_outside() - service_ops.outside(), on the shard's worker; the kernel is asked for a socket's own end, of a connection once */
bool shard_outside(const struct nat_shard *s, uint32_t guest, const struct heading *h, bool to_guest, struct outside *to);

#endif
