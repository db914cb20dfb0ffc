/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cmd_dhcp.h - the flags of DHCP, DHCPv6 and router advertisements, which networks and segments have alike; for cmd_net.c and cmd_segment.c */
#ifndef CTL_CMD_DHCP_H
#define CTL_CMD_DHCP_H

#define DHCP_FLAGS \
	{ "--dhcp", 0, FLAG_BOOL, "true|false", "dhcp.enabled", "answer DHCP" }, \
	{ "--dhcp-pool", 0, FLAG_LIST, "FIRST-LAST", "dhcp.pool", "addresses that are leased" }, \
	{ "--dhcp-lease", 0, FLAG_TEXT, "TIME", "dhcp.lease", "how long a lease holds: 1h" }, \
	{ "--dhcp-lease-max", 0, FLAG_TEXT, "TIME", "dhcp.lease_max", "what a guest may ask for at most" }, \
	{ "--dhcp-option", 0, FLAG_LIST, "TEXT", "dhcp.options", "\"ntp-servers 10.0.0.1\", \"force 43 01ff\", \"never routers\"" }, \
	{ "--dhcp-rapid-commit", 0, FLAG_BOOL, "true|false", "dhcp.rapid_commit", "two messages for who asks for it" }, \
	{ "--dhcp-bootp", 0, FLAG_BOOL, "true|false", "dhcp.bootp", "answer BOOTP, too" }, \
	{ "--dhcp-probation", 0, FLAG_TEXT, "TIME", "dhcp.probation", "how long a declined address rests" }, \
	{ "--dhcp-quota", 0, FLAG_NUMBER, "N", "dhcp.quota", "addresses that one port may have" }, \
	{ "--dhcp-declines", 0, FLAG_NUMBER, "N", "dhcp.declines", "addresses that one port may have rest" }, \
	{ "--dhcp-rate", 0, FLAG_NUMBER, "N", "dhcp.rate", "DHCP messages of one port per second; 0: any" }, \
	{ "--dhcp6", 0, FLAG_TEXT, "stateful|stateless|off", "dhcp6.mode", "by DHCPv6: addresses, too, or settings alone" }, \
	{ "--dhcp6-pool", 0, FLAG_TEXT, "FIRST-LAST", "dhcp6.pool", "addresses that are leased" }, \
	{ "--delegate", 0, FLAG_TEXT, "PREFIX|none", "dhcp6.prefixes", "of which guests that route are given prefixes" }, \
	{ "--delegate-length", 0, FLAG_NUMBER, "N", "dhcp6.prefix_length", "of each, 60 unless given" }, \
	{ "--dhcp6-ntp", 0, FLAG_LIST, "ADDRESS", "dhcp6.ntp", "clocks that guests are told of" }, \
	{ "--dhcp6-option", 0, FLAG_LIST, "TEXT", "dhcp6.options", "\"sntp-servers fd00::7\", \"force 17 0000013701\", \"never dns-servers\"" }, \
	{ "--pref64", 0, FLAG_TEXT, "PREFIX|none", "ra.pref64", "the prefix of a NAT64 that guests are told of" }, \
	{ "--captive-portal", 0, FLAG_TEXT, "URI", "ra.captive_portal", "where its API is" }

#endif
