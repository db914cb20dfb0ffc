// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_resolved.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/act_bus.h"

/* link - what resolved is to know of one interface */
struct link {
	int index;
	const char *domain;
	uint8_t server[4];
	bool has_server;
	char zones[RESOLVED_ZONES_MAX][RESOLVED_ZONE_SIZE];
	unsigned nzones;
};

/* ---- reverse zones ---- */

/* write_zone() - of the first @labels bytes, or halves of them, the last one first */
static void write_zone(const uint8_t *addr, unsigned size, unsigned labels, char to[RESOLVED_ZONE_SIZE])
{
	unsigned used = 0;

	for (unsigned i = labels; i-- > 0;)
		used += size == 4 ? (unsigned)snprintf(to + used, RESOLVED_ZONE_SIZE - used, "%u.", addr[i])
				  : (unsigned)snprintf(to + used, RESOLVED_ZONE_SIZE - used, "%x.", i % 2 ? addr[i / 2] & 15 : addr[i / 2] >> 4);
	snprintf(to + used, RESOLVED_ZONE_SIZE - used, "%s", size == 4 ? "in-addr.arpa" : "ip6.arpa");
}

/* A prefix that ends inside of a label is as many zones as there are values of what is left of it. */
unsigned resolved_zones(const uint8_t *addr, unsigned size, unsigned len, char (*to)[RESOLVED_ZONE_SIZE], unsigned room)
{
	unsigned bits = size == 4 ? 8 : 4, labels = (len + bits - 1) / bits, n = 1u << (labels * bits - len);
	uint8_t at[16];

	if (!len || len > size * 8 || n > room)
		return 0;
	memcpy(at, addr, size);
	for (unsigned i = 0; i < n; i++) {
		unsigned shift = size == 4 || !(labels % 2) ? 0 : 4, last = (labels * bits - 1) / 8;

		at[last] = (uint8_t)((addr[last] & ~((n - 1) << shift)) | i << shift);
		write_zone(at, size, labels, to[i]);
	}
	return n;
}

/* ---- the interface ---- */

/* prefix_of() - Return: bits of a mask */
static unsigned prefix_of(const uint8_t *mask, unsigned size)
{
	unsigned n = 0;

	while (n < size * 8 && mask[n / 8] & 0x80 >> n % 8)
		n++;
	return n;
}

static void add_address(struct link *l, const struct ifaddrs *a)
{
	const struct sockaddr_in *in = (const void *)a->ifa_addr, *mask = (const void *)a->ifa_netmask;
	const struct sockaddr_in6 *in6 = (const void *)a->ifa_addr, *mask6 = (const void *)a->ifa_netmask;
	unsigned room = ARRAY_SIZE(l->zones) - l->nzones;
	uint8_t addr[16], bits[16];

	if (in->sin_family == AF_INET) {
		memcpy(addr, &in->sin_addr, 4);
		memcpy(bits, &mask->sin_addr, 4);
		if (!l->has_server)
			memcpy(l->server, addr, sizeof(l->server));
		l->has_server = true;
		l->nzones += resolved_zones(addr, 4, prefix_of(bits, 4), l->zones + l->nzones, room);
	} else if (in->sin_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr)) {
		memcpy(addr, &in6->sin6_addr, 16);
		memcpy(bits, &mask6->sin6_addr, 16);
		l->nzones += resolved_zones(addr, 16, prefix_of(bits, 16), l->zones + l->nzones, room);
	}
}

static int look(const char *ifname, struct link *l)
{
	struct ifaddrs *all;

	l->index = (int)if_nametoindex(ifname);
	if (!l->index)
		return -ENODEV;
	if (getifaddrs(&all) < 0)
		return -errno;
	for (const struct ifaddrs *a = all; a; a = a->ifa_next)
		if (!strcmp(a->ifa_name, ifname) && a->ifa_addr && a->ifa_netmask)
			add_address(l, a);
	freeifaddrs(all);
	return l->has_server ? 0 : -ENODEV;
}

/* ---- calls ---- */

/* finish() - @rc is what the last append said */
static int finish(struct bus *b, sd_bus_message *m, int rc)
{
	if (rc < 0)
		b->f.sd_bus_message_unref(m);
	return rc < 0 ? rc : bus_finish(b, m, NULL);
}

