/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/explain.h - `lanyard why`: stage by stage what becomes of a guest's attempt to reach somebody
 *
 * The course is a guest's own: its link, its address, the destination's name, the next hop's MAC address, and then the frame itself.
 * What the frame path decides, it is asked (ctl/explain_try.h, and dns_answer() for names); here are the order and the words. It ends
 * with the first stage that blocks. Control thread.
 *
 * A stage's verdict is "pass", "block", or "unknown": beyond what lanyard sees, as what a host's firewall asks may be.
 */
#ifndef CTL_EXPLAIN_H
#define CTL_EXPLAIN_H

#include <stdbool.h>

#include <jansson.h>

#include "ctl/engine.h"
#include "ctl/explain_target.h"
#include "ctl/explain_try.h"
#include "switch/station.h"

/* explain - one question; from live_explain() to done() */
struct explain {
	struct engine *e;
	char net[NAME_MAX_SIZE], port[NAME_MAX_SIZE];
	struct explain_target to;
	struct addr dst;		/* once it is known */
	struct station self;		/* the guest: the address that it would speak from */
	uint16_t tag, vid;		/* of its frames: on its wire (0: none), and the VLAN */
	json_t *stages;
	bool blocked;
	live_explain_fn *done;
	void *arg;
};

/* explain_pass(), explain_unknown() - a stage lets it by, or nobody knows; explain_block() - it does not, and @hint (or NULL) changes that
 * Return: is there more to ask? */
bool explain_pass(struct explain *x, const char *stage, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool explain_unknown(struct explain *x, const char *stage, const char *hint, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
bool explain_block(struct explain *x, const char *stage, const char *hint, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* explain_frame_to() - what the guest sends first, to @mac, as far as the target says */
struct explain_frame explain_frame_to(const struct explain *x, const uint8_t mac[MAC_SIZE]);

/* explain_walk() - of ctl/explain_walk.c: the stages that a trial went through, in words. @what: "a query to 10.77.0.1: ", or ""
 * Return: did it pass?
 */
bool explain_walk(struct explain *x, const struct live_port *p, const struct explained *r, const char *what);

/* explain_leaves_host(), explain_at_host() - of ctl/explain_host.c: the packet leaves by a socket of the host's, or is handed to the host as a
 * member of the network: its routes, and its firewall as far as the keeper may read that. Return: does it pass? */
bool explain_leaves_host(struct explain *x, const struct trial *t);
bool explain_at_host(struct explain *x);

/* explain_name() - of ctl/explain_name.c: find x->dst of a target that is a name
 * Return: 1 when it is found, 0 when a stage blocked, -EINPROGRESS: explain_go_on() will be called
 * explain_go_on() - of ctl/explain.c: x->dst is known, or a stage blocked; ends @x
 */
int explain_name(struct explain *x, const struct live_port *p);
void explain_go_on(struct explain *x);

/* explain_segment() - the segment that the guest's frames are on, or NULL
 * explain_station() - the best address of @p on whatever segment, of AF_INET, AF_INET6 or (AF_UNSPEC) either. Return: has it one? */
struct live_segment *explain_segment(const struct explain *x, const struct live_port *p);
bool explain_station(const struct live_port *p, int family, struct station *st);

/* explain_port() - the port asked about, or NULL when it is gone meanwhile */
struct live_port *explain_port(const struct explain *x);

#endif
