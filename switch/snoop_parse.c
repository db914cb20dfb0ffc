// SPDX-License-Identifier: GPL-2.0-or-later
/* IGMP (RFC 2236, 3376) and MLD (RFC 2710, 3810) as hosts and routers send them. */
#include "switch/snoop.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/packet.h"

enum {
	PROTO_IGMP = 2, HOP_BY_HOP = 0, OPTION_ALERT4 = 0x94, OPTION_ALERT6 = 5,
	IGMP_QUERY = 0x11, IGMP_REPORT1 = 0x12, IGMP_REPORT2 = 0x16, IGMP_LEAVE = 0x17, IGMP_REPORT3 = 0x22,
	MLD_QUERY = 130, MLD_REPORT, MLD_DONE, MLD_REPORT2 = 143,
	IS_INCLUDE = 1, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK,	/* RFC 3376 4.2.12, RFC 3810 5.2.12 */
};

static void add_group(struct snoop_message *m, struct addr group, bool leaves)
{
	if (!addr_is_multicast(group) || m->n == SNOOP_GROUPS)
		return;
	m->groups[m->n] = group;
	m->leaves[m->n++] = leaves;
}

static struct addr read_group(struct reader *r, bool ip6)
{
	const uint8_t *bytes = read_bytes(r, ip6 ? ADDR_SIZE : 4);

	return !bytes ? (struct addr){ 0 } : ip6 ? addr6(bytes) : addr4(get_u32(bytes));
}

/* parse_records() - of a report of IGMPv3 or MLDv2, behind type, code and checksum. Return: false when they do not add up */
static bool parse_records(struct reader *r, bool ip6, struct snoop_message *m)
{
	unsigned n;

	(void)read_u16(r);
	n = read_u16(r);
	while (n-- && !r->overrun) {
		uint8_t type = read_u8(r), aux = read_u8(r);
		uint16_t sources = read_u16(r);
		struct addr group = read_group(r, ip6);

		(void)read_bytes(r, (size_t)sources * (ip6 ? ADDR_SIZE : 4) + aux * 4u);
		if (r->overrun)
			break;
		if (type == IS_EXCLUDE || type == TO_EXCLUDE || ((type == IS_INCLUDE || type == TO_INCLUDE || type == ALLOW) && sources))
			add_group(m, group, false);
		else if (type == TO_INCLUDE)
			add_group(m, group, true);
	}
	return !r->overrun;
}

/* finish() - reports without a group in them are no reports */
static void finish(struct snoop_message *m, enum snoop_kind kind, bool good)
{
	if (!good)
		m->n = 0;
	m->kind = good ? kind : SNOOP_NOTHING;
}

/* parse_igmp() - @data, @len: the message; @alert: the router alert option was there, which all but version 1 have */
static void parse_igmp(const uint8_t *data, size_t len, bool alert, bool from_somebody, struct snoop_message *m)
{
	struct reader r = reader_init(data, len);
	uint8_t type = read_u8(&r), code = read_u8(&r);
	bool good;

	(void)read_u16(&r);
	if (len < 8 || checksum_finish(checksum_add(0, data, len)) != 0)
		return;
	if (type == IGMP_REPORT3 && alert) {
		good = parse_records(&r, false, m);
		finish(m, SNOOP_REPORT, good);
	} else if (type == IGMP_REPORT1 || (alert && (type == IGMP_REPORT2 || type == IGMP_LEAVE))) {
		add_group(m, read_group(&r, false), type == IGMP_LEAVE);
		finish(m, SNOOP_REPORT, m->n == 1);
	} else if (type == IGMP_QUERY && (alert || (code == 0 && len == 8))) {
		m->kind = SNOOP_QUERY;
		m->router = from_somebody;	/* RFC 4541 2.1.1: a proxy's, which has no address, makes nobody a router */
	}
}

