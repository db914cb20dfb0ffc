// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a forward's guest is now, and as whom it sees a client. */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "nat/forward_in.h"
#include "nat/hostaddr.h"
#include "nat/nat_in.h"
#include "nat/neighbour.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/station.h"

enum { DYNAMIC_FIRST = 49152, DYNAMIC_COUNT = 65536 - DYNAMIC_FIRST, LOCAL_AGE_MS = 1000 };

bool forward_find_mac(struct nat_shard *s, const struct site *site, uint32_t port_id, struct addr ip, uint8_t mac[6])
{
	struct station st;

	if (site->segment->stations && station_find(site->segment->stations, ip, &st) && st.port == port_id) {
		memcpy(mac, st.mac, MAC_SIZE);
		return true;
	}
	neighbour_ask(s->worker, site->segment, site->local_port, ip);
	return false;
}

static const struct net_view *net_for(const struct nat *nat, const struct snapshot *snap)
{
	for (unsigned i = 0; i < snap->nnets; i++)
		if (snap->nets[i].net_id == nat_conf_of(nat)->net_id)
			return &snap->nets[i];
	return NULL;
}

/* segment_for() - the segment of the target's port, or the one that its address is of */
static const struct segment *segment_for(const struct nat *nat, const struct snapshot *snap, const struct forward_target *t)
{
	const struct port_view *port = t->port < snap->nports ? &snap->ports[t->port] : NULL;
	const struct net_view *net = net_for(nat, snap);

	if (net && port && port->net == net)
		return addr_is_none(t->ip) ? segment_home(port) : segment_with(port, t->ip);
	for (unsigned i = 0; net && i < net->nsegments; i++)
		if (segment_has(&net->segments[i], t->ip))
			return &net->segments[i];
	return NULL;
}

static bool segment_site(const struct nat *nat, const struct snapshot *snap, const struct forward_target *t, struct site *site)
{
	const struct segment *seg = segment_for(nat, snap, t);
	const struct net_view *net = seg ? seg->net : NULL;

	if (!seg || !seg->has_subnet || !seg->stations || !net->nmembers || !net->members[0]->local)
		return false;
	*site = (struct site){ .segment = seg, .local_port = net->members[0]->port->id, .mtu = net->mtu };
	return true;
}

/* station_for() - the guest's address of the client's family, so that the client's own can stand beside it; else its best one */
static bool station_for(struct stations *stations, uint32_t port, int family, struct station *st)
{
	return station_of_family(stations, port, family, st) || station_of_port(stations, port, st);
}

/* given() - who is alone on a segment has the one address that there is, though nothing was heard of it: a restored snapshot is silent */
static bool given(const struct segment *seg, struct station *st)
{
	st->ip = addr4(seg->guest);
	return seg->only && seg->guest;
}

/* find() - port and address of the target, from what the segment's stations know */
static int find(struct worker *w, const struct site *site, const struct forward_target *t, int family, struct place *place)
{
	struct station st = { .port = t->port, .ip = t->ip };

	if (t->port != FORWARD_BY_IP) {
		if (addr_is_none(t->ip) && !station_for(site->segment->stations, t->port, family, &st) && !given(site->segment, &st))
			return -ENOENT;
	} else if (!segment_has(site->segment, t->ip)) {
		return -ENOENT;
	} else if (!station_find(site->segment->stations, t->ip, &st)) {
		neighbour_ask(w, site->segment, site->local_port, t->ip);
		return -EAGAIN;
	}
	*place = (struct place){ .port = st.port, .ip = st.ip, .to_port = t->to_port, .gateway = t->gateway };
	return 0;
}

static int look(struct forward *f, struct worker *w, const struct forward_target *t, int family, struct place *place)
{
	const struct snapshot *snap = worker_snapshot(w);
	struct site site;
	int rc;

	if (!segment_site(f->nat, snap, t, &site))
		return -ENOENT;
	rc = find(w, &site, t, family, place);
	if (rc < 0)
		return rc;
	if (place->port >= snap->nports || !snap->ports[place->port].port ||
	    snap->ports[place->port].net != site.segment->net || segment_is_gateway(site.segment, place->ip))
		return -ENOENT;
	place->worker = nat_worker(f->nat, snap->ports[place->port].port->queues[0].worker);
	return place->worker ? 0 : -ENOENT;
}

