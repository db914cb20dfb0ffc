// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_conflict.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/pace.h"
#include "ctl/engine.h"
#include "switch/build.h"
#include "switch/packet.h"
#include "switch/station.h"
#include "switch/worker.h"

enum {
	AHEAD = 4,			/* addresses probed before they are offered */
	PROBED_MS = 60000,		/* a probe is as good as new for so long */
	SEEN_MS = 600000,		/* who was seen longer ago may have gone: he is asked again */
	PROBES_PER_S = 100, BURST_MS = 500,	/* a probe is a frame to every port of the segment */
};

/* ---- probes ---- */

struct probe {
	uint32_t from;			/* id of the local port */
	uint16_t vid;
	uint32_t len;
	uint8_t data[64];
};

static void emit(struct worker *w, void *arg)
{
	struct probe *p = arg;
	struct frame f;

	frame_init(&f, p->data, p->len);
	f.vid = p->vid;
	worker_emit(w, p->from, &f, 1);
	free(p);
}

/* send_probe() - from nobody: who hears it learns no address of ours by it (RFC 5227 2.1.1) */
static void send_probe(const struct live_segment *seg, uint32_t ip)
{
	static const uint8_t everybody[MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, nobody[MAC_SIZE];
	const struct live_net *net = seg->net;
	struct probe *p = malloc(sizeof(*p));

	if (!p)
		return;
	*p = (struct probe){ .from = net->local.id, .vid = seg->vid };
	p->len = build_arp(p->data, ARP_REQUEST, net->gateway_mac, 0, nobody, ip, everybody);
	if (!worker_post(net->engine->workers[0], emit, p))
		free(p);
}

static bool may_probe(struct probe_ahead *a, uint64_t now)
{
	uint64_t next = pace_next(a->paid_ms, now, 1000 / PROBES_PER_S, BURST_MS);

	if (next)
		a->paid_ms = next;
	return next;
}

static void probe(struct live_segment *seg, uint32_t ip, uint64_t now)
{
	struct lease_record has;

	if (lease_find(seg->leases, ip, &has) < 0 && may_probe(&seg->ahead, now))
		send_probe(seg, ip);
}

/* look_ahead() - addresses are given in a row: as one is, one more is probed at the other end. Any other is probed itself. */
static void look_ahead(struct live_segment *seg, uint32_t ip, uint64_t now)
{
	struct probe_ahead *a = &seg->ahead;
	uint32_t until = MIN_OF(ip + AHEAD, prefix4_last(seg->conf->subnet) - 1);

	if (!a->last || ip < a->first || ip > a->last || now - a->since_ms > PROBED_MS) {
		*a = (struct probe_ahead){ ip, ip, now, a->paid_ms };
		probe(seg, ip, now);
	}
	for (; a->last < until; a->last++)
		probe(seg, a->last + 1, now);
}

/* ---- who has it ---- */

static const struct live_port *port_of(const struct live_segment *seg, const struct station *s)
{
	const struct live_port *p = seg->net->engine->by_id[s->port];

	return p && p->net == seg->net ? p : NULL;
}

static void tell(struct live_net *net, const struct live_port *p, const struct station *s, const char *guest)
{
	char ip[IP4_TEXT], mac[MAC_TEXT];

	net->conflicts++;
	if (log_allowed(&net->log_limit, clock_now_ms()))
		log_warn("net=%s port=%s event=address-conflict ip=%s mac=%s asked=%s", net->name, p->name, ip4_format(addr_4(s->ip), ip),
			 mac_format(s->mac, mac), guest);
}

/* A station that DHCP itself noted is one whose lease has ended meanwhile: it is no witness. */
bool live_conflict_taken(void *segment, uint32_t ip, const struct lease_guest *who, struct lease_squatter *by)
{
	struct live_segment *seg = segment;
	uint64_t now = clock_now_ms();
	const struct live_port *p;
	struct station s;

	if (!station_find(seg->stations, addr4(ip), &s) || s.source == STATION_DHCP) {
		look_ahead(seg, ip, now);
		return false;
	}
	p = port_of(seg, &s);
	if (!p || (!strcmp(p->name, who->port) && !memcmp(s.mac, who->mac, MAC_SIZE)))
		return false;
	if (now - s.seen_ms > SEEN_MS) {
		station_forget(seg->stations, addr4(ip));
		send_probe(seg, ip);
		return false;
	}
	tell(seg->net, p, &s, who->port);
	by->port = p->name;
	memcpy(by->mac, s.mac, MAC_SIZE);
	return true;
}
