// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/option_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/message.h"

/* by number */
static const struct option_kind kinds[] = {
	{ "subnet-mask", 1, VALUE_IP }, { "time-offset", 2, VALUE_S32 }, { "routers", 3, VALUE_IPS },
	{ "time-servers", 4, VALUE_IPS }, { "name-servers", 5, VALUE_IPS }, { "domain-name-servers", 6, VALUE_IPS },
	{ "log-servers", 7, VALUE_IPS }, { "cookie-servers", 8, VALUE_IPS }, { "lpr-servers", 9, VALUE_IPS },
	{ "impress-servers", 10, VALUE_IPS }, { "resource-location-servers", 11, VALUE_IPS },
	{ "host-name", 12, VALUE_TEXT }, { "boot-size", 13, VALUE_U16 }, { "merit-dump", 14, VALUE_TEXT },
	{ "domain-name", 15, VALUE_TEXT }, { "swap-server", 16, VALUE_IP }, { "root-path", 17, VALUE_TEXT },
	{ "extensions-path", 18, VALUE_TEXT }, { "ip-forwarding", 19, VALUE_FLAG },
	{ "non-local-source-routing", 20, VALUE_FLAG }, { "policy-filter", 21, VALUE_PAIRS },
	{ "max-dgram-reassembly", 22, VALUE_U16 }, { "default-ip-ttl", 23, VALUE_U8 },
	{ "path-mtu-aging-timeout", 24, VALUE_U32 }, { "path-mtu-plateau-table", 25, VALUE_U16S },
	{ "interface-mtu", 26, VALUE_U16 }, { "all-subnets-local", 27, VALUE_FLAG }, { "broadcast-address", 28, VALUE_IP },
	{ "perform-mask-discovery", 29, VALUE_FLAG }, { "mask-supplier", 30, VALUE_FLAG },
	{ "router-discovery", 31, VALUE_FLAG }, { "router-solicitation-address", 32, VALUE_IP },
	{ "static-routes", 33, VALUE_PAIRS }, { "trailer-encapsulation", 34, VALUE_FLAG },
	{ "arp-cache-timeout", 35, VALUE_U32 }, { "ieee802-3-encapsulation", 36, VALUE_FLAG },
	{ "default-tcp-ttl", 37, VALUE_U8 }, { "tcp-keepalive-interval", 38, VALUE_U32 },
	{ "tcp-keepalive-garbage", 39, VALUE_FLAG }, { "nis-domain", 40, VALUE_TEXT }, { "nis-servers", 41, VALUE_IPS },
	{ "ntp-servers", 42, VALUE_IPS }, { "vendor-encapsulated-options", 43, VALUE_HEX },
	{ "netbios-name-servers", 44, VALUE_IPS }, { "netbios-dd-servers", 45, VALUE_IPS },
	{ "netbios-node-type", 46, VALUE_U8 }, { "netbios-scope", 47, VALUE_TEXT }, { "font-servers", 48, VALUE_IPS },
	{ "x-display-managers", 49, VALUE_IPS }, { "vendor-class-identifier", 60, VALUE_TEXT },
	{ "nwip-domain-name", 62, VALUE_TEXT }, { "nwip-suboptions", 63, VALUE_HEX },
	{ "nisplus-domain-name", 64, VALUE_TEXT }, { "nisplus-servers", 65, VALUE_IPS },
	{ "tftp-server-name", 66, VALUE_TEXT }, { "boot-file-name", 67, VALUE_TEXT },
	{ "mobile-ip-home-agents", 68, VALUE_IPS }, { "smtp-servers", 69, VALUE_IPS }, { "pop-servers", 70, VALUE_IPS },
	{ "nntp-servers", 71, VALUE_IPS }, { "www-servers", 72, VALUE_IPS }, { "finger-servers", 73, VALUE_IPS },
	{ "irc-servers", 74, VALUE_IPS }, { "streettalk-servers", 75, VALUE_IPS },
	{ "streettalk-directory-assistance-servers", 76, VALUE_IPS }, { "slp-directory-agent", 78, VALUE_HEX },
	{ "slp-service-scope", 79, VALUE_HEX }, { "isns", 83, VALUE_HEX }, { "nds-servers", 85, VALUE_IPS },
	{ "nds-tree-name", 86, VALUE_TEXT }, { "nds-context", 87, VALUE_TEXT },
	{ "bcms-controller-names", 88, VALUE_DOMAINS }, { "bcms-controller-addresses", 89, VALUE_IPS },
	{ "geoconf-civic", 99, VALUE_HEX }, { "posix-timezone", 100, VALUE_TEXT }, { "tzdb-timezone", 101, VALUE_TEXT },
	{ "v6-only-preferred", 108, VALUE_U32 }, { "captive-portal", 114, VALUE_TEXT }, { "auto-config", 116, VALUE_U8 },
	{ "name-service-search", 117, VALUE_U16S }, { "domain-search", 119, VALUE_DOMAINS },
	{ "sip-servers", 120, VALUE_HEX }, { "classless-static-routes", 121, VALUE_ROUTES },
	{ "cablelabs-client", 122, VALUE_HEX }, { "geoconf", 123, VALUE_HEX }, { "vendor-class", 124, VALUE_HEX },
	{ "vendor-specific", 125, VALUE_HEX }, { "pana-agents", 136, VALUE_IPS }, { "v4-lost", 137, VALUE_TEXT },
	{ "capwap-access-controllers", 138, VALUE_IPS }, { "sip-ua-domains", 141, VALUE_DOMAINS },
	{ "sztp-redirect", 143, VALUE_HEX }, { "rdnss-selection", 146, VALUE_HEX }, { "dots-ri", 147, VALUE_TEXT },
	{ "dots-addresses", 148, VALUE_IPS }, { "tftp-server-addresses", 150, VALUE_IPS }, { "mud-url", 161, VALUE_TEXT },
	{ "dnr", 162, VALUE_HEX }, { "etherboot", 175, VALUE_HEX }, { "pxelinux-magic", 208, VALUE_HEX },
	{ "pxelinux-config-file", 209, VALUE_TEXT }, { "pxelinux-path-prefix", 210, VALUE_TEXT },
	{ "pxelinux-reboot-time", 211, VALUE_U32 }, { "6rd", 212, VALUE_HEX }, { "v4-access-domain", 213, VALUE_DOMAINS },
	{ "ms-classless-static-routes", 249, VALUE_ROUTES }, { "wpad-url", 252, VALUE_TEXT },
};

const struct option_kind *option_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

static int by_code(const void *key, const void *kind)
{
	return *(const uint8_t *)key - ((const struct option_kind *)kind)->code;
}

const struct option_kind *option_coded(uint8_t code)
{
	return bsearch(&code, kinds, ARRAY_SIZE(kinds), sizeof(kinds[0]), by_code);
}

bool option_settable(uint8_t code)
{
	static const uint8_t own[] = {
		OPTION_PAD, OPTION_REQUESTED_IP, OPTION_LEASE_TIME, OPTION_OVERLOAD, OPTION_TYPE, OPTION_SERVER_ID, OPTION_PARAMETERS,
		OPTION_MESSAGE, OPTION_MAX_SIZE, OPTION_T1, OPTION_T2, OPTION_CLIENT_ID, OPTION_RAPID_COMMIT, OPTION_RELAY_INFO, OPTION_END,
	};

	return !memchr(own, code, sizeof(own));
}
