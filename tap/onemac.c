// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/onemac.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/hash.h"
#include "switch/frame.h"
#include "switch/nd.h"
#include "switch/packet.h"

enum {
	BUCKETS = 256, WAYS = 4,
	ARP_SIZE = 28, ARP_SHA = 8, ARP_SPA = 14, ARP_THA = 18, ARP_TPA = 24,
	BOOTP_CLIENT = 68, BOOTP_SERVER = 67, BOOTP_FLAGS = 10, BOOTP_CHADDR = 28,
};

struct place {
	struct addr ip;			/* zero: nobody's */
	uint8_t mac[MAC_SIZE];
	uint64_t seen_ms;
};

struct onemac {
	atomic_flag lock;		/* of all that follows */
	uint64_t seed;
	uint8_t mac[MAC_SIZE];
	struct addr host[ONEMAC_HOST_MAX];
	unsigned nhost;
	struct place places[BUCKETS][WAYS];
};

struct onemac *onemac_new(void)
{
	struct onemac *m = calloc(1, sizeof(*m));

	if (m) {
		atomic_flag_clear(&m->lock);
		m->seed = hash_seed();
	}
	return m;
}

void onemac_free(struct onemac *m)
{
	free(m);
}

static void lock(struct onemac *m)
{
	while (atomic_flag_test_and_set_explicit(&m->lock, memory_order_acquire))
		;
}

static void unlock(struct onemac *m)
{
	atomic_flag_clear_explicit(&m->lock, memory_order_release);
}

/* ---- who has which address ---- */

static struct place *bucket(struct onemac *m, struct addr ip)
{
	return m->places[hash_bytes(&ip, sizeof(ip), m->seed) % BUCKETS];
}

static bool is_hosts(const struct onemac *m, struct addr ip)
{
	for (unsigned i = 0; i < m->nhost; i++)
		if (addr_equal(m->host[i], ip))
			return true;
	return false;
}

/* own_address() - Return: is it known? */
static bool own_address(struct onemac *m, uint8_t mac[MAC_SIZE])
{
	lock(m);
	memcpy(mac, m->mac, MAC_SIZE);
	unlock(m);
	return mac_word(mac);
}

void onemac_host(struct onemac *m, const uint8_t *mac, const struct addr *addresses, unsigned n)
{
	lock(m);
	memcpy(m->mac, mac, MAC_SIZE);
	m->nhost = n < ONEMAC_HOST_MAX ? n : ONEMAC_HOST_MAX;
	memcpy(m->host, addresses, m->nhost * sizeof(*addresses));
	for (unsigned i = 0; i < m->nhost; i++)
		for (unsigned way = 0; way < WAYS; way++) {
			struct place *p = &bucket(m, m->host[i])[way];

			if (addr_equal(p->ip, m->host[i]))
				*p = (struct place){ .seen_ms = 0 };
		}
	unlock(m);
}

static bool is_learnable(struct addr ip)
{
	return !addr_is_none(ip) && !addr_is_multicast(ip) && !(addr_is4(ip) && (addr_4(ip) == 0 || addr_4(ip) == UINT32_MAX));
}

/* place_for() - that of @ip, or the one to be given to it: a free one, else of the same guest, so that nobody takes many, else the stalest */
static struct place *place_for(struct place *b, struct addr ip, const uint8_t *mac)
{
	struct place *stalest = b, *same = NULL;

	for (struct place *p = b; p < b + WAYS; p++) {
		if (addr_equal(p->ip, ip))
			return p;
		if (p->seen_ms < stalest->seen_ms)
			stalest = p;
		if (!memcmp(p->mac, mac, MAC_SIZE) && (!same || p->seen_ms < same->seen_ms))
			same = p;
	}
	return addr_is_none(stalest->ip) || !same ? stalest : same;
}

/* learn() - Return: false when it is the host's address */
static bool learn(struct onemac *m, struct addr ip, const uint8_t *mac, uint64_t now_ms)
{
	struct place *p;
	bool hosts;

	if (!is_learnable(ip))
		return true;
	lock(m);
	hosts = is_hosts(m, ip);
	if (!hosts) {
		p = place_for(bucket(m, ip), ip, mac);
		p->ip = ip;
		memcpy(p->mac, mac, MAC_SIZE);
		p->seen_ms = now_ms + 1;	/* of a free one 0 */
	}
	unlock(m);
	return !hosts;
}

