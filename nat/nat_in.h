/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/nat_in.h - what nat.c offers to the parts of nat/: the policy asked, and refusals answered. Inside nat/ only. */
#ifndef NAT_NAT_IN_H
#define NAT_NAT_IN_H

#include "base/addr.h"
#include "switch/verdict.h"

struct arrival;
struct nat;
struct nat_port;
struct nat_shard;
struct packet;
struct worker;

/* nat_decide() - may packet @p open a flow, and where to? Answers a refusal to the guest.
 * @dst:	written when the result is VERDICT_CONSUMED_NAT
 */
enum verdict nat_decide(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p,
			struct addr *dst);

/* nat_shard_of() - the shard of @w, made on first use; on that worker. NULL without memory or when stopped. */
struct nat_shard *nat_shard_of(struct nat *nat, struct worker *w);

/* nat_conf_of() - the settings in force; on a worker, until its callback returns */
const struct nat_conf *nat_conf_of(const struct nat *nat);

/* nat_worker() - by index; NULL when there is none */
struct worker *nat_worker(const struct nat *nat, unsigned index);

/* nat_hold(), nat_release() - keep the NAT from being called stopped: a forward, a message between workers; any thread */
void nat_hold(struct nat *nat);
void nat_release(struct nat *nat);

#endif
