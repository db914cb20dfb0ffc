// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_rows.h"

#include <string.h>

#include "base/array.h"

/* y must succeed, n must fail, f must succeed through a forward, c must be refused as a setting, . is no matter of this mode
 * h succeeds unless host_access is none		o fails, and is asked unless host_access is loopback
 * l succeeds, and is asked if host_access is loopback	d as dhcp.enabled says		s as dns.enabled says
 * e succeeds, where there is a peer			g succeeds, where prefixes are delegated
 * p by a forward, unless host_access is none: then the host's address is closed, and what it forwards with it
 * Behind DHCP, a router option (17) can only be looked at in an offer. */
const struct check_row check_rows[CHECK_ROWS] = {
	/*     nat, nat-network, host-only, internal, bridged, routed */
	{  1, "hhnnyy", "guest to the host's own address, TCP and UDP" },
	{  2, "..yn.y", "guest to the host's address on this network" },
	{  3, "oo....", "guest to the host's loopback, by the gateway's address, not asked for" },
	{  4, "ll....", "guest to the host's loopback, by the gateway's address, asked for" },
	{  5, "nnynyy", "host to guest, no forward" },
	{  6, "nyyyyy", "guest to guest and back" },
	{  7, "nyyyyy", "a guest's broadcast and multicast to another guest" },
	{  8, "yynnyy", "guest to the outside, TCP and UDP with its answer" },
	{  9, "yynnyy", "guest to the outside, ping and the errors it causes" },
	{ 10, "yynnyy", "guest to the outside by IPv6, TCP, UDP and ping" },
	{ 11, "nnnnyy", "outside to guest, no forward" },
	{ 12, "ffcc..", "outside to guest, by a forward on the host's address" },
	{ 13, "ffcc..", "host to guest, by a forward on 127.0.0.1; not by another address" },
	{ 14, ".p....", "guest to the host's address and back in by a forward" },
	{ 15, "nnnny.", "guest to a guest of another network" },
	{ 16, "ddddnd", "an address by DHCP, from us" },
	{ 17, "yynn.y", "a router in the DHCP offer" },
	{ 18, "ssss.s", "a name of this network by DNS" },
	{ 19, "yy..nn", "the outside sees the host's address" },
	{ 20, "....y.", "the outside sees the host's MAC on a Wi-Fi uplink" },
	{ 21, "nnynyy", "guests' frames on an interface of the host" },
	{ 22, "yyyyyy", "ports that go leave no interface or route on the host" },
	{ 23, "yyyyyy", "the same after a change of another setting" },
	{ 24, ".eee.e", "guest to a guest of a peer, and back" },
	{ 25, ".ggg.g", "guest and host to who is behind a router among the guests" },
};

enum check_want check_want(const struct check_row *row, const struct check_terms *t)
{
	bool loopback = t->access == CHECK_ACCESS_LOOPBACK;

	if (row->number == 17 && !(t->dhcp && t->addressed))
		return WANT_NOTHING;
	if (row->number == 21 && t->kernel)
		return WANT_YES;
	if (row->number == 10 && !t->ip6 && t->mode != CHECK_BRIDGED)
		return WANT_NOTHING;
	switch (row->modes[t->mode]) {
	case 'y':
		return WANT_YES;
	case 'n':
		return WANT_NO;
	case 'f':
		return WANT_FORWARD;
	case 'c':
		return WANT_REFUSED;
	case 'h':
		return t->access == CHECK_ACCESS_NONE ? WANT_NO : WANT_YES;
	case 'p':
		return t->access == CHECK_ACCESS_NONE ? WANT_NO : WANT_FORWARD;
	case 'o':
		return loopback ? WANT_NOTHING : WANT_NO;
	case 'l':
		return loopback ? WANT_YES : WANT_NOTHING;
	case 'e':
		return t->peered ? WANT_YES : WANT_NOTHING;
	case 'g':
		return t->delegates ? WANT_YES : WANT_NOTHING;
	case 'd':
		return t->dhcp && t->addressed ? WANT_YES : WANT_NO;
	case 's':
		return t->dns && t->addressed ? WANT_YES : WANT_NO;
	default:
		return WANT_NOTHING;
	}
}

const char *check_want_name(enum check_want want)
{
	static const char *const names[] = {
		[WANT_YES] = "yes", [WANT_NO] = "no", [WANT_FORWARD] = "by forward", [WANT_REFUSED] = "refused", [WANT_NOTHING] = "-",
	};

	return names[want];
}

int check_mode_parse(const char *name)
{
	static const struct {
		const char *name;
		enum check_mode mode;
	} modes[] = {
		{ "nat", CHECK_NAT }, { "nat-network", CHECK_NAT_NETWORK }, { "natnetwork", CHECK_NAT_NETWORK },
		{ "host-only", CHECK_HOST_ONLY }, { "hostonly", CHECK_HOST_ONLY }, { "hostonlynet", CHECK_HOST_ONLY }, { "isolated", CHECK_HOST_ONLY }, { "internal", CHECK_INTERNAL },
		{ "intnet", CHECK_INTERNAL }, { "bridged", CHECK_BRIDGED }, { "bridge", CHECK_BRIDGED }, { "routed", CHECK_ROUTED },
		{ "route", CHECK_ROUTED }, { "open", CHECK_ROUTED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(name, modes[i].name))
			return (int)modes[i].mode;
	return -1;
}

int check_access_parse(const char *name)
{
	static const char *const names[] = { "none", "own", "loopback" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return (int)i;
	return -1;
}
