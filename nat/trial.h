/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/trial.h - what the NAT would do with a packet that nobody sent (switch/trial.h). Inside nat/ only; the shard's worker. */
#ifndef NAT_TRIAL_H
#define NAT_TRIAL_H

#include "switch/verdict.h"

struct arrival;
struct nat_port;
struct nat_shard;
struct packet;

/* nat_trial() - the verdict on @p, which opens a flow or is a ping; a->trial->way is filled where it would be passed on
 *
 * What the host says of its way out is asked by a datagram socket made and connected as a flow's would be, which sends nothing.
 */
enum verdict nat_trial(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p);

#endif
