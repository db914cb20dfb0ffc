/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_row.h - what the probes of a row are made of: trials with their ways, and the reasons not to try
 *
 * Used by ctl/check_probe*.c. A trial must end as its row wants unless the caller says otherwise; it belongs to the result.
 */
#ifndef CTL_CHECK_ROW_H
#define CTL_CHECK_ROW_H

#include "ctl/check_probe.h"

struct check_outside;

/* row_skip() - the row is not probed, and why */
void row_skip(struct check_result *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool row_wants_success(const struct check_result *r);

/* row_on_link() - is @a in the guest's own prefix? */
bool row_on_link(const struct check_guest *g, struct addr a);

/* row_add() - a trial without a way
 * row_beyond() - from guest @g to somewhere beyond its network, if it has a way there at all; on a LAN also to a neighbour
 * row_ether() - a frame of our own EtherType to @mac, which is @to's, or with @to NULL is looked for on the host
 * row_host() - from the host to @dst; @to is where it would arrive
 * row_knock() - the outside is asked to come to @dst by @proto, and says how that went; port 0 is one of @to that this trial alone has
 */
struct trial *row_add(struct check *c, struct check_result *r, const char *name, enum trial_kind kind);
struct trial *row_beyond(struct check *c, struct check_result *r, const char *name, enum trial_kind kind, struct check_guest *g,
			 struct addr dst, uint16_t port);
struct trial *row_ether(struct check *c, struct check_result *r, const char *name, struct check_guest *from, struct check_guest *to,
			const uint8_t *mac);
struct trial *row_host(struct check *c, struct check_result *r, const char *name, enum trial_kind kind, struct addr dst, uint16_t port,
		       struct check_guest *to);
struct trial *row_knock(struct check *c, struct check_result *r, const char *name, const char *proto, struct addr dst, uint16_t port,
			struct check_guest *to);

/* row_has_outside() - is there an outside host that answers? Where the row wants success one that is silent is tried all the same. */
bool row_has_outside(const struct check_outside *x, struct check_result *r);

/* row_noted() - a trial that has ended already: while the guests were plugged in, or by looking */
void row_noted(struct check *c, struct check_result *r, const char *name, bool yes, const char *how);

/* The rows, by whom they are about; ctl/check_probe.c has the table. */
typedef void probe_fn(struct check *c, struct check_result *r);

probe_fn probe_host_own, probe_host_on_network, probe_host_loopback, probe_host_to_guest, probe_host_sees_frames, probe_residue, probe_delegated;
probe_fn probe_forward_own, probe_forward_loopback, probe_forward_hairpin;
probe_fn probe_outside_talk, probe_outside_icmp, probe_outside_ip6, probe_outside_to_guest, probe_outside_sees;

#endif
