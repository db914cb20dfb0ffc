// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_wire.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/live_loop.h"
#include "ctl/host_client.h"
#include "switch/fdb.h"
#include "switch/port.h"
#include "switch/request.h"
#include "switch/vlan.h"
#include "tap/onemac.h"
#include "tap/wireless.h"

enum {
	LISTED_MAX = HOST_WIRE_MACS * HOST_WIRE_SLOTS,
	LISTED_PER_PORT = 64,
	FDB_READ = 65536,
	SOON_MS = 3,			/* stations come in groups */
	AGAIN_MS = 60000,		/* below the FDB's age */
	RETRY_MS = 1000,
};

struct mac {
	uint8_t bytes[MAC_SIZE];
};

struct macs {
	struct mac list[LISTED_MAX];
	uint32_t port[LISTED_MAX];	/* id */
	unsigned n;
};

struct live_wire {
	_Atomic uint32_t uplink, host;	/* ids of these ports; workers read them */
	atomic_bool told;		/* a request waits */
	struct event *timer;
	bool renew;			/* tell all of it */
	uint64_t told_ms;		/* when that was done last */
	struct macs macs;		/* as the keeper knows them */
	int nic;			/* index; 0: it is not there */
	struct mac nic_mac;
	struct macs heard;		/* what the socket's NIC listens for */
	uint32_t plug;			/* of that socket's port */
	char reason[320];		/* why host and guests do not reach one another; empty: they do */
};

static struct live_port *port_of(struct live_net *net, const char *name)
{
	struct live_port *p;

	HASH_FIND_STR(net->ports, name, p);
	return p;
}

/* ---- a worker has learnt a station ---- */

static void on_learnt(void *arg, uint32_t port, bool moved)
{
	struct live_net *net = arg;
	struct live_wire *w = net->wire;
	struct request r;

	if (moved)
		live_loop_moved(net, port);
	if (!moved && (port == w->uplink || port == w->host))
		return;
	if (atomic_exchange(&w->told, true))
		return;
	r.kind = REQUEST_WIRE;
	r.net_id = net->net_id;
	r.port = port;
	r.size = 0;
	if (request_post(net->engine->requests, &r) != VERDICT_FORWARDED)
		w->told = false;
}

static void look_in(struct live_wire *w, unsigned ms)
{
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(w->timer, &tv);
}

void live_wire_learnt(struct live_net *net)
{
	if (net && net->wire)
		look_in(net->wire, SOON_MS);
}

void live_wire_renew(struct live_net *net)
{
	if (!net->wire)
		return;
	net->wire->renew = true;
	look_in(net->wire, 0);
}

/* ---- the list ---- */

static unsigned count_of(const struct macs *m, uint32_t port)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m->n; i++)
		n += m->port[i] == port;
	return n;
}

static bool has(const struct macs *m, const uint8_t *mac)
{
	for (unsigned i = 0; i < m->n; i++)
		if (!memcmp(m->list[i].bytes, mac, MAC_SIZE))
			return true;
	return false;
}

static void list_one(struct macs *to, const struct fdb_entry *e)
{
	if (to->n == LISTED_MAX || has(to, e->mac) || count_of(to, e->port) >= LISTED_PER_PORT)
		return;
	memcpy(to->list[to->n].bytes, e->mac, MAC_SIZE);
	to->port[to->n++] = e->port;
}

/* list_guests() - stations that are at ports of guests, those first that are listed already: a full list does not change all the time */
static bool list_guests(const struct live_net *net, struct macs *to)
{
	struct fdb_entry *all = malloc(FDB_READ * sizeof(*all));
	unsigned n = all ? MIN_OF(fdb_each(net->fdb, clock_now_ms(), all, FDB_READ), (unsigned)FDB_READ) : 0;
	const struct live_wire *w = net->wire;

	to->n = 0;
	for (unsigned known = 2; known-- > 0;)
		for (unsigned i = 0; i < n; i++)
			if (all[i].port != w->uplink && all[i].port != w->host && all[i].port != net->local.id &&
			    has(&w->macs, all[i].mac) == known)
				list_one(to, &all[i]);
	free(all);
	return all;
}

/* ---- the NIC ---- */

static void listen_for(int fd, int nic, int how, int type, const uint8_t *mac)
{
	struct packet_mreq m = { .mr_ifindex = nic, .mr_type = (unsigned short)type, .mr_alen = mac ? MAC_SIZE : 0 };

	if (mac)
		memcpy(m.mr_address, mac, MAC_SIZE);
	(void)!setsockopt(fd, SOL_PACKET, how, &m, sizeof(m));
}

