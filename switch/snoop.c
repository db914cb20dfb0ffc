// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/snoop.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/hash.h"
#include "switch/build.h"
#include "switch/burst.h"
#include "switch/fdb.h"
#include "switch/nd.h"
#include "switch/request.h"
#include "switch/worker.h"

enum { MEMBERS = 4096, ANYBODY = PORT_IDS, LONGEST = 1600, PROTO_IGMP = 2, ROUTERS = 1 };

struct snoop {
	struct fdb *members;		/* by member_key(): of a group and a port, of a group and ANYBODY, of ROUTERS and a port */
	_Atomic bool flood_unregistered;
};

struct snoop *snoop_new(bool flood_unregistered)
{
	struct snoop *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	snoop_unregistered(s, flood_unregistered);
	s->members = fdb_new(MEMBERS, PORT_IDS + 1, SNOOP_AGE_MS);
	if (s->members)
		return s;
	free(s);
	return NULL;
}

void snoop_free(struct snoop *s)
{
	if (s)
		fdb_free(s->members);
	free(s);
}

void snoop_unregistered(struct snoop *s, bool flood)
{
	atomic_store_explicit(&s->flood_unregistered, flood, memory_order_relaxed);
}

void snoop_forget_port(struct snoop *s, uint32_t port)
{
	fdb_flush_port(s->members, port);
}

static uint64_t member_key(uint64_t group, uint32_t port)
{
	return hash_u64(group * 8209 + port, hash_seed()) | 1;
}

static uint64_t routers(uint16_t vid)
{
	return (uint64_t)ROUTERS << 16 | vid;	/* no group's: those have a group bit */
}

/* group_mac() - RFC 1112 6.4, RFC 2464 7 */
static void group_mac(struct addr group, uint8_t mac[6])
{
	static const uint8_t ip4[3] = { 0x01, 0x00, 0x5e };

	if (!addr_is4(group)) {
		nd_link_multicast(group, mac);
		return;
	}
	memcpy(mac, ip4, 3);
	mac[3] = group.bytes[13] & 0x7f;
	mac[4] = group.bytes[14];
	mac[5] = group.bytes[15];
}

/* is_link_group() - a group of the link, by its MAC address; or no IP multicast at all */
static bool is_link_group(const uint8_t *mac)
{
	if (mac[0] == 0x33 && mac[1] == 0x33)
		return mac[2] == 0xff || (!mac[2] && !mac[3] && !mac[4]);
	return mac[0] != 1 || mac[1] || mac[2] != 0x5e || (mac[3] < 0x80 && !mac[3] && !mac[4]);
}

/* ask_again() - somebody left: are there others on that port? The gateway asks (RFC 3376 6.6.2); that is the control thread's to send */
static void ask_again(struct burst *b, const struct frame *f, struct addr group)
{
	const struct segment *seg = burst_segment(b, f);
	struct request r = { .kind = REQUEST_GROUP_LEFT, .vid = f->vid, .port = b->in->port->id, .dst = group };

	if (!seg || !seg->requests || !seg->has_subnet)
		return;
	r.net_id = seg->net->net_id;
	request_post(seg->requests, &r);
}

static void note_report(struct burst *b, const struct frame *f, const struct snoop_message *m)
{
	struct fdb *t = b->in->net->snoop->members;
	uint32_t port = b->in->port->id;
	uint64_t now = worker_now_ms(b->w);
	uint8_t mac[6];

	for (unsigned i = 0; i < m->n; i++) {
		uint64_t group;

		group_mac(m->groups[i], mac);
		group = fdb_key(f->vid, mac);
		if (m->leaves[i] && fdb_lookup_key(t, member_key(group, port), now) >= 0 && now > SNOOP_AGE_MS) {
			fdb_learn_key(t, member_key(group, port), port, now - SNOOP_AGE_MS + SNOOP_LAST_MS);	/* unless reported again */
			ask_again(b, f, m->groups[i]);
		} else if (!m->leaves[i]) {
			fdb_learn_key(t, member_key(group, port), port, now);
			fdb_learn_key(t, member_key(group, ANYBODY), ANYBODY, now);
		}
	}
}

