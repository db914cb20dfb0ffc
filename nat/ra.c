// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/ra.h"

#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { CURRENT_HOP_LIMIT = 64, ON_LINK = 0x80, AUTONOMOUS = 0x40 };

static const struct addr everybody = { .bytes = { 0xff, 2, [15] = 1 } };

static void write_prefix(struct writer *w, const struct segment *seg, bool bye)
{
	write_u8(w, ND_PREFIX_INFORMATION);
	write_u8(w, 4);
	write_u8(w, seg->subnet6.len);
	write_u8(w, ON_LINK | AUTONOMOUS);
	write_u32(w, RA_VALID_S);	/* RFC 4862 5.5.3e: less than two hours is not believed at once, but preferred is */
	write_u32(w, bye ? 0 : RA_PREFERRED_S);
	write_u32(w, 0);
	write_bytes(w, seg->subnet6.addr.bytes, ADDR_SIZE);
}

/* write_routes() - to guests that are told of no default router */
static void write_routes(struct writer *w, const struct segment *seg, bool bye)
{
	for (unsigned i = 0; i < seg->npeers && !seg->router; i++) {
		const struct segment *to = seg->peers[i].to;

		if (!to->has_subnet6)
			continue;
		write_u8(w, ND_ROUTE);
		write_u8(w, 2);			/* of a /64 the second half is not written */
		write_u8(w, to->subnet6.len);
		write_u8(w, 0);
		write_u32(w, bye ? 0 : RA_ROUTER_S);
		write_bytes(w, to->subnet6.addr.bytes, ADDR_SIZE / 2);
	}
}

static void write_options(struct writer *w, const struct segment *seg, uint32_t mtu, bool bye)
{
	write_prefix(w, seg, bye);
	write_u8(w, ND_MTU);
	write_u8(w, 1);
	write_u16(w, 0);
	write_u32(w, mtu);
	if (seg->resolver) {
		write_u8(w, ND_RDNSS);
		write_u8(w, 3);
		write_u16(w, 0);
		write_u32(w, bye ? 0 : RA_RDNSS_S);
		write_bytes(w, seg->gateway6.bytes, ADDR_SIZE);
	}
	write_routes(w, seg, bye);
	write_u8(w, ND_SOURCE_LINK_ADDRESS);
	write_u8(w, 1);
	write_bytes(w, seg->gateway_mac, MAC_SIZE);
}

uint32_t ra_build(uint8_t *to, const struct segment *seg, uint32_t mtu, const uint8_t dst_mac[6], struct addr dst, bool bye)
{
	enum { HEAD = ETH_HEADER + IP6_HEADER };
	struct writer w = writer_init(to + HEAD, RA_MAX - HEAD);
	struct addr src = seg->gateway6_link;
	uint32_t size;

	write_u8(&w, ND_ROUTER_ADVERTISEMENT);
	write_u8(&w, 0);
	write_u16(&w, 0);
	write_u8(&w, CURRENT_HOP_LIMIT);
	write_u8(&w, 0);		/* neither addresses nor other things by DHCPv6 */
	write_u16(&w, seg->router && !bye ? RA_ROUTER_S : 0);
	write_zeros(&w, 8);		/* reachable time and retransmission: the guest's own */
	write_options(&w, seg, mtu, bye);
	size = (uint32_t)w.pos;
	build_ip(to, dst_mac, seg->gateway_mac, src, dst, PROTO_ICMP6, ND_HOP_LIMIT, size);
	put_u16(to + HEAD + 2, checksum_finish(checksum_add(build_pseudo(src, dst, PROTO_ICMP6, size), to + HEAD, size)));
	return HEAD + size;
}

static void send_on(struct worker *w, const struct segment *seg, bool bye)
{
	const struct net_view *net = seg->net;
	uint8_t data[RA_MAX], mac[MAC_SIZE];
	struct frame frame;

	if (!seg->has_subnet6 || !net->nmembers || !net->members[0]->local)
		return;
	nd_link_multicast(everybody, mac);
	frame_init(&frame, data, ra_build(data, seg, net->mtu, mac, everybody, bye));
	frame.vid = seg->vid;
	worker_emit(w, net->members[0]->port->id, &frame, 1);
}

void ra_send(struct worker *w, uint32_t net_id, bool bye)
{
	const struct snapshot *snap = worker_snapshot(w);

	for (unsigned i = 0; i < snap->nnets; i++)
		for (unsigned j = 0; snap->nets[i].net_id == net_id && j < snap->nets[i].nsegments; j++)
			send_on(w, &snap->nets[i].segments[j], bye);
}
