/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/hostway_bed.h - a segment whose gateway is the host (switch/hostway.h), with a guest and a neighbour; for its tests */
#ifndef TESTS_PACKET_HOSTWAY_BED_H
#define TESTS_PACKET_HOSTWAY_BED_H

#include <string.h>

#include "nat/host_gateway.h"
#include "switch/build.h"
#include "tests/packet/rig.h"

enum { GUEST = 0x0a000009, HOST = 0x0a000001 };

static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 9 };

struct bed {
	struct rig *rig;
	struct rig_port *host, *guest, *neighbour;
	struct segment *segment;
	struct host_gateway *gateway;
	struct rig_service service;	/* stands for DHCP and DNS: claims what it is shown */
	uint8_t mac[6];
};

/* bed_publish() - with the host as a member, or (as while its interface is away) without */
static inline void bed_publish(struct bed *b, bool there)
{
	struct segment *seg;

	rig_publish(b->rig);
	seg = &b->rig->snapshot->nets[0].segments[0];
	seg->host = there ? &b->rig->snapshot->ports[b->host->port.id] : NULL;
}

static inline void bed_init(struct bed *b, bool routed, bool services)
{
	*b = (struct bed){ .rig = rig_new(), .gateway = host_gateway_new() };
	assert_non_null(b->gateway);
	rig_service_init(&b->service, VERDICT_CONSUMED_DNS);
	rig_net(b->rig, 1500, true);
	b->segment = rig_segment(b->rig, 0, 1, services ? &b->service.service : host_gateway_service(b->gateway));
	b->segment->router = routed;
	b->segment->resolver = b->segment->dhcp = b->segment->tftp = true;
	b->segment->has_subnet6 = true;
	b->segment->subnet6 = (struct prefix6){ { .bytes = { 0xfd, 1 } }, 64 };
	b->segment->gateway6 = (struct addr){ .bytes = { 0xfd, 1, [15] = 1 } };
	b->segment->gateway6_link = addr_link_local(b->segment->gateway_mac);
	b->host = rig_port(b->rig, 0, rig_access(1));
	b->guest = rig_port(b->rig, 0, rig_access(1));
	b->neighbour = rig_port(b->rig, 0, rig_access(1));
	rig_net(b->rig, 1500, true);
	rig_segment(b->rig, 1, 1, NULL);
	rig_gateway_mac(0, 1, b->mac);
	bed_publish(b, true);
}

static inline void bed_fini(struct bed *b)
{
	assert_true(rig_identities(&b->host->port) && rig_identities(&b->guest->port));
	rig_free(b->rig);
	host_gateway_free(b->gateway);
}

/* ip() - a UDP datagram, between addresses as text */
static inline uint32_t ip(uint8_t *to, const uint8_t *dst_mac, const uint8_t *src_mac, const char *src, const char *dst, uint16_t port)
{
	struct addr s, d;

	assert_int_equal(addr_parse(src, &s), 0);
	assert_int_equal(addr_parse(dst, &d), 0);
	return build_udp_frame(to, dst_mac, src_mac, s, 999, d, port, "x", 1);
}

#endif