void snoop_flood(struct burst *b, const struct frame *f, struct snooped *s)
{
	struct snoop *snoop = b->in->net->snoop;
	uint8_t bytes[LONGEST];
	struct snoop_message m = { .kind = SNOOP_NOTHING };
	uint64_t group = fdb_key(f->vid, frame_dst(f));

	*s = (struct snooped){ .now_ms = worker_now_ms(b->w), .vid = f->vid };
	if (f->len <= sizeof(bytes) && !b->in->local) {
		frame_linear(f, bytes);	/* once: a guest may change what lies in its memory */
		snoop_parse(bytes, f->len, &m);
	}
	if (m.kind == SNOOP_QUERY && m.router && !b->trial)
		fdb_learn_key(snoop->members, member_key(routers(f->vid), b->in->port->id), b->in->port->id, s->now_ms);
	if (m.kind == SNOOP_REPORT) {
		if (!b->trial)
			note_report(b, f, &m);
		s->snoop = snoop;
		return;
	}
	if (is_link_group(frame_dst(f)))
		return;
	if (atomic_load_explicit(&snoop->flood_unregistered, memory_order_relaxed) && fdb_lookup_key(snoop->members, member_key(group, ANYBODY), s->now_ms) < 0)
		return;
	s->snoop = snoop;
	s->group = group;
}

bool snoop_wants(const struct snooped *s, const struct port_view *to)
{
	if (!s->snoop || to->uplink || to->beside_uplink)
		return true;
	if (s->group && fdb_lookup_key(s->snoop->members, member_key(s->group, to->port->id), s->now_ms) >= 0)
		return true;
	return fdb_lookup_key(s->snoop->members, member_key(routers(s->vid), to->port->id), s->now_ms) >= 0;
}

/* query4() - IGMPv3, which hosts of older versions understand (RFC 3376 4.1, 4 for the router alert) */
static uint32_t query4(uint8_t *to, const struct segment *seg, struct addr group)
{
	static const struct addr everybody = { .bytes = { [10] = 0xff, 0xff, 224, 0, 0, 1 } };
	enum { OPTIONS = 4, MESSAGE = 12 };
	struct addr dst = addr_is_none(group) ? everybody : group;
	uint8_t mac[6], *ip = to + ETH_HEADER, *m = ip + IP4_HEADER + OPTIONS;

	group_mac(dst, mac);
	build_eth(to, mac, seg->gateway_mac, ETHERTYPE_IP4);
	build_ip4(ip, seg->gateway, addr_4(dst), PROTO_IGMP, 1, OPTIONS + MESSAGE);
	ip[0] = 0x46;
	put_u32(m - OPTIONS, 0x94040000);
	put_u16(ip + 10, 0);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP4_HEADER + OPTIONS)));
	put_u32(m, 0x11000000 | (addr_is_none(group) ? 100u : 10u) << 16);	/* tenths of a second to answer in */
	put_u32(m + 4, addr_is_none(group) ? 0 : addr_4(group));
	put_u32(m + 8, 2u << 24 | (uint32_t)SNOOP_QUERY_S << 16);
	put_u16(m + 2, checksum_finish(checksum_add(0, m, MESSAGE)));
	return ETH_HEADER + IP4_HEADER + OPTIONS + MESSAGE;
}

/* query6() - MLDv2 (RFC 3810 5.1) */
static uint32_t query6(uint8_t *to, const struct segment *seg, struct addr group)
{
	static const struct addr everybody = { .bytes = { 0xff, 2, [15] = 1 } };
	static const uint8_t alert[8] = { PROTO_ICMP6, 0, 5, 2, 0, 0, 1, 0 };
	enum { OPTIONS = 8, MESSAGE = 28 };
	struct addr dst = addr_is_none(group) ? everybody : group;
	uint8_t mac[6], *m;

	group_mac(dst, mac);
	build_ip(to, mac, seg->gateway_mac, seg->gateway6_link, dst, 0, 1, OPTIONS + MESSAGE);
	m = to + ETH_HEADER + IP6_HEADER + OPTIONS;
	memcpy(m - OPTIONS, alert, OPTIONS);
	memset(m, 0, MESSAGE);
	m[0] = 130;
	put_u16(m + 4, addr_is_none(group) ? 10000 : 1000);
	memcpy(m + 8, group.bytes, ADDR_SIZE);
	m[24] = 2;
	m[25] = SNOOP_QUERY_S;
	put_u16(m + 2, checksum_finish(checksum_add(build_pseudo(seg->gateway6_link, dst, PROTO_ICMP6, MESSAGE), m, MESSAGE)));
	return ETH_HEADER + IP6_HEADER + OPTIONS + MESSAGE;
}

uint32_t snoop_query(uint8_t *to, const struct segment *seg, bool ip6, struct addr group)
{
	return ip6 ? query6(to, seg, group) : query4(to, seg, group);
}
