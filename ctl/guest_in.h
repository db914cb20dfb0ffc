/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/guest_in.h - parts of guest.c: what it offers to the one for DNS, and the other way round (control thread) */
#ifndef CTL_GUEST_IN_H
#define CTL_GUEST_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct engine;
struct error;
struct live_net;
struct live_port;
struct live_segment;
struct request;

/* guest_send_udp() - from the gateway to one guest; what does not fit the worker's inbox is lost like a datagram */
void guest_send_udp(struct live_net *net, uint32_t port, uint16_t vid, const uint8_t *mac, struct addr src, uint16_t sport, struct addr dst,
		    uint16_t dport, const uint8_t *data, size_t size);

/* guest_dhcp6() - a DHCPv6 message
 * guest_may_store() - is the store as it should be, or is it time to try again? guest_stored() - what came of a write to it
 * guest_follows() - after such a write, do stations, routes, names and guards follow the record? What a guest gave up is over, whatever the
 *	disk says: the table gives it to the next who asks
 * guest_segment() - the segment of a port and VLAN as they were called, if both are still there; else NULL
 * guest_names6() - the IPv6 addresses that a guest's name stands for follow its stations
 */
enum { ACKS = 2048 };	/* that wait for the store; of a port as many as there are places free: alone half, and room is left for who comes next */
void guest_dhcp6(struct live_net *net, const struct request *r);
bool guest_may_store(struct engine *e);
void guest_stored(struct engine *e, const struct error *err);
bool guest_follows(const struct error *err, uint8_t state);
struct live_segment *guest_segment(struct live_net *net, const struct live_port *p, const char *port, uint16_t vid);
void guest_names6(const struct live_segment *seg, const struct live_port *p);

/* guest_dns() - a query to relay
 * guest_dns_stream() - a TCP connection for DNS, whose descriptor is taken; where its network or port has gone meanwhile it is closed
 * guest_dns_end() - the network goes, and its connections with it
 */
void guest_dns(struct live_net *net, const struct request *r);
void guest_dns_stream(struct engine *e, const struct request *r);
void guest_dns_end(struct live_net *net);

#endif
