// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/server_reply.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/boot.h"
#include "dhcp/dns_name.h"
#include "dhcp/message_build.h"
#include "dhcp/profile.h"

/* header, cookie, and the other options an answer cannot do without */
enum { ECHO_RESERVE = DHCP_FIXED_SIZE + 4 + 32, BOOTP_SIZE = 300 };

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

/* saying - what goes into one answer */
struct saying {
	const struct dhcp_conf *conf;
	const struct dhcp_message *m;
	const struct dhcp_answer *a;
	struct boot_choice boot;	/* file NULL: it is told nothing of the kind */
	struct option_list list;
};

/* ---- values that the server knows by itself ---- */

static void add_search(struct option_list *list, const struct dhcp_conf *conf)
{
	struct dns_name name;

	if (conf->domain[0] && dns_name_from_text(&name, conf->domain) == 0)
		option_add(list, OPTION_SEARCH, false, name.wire, name.size);
}

/* write_route() - RFC 3442: of a destination only the octets that its length reaches are written */
static void write_route(struct writer *w, const struct prefix4 *to, uint32_t router)
{
	write_u8(w, to->len);
	for (unsigned bit = 0; bit < to->len; bit += 8)
		write_u8(w, (uint8_t)(to->addr >> (24 - bit)));
	write_u32(w, router);
}

/* add_routes() - who reads this option reads no router */
static void add_routes(struct option_list *list, const struct dhcp_conf *conf, uint8_t code)
{
	uint8_t data[9 * DHCP_ROUTES_MAX];
	struct writer w = writer_init(data, sizeof(data));

	for (unsigned i = 0; i < conf->nroutes && !conf->router; i++)
		write_route(&w, &conf->routes[i], conf->server_ip);
	if (w.pos)
		option_add(list, code, false, data, w.pos);
}

/* RFC 2131 4.4.5: T1 is half and T2 seven eighths of the lease; a lease without end has neither */
static void add_times(struct option_list *list, const struct dhcp_answer *a)
{
	if (!a->yiaddr || a->bootp || a->lease_s == DHCP_INFINITE)
		return;
	option_add_u32(list, OPTION_T1, false, a->lease_s / 2);
	option_add_u32(list, OPTION_T2, false, (uint32_t)((uint64_t)a->lease_s * 7 / 8));
}

static void add_u32(struct option_list *list, uint8_t code, uint32_t value)
{
	if (value)
		option_add_u32(list, code, false, value);
}

/* add_boot() - the header's fields once more, for who asks for them so; the file unasked where the header is too small for it */
static void add_boot(struct saying *say, uint8_t code)
{
	char ip[IP4_TEXT];
	const char *text = code == OPTION_BOOT_FILE ? say->boot.file : ip4_format(say->boot.server, ip);

	if (say->boot.file && text[0])
		option_add(&say->list, code, false, text, strlen(text));
}

static void add_own(struct saying *say, uint8_t code)
{
	const struct dhcp_conf *conf = say->conf;
	struct option_list *list = &say->list;

	switch (code) {
	case OPTION_SUBNET_MASK:
		option_add_u32(list, code, true, prefix4_mask(conf->subnet));
		break;
	case OPTION_ROUTER:
		add_u32(list, code, conf->router);
		break;
	case OPTION_DNS:
		add_u32(list, code, conf->dns);
		break;
	case OPTION_HOSTNAME:
		option_add(list, code, false, say->a->name, strlen(say->a->name));
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
		add_u32(list, code, conf->subnet.len <= 30 ? prefix4_last(conf->subnet) : 0);
		break;
	case OPTION_ROUTES:
	case OPTION_ROUTES_MS:
		add_routes(list, conf, code);
		break;
	case OPTION_T1:
	case OPTION_T2:
		add_times(list, say->a);
		break;
	case OPTION_SEARCH:
		add_search(list, conf);
		break;
	case OPTION_BOOT_SERVER:
	case OPTION_BOOT_FILE:
		add_boot(say, code);
		break;
	}
}

/* ---- values that are set ---- */

/* has_default() - is there a default route in the value of option 121? */
static bool has_default(const struct option_item *item)
{
	struct reader r = reader_init(item->data, item->size);

	while (reader_left(&r)) {
		uint8_t len = read_u8(&r);

		if (!len)
			return true;
		read_bytes(&r, (len + 7u) / 8 + 4);
	}
	return false;
}

/* add_set_routes() - with the default route among them, or their reader would have none (RFC 3442, Local Router Option) */
static void add_set_routes(struct saying *say, const struct option_item *item, uint8_t code)
{
	uint8_t data[OPTION_VALUE_MAX + 5];
	struct writer w = writer_init(data, sizeof(data));

	write_bytes(&w, item->data, item->size);
	if (say->conf->router && !has_default(item))
		write_route(&w, &(struct prefix4){ 0, 0 }, say->conf->router);
	option_add(&say->list, code, false, data, w.pos);
}

/* said_of() - what is set about an option; 249 is another number for 121 */
static const struct option_item *said_of(const struct saying *say, uint8_t code)
{
	const struct option_item *item = profile_option(say->a->profile, code, NULL);

	return item || code != OPTION_ROUTES_MS ? item : profile_option(say->a->profile, OPTION_ROUTES, NULL);
}

