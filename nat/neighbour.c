// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/neighbour.h"

#include "switch/build.h"
#include "switch/nd.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

void neighbour_ask(struct worker *w, const struct segment *seg, uint32_t local_port, struct addr ip)
{
	static const uint8_t nobody[MAC_SIZE], everybody[MAC_SIZE] = { 255, 255, 255, 255, 255, 255 };
	uint8_t data[ND_NEIGHBOUR_SIZE];
	struct frame frame;
	uint32_t len;

	if (addr_is4(ip))
		len = build_arp(data, ARP_REQUEST, seg->gateway_mac, seg->gateway, nobody, addr_4(ip), everybody);
	else
		len = nd_build_solicitation(data, seg->gateway_mac, segment_gateway(seg, ip), ip);
	frame_init(&frame, data, len);
	frame.vid = seg->vid;
	worker_emit(w, local_port, &frame, 1);
}
