// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/server_reply.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/dns_name.h"
#include "dhcp/message_build.h"

/* header, cookie, and the other options an answer cannot do without */
enum { ECHO_RESERVE = DHCP_FIXED_SIZE + 4 + 32 };

static bool ethernet(const struct dhcp_message *m)
{
	return m->htype == HTYPE_ETHERNET && m->hlen == MAC_SIZE;
}

bool server_reply_fits(const struct dhcp_conf *conf, const struct dhcp_message *m)
{
	size_t id = 0, relay = 0;

	message_option(m, OPTION_CLIENT_ID, &id);
	message_option(m, OPTION_RELAY_INFO, &relay);
	return id + relay + 2 * (id / 255 + relay / 255 + 2) + ECHO_RESERVE <= message_reply_limit(m, conf->mtu);
}

static void add_bytes(struct option_list *list, uint8_t code, const struct dhcp_message *m)
{
	size_t size;
	const uint8_t *p = message_option(m, code, &size);

	if (p && (size || code == OPTION_RELAY_INFO))
		option_add(list, code, true, p, size);
}

static void add_search(struct option_list *list, const struct dhcp_conf *conf)
{
	struct dns_name name;

	if (dns_name_from_text(&name, conf->domain) == 0)
		option_add(list, OPTION_SEARCH, false, name.wire, name.size);
}

/* add_routes() - RFC 3442: of a destination only the octets that its length reaches are written. Who reads this option reads no router. */
static void add_routes(struct option_list *list, const struct dhcp_conf *conf)
{
	uint8_t data[9 * DHCP_ROUTES_MAX];
	struct writer w = writer_init(data, sizeof(data));

	for (unsigned i = 0; i < conf->nroutes && !conf->router; i++) {
		const struct prefix4 *to = &conf->routes[i];

		write_u8(&w, to->len);
		for (unsigned bit = 0; bit < to->len; bit += 8)
			write_u8(&w, (uint8_t)(to->addr >> (24 - bit)));
		write_u32(&w, conf->server_ip);
	}
	if (w.pos)
		option_add(list, OPTION_ROUTES, false, data, w.pos);
}

static void add_mask(struct option_list *list, const struct dhcp_conf *conf, bool must)
{
	option_add_u32(list, OPTION_SUBNET_MASK, must, prefix4_mask(conf->subnet));
}

/* RFC 2131 4.4.5: T1 is half and T2 seven eighths of the lease; a lease without end has neither */
static void add_times(struct option_list *list, uint32_t lease_s)
{
	if (!lease_s || lease_s == DHCP_INFINITE)
		return;
	option_add_u32(list, OPTION_T1, false, lease_s / 2);
	option_add_u32(list, OPTION_T2, false, (uint32_t)((uint64_t)lease_s * 7 / 8));
}

/* add_asked() - one option of the guest's parameter request list, if we have it */
static void add_asked(struct option_list *list, const struct dhcp_conf *conf, const struct dhcp_answer *a,
		      uint8_t code)
{
	switch (code) {
	case OPTION_SUBNET_MASK:
		add_mask(list, conf, true);
		break;
	case OPTION_ROUTER:
		if (conf->router)
			option_add_u32(list, code, false, conf->router);
		break;
	case OPTION_DNS:
		if (conf->dns)
			option_add_u32(list, code, false, conf->dns);
		break;
	case OPTION_HOSTNAME:
		option_add(list, code, false, a->port, strlen(a->port));
		break;
	case OPTION_DOMAIN:
		if (conf->domain[0])
			option_add(list, code, false, conf->domain, strlen(conf->domain));
		break;
	case OPTION_MTU:
		if (conf->mtu)
			option_add_u16(list, code, false, conf->mtu);
		break;
	case OPTION_BROADCAST:
		if (conf->subnet.len <= 30)
			option_add_u32(list, code, false, prefix4_last(conf->subnet));
		break;
	case OPTION_ROUTES:
		add_routes(list, conf);
		break;
	case OPTION_T1:
	case OPTION_T2:
		add_times(list, a->yiaddr ? a->lease_s : 0);
		break;
	case OPTION_SEARCH:
		if (conf->domain[0])
			add_search(list, conf);
		break;
	}
}

