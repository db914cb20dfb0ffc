/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/loop.h - a probe: does what is sent to a port come back by another?
 *
 * A broadcast frame whose source address nobody can guess. Where it comes back, the switch learns that address, and so the table
 * of stations answers who is joined to whom: no frame needs to be looked at for it. Nobody answers the frame (IEEE 802, 9.2.3: an Ethertype
 * for local experiments). Pure, any thread.
 */
#ifndef SWITCH_LOOP_H
#define SWITCH_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct frame;

enum { LOOP_PROBE_SIZE = 60 };

/* loop_mac() - the source of the probes of one round to one port: unicast, locally administered, secret until it is sent */
void loop_mac(uint32_t net_id, uint32_t port, uint64_t round, uint8_t mac[MAC_SIZE]);

/* loop_probe() - the frame, into LOOP_PROBE_SIZE bytes */
void loop_probe(uint8_t *to, const uint8_t mac[MAC_SIZE]);

/* loop_is_probe() - is this a frame that loop_probe() wrote? */
bool loop_is_probe(const struct frame *f);

#endif