static bool is_loopback(const union sock_addr *from)
{
	return addr_is_loopback(addr_from_sock(from));
}

/* A client whose address will not be shown prefers IPv4, in which more guests serve. */
static int family_for(const struct forward_target *t, const union sock_addr *from)
{
	return t->gateway || is_loopback(from) ? AF_INET : addr_family(addr_from_sock(from));
}

int forward_place(struct listener *l, struct worker *w, const union sock_addr *from, struct place *place)
{
	struct forward *f = forward_of(l);
	const struct live_target *t = rcu_dereference(f->target);
	int family = family_for(&t->target, from);
	struct known_place *k = &f->known[family == AF_INET6];
	uint64_t generation = worker_snapshot(w)->generation, now = worker_now_ms(w);

	if (k->target != t || k->generation != generation || k->at_ms != now || k->rc < 0) {
		*k = (struct known_place){ .target = t, .generation = generation, .at_ms = now };
		k->rc = look(f, w, &t->target, family, &k->place);
	}
	*place = k->place;
	place->to_port = (uint16_t)(t->target.to_port + l->port - (t->target.first ? t->target.first : f->first));
	return k->rc;
}

/* ---- as whom the guest sees a client ---- */

/* is_host() - an address of this host? Asked of the kernel at most once a second for each place of the cache */
static bool is_host(struct nat_shard *s, struct addr a)
{
	struct local_addr *known = &s->locals[addr_hash(a, hash_seed()) % ARRAY_SIZE(s->locals)];
	uint64_t now = shard_now(s);

	if (!addr_equal(known->addr, a) || now - known->asked_ms >= LOCAL_AGE_MS)
		*known = (struct local_addr){ .addr = a, .asked_ms = now, .is = hostaddr_is_local(a) };
	return known->is;
}

/* may_show() - can the guest answer this address, and only by way of us? */
static bool may_show(struct nat_shard *s, const struct site *site, const struct place *place, struct addr client)
{
	return !place->gateway && !site->segment->fronted && addr_family(client) == addr_family(place->ip) && !addr_is_none(client) &&
	       !addr_is_loopback(client) && !addr_is_link_local(client) && !addr_is_multicast(client) &&
	       (addr_is4(client) || !addr_is_link_local(place->ip)) &&
	       !segment_for_addr(worker_snapshot(s->worker), client, NULL) && !is_host(s, client);
}

/* is_free() - no flow has these addresses and ports; one that is closed already does not count */
static bool is_free(struct nat_shard *s, const struct flow_key *key)
{
	struct flow *f = flow_find(s, key);

	if (f && f->class == FLOW_CLOSED) {
		flow_free(f);
		return true;
	}
	return !f;
}

/* gateway_port() - one that no flow with this guest has; after a few tries, one that a closed connection had is as good */
static bool gateway_port(struct nat_shard *s, struct flow_key *key)
{
	enum { TRIES = 64 };

	for (unsigned i = 0; i < DYNAMIC_COUNT; i++) {
		key->remote_port = (uint16_t)(DYNAMIC_FIRST + s->next_port++ % DYNAMIC_COUNT);
		if (i < TRIES ? !flow_find(s, key) : is_free(s, key))
			return true;
	}
	return false;
}

bool forward_key(struct nat_shard *s, const struct site *site, const struct place *place, uint8_t proto,
		 const union sock_addr *from, struct flow_key *key)
{
	struct addr client = addr_from_sock(from);

	*key = (struct flow_key){
		.port = place->port, .guest = place->ip, .guest_port = place->to_port, .remote = client,
		.remote_port = sock_addr_port(from), .proto = proto,
	};
	if (may_show(s, site, place, client) && key->remote_port && is_free(s, key))
		return true;
	key->remote = segment_front(site->segment, place->ip);
	return gateway_port(s, key);
}
