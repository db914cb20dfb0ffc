/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/flow_rows.h - an answer about flows as it grows, for the files that know some: ctl/live_flows.c (NAT, rules), ctl/live_denied.c (what rules
 * refused), ctl/live_kernel_flows.c. Control thread.
 */
#ifndef CTL_FLOW_ROWS_H
#define CTL_FLOW_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/addr.h"

struct live_net;
struct live_port;

enum { FLOWS_SHOWN = 4096 };

struct flow_rows {
	struct live_net *net;
	const char *port;		/* its flows alone, or NULL */
	json_t *rows;
	uint64_t more;			/* that found no place */
};

/* flow_row - one of them; the guest is @port's */
struct flow_row {
	const struct live_port *port;
	const char *by, *state;
	uint8_t proto;
	struct addr guest, remote;
	uint16_t guest_port, remote_port;
};

/* flow_rows_add() - Return: the new row, for more fields (borrowed); NULL: nobody asked for it, or there is no room, which is counted */
json_t *flow_rows_add(struct flow_rows *l, const struct flow_row *r);

/* flow_rows_kernel() - of ctl/live_kernel_flows.c: those that the host's kernel translates for l->net; waits for the keeper */
void flow_rows_kernel(struct flow_rows *l);

/* flow_guest() - the guest at the other end of a flow of @p, when it is on the same segment; or NULL
 * flow_peer_name() - "lab/web1", or as DNS answers called the address, or NULL; @text: FLOW_NAME bytes, used for the former
 */
enum { FLOW_NAME = 2 * 70 };
const struct live_port *flow_guest(const struct live_port *p, struct addr a);
const char *flow_peer_name(const struct live_port *p, struct addr a, char text[FLOW_NAME]);

#endif
