// SPDX-License-Identifier: GPL-2.0-or-later
/* What follows a lease: the names of its guest, and where its address lives.
 *
 * A guest is called as its port, and, where a reservation is its own and says so, by a further name, which is then the one that its address leads
 * back to: behind one port many guests may be. Where an address is reserved, too, that name has it while its guest is away: names can be given to
 * machines that are to come. Names of ports and of the user are never taken from them by a reservation.
 */
#include <string.h>

#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/live_guard.h"
#include "dhcp/lease.h"
#include "dhcp/lease6.h"
#include "dhcp/names.h"
#include "switch/station.h"

/* is_name() - do guests of this reservation have a further name here? */
static bool is_name(const struct live_segment *seg, const struct dhcp_reservation *of)
{
	struct live_port *p = NULL;

	if (!of || !of->hostname[0])
		return false;
	HASH_FIND_STR(seg->net->ports, of->hostname, p);
	return !p && !names_has_users(seg->names, of->hostname);
}

const struct dhcp_reservation *lease_named_by(const struct live_segment *seg, const struct guest_id *who)
{
	const struct dhcp_reservation *of = seg->nnamed ? reservations_match(seg->reservations, who) : NULL;

	return is_name(seg, of) ? of : NULL;
}

static const struct dhcp_reservation *named_by(const struct live_segment *seg, const struct lease_record *r)
{
	const struct guest_id who = {
		.port = r->port, .mac = r->mac, .client_id = r->client_id, .client_id_size = r->client_id_size, .circuit = r->circuit,
		.circuit_size = r->circuit_size,
	};

	return lease_named_by(seg, &who);
}

/* ---- while the guest is away ---- */

/* is_expected() - is an address kept for its guest under a name? Alone on a segment none is expected but the port's own. */
static bool is_expected(const struct live_segment *seg, const struct dhcp_reservation *of)
{
	return of && of->ip && is_name(seg, of) && (!seg->only || of->key == GUEST_PORT);
}

void lease_names_expect(struct live_segment *seg, const struct dhcp_reservation *of)
{
	if (!is_expected(seg, of))
		return;
	if (seg->leases)
		names_set_host(seg->names, of->hostname, of->ip);
	if (seg->leases6)
		lease6_names_expect(seg, of);
}

/* stays() - is it in the new model as it was? Then its name does not go, not even for a moment in which somebody asks for it. */
static bool stays(const struct live_segment *seg, const struct dhcp_reservation *of)
{
	const struct reservation_conf *now = net_reservation(seg->net->conf, of->name);

	return now && now->of.ip == of->ip && !strcmp(now->of.hostname, of->hostname) && is_expected(seg, of);
}

static void forget(struct live_segment *seg, const struct dhcp_reservation *of)
{
	struct addr a;

	if (!of->ip || !of->hostname[0] || stays(seg, of))
		return;
	names_remove_host_at(seg->names, of->hostname, of->ip);
	if (seg->leases6 && lease6_reserved(seg->leases6, of, &a))
		names_remove_host6_at(seg->names, of->hostname, a);
}

static void each_reservation(struct live_segment *seg, void (*fn)(struct live_segment *seg, const struct dhcp_reservation *of))
{
	for (size_t i = 0; i < seg->nreserved; i++)
		fn(seg, &seg->reserved[i]);
}

/* ---- while it has a lease ---- */

static void name_guest(struct live_segment *seg, const struct lease_record *r)
{
	const struct dhcp_reservation *by = named_by(seg, r);

	if (by && names_set_host(seg->names, by->hostname, r->ip) == 0)
		names_point_host(seg->names, r->port, r->ip);
	else
		names_set_host(seg->names, r->port, r->ip);
}

static void end_further(void *arg, const struct lease_record *r)
{
	struct live_segment *seg = arg;
	const struct dhcp_reservation *by = named_by(seg, r);

	if (by)
		names_remove_host_at(seg->names, by->hostname, r->ip);
}

void lease_names_end(struct live_segment *seg, const struct lease_record *r)
{
	names_remove_host_at(seg->names, r->port, r->ip);
	end_further(seg, r);
	lease_names_expect(seg, named_by(seg, r));
	lease_names_expect(seg, reservations_at(seg->reservations, r->ip));	/* had by another until now */
}

static void name_again(void *arg, const struct lease_record *r)
{
	if (r->state == LEASE_BOUND)
		name_guest(arg, r);
}

void lease_names_forget(struct live_segment *seg)
{
	if (!seg->nnamed || !seg->names)
		return;
	if (seg->leases)
		lease_each(seg->leases, end_further, seg);
	each_reservation(seg, forget);
}

void lease_names_again(struct live_segment *seg)
{
	if (!seg->nnamed || !seg->names)
		return;
	each_reservation(seg, lease_names_expect);
	if (seg->leases)
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