static bool is_one_mac(const struct live_port *uplink)
{
	return uplink->medium && !strcmp(uplink->medium, "one-mac");
}

/* listen_to_guests() - the NIC takes in what is for a guest; the kernel makes it promiscuous only where it can filter no more */
static void listen_to_guests(struct live_wire *w, const struct live_port *uplink, const struct macs *now)
{
	int fd = port_fd(uplink->port);

	if (w->plug != uplink->port->plug) {
		listen_for(fd, w->nic, PACKET_ADD_MEMBERSHIP, PACKET_MR_ALLMULTI, NULL);
		w->heard.n = 0;
		w->plug = uplink->port->plug;
	}
	if (is_one_mac(uplink))
		return;			/* it has no other */
	for (unsigned i = 0; i < w->heard.n; i++)
		if (!has(now, w->heard.list[i].bytes))
			listen_for(fd, w->nic, PACKET_DROP_MEMBERSHIP, PACKET_MR_UNICAST, w->heard.list[i].bytes);
	for (unsigned i = 0; i < now->n; i++)
		if (!has(&w->heard, now->list[i].bytes))
			listen_for(fd, w->nic, PACKET_ADD_MEMBERSHIP, PACKET_MR_UNICAST, now->list[i].bytes);
	w->heard = *now;
}

static int bound_to(const struct live_port *p)
{
	struct sockaddr_ll at = { 0 };
	socklen_t size = sizeof(at);

	if (!p || !p->port || getsockname(port_fd(p->port), (struct sockaddr *)&at, &size) < 0 || at.sll_ifindex < 0)
		return 0;
	return at.sll_ifindex;
}

/* say() - the state of the uplink's port */
static void say(struct live_port *p, const char *name, unsigned flags)
{
	char text[160] = "";

	if (p->state != LIVE_UP && p->state != LIVE_DOWN)
		return;
	if (strcmp(name, p->conf->ifname))
		snprintf(text, sizeof(text), "%s is called %s now: lanyard net set %s --uplink %s", p->conf->ifname, name, p->net->name, name);
	if (!(flags & IFF_UP))
		snprintf(text, sizeof(text), "%s is down", name);
	else if (!(flags & IFF_RUNNING))
		snprintf(text, sizeof(text), "%s has no carrier", name);
	live_port_state(p, flags & IFF_UP && flags & IFF_RUNNING ? LIVE_UP : LIVE_DOWN, text);
}

/* tell_wireless() - what is the host's on the air */
static void tell_wireless(struct live_port *uplink, const uint8_t *mac, const struct ifaddrs *all)
{
	struct addr list[ONEMAC_HOST_MAX];
	unsigned n = 0;

	for (const struct ifaddrs *a = all; a && n < ARRAY_SIZE(list); a = a->ifa_next) {
		const union sock_addr *sa = (const void *)a->ifa_addr;

		if (sa && sa->any.sa_family == AF_INET)
			list[n++] = addr4(ntohl(sa->in4.sin_addr.s_addr));
		else if (sa && sa->any.sa_family == AF_INET6)
			list[n++] = addr6(&sa->in6.sin6_addr);
	}
	wireless_host(uplink->port, mac, list, n);
}

/* the_host() - the NIC's address is the host's, and no guest's */
static void the_host(struct live_net *net, const uint8_t *mac)
{
	struct live_wire *w = net->wire;

	if (w->host == UINT32_MAX || (!w->renew && !memcmp(w->nic_mac.bytes, mac, MAC_SIZE)))
		return;
	memcpy(w->nic_mac.bytes, mac, MAC_SIZE);
	w->renew = true;
	fdb_flush_port(net->fdb, w->host);
	fdb_add_static(net->fdb, VID_DEFAULT, mac, w->host);
}

/* look_at_nic() - how it is called, whether it is up, and its address, which may all have changed */
static void look_at_nic(struct live_net *net, struct live_port *uplink)
{
	struct live_wire *w = net->wire;
	int nic = bound_to(uplink);
	struct ifaddrs *all;

	w->renew |= nic != w->nic;
	w->nic = nic;
	if (!nic || getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
		const struct sockaddr_ll *ll = (const void *)a->ifa_addr;

		if (!ll || ll->sll_family != AF_PACKET || ll->sll_ifindex != nic)
			continue;
		say(uplink, a->ifa_name, a->ifa_flags);
		the_host(net, ll->sll_addr);
		if (is_one_mac(uplink))
			tell_wireless(uplink, ll->sll_addr, all);
	}
	freeifaddrs(all);
}

/* ---- the keeper's filters ---- */