static bool find(struct onemac *m, struct addr ip, uint8_t mac[MAC_SIZE])
{
	bool found = false;

	lock(m);
	for (unsigned way = 0; way < WAYS && !found; way++) {
		const struct place *p = &bucket(m, ip)[way];

		found = addr_equal(p->ip, ip) && !addr_is_none(ip);
		if (found)
			memcpy(mac, p->mac, MAC_SIZE);
	}
	unlock(m);
	return found;
}

/* is_guest() - has this MAC address an IP address here? For the rare frame that tells of no other. */
static bool is_guest(struct onemac *m, const uint8_t *mac)
{
	bool found = false;

	lock(m);
	for (unsigned i = 0; i < BUCKETS * WAYS && !found; i++)
		found = m->places[i / WAYS][i % WAYS].seen_ms && !memcmp(m->places[i / WAYS][i % WAYS].mac, mac, MAC_SIZE);
	unlock(m);
	return found;
}

/* ---- what is in a frame ---- */

/* replace() - @size bytes (even) of what the checksum at @sum covers (NULL: nothing does); RFC 1624 */
static void replace(uint8_t *at, const void *with, unsigned size, uint8_t *sum)
{
	if (sum)
		put_u16(sum, checksum_finish((uint64_t)(uint16_t)~get_u16(sum) + (uint16_t)~checksum_fold(checksum_add(0, at, size)) +
					     checksum_fold(checksum_add(0, with, size))));
	memcpy(at, with, size);
}

struct view {
	uint8_t *eth, *l3, *l4;		/* l4: of UDP and ICMPv6 that is no later fragment, else NULL */
	uint32_t n3, n4;		/* bytes from there on that are in view */
	uint16_t type;
	uint8_t proto;
	struct addr src, dst;
};

static bool look4(struct view *v)
{
	uint32_t header = v->n3 >= IP4_HEADER ? (v->l3[0] & 15u) * 4u : 0;

	if (header < IP4_HEADER || v->l3[0] >> 4 != 4)
		return false;
	v->src = addr4(get_u32(v->l3 + 12));
	v->dst = addr4(get_u32(v->l3 + 16));
	v->proto = v->l3[9];
	if (v->n3 >= header && !(get_u16(v->l3 + 6) & 0x1fff)) {
		v->l4 = v->l3 + header;
		v->n4 = v->n3 - header;
	}
	return true;
}

static bool look6(struct view *v)
{
	if (v->n3 < IP6_HEADER || v->l3[0] >> 4 != 6)
		return false;
	v->src = addr6(v->l3 + 8);
	v->dst = addr6(v->l3 + 24);
	v->proto = v->l3[6];
	v->l4 = v->l3 + IP6_HEADER;
	v->n4 = v->n3 - IP6_HEADER;
	return !addr_is4(v->src) && !addr_is4(v->dst);
}

/* look() - Return: is it ARP or IP whose addresses are in view? */
static bool look(uint8_t *head, uint32_t n, struct view *v)
{
	*v = (struct view){ .eth = head, .l3 = head + ETH_HEADER, .n3 = n - ETH_HEADER, .type = get_u16(head + 12) };
	if (v->type == ETHERTYPE_ARP4)
		return v->n3 >= ARP_SIZE && get_u32(v->l3) == 0x00010800 && get_u16(v->l3 + 4) == 0x0604;
	if (v->type == ETHERTYPE_IP4)
		return look4(v);
	return v->type == ETHERTYPE_IP6 && look6(v);
}

/* is_bootp() - UDP to this port, with @need bytes of the message in view? */
static bool is_bootp(const struct view *v, uint16_t to, uint32_t need)
{
	return v->type == ETHERTYPE_IP4 && v->proto == PROTO_UDP && v->l4 && v->n4 >= UDP_HEADER + need && get_u16(v->l4 + 2) == to;
}

/* ---- out ---- */

/* ask_for_broadcast() - RFC 2131 4.1: the flag makes server and relay answer so */
static void ask_for_broadcast(const struct view *v, bool partial)
{
	uint8_t *flags = v->l4 + UDP_HEADER + BOOTP_FLAGS, set[2] = { flags[0] | 0x80, flags[1] };
	uint8_t *sum = v->l4 + 6;

	if (partial || !get_u16(sum)) {
		replace(flags, set, sizeof(set), NULL);
		return;
	}
	replace(flags, set, sizeof(set), sum);
	if (!get_u16(sum))
		put_u16(sum, 0xffff);	/* RFC 768: zero says that there is none */
}

