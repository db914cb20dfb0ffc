// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/message_build.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

enum {
	BUILD_SIZE_MIN = 300,		/* RFC 1542 2.1; old relays and clients drop what is shorter */
	IP_UDP_SIZE = 28,
	DATAGRAM_MIN = 576,		/* what every client must take (RFC 2131 2) */
	PIECE_MAX = 255,		/* bytes one option field can hold */
};

void option_list_init(struct option_list *list)
{
	list->n = 0;
	list->used = 0;
	list->overrun = false;
}

static bool option_listed(const struct option_list *list, uint8_t code)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->item[i].code == code)
			return true;
	return false;
}

void option_add(struct option_list *list, uint8_t code, bool must, const void *data, size_t size)
{
	if (option_listed(list, code))
		return;
	if (list->n == OPTION_LIST_MAX || size > sizeof(list->bytes) - list->used) {
		list->overrun = true;
		return;
	}
	list->item[list->n].code = code;
	list->item[list->n].must = must;
	list->item[list->n].at = list->used;
	list->item[list->n].size = (uint16_t)size;
	list->n++;
	if (size)
		memcpy(list->bytes + list->used, data, size);
	list->used = (uint16_t)(list->used + size);
}

void option_add_u8(struct option_list *list, uint8_t code, bool must, uint8_t value)
{
	option_add(list, code, must, &value, 1);
}

void option_add_u16(struct option_list *list, uint8_t code, bool must, uint16_t value)
{
	uint8_t b[2];

	put_u16(b, value);
	option_add(list, code, must, b, sizeof(b));
}

void option_add_u32(struct option_list *list, uint8_t code, bool must, uint32_t value)
{
	uint8_t b[4];

	put_u32(b, value);
	option_add(list, code, must, b, sizeof(b));
}

/* wire_size() - bytes an option of @size takes with its code and length bytes, once for each piece */
static size_t wire_size(size_t size)
{
	size_t pieces = size ? (size + PIECE_MAX - 1) / PIECE_MAX : 1;

	return size + 2 * pieces;
}

static void write_option(struct writer *w, uint8_t code, const uint8_t *data, size_t size)
{
	do {
		size_t n = MIN_OF(size, (size_t)PIECE_MAX);

		write_u8(w, code);
		write_u8(w, (uint8_t)n);
		write_bytes(w, data, n);
		data += n;
		size -= n;
	} while (size);
}

static void write_header(struct writer *w, const struct message_header *h)
{
	size_t hlen = MIN_OF(h->hlen, (size_t)DHCP_CHADDR_SIZE);

	write_u8(w, h->op);
	write_u8(w, h->htype);
	write_u8(w, h->hlen);
	write_u8(w, 0);			/* hops */
	write_u32(w, h->xid);
	write_u16(w, h->secs);
	write_u16(w, h->flags);
	write_u32(w, h->ciaddr);
	write_u32(w, h->yiaddr);
	write_u32(w, h->siaddr);
	write_u32(w, h->giaddr);
	write_bytes(w, h->chaddr, hlen);
	write_zeros(w, DHCP_CHADDR_SIZE - hlen + DHCP_SNAME_SIZE + DHCP_FILE_SIZE);
	write_u32(w, DHCP_COOKIE);
}

static void write_options(struct writer *w, const struct option_list *list)
{
	size_t reserved = 1;		/* END */

	for (unsigned i = 0; i < list->n; i++)
		if (list->item[i].must)
			reserved += wire_size(list->item[i].size);
	for (unsigned i = 0; i < list->n; i++) {
		size_t size = wire_size(list->item[i].size);

		if (list->item[i].must)
			reserved -= size;
		else if (w->pos + size + reserved > w->room)
			continue;
		write_option(w, list->item[i].code, list->bytes + list->item[i].at, list->item[i].size);
	}
	write_u8(w, OPTION_END);
}

int message_build(const struct message_header *h, const struct option_list *list, uint8_t *data, size_t limit)
{
	struct writer w = writer_init(data, limit);

	write_header(&w, h);
	write_options(&w, list);
	if (!w.overrun && w.pos < BUILD_SIZE_MIN)
		write_zeros(&w, BUILD_SIZE_MIN - w.pos);
	return w.overrun ? -EMSGSIZE : (int)w.pos;
}

size_t message_reply_limit(const struct dhcp_message *request, uint16_t mtu)
{
	size_t datagram = request->max_size ? request->max_size : DATAGRAM_MIN;

	if (mtu >= DATAGRAM_MIN && datagram > mtu)
		datagram = mtu;
	return datagram - IP_UDP_SIZE;
}

int message_build_client(enum dhcp_type type, const struct message_client *c, uint8_t *data, size_t room)
{
	static const uint8_t wanted[] = {
		OPTION_SUBNET_MASK, OPTION_ROUTES, OPTION_ROUTER, OPTION_DNS, OPTION_DOMAIN,
		OPTION_MTU,	    OPTION_SEARCH, OPTION_T1,	  OPTION_T2,
	};
	struct message_header h = {
		.op = BOOTP_REQUEST, .htype = HTYPE_ETHERNET, .hlen = MAC_SIZE, .xid = c->xid, .secs = c->secs,
		.flags = c->broadcast ? DHCP_FLAG_BROADCAST : 0, .ciaddr = c->ciaddr, .chaddr = c->mac,
	};
	bool asks = type == DHCP_DISCOVER || type == DHCP_REQUEST || type == DHCP_INFORM;
	struct option_list list;

	option_list_init(&list);
	option_add_u8(&list, OPTION_TYPE, true, (uint8_t)type);
	if (c->requested_ip)
		option_add_u32(&list, OPTION_REQUESTED_IP, true, c->requested_ip);
	if (c->server_id)
		option_add_u32(&list, OPTION_SERVER_ID, true, c->server_id);
	if (c->hostname && asks)
		option_add(&list, OPTION_HOSTNAME, false, c->hostname, MIN_OF(strlen(c->hostname), (size_t)63));
	if (asks) {
		option_add(&list, OPTION_PARAMETERS, false, wanted, sizeof(wanted));
		option_add_u16(&list, OPTION_MAX_SIZE, false, 1500);
	}
	return message_build(&h, &list, data, room);
}
