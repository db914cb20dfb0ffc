// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/ra.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum {
	CURRENT_HOP_LIMIT = 64, ON_LINK = 0x80, AUTONOMOUS = 0x40, MANAGED = 0x80, OTHER = 0x40,
	UNIT = 8,			/* of the lengths of options */
	PREF64_UNIT_S = 8,		/* RFC 8781 4: of its lifetime, above the three bits of the prefix's length */
};

static const struct addr everybody = { .bytes = { 0xff, 2, [15] = 1 } };

/* ---- options: each leaves the writer with an overrun, or whole and a multiple of eight long ---- */

/* option_open() - Return: where it begins, for option_close() */
static size_t option_open(struct writer *w, uint8_t type)
{
	write_u8(w, type);
	write_u8(w, 0);
	return w->pos - 2;
}

static void option_close(struct writer *w, size_t from)
{
	size_t odd = (w->pos - from) % UNIT;

	if (odd)
		write_zeros(w, UNIT - odd);
	if (!w->overrun)
		w->data[from + 1] = (uint8_t)((w->pos - from) / UNIT);
}

static void write_prefix(struct writer *w, struct prefix6 prefix, uint32_t valid_s, uint32_t preferred_s)
{
	size_t at = option_open(w, ND_PREFIX_INFORMATION);

	write_u8(w, prefix.len);
	write_u8(w, ON_LINK | AUTONOMOUS);
	write_u32(w, valid_s);		/* RFC 4862 5.5.3e: less than two hours is not believed at once, but preferred is */
	write_u32(w, preferred_s);
	write_u32(w, 0);
	write_bytes(w, prefix.addr.bytes, ADDR_SIZE);
	option_close(w, at);
}

static void write_mtu(struct writer *w, uint32_t mtu)
{
	size_t at = option_open(w, ND_MTU);

	write_u16(w, 0);
	write_u32(w, mtu);
	option_close(w, at);
}

static void write_link_address(struct writer *w, const uint8_t *mac)
{
	size_t at = option_open(w, ND_SOURCE_LINK_ADDRESS);

	write_bytes(w, mac, MAC_SIZE);
	option_close(w, at);
}

static void write_resolver(struct writer *w, const struct segment *seg, uint32_t life_s)
{
	size_t at = option_open(w, ND_RDNSS);

	write_u16(w, 0);
	write_u32(w, life_s);
	write_bytes(w, seg->gateway6.bytes, ADDR_SIZE);
	option_close(w, at);
}

/* write_search() - RFC 8106 5.2: the domain's labels, each behind its length, and an empty one */
static void write_search(struct writer *w, const char *domain, uint32_t life_s)
{
	size_t at = option_open(w, ND_DNSSL), n;

	write_u16(w, 0);
	write_u32(w, life_s);
	for (; *domain; domain += n + (domain[n] == '.')) {
		n = strcspn(domain, ".");
		write_u8(w, (uint8_t)n);
		write_bytes(w, domain, n);
	}
	write_u8(w, 0);
	option_close(w, at);
}

static void write_route(struct writer *w, struct prefix6 to, uint32_t life_s)
{
	size_t at = option_open(w, ND_ROUTE);

	write_u8(w, to.len);
	write_u8(w, 0);
	write_u32(w, life_s);
	write_bytes(w, to.addr.bytes, ADDR_SIZE / 2);	/* of a prefix of up to /64 the second half is not written */
	option_close(w, at);
}

/* pref64_code() - RFC 8781 4: lengths 96, 64, 56, 48, 40, 32 are 0 to 5 */
static uint16_t pref64_code(uint8_t len)
{
	return len == 96 ? 0 : (uint16_t)(1 + (64 - len) / 8);
}

static void write_pref64(struct writer *w, struct prefix6 prefix, uint32_t life_s)
{
	size_t at = option_open(w, ND_PREF64);

	write_u16(w, (uint16_t)(life_s / PREF64_UNIT_S << 3 | pref64_code(prefix.len)));
	write_bytes(w, prefix.addr.bytes, 96 / 8);
	option_close(w, at);
}

static void write_portal(struct writer *w, const char *uri)
{
	size_t at = option_open(w, ND_CAPTIVE_PORTAL);

	write_bytes(w, uri, strlen(uri));
	option_close(w, at);
}

/* ---- the message ---- */

/* settle() - what was written since @from, if not whole, is taken back */
static void settle(struct writer *w, size_t from)
{
	if (w->overrun)
		w->pos = from;
	w->overrun = false;
}

#define WRITE(w, option) do { size_t from_ = (w)->pos; option; settle(w, from_); } while (0)