/* add_parameters() - in the guest's order first, then what every guest needs whether it asked or not */
static void add_parameters(struct option_list *list, const struct dhcp_conf *conf, const struct dhcp_message *m,
			   const struct dhcp_answer *a)
{
	static const uint8_t always[] = { OPTION_SUBNET_MASK, OPTION_ROUTER, OPTION_DNS, OPTION_T1, OPTION_ROUTES };
	static const uint8_t unasked[] = { OPTION_DOMAIN, OPTION_MTU };
	size_t n = 0;
	const uint8_t *asked = message_option(m, OPTION_PARAMETERS, &n);

	for (size_t i = 0; i < n; i++)
		add_asked(list, conf, a, asked[i]);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		add_asked(list, conf, a, always[i]);
	for (size_t i = 0; !asked && i < ARRAY_SIZE(unasked); i++)
		add_asked(list, conf, a, unasked[i]);
}

static void collect(struct option_list *list, const struct dhcp_conf *conf, const struct dhcp_message *m,
		    const struct dhcp_answer *a)
{
	static const char refused[] = "address not available";

	option_list_init(list);
	option_add_u8(list, OPTION_TYPE, true, (uint8_t)a->type);
	option_add_u32(list, OPTION_SERVER_ID, true, conf->server_ip);
	if (a->yiaddr)
		option_add_u32(list, OPTION_LEASE_TIME, true, a->lease_s);
	if (a->type == DHCP_NAK)	/* RFC 2131 table 3: hardly anything else is allowed in it */
		option_add(list, OPTION_MESSAGE, false, refused, sizeof(refused) - 1);
	else
		add_parameters(list, conf, m, a);
	add_bytes(list, OPTION_CLIENT_ID, m);
	if (m->giaddr)
		add_bytes(list, OPTION_RELAY_INFO, m);	/* RFC 3046 2.2: last */
}

int server_reply_build(const struct dhcp_conf *conf, const struct dhcp_message *m, const struct dhcp_answer *a,
		       uint8_t *reply, size_t room)
{
	struct message_header h = {
		.op = BOOTP_REPLY,
		.htype = m->htype,
		.hlen = m->hlen,
		.xid = m->xid,
		.flags = m->flags,
		.ciaddr = a->type == DHCP_ACK ? m->ciaddr : 0,
		.yiaddr = a->yiaddr,
		.giaddr = m->giaddr,
		.chaddr = m->chaddr,
	};
	struct option_list list;

	if (a->type == DHCP_NAK && m->giaddr)
		h.flags |= DHCP_FLAG_BROADCAST;	/* RFC 2131 4.3.2: so that the relay broadcasts it */
	collect(&list, conf, m, a);
	if (list.overrun)
		return -EMSGSIZE;
	return message_build(&h, &list, reply, MIN_OF(room, message_reply_limit(m, conf->mtu)));
}

static void send_to(struct dhcp_result *result, uint32_t ip, uint16_t port, const uint8_t *mac)
{
	result->dst_ip = ip;
	result->dst_port = port;
	memcpy(result->dst_mac, mac, MAC_SIZE);
}

void server_reply_route(const struct dhcp_message *m, const struct dhcp_request *from, const struct dhcp_answer *a,
			struct dhcp_result *result)
{
	static const uint8_t everybody[MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	bool broadcast = a->type == DHCP_NAK || (!a->to && !m->ciaddr && m->flags & DHCP_FLAG_BROADCAST);
	const uint8_t *mac = ethernet(m) ? m->chaddr : everybody;

	if (m->giaddr)
		send_to(result, m->giaddr, DHCP_SERVER_PORT, from->src_mac);
	else if (broadcast)
		send_to(result, 0xffffffffu, DHCP_CLIENT_PORT, everybody);
	else if (a->to)
		send_to(result, a->to, DHCP_CLIENT_PORT, mac);
	else
		send_to(result, m->ciaddr ? m->ciaddr : a->yiaddr, DHCP_CLIENT_PORT, mac);
}
