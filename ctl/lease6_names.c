// SPDX-License-Identifier: GPL-2.0-or-later
/* What reservations call guests of DHCPv6: of the addresses behind one port each leads back to the name of its own guest.
 *
 * A port's own name stands for all that lives behind it (guest_names6()); ctl/lease_names.c says which names are anybody's to have.
 */
#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "dhcp/lease6.h"
#include "dhcp/names.h"

/* further_name() - what a reservation calls the guest that has this address, or NULL. The circuit by which a relay heard it is not kept. */
static const char *further_name(const struct live_segment *seg, const struct lease6_record *r)
{
	const struct guest_id who = { .port = r->port, .mac = r->mac, .client_id = r->duid, .client_id_size = r->duid_size };

	return r->state != LEASE_DECLINED && r->place.len == 128 ? lease_further_name(seg, &who) : NULL;
}

bool lease6_named(const struct live_segment *seg, struct addr a)
{
	struct lease6_record r;

	return seg->nnamed && seg->leases6 && lease6_find(seg->leases6, a, &r) == 0 && further_name(seg, &r);
}

void lease6_names(struct live_segment *seg, const struct lease6_record *r, bool has)
{
	const char *further = seg->names ? further_name(seg, r) : NULL;

	if (further && has)
		names_add_host6(seg->names, further, r->place.addr);
	else if (further)
		names_remove_host6_at(seg->names, further, r->place.addr);
}

static void name_ends(void *arg, const struct lease6_record *r)
{
	lease6_names(arg, r, false);
}

static void name_again(void *arg, const struct lease6_record *r)
{
	lease6_names(arg, r, true);
}

void lease6_names_forget(struct live_segment *seg)
{
	if (seg->nnamed && seg->leases6 && seg->names)
		lease6_each(seg->leases6, name_ends, seg);
}

void lease6_names_again(struct live_segment *seg, bool had)
{
	if (!seg->leases6 || !seg->names || (!had && !seg->nnamed))
		return;
	lease6_each(seg->leases6, name_again, seg);
	for (struct live_port *p = seg->net->ports; p; p = p->hh.next)
		if (seg->only ? seg->only == p : live_segment_on(seg, p->conf))
			guest_names6(seg, p);	/* what leads back to nobody now leads back to it */
}
