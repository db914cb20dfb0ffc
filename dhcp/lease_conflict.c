// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses that somebody uses to whom they were never leased. */
#include "base/array.h"
#include "dhcp/lease_table.h"

/* rest() - as if the squatter's port had declined it, within what a port may decline */
static bool rest(struct lease_table *t, uint32_t ip, struct lease *l, const struct lease_squatter *by, int64_t end_s)
{
	struct lease_port *p = table_port_get(t, by->port);

	if (!p)
		return false;
	if (p->ndeclined >= t->conf.declines) {
		table_port_tidy(t, p);
		return false;
	}
	if (!l)
		l = table_add(t, ip, p, by->mac, end_s);
	else if (table_give(t, l, p, by->mac, end_s) < 0)
		return true;			/* nobody has it now */
	if (l) {
		table_set(t, l, LEASE_DECLINED, end_s, false);
		l->squatted = true;
	}
	table_port_tidy(t, p);
	return l;
}

bool lease_squatted(struct lease_table *t, const struct lease_guest *who, uint32_t ip, struct lease *l, int64_t now_s)
{
	struct lease_squatter by;

	if (!t->conf.taken || !t->conf.taken(t->conf.taken_arg, ip, who, &by))
		return false;
	return rest(t, ip, l, &by, now_s + t->conf.conflict_s);
}
