// SPDX-License-Identifier: GPL-2.0-or-later
/* What a network answers and relays as DNS: the table of `dns: {...}`. */
#include "ctl/model_parts.h"

#include "base/array.h"

#define ASKS (~(1u << NET_INTERNAL | 1u << NET_HOST_ONLY))	/* the modes that ask others for what they do not know */

const struct field dns_rows[] = {
	{ "enabled", &field_bool, FIELD_AT(struct net_conf, dns_enabled), .fallback = true },
	{ "upstreams", &field_endpoints, FIELD_AT(struct net_conf, upstreams), .kinds = ASKS },
};

const size_t dns_nrows = ARRAY_SIZE(dns_rows);