static int tell_slot(struct live_net *net, unsigned slot, const struct macs *now, struct error *err)
{
	unsigned first = slot * HOST_WIRE_MACS, n = now->n > first ? now->n - first : 0;
	struct host_wire m = { .nic = (uint32_t)net->wire->nic, .slot = (uint16_t)slot };
	const struct live_port *host = port_of(net, HOST_PORT);

	m.count = (uint16_t)MIN_OF(n, (unsigned)HOST_WIRE_MACS);
	memcpy(m.macs, &now->list[first], m.count * sizeof(m.macs[0]));
	return host_wire(net->engine->host, host->held, &m, err);
}

/* tell_keeper() - slots whose list is another than before. Return: 0 or negative errno */
static int tell_keeper(struct live_net *net, const struct macs *now, struct error *err)
{
	struct live_wire *w = net->wire;
	int rc = 0;

	for (unsigned slot = 0; rc == 0 && slot < HOST_WIRE_SLOTS; slot++) {
		unsigned first = slot * HOST_WIRE_MACS, was = w->macs.n > first ? w->macs.n - first : 0,
			 is = now->n > first ? now->n - first : 0;
		bool same = was == is || (was >= HOST_WIRE_MACS && is >= HOST_WIRE_MACS);

		same &= !memcmp(&w->macs.list[first], &now->list[first], MIN_OF(is, (unsigned)HOST_WIRE_MACS) * sizeof(now->list[0]));
		if (!same || (w->renew && (slot == 0 || is || was)))
			rc = tell_slot(net, slot, now, err);
	}
	return rc;
}

/* join_host() - Return: is it so? */
static bool join_host(struct live_net *net, const struct macs *now)
{
	struct live_wire *w = net->wire;
	struct live_port *host = port_of(net, HOST_PORT);
	struct error err = { .rc = 0 };
	int rc;

	if (!host || !host->port || !w->nic) {
		snprintf(w->reason, sizeof(w->reason), "%s", host && host->reason[0] ? host->reason : "the uplink is not there");
		return true;		/* when they come, this is done again */
	}
	rc = tell_keeper(net, now, &err);
	snprintf(w->reason, sizeof(w->reason), "%s", rc < 0 ? err.message : "");
	if (rc < 0)
		log_warn("net=%s event=host-not-joined reason=\"%s\"", net->name, err.message);
	return rc == 0;
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
	struct live_net *net = arg;
	struct live_wire *w = net->wire;
	struct live_port *uplink = port_of(net, UPLINK_PORT), *host = port_of(net, HOST_PORT);
	struct macs *now = malloc(sizeof(*now));
	bool done = false;

	(void)fd, (void)what;
	w->told = false;
	w->uplink = uplink ? uplink->id : UINT32_MAX;
	w->host = host ? host->id : UINT32_MAX;
	w->renew |= clock_now_ms() - w->told_ms >= AGAIN_MS;	/* somebody may have taken a filter away */
	look_at_nic(net, uplink);
	if (now && list_guests(net, now)) {
		if (w->nic)
			listen_to_guests(w, uplink, now);
		done = join_host(net, now);
	}
	if (done) {
		w->told_ms = w->renew ? clock_now_ms() : w->told_ms;
		w->renew = false;
		w->macs = *now;
	}
	if (!done || w->macs.n)
		look_in(w, done ? AGAIN_MS : RETRY_MS);
	free(now);
}

void live_wire_host_changed(struct live_net *net)
{
	if (net->wire)
		look_in(net->wire, 0);
}

void live_wire_warnings(const struct live_net *net, json_t *list)
{
	const struct live_wire *w = net->wire;

	if (w->reason[0])
		json_array_append_new(list, json_sprintf("this host and the guests do not reach one another: %s", w->reason));
}

bool live_wire_does_without(const struct net_conf *net, int rc)
{
	return net->mode == NET_BRIDGED && rc != -EPERM && rc != -EACCES && rc != -ENODEV && rc != -EEXIST;
}

/* ---- life ---- */

int live_wire_start(struct live_net *net)
{
	struct live_wire *w = calloc(1, sizeof(*w));

	net->wire = w;
	if (!w)
		return -ENOMEM;
	w->uplink = w->host = UINT32_MAX;
	w->timer = evtimer_new(net->engine->base, on_time, net);
	if (!w->timer)
		return -ENOMEM;
	fdb_on_change(net->fdb, on_learnt, net);
	return 0;
}

void live_wire_free(struct live_net *net)
{
	if (net->wire && net->wire->timer)
		event_free(net->wire->timer);
	free(net->wire);
	net->wire = NULL;
}
