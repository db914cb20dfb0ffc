/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/verdict.h - what became of a frame
 *
 * Every frame received from a port, or made by the gateway or a service, ends in exactly one verdict, counted
 * at the port it came from. Received + made = sum of verdicts; that identity is tested over random frames.
 */
#ifndef SWITCH_VERDICT_H
#define SWITCH_VERDICT_H

/* V(identifier, "name shown to people", "what it means") */
#define VERDICTS(V)                                                                                        \
	V(FORWARDED, "forwarded", "known unicast, to one port")                                            \
	V(FLOODED, "flooded", "broadcast, multicast or unknown unicast, to all other ports of the VLAN")   \
	V(CONSUMED_ARP, "consumed-arp", "answered or noted by the gateway")                                \
	V(CONSUMED_ND, "consumed-nd", "neighbour or router discovery, answered or noted by the gateway")   \
	V(CONSUMED_ECHO, "consumed-echo", "ping of the gateway")                                           \
	V(CONSUMED_DHCP, "consumed-dhcp", "handed to the DHCP server")                                     \
	V(CONSUMED_DNS, "consumed-dns", "handed to the DNS responder")                                     \
	V(CONSUMED_TFTP, "consumed-tftp", "handed to the TFTP server")                                     \
	V(CONSUMED_NAT, "consumed-nat", "translated to a host socket")                                     \
	V(CONSUMED_FRAGMENT, "consumed-fragment", "kept until the other fragments of its packet are there") \
	V(CONSUMED_PEER, "consumed-peer", "passed on to a peered network, or to a router among the guests")                                  \
	V(CONSUMED_REFUSED, "consumed-refused", "answered by the gateway with a reset or an ICMP error")   \
	V(DROP_RUNT, "runt", "shorter than an Ethernet header, or cut inside a tag")                       \
	V(DROP_STRANGER, "stranger", "a datagram from somebody other than the port's peer")                \
	V(DROP_OVERSIZE, "oversize", "longer than the network's MTU allows")                               \
	V(DROP_VNET_HEADER, "vnet-header", "checksum or segmentation request that does not fit the frame") \
	V(DROP_VLAN, "vlan", "tag, or lack of one, that the port does not take")                           \
	V(DROP_DOUBLE_TAG, "double-tag", "a second VLAN tag behind the first")                             \
	V(DROP_SOURCE, "source", "source address zero or a group")                                         \
	V(DROP_SPOOFED_GATEWAY, "spoofed-gateway", "source address is the gateway's")                      \
	V(DROP_SPOOFED_SOURCE, "spoofed-source", "for the host, from an address that is no guest's of this network") \
	V(DROP_RESERVED, "reserved", "link-local control address (802.1Q table 8-1) or MAC control")       \
	V(DROP_REFLECTED, "reflected", "a guest's own frame, come back by the uplink")                      \
	V(DROP_HAIRPIN, "hairpin", "destination lives on the port the frame came from")                    \
	V(DROP_NO_DESTINATION, "no-destination", "nobody else is on this VLAN")                            \
	V(DROP_LINK_DOWN, "link-down", "the port's link is set down")                                      \
	V(DROP_TX, "tx-full", "the one destination could not take the frame")                              \
	V(DROP_NOT_IP, "not-ip", "for the gateway, but neither ARP nor IP")                                \
	V(DROP_MALFORMED, "malformed", "a header that is cut short or contradicts itself")                 \
	V(DROP_CHECKSUM, "checksum", "wrong IPv4, TCP, UDP or ICMP checksum")                              \
	V(DROP_FRAGMENT, "fragment", "IP fragment that nobody keeps, or that does not fit the others")     \
	V(DROP_IP_OPTIONS, "ip-options", "IPv4 options, IPv6 routing or unknown options for the gateway")   \
	V(DROP_TTL, "ttl", "time to live or hop limit used up")                                            \
	V(DROP_MARTIAN, "martian", "source or destination that must not cross the gateway")                \
	V(DROP_NO_ROUTE, "no-route", "this network has no way out")                                        \
	V(DROP_OTHER_NETWORK, "other-network", "destination inside another lanyard network")               \
	V(DROP_NO_PROTOCOL, "no-protocol", "transport protocol the gateway does not translate")            \
	V(DROP_NO_SESSION, "no-session", "belongs to no session")                                          \
	V(DROP_FILTERED, "filtered", "from an address that the guest has not talked to")                   \
	V(DROP_QUOTA, "quota", "the port has all the sessions or requests it may have")                    \
	V(DROP_BUSY, "busy", "the control thread's or a worker's queue is full")                           \
	V(DROP_NO_MEMORY, "no-memory", "no memory or descriptor left")                                     \
	V(DROP_PEER, "peer", "to a peered network, but not what that peering allows")                      \
	V(DROP_NO_NEIGHBOUR, "no-neighbour", "nobody answers at this address of a peered network, or the router there") \
	V(DROP_ISOLATED, "isolated", "from one isolated port to another")                                  \
	V(DROP_POLICY, "policy", "what a rule of the port or the network denies")                          \
	V(DROP_SHAPE, "shape", "beyond the rate of the port it goes to, and too much waits there already") \
	V(DROP_FORGED_MAC, "forged-mac", "a MAC address that is not the port's own")                       \
	V(DROP_FORGED_IP, "forged-ip", "an IP address that is not the port's own")                         \
	V(DROP_GATEWAY_CLAIM, "gateway-claim", "says that an address of the gateway is elsewhere")         \
	V(DROP_ROGUE_DHCP, "rogue-dhcp", "what only a DHCP server sends")                                  \
	V(DROP_ROGUE_ROUTER, "rogue-router", "a router advertisement or redirect")                         \
	V(DROP_HIDDEN_HEADER, "hidden-header", "IPv6 that hides from guards what it carries")              \
	V(DROP_MAC_LIMIT, "mac-limit", "the port has all the MAC addresses it may have")                   \
	V(DROP_LOOP, "loop", "from a port that is closed because it brought back what others sent")        \
	V(DROP_STORM, "storm", "more broadcast, multicast or unknown unicast than the port may send") \
	V(DROP_MIRROR, "mirror", "from a port that gets copies of others' frames and has no say itself")

enum verdict {
#define V(id, name, meaning) VERDICT_##id,
	VERDICTS(V)
#undef V
	VERDICT_COUNT
};

/* verdict_name() - the word in `lanyard ps` and in JSON; verdict_meaning() - one line for people */
const char *verdict_name(enum verdict verdict);
const char *verdict_meaning(enum verdict verdict);

static inline int verdict_is_drop(enum verdict verdict)
{
	return verdict >= VERDICT_DROP_RUNT;
}

#endif