static int set_server(struct bus *b, const struct link *l)
{
	const struct bus_functions *f = &b->f;
	sd_bus_message *m;
	int rc = bus_begin(b, "SetLinkDNS", &m);

	if (rc < 0)
		return rc;
	rc = f->sd_bus_message_append(m, "i", l->index);
	if (rc >= 0)
		rc = f->sd_bus_message_open_container(m, 'a', "(iay)");
	if (rc >= 0)
		rc = f->sd_bus_message_open_container(m, 'r', "iay");
	if (rc >= 0)
		rc = f->sd_bus_message_append(m, "i", AF_INET);
	if (rc >= 0)
		rc = f->sd_bus_message_append_array(m, 'y', l->server, sizeof(l->server));
	if (rc >= 0)
		rc = f->sd_bus_message_close_container(m);
	if (rc >= 0)
		rc = f->sd_bus_message_close_container(m);
	return finish(b, m, rc);
}

static int set_domains(struct bus *b, const struct link *l)
{
	const struct bus_functions *f = &b->f;
	sd_bus_message *m;
	int rc = bus_begin(b, "SetLinkDomains", &m);

	if (rc < 0)
		return rc;
	rc = f->sd_bus_message_append(m, "i", l->index);
	if (rc >= 0)
		rc = f->sd_bus_message_open_container(m, 'a', "(sb)");
	if (rc >= 0)
		rc = f->sd_bus_message_append(m, "(sb)", l->domain, 1);
	for (unsigned i = 0; i < l->nzones && rc >= 0; i++)
		rc = f->sd_bus_message_append(m, "(sb)", l->zones[i], 1);
	if (rc >= 0)
		rc = f->sd_bus_message_close_container(m);
	return finish(b, m, rc);
}

static int set_text(struct bus *b, const struct link *l, const char *method, const char *value)
{
	sd_bus_message *m;
	int rc = bus_begin(b, method, &m);

	return rc < 0 ? rc : finish(b, m, b->f.sd_bus_message_append(m, "is", l->index, value));
}

static int set_default_route(struct bus *b, const struct link *l)
{
	sd_bus_message *m;
	int rc = bus_begin(b, "SetLinkDefaultRoute", &m);

	return rc < 0 ? rc : finish(b, m, b->f.sd_bus_message_append(m, "ib", l->index, 0));
}

static int revert(struct bus *b, int index)
{
	sd_bus_message *m;
	int rc = bus_begin(b, "RevertLink", &m);

	return rc < 0 ? rc : finish(b, m, b->f.sd_bus_message_append(m, "i", index));
}

/* What answers there signs nothing and has no certificate, whatever the host asks of its other servers. The server comes last: until then
 * nothing is asked. */
int resolved_tell(const char *ifname, const char *domain)
{
	static const struct {
		const char *method, *value;
	} texts[] = { { "SetLinkDNSSEC", "no" }, { "SetLinkDNSOverTLS", "no" }, { "SetLinkLLMNR", "no" }, { "SetLinkMulticastDNS", "no" } };
	struct link l = { .domain = domain };
	struct bus b;
	int rc = look(ifname, &l);

	if (rc < 0)
		return rc;
	rc = bus_open(&b);
	if (rc < 0)
		return rc;
	rc = set_default_route(&b, &l);
	if (rc == 0)
		rc = set_domains(&b, &l);
	for (size_t i = 0; i < ARRAY_SIZE(texts) && rc == 0; i++)
		rc = set_text(&b, &l, texts[i].method, texts[i].value);
	if (rc == 0)
		rc = set_server(&b, &l);
	if (rc < 0)
		revert(&b, l.index);
	bus_close(&b);
	return rc;
}

/* is_gone() - nobody is there who would know of it */
static bool is_gone(int rc)
{
	return rc == -ENOENT || rc == -ENODEV || rc == -ECONNREFUSED || rc == -EHOSTUNREACH || rc == -ENXIO || rc == -EADDRNOTAVAIL;
}

int resolved_forget(const char *ifname)
{
	int index = (int)if_nametoindex(ifname), rc;
	struct bus b;

	if (!index)
		return errno == ENODEV ? 0 : -errno;
	rc = bus_open(&b);
	if (rc == 0) {
		rc = revert(&b, index);
		bus_close(&b);
	}
	return is_gone(rc) ? 0 : rc;
}
