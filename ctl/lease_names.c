// SPDX-License-Identifier: GPL-2.0-or-later
/* What follows a lease: the names of its guest, and where its address lives.
 *
 * A guest is called as its port, and, where a reservation is its own and says so, by a further name, which is then the one that its address leads
 * back to: behind one port many guests may be. Names of ports and of the user are never taken from them by a reservation.
 */
#include <string.h>

#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/live_guard.h"
#include "dhcp/lease.h"
#include "dhcp/names.h"
#include "switch/station.h"

const char *lease_further_name(const struct live_segment *seg, const struct guest_id *who)
{
	const struct dhcp_reservation *of = seg->nnamed ? reservations_match(seg->reservations, who) : NULL;
	struct live_port *p = NULL;

	if (!of || !of->hostname[0])
		return NULL;
	HASH_FIND_STR(seg->net->ports, of->hostname, p);
	return p || names_has_users(seg->names, of->hostname) ? NULL : of->hostname;
}

static const char *further_name(const struct live_segment *seg, const struct lease_record *r)
{
	const struct guest_id who = {
		.port = r->port, .mac = r->mac, .client_id = r->client_id, .client_id_size = r->client_id_size, .circuit = r->circuit,
		.circuit_size = r->circuit_size,
	};

	return lease_further_name(seg, &who);
}

static void name_guest(struct live_segment *seg, const struct lease_record *r)
{
	const char *further = further_name(seg, r);

	if (further && names_set_host(seg->names, further, r->ip) == 0)
		names_point_host(seg->names, r->port, r->ip);
	else
		names_set_host(seg->names, r->port, r->ip);
}

static void end_further(void *arg, const struct lease_record *r)
{
	struct live_segment *seg = arg;
	const char *further = further_name(seg, r);

	if (further)
		names_remove_host_at(seg->names, further, r->ip);
}

void lease_names_end(struct live_segment *seg, const struct lease_record *r)
{
	names_remove_host_at(seg->names, r->port, r->ip);
	end_further(seg, r);
}

static void name_again(void *arg, const struct lease_record *r)
{
	if (r->state == LEASE_BOUND)
		name_guest(arg, r);
}

void lease_names_forget(struct live_segment *seg)
{
	if (seg->nnamed && seg->leases && seg->names)
		lease_each(seg->leases, end_further, seg);
}

void lease_names_again(struct live_segment *seg)
{
	if (seg->nnamed && seg->leases && seg->names)
		lease_each(seg->leases, name_again, seg);
}

/* has_ended() - of the several leases that a port may hold another gives it its name now */
static void has_ended(struct live_segment *seg, struct live_port *p, const struct lease_record *r)
{
	struct lease_record other;

	station_forget(seg->stations, addr4(r->ip));
	lease_names_end(seg, r);
	if (lease_find_port(seg->leases, r->port, &other) == 0)
		name_guest(seg, &other);
	if (p)
		live_guard_leases(p);
}

void lease_names(struct live_segment *seg, const struct lease_record *r)
{
	struct live_port *p;
	struct station s = { .ip = addr4(r->ip), .source = STATION_DHCP, .seen_ms = clock_now_ms() };

	HASH_FIND_STR(seg->net->ports, r->port, p);
	if (p && !seg->only && !live_segment_on(seg, p->conf))
		p = NULL;		/* a guest behind a relay: it is not the port's, and not here */
	if (r->state != LEASE_BOUND || !p) {
		has_ended(seg, p, r);
		return;
	}
	s.port = p->id;
	memcpy(s.mac, r->mac, MAC_SIZE);
	station_note(seg->stations, &s, true);
	live_guard_leases(p);
	name_guest(seg, r);
}
