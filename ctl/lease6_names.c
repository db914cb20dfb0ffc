// SPDX-License-Identifier: GPL-2.0-or-later
/* What reservations call guests of DHCPv6: of the addresses behind one port each leads back to the name of its own guest.
 *
 * A port's own name stands for all that lives behind it (guest_names6()); ctl/lease_names.c says which names are anybody's to have.
 */
#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "dhcp/lease6.h"
#include "dhcp/names.h"

/* named_by() - the reservation that calls the guest so that has this address, or NULL. The circuit by which a relay heard it is not kept. */
static const struct dhcp_reservation *named_by(const struct live_segment *seg, const struct lease6_record *r)
{
	const struct guest_id who = { .port = r->port, .mac = r->mac, .client_id = r->duid, .client_id_size = r->duid_size };

	return r->state != LEASE_DECLINED && r->place.len == 128 ? lease_named_by(seg, &who) : NULL;
}

bool lease6_named(const struct live_segment *seg, struct addr a)
{
	struct lease6_record r;

	return seg->nnamed && seg->leases6 && lease6_find(seg->leases6, a, &r) == 0 && named_by(seg, &r);
}

/* is_leased() - has anybody this address now? */
static bool is_leased(const struct live_segment *seg, struct addr a)
{
	struct lease6_record r;

	return lease6_find(seg->leases6, a, &r) == 0 && r.state == LEASE_BOUND;
}

void lease6_names_expect(struct live_segment *seg, const struct dhcp_reservation *of)
{
	struct addr a;

	if (lease6_reserved(seg->leases6, of, &a) && !names_has_host6(seg->names, of->hostname))
		names_add_host6(seg->names, of->hostname, a);
}

/* arrived() - what is reserved for it was expected, and is no address of it while it has only others */
static void arrived(struct live_segment *seg, const struct dhcp_reservation *by, struct addr has)
{
	struct addr a;

	names_add_host6(seg->names, by->hostname, has);
	if (lease6_reserved(seg->leases6, by, &a) && !addr_equal(a, has) && !is_leased(seg, a))
		names_remove_host6_at(seg->names, by->hostname, a);
}

void lease6_names(struct live_segment *seg, const struct lease6_record *r, bool has)
{
	const struct dhcp_reservation *by = seg->names ? named_by(seg, r) : NULL;

	if (by && has) {
		arrived(seg, by, r->place.addr);
	} else if (by) {
		names_remove_host6_at(seg->names, by->hostname, r->place.addr);
		lease_names_expect(seg, by);
	}
}

static void name_ends(void *arg, const struct lease6_record *r)
{
	struct live_segment *seg = arg;
	const struct dhcp_reservation *by = named_by(seg, r);

	if (by)
		names_remove_host6_at(seg->names, by->hostname, r->place.addr);
}

static void name_again(void *arg, const struct lease6_record *r)
{
	if (r->state == LEASE_BOUND)
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