/* nd_options() - where options begin in a message of this type; 0: it has none of ours */
static uint32_t nd_options(uint8_t type)
{
	return type == ND_ROUTER_SOLICITATION ? 8 : type == ND_ROUTER_ADVERTISEMENT ? 16 :
	       type == ND_NEIGHBOUR_SOLICITATION || type == ND_NEIGHBOUR_ADVERTISEMENT ? 24 : 0;
}

/* relabel_nd() - link-layer addresses in options of eight bytes, RFC 4861 4.6.1 */
static void relabel_nd(const struct view *v, const uint8_t *mac, bool partial)
{
	uint32_t at = nd_options(v->l4[0]), size;

	for (; at && at + 8 <= v->n4; at += size) {
		uint8_t *option = v->l4 + at;

		size = option[1] * 8u;
		if (!size)
			return;
		if (size == 8 && (option[0] == ND_SOURCE_LINK_ADDRESS || option[0] == ND_TARGET_LINK_ADDRESS))
			replace(option + 2, mac, MAC_SIZE, partial ? NULL : v->l4 + 2);
	}
}

static bool out_ip6(struct onemac *m, const struct view *v, const uint8_t *mac, bool partial, uint64_t now_ms)
{
	bool ok = learn(m, v->src, v->eth + 6, now_ms);

	if (v->proto != PROTO_ICMP6 || v->n4 < 8 || !nd_options(v->l4[0]))
		return ok;
	if (v->l4[0] == ND_NEIGHBOUR_ADVERTISEMENT && v->n4 >= 24)
		ok &= learn(m, addr6(v->l4 + 8), v->eth + 6, now_ms);
	relabel_nd(v, mac, partial);
	return ok;
}

bool onemac_out(struct onemac *m, uint8_t *head, uint32_t n, bool partial, uint64_t now_ms)
{
	uint8_t mac[MAC_SIZE];
	struct view v;
	bool ok = true;

	if (n < ETH_HEADER || !own_address(m, mac))
		return false;
	if (look(head, n, &v)) {
		if (v.type == ETHERTYPE_ARP4) {
			ok = learn(m, addr4(get_u32(v.l3 + ARP_SPA)), head + 6, now_ms);
			memcpy(v.l3 + ARP_SHA, mac, MAC_SIZE);
		} else if (v.type == ETHERTYPE_IP4) {
			ok = learn(m, v.src, head + 6, now_ms);
			if (is_bootp(&v, BOOTP_SERVER, BOOTP_FLAGS + 2))
				ask_for_broadcast(&v, partial);
		} else {
			ok = out_ip6(m, &v, mac, partial, now_ms);
		}
	}
	memcpy(head + 6, mac, MAC_SIZE);
	return ok;
}

/* ---- in ---- */

/* guest_of() - whom a frame for our address is for; Return: false: nobody here */
static bool guest_of(struct onemac *m, const struct view *v, uint8_t to[MAC_SIZE])
{
	if (v->type == ETHERTYPE_ARP4)
		return find(m, addr4(get_u32(v->l3 + ARP_TPA)), to);
	if (find(m, v->dst, to))
		return true;
	if (!is_bootp(v, BOOTP_CLIENT, BOOTP_CHADDR + MAC_SIZE) || !is_guest(m, v->l4 + UDP_HEADER + BOOTP_CHADDR))
		return false;
	memcpy(to, v->l4 + UDP_HEADER + BOOTP_CHADDR, MAC_SIZE);
	return true;
}

bool onemac_in(struct onemac *m, uint8_t *head, uint32_t n)
{
	uint8_t mac[MAC_SIZE], to[MAC_SIZE];
	struct view v;

	if (n < ETH_HEADER || !own_address(m, mac))
		return false;
	if (!memcmp(head + 6, mac, MAC_SIZE))
		return false;		/* ours, come back */
	if (mac_is_group(head))
		return true;
	if (memcmp(head, mac, MAC_SIZE) || !look(head, n, &v) || !guest_of(m, &v, to))
		return false;
	memcpy(head, to, MAC_SIZE);
	if (v.type == ETHERTYPE_ARP4)
		memcpy(v.l3 + ARP_THA, to, MAC_SIZE);
	return true;
}