/* write_routes() - to guests that are told of no default router */
static void write_routes(struct writer *w, const struct segment *seg, uint32_t life_s)
{
	if (seg->router)
		return;
	for (unsigned i = 0; i < seg->npeers; i++)
		if (seg->peers[i].to->has_subnet6)
			WRITE(w, write_route(w, seg->peers[i].to->subnet6, life_s));
	if (seg->delegated.len)
		WRITE(w, write_route(w, seg->delegated, life_s));
}

static void write_old_prefixes(struct writer *w, const struct segment *seg, uint64_t now_ms)
{
	for (unsigned i = 0; i < seg->nold; i++)
		if (seg->old[i].until_ms > now_ms)
			WRITE(w, write_prefix(w, seg->old[i].prefix, (uint32_t)((seg->old[i].until_ms - now_ms) / 1000), 0));
}

/* write_options() - the most important ones first */
static void write_options(struct writer *w, const struct segment *seg, uint32_t mtu, enum ra_kind kind, uint64_t now_ms)
{
	uint32_t life_s = kind == RA_USUAL ? RA_RDNSS_S : 0;

	write_prefix(w, seg->subnet6, RA_VALID_S, kind == RA_BYE ? 0 : RA_PREFERRED_S);
	write_mtu(w, mtu);
	if (seg->resolver)
		write_resolver(w, seg, life_s);
	write_link_address(w, seg->gateway_mac);
	if (seg->resolver && seg->domain)
		WRITE(w, write_search(w, seg->domain, life_s));
	write_routes(w, seg, kind == RA_USUAL ? RA_ROUTER_S : 0);
	write_old_prefixes(w, seg, now_ms);
	if (seg->pref64.len)
		WRITE(w, write_pref64(w, seg->pref64, kind == RA_USUAL ? RA_ROUTER_S : 0));
	if (seg->captive_portal)
		WRITE(w, write_portal(w, seg->captive_portal));
}

uint32_t ra_build(uint8_t *to, const struct segment *seg, uint32_t mtu, const uint8_t dst_mac[6], struct addr dst, enum ra_kind kind,
		  uint64_t now_ms)
{
	enum { HEAD = ETH_HEADER + IP6_HEADER };
	struct writer w = writer_init(to + HEAD, RA_MAX - HEAD);
	struct addr src = seg->gateway6_link;
	uint32_t size;

	write_u8(&w, ND_ROUTER_ADVERTISEMENT);
	write_u8(&w, 0);
	write_u16(&w, 0);
	write_u8(&w, CURRENT_HOP_LIMIT);
	write_u8(&w, (seg->managed ? MANAGED : 0) | (seg->dhcp6 ? OTHER : 0));
	write_u16(&w, seg->router && kind == RA_USUAL ? RA_ROUTER_S : 0);
	write_zeros(&w, 8);		/* reachable time and retransmission: the guest's own */
	write_options(&w, seg, mtu, kind, now_ms);
	size = (uint32_t)w.pos;
	build_ip(to, dst_mac, seg->gateway_mac, src, dst, PROTO_ICMP6, ND_HOP_LIMIT, size);
	put_u16(to + HEAD + 2, checksum_finish(checksum_add(build_pseudo(src, dst, PROTO_ICMP6, size), to + HEAD, size)));
	return HEAD + size;
}

uint32_t ra_wait_s(unsigned nsent, uint64_t random)
{
	return nsent <= RA_INITIAL ? RA_INITIAL_S : RA_INTERVAL_MIN_S + (uint32_t)(random % (RA_INTERVAL_MAX_S - RA_INTERVAL_MIN_S + 1));
}

uint32_t ra_delay_ms(uint64_t since_ms)
{
	return since_ms < 1000 * RA_DELAY_MIN_S ? 1000 * RA_DELAY_MIN_S - (uint32_t)since_ms : 0;
}

static void send_on(struct worker *w, const struct segment *seg, enum ra_kind kind)
{
	const struct net_view *net = seg->net;
	uint8_t data[RA_MAX], mac[MAC_SIZE];
	struct frame frame;

	if (!seg->has_subnet6 || !net->nmembers || !net->members[0]->local)
		return;
	nd_link_multicast(everybody, mac);
	frame_init(&frame, data, ra_build(data, seg, net->mtu, mac, everybody, kind, worker_now_ms(w)));
	frame.vid = seg->vid;
	worker_emit(w, net->members[0]->port->id, &frame, 1);
}

void ra_send(struct worker *w, uint32_t net_id, enum ra_kind kind)
{
	const struct snapshot *snap = worker_snapshot(w);

	for (unsigned i = 0; i < snap->nnets; i++)
		for (unsigned j = 0; snap->nets[i].net_id == net_id && j < snap->nets[i].nsegments; j++)
			send_on(w, &snap->nets[i].segments[j], kind);
}