static void add_option(struct saying *say, uint8_t code)
{
	const struct option_item *item = option_settable(OPTIONS4, code) ? said_of(say, code) : NULL;

	if (!item)
		add_own(say, code);
	else if (item->send != OPTION_NEVER && (code == OPTION_ROUTES || code == OPTION_ROUTES_MS))
		add_set_routes(say, item, code);
	else if (item->send != OPTION_NEVER)
		option_add(&say->list, code, code == OPTION_SUBNET_MASK, item->data, item->size);
}

/* add_set() - what goes out unasked: what is forced, and to who has no list of what he wants all that is set */
static void add_set(struct saying *say, bool all)
{
	const struct dhcp_profile *p = say->a->profile;

	for (unsigned i = 0; i < p->n; i++) {
		const struct option_set *set = layer_options(p, &p->layer[i]);

		for (unsigned j = 0; j < set->n; j++)
			if (set->of[j].send == OPTION_FORCED || all)
				add_option(say, (uint8_t)set->of[j].code);
	}
}

/* add_parameters() - in the guest's order first, then what every guest needs whether it asked or not */
static void add_parameters(struct saying *say)
{
	static const uint8_t always[] = { OPTION_SUBNET_MASK, OPTION_ROUTER, OPTION_DNS, OPTION_T1, OPTION_ROUTES };
	static const uint8_t unasked[] = { OPTION_DOMAIN, OPTION_MTU };
	size_t n = 0;
	const uint8_t *asked = message_option(say->m, OPTION_PARAMETERS, &n);

	if (say->boot.file && boot_by_http(say->a->traits))
		option_add(&say->list, OPTION_VENDOR_CLASS, false, BOOT_HTTP_CLASS, strlen(BOOT_HTTP_CLASS));
	if (say->boot.file && strlen(say->boot.file) >= DHCP_FILE_SIZE)
		add_option(say, OPTION_BOOT_FILE);
	for (size_t i = 0; i < n; i++)
		add_option(say, asked[i]);
	add_set(say, false);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		add_option(say, always[i]);
	for (size_t i = 0; !asked && i < ARRAY_SIZE(unasked); i++)
		add_option(say, unasked[i]);
	if (!asked)
		add_set(say, true);
}

/* add_exchange() - what belongs to the exchange itself; BOOTP has none of it */
static void add_exchange(struct saying *say)
{
	struct option_list *list = &say->list;

	option_add_u8(list, OPTION_TYPE, true, (uint8_t)say->a->type);
	option_add_u32(list, OPTION_SERVER_ID, true, say->a->server_id);
	if (say->a->yiaddr)
		option_add_u32(list, OPTION_LEASE_TIME, true, say->a->lease_s);
	if (say->a->rapid && say->a->type == DHCP_ACK)
		option_add(list, OPTION_RAPID_COMMIT, true, NULL, 0);
}

/* no_address() - an offer of none: all it says is that the guest shall not choose one either (RFC 2563) */
static bool no_address(const struct dhcp_answer *a)
{
	return a->type == DHCP_OFFER && !a->yiaddr;
}

static void collect(struct saying *say)
{
	static const char refused[] = "address not available";

	option_list_init(&say->list);
	if (!say->a->bootp)
		add_exchange(say);
	if (say->a->type == DHCP_NAK)	/* RFC 2131 table 3: hardly anything else is allowed in it */
		option_add(&say->list, OPTION_MESSAGE, false, refused, sizeof(refused) - 1);
	else if (no_address(say->a))
		option_add_u8(&say->list, OPTION_AUTO_CONFIG, true, 0);
	else
		add_parameters(say);
	add_bytes(&say->list, OPTION_CLIENT_ID, say->m);
	if (say->m->giaddr)
		add_bytes(&say->list, OPTION_RELAY_INFO, say->m);	/* RFC 3046 2.2: last */
}

/* limit_of() - a BOOTP client's buffer ends with the message of old (RFC 951 3) */
static size_t limit_of(const struct saying *say, size_t room)
{
	return MIN_OF(room, say->a->bootp ? (size_t)BOOTP_SIZE : message_reply_limit(say->m, say->conf->mtu));
}

/* choose_boot() - what is said of this very guest, or else of machines like it */
static void choose_boot(struct saying *say)
{
	const struct dhcp_boot *said = say->a->type == DHCP_NAK ? NULL : profile_boot(say->a->profile, NULL);
	const struct dhcp_conf *conf = say->conf;

	say->boot = (struct boot_choice){ .file = NULL };
	if (said)
		say->boot = (struct boot_choice){ said->file, said->server_name, said->server ? said->server : conf->server_ip };
	else if (say->a->type != DHCP_NAK && conf->boot)
		boot_choose(conf->boot, conf->server_ip, say->a->traits, &say->boot);
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
	struct saying say;		/* its list is long: nothing is cleared for nothing */

	say.conf = conf;
	say.m = m;
	say.a = a;
	choose_boot(&say);
	if (say.boot.file) {
		h.siaddr = say.boot.server;
		h.sname = say.boot.server_name;
		h.file = strlen(say.boot.file) < DHCP_FILE_SIZE ? say.boot.file : NULL;
	}
	if (a->type == DHCP_NAK && m->giaddr)
		h.flags |= DHCP_FLAG_BROADCAST;	/* RFC 2131 4.3.2: so that the relay broadcasts it */
	collect(&say);
	return message_build(&h, &say.list, reply, limit_of(&say, room));
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
	bool broadcast = a->type == DHCP_NAK || no_address(a) || (!a->to && !m->ciaddr && m->flags & DHCP_FLAG_BROADCAST);
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
