// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/option_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/dhcp6_message.h"
#include "dhcp/message.h"

/* by number */
static const struct option_kind kinds4[] = {
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

static const struct option_kind kinds6[] = {
	{ "vendor-class", 16, VALUE_HEX }, { "vendor-specific", 17, VALUE_HEX },
	{ "sip-server-names", 21, VALUE_DOMAINS }, { "sip-servers", 22, VALUE_IP6S }, { "dns-servers", 23, VALUE_IP6S },
	{ "domain-list", 24, VALUE_DOMAINS }, { "nis-servers", 27, VALUE_IP6S }, { "nisplus-servers", 28, VALUE_IP6S },
	{ "nis-domain", 29, VALUE_DOMAINS }, { "nisplus-domain", 30, VALUE_DOMAINS }, { "sntp-servers", 31, VALUE_IP6S },
	{ "information-refresh-time", 32, VALUE_U32 }, { "bcms-controller-names", 33, VALUE_DOMAINS },
	{ "bcms-controller-addresses", 34, VALUE_IP6S }, { "geoconf-civic", 36, VALUE_HEX }, { "client-fqdn", 39, VALUE_HEX },
	{ "pana-agents", 40, VALUE_IP6S }, { "posix-timezone", 41, VALUE_TEXT }, { "tzdb-timezone", 42, VALUE_TEXT },
	{ "v6-lost", 51, VALUE_DOMAINS }, { "capwap-access-controllers", 52, VALUE_IP6S }, { "ntp-servers", 56, VALUE_NTP },
	{ "v6-access-domain", 57, VALUE_DOMAINS }, { "sip-ua-domains", 58, VALUE_DOMAINS }, { "boot-file-url", 59, VALUE_TEXT },
	{ "boot-file-parameters", 60, VALUE_STRINGS }, { "aftr-name", 64, VALUE_DOMAINS }, { "sol-max-rt", 82, VALUE_U32 },
	{ "inf-max-rt", 83, VALUE_U32 }, { "captive-portal", 103, VALUE_TEXT }, { "mud-url", 112, VALUE_TEXT },
	{ "sztp-redirect", 136, VALUE_HEX }, { "dots-ri", 141, VALUE_DOMAINS }, { "dots-addresses", 142, VALUE_IP6S }, { "dnr", 144, VALUE_HEX },
};

static const uint16_t own4[] = {
	OPTION_PAD, OPTION_REQUESTED_IP, OPTION_LEASE_TIME, OPTION_OVERLOAD, OPTION_TYPE, OPTION_SERVER_ID, OPTION_PARAMETERS,
	OPTION_MESSAGE, OPTION_MAX_SIZE, OPTION_T1, OPTION_T2, OPTION_CLIENT_ID, OPTION_RAPID_COMMIT, OPTION_RELAY_INFO, OPTION_END,
};

/* with what only clients and relays say (8: how long it has been asking; 37, 38, 62, 66), what belongs to authentication and to ways of talking
 * that we have not (11, 12, 19, 20), and what is for who asks a server for its leases (43 to 48) */
static const uint16_t own6[] = {
	0, OPTION6_CLIENT_ID, OPTION6_SERVER_ID, OPTION6_IA_NA, OPTION6_IA_TA, OPTION6_IA_ADDRESS, OPTION6_REQUEST, OPTION6_PREFERENCE, 8,
	OPTION6_RELAY_MESSAGE, 11, 12, OPTION6_STATUS, OPTION6_RAPID_COMMIT, OPTION6_USER_CLASS, OPTION6_INTERFACE_ID, 19, 20, OPTION6_IA_PD, OPTION6_IA_PREFIX,
	37, 38, OPTION6_NAME, 43, 44, 45, 46, 47, 48, OPTION6_ARCH, 62, 66, OPTION6_LINK_ADDRESS, OPTION6_RELAY_PORT,
};

static const struct family {
	const struct option_kind *kinds;
	size_t nkinds;
	const uint16_t *own;
	size_t nown;
	uint16_t last;
} families[] = {
	[OPTIONS4] = { kinds4, ARRAY_SIZE(kinds4), own4, ARRAY_SIZE(own4), OPTION_END - 1 },
	[OPTIONS6] = { kinds6, ARRAY_SIZE(kinds6), own6, ARRAY_SIZE(own6), UINT16_MAX },
};

const struct option_kind *option_named(enum option_family family, const char *name)
{
	const struct family *f = &families[family];

	for (size_t i = 0; i < f->nkinds; i++)
		if (!strcmp(f->kinds[i].name, name))
			return &f->kinds[i];
	return NULL;
}

static int by_code(const void *key, const void *kind)
{
	return *(const uint16_t *)key - ((const struct option_kind *)kind)->code;
}

const struct option_kind *option_coded(enum option_family family, uint16_t code)
{
	return bsearch(&code, families[family].kinds, families[family].nkinds, sizeof(struct option_kind), by_code);
}

const struct option_kind *option_kinds(enum option_family family, size_t *n)
{
	*n = families[family].nkinds;
	return families[family].kinds;
}

uint16_t option_last(enum option_family family)
{
	return families[family].last;
}

bool option_settable(enum option_family family, uint16_t code)
{
	const struct family *f = &families[family];

	for (size_t i = 0; i < f->nown; i++)
		if (f->own[i] == code)
			return false;
	return true;
}