static bool has_alert4(const uint8_t *options, size_t size)
{
	for (size_t i = 0; i < size;) {
		if (options[i] == 0)
			return false;
		if (options[i] == OPTION_ALERT4)
			return i + 4 <= size && options[i + 1] == 4;
		i += options[i] == 1 ? 1 : i + 1 < size && options[i + 1] >= 2 ? options[i + 1] : size;
	}
	return false;
}

static void parse_ip4(const uint8_t *ip, size_t n, struct snoop_message *m)
{
	size_t head, total;

	if (n < IP4_HEADER || ip[0] >> 4 != 4)
		return;
	head = (ip[0] & 15) * 4u;
	total = get_u16(ip + 2);
	if (head < IP4_HEADER || head > total || total > n || ip[9] != PROTO_IGMP || ip[8] != 1 || get_u16(ip + 6) & 0x3fff)
		return;
	if (checksum_finish(checksum_add(0, ip, head)) != 0)
		return;
	parse_igmp(ip + head, total - head, has_alert4(ip + IP4_HEADER, head - IP4_HEADER), get_u32(ip + 12) != 0, m);
}

static bool has_alert6(const uint8_t *options, size_t size)
{
	for (size_t i = 0; i + 2 <= size; i += options[i] ? 2u + options[i + 1] : 1)
		if (options[i] == OPTION_ALERT6)
			return i + 4 <= size && options[i + 1] == 2 && get_u16(options + i + 2) == 0;
	return false;
}

static void parse_mld(struct addr src, struct addr dst, const uint8_t *data, size_t len, struct snoop_message *m)
{
	struct reader r = reader_init(data, len);
	uint8_t type = read_u8(&r);
	bool good;

	(void)read_bytes(&r, 3);
	if (len < 8 || checksum_finish(checksum_add(checksum_pseudo6(src.bytes, dst.bytes, PROTO_ICMP6, (uint32_t)len), data, len)) != 0)
		return;
	if (type == MLD_REPORT2) {
		good = parse_records(&r, true, m);
		finish(m, SNOOP_REPORT, good);
	} else if ((type == MLD_REPORT || type == MLD_DONE) && len >= 24) {
		(void)read_u32(&r);
		add_group(m, read_group(&r, true), type == MLD_DONE);
		finish(m, SNOOP_REPORT, m->n == 1);
	} else if (type == MLD_QUERY && len >= 24) {
		m->kind = SNOOP_QUERY;
		m->router = addr_is_link_local(src);
	}
}

/* RFC 2710 3, RFC 3810 5: from a link-local address (reports also from none), one hop, behind a router alert */
static void parse_ip6(const uint8_t *ip, size_t n, struct snoop_message *m)
{
	size_t payload, options;
	struct addr src;

	if (n < IP6_HEADER + 8 || ip[0] >> 4 != 6 || ip[6] != HOP_BY_HOP || ip[7] != 1)
		return;
	payload = get_u16(ip + 4);
	options = ip[IP6_HEADER + 1] * 8u + 8;
	src = addr6(ip + 8);
	if (payload > n - IP6_HEADER || options > payload || ip[IP6_HEADER] != PROTO_ICMP6 || !(addr_is_link_local(src) || addr_is_none(src)))
		return;
	if (has_alert6(ip + IP6_HEADER + 2, options - 2))
		parse_mld(src, addr6(ip + 24), ip + IP6_HEADER + options, payload - options, m);
}

void snoop_parse(const uint8_t *data, size_t len, struct snoop_message *m)
{
	m->kind = SNOOP_NOTHING;
	m->router = false;
	m->n = 0;
	if (len < ETH_HEADER)
		return;
	if (get_u16(data + 12) == ETHERTYPE_IP4)
		parse_ip4(data + ETH_HEADER, len - ETH_HEADER, m);
	else if (get_u16(data + 12) == ETHERTYPE_IP6)
		parse_ip6(data + ETH_HEADER, len - ETH_HEADER, m);
}
