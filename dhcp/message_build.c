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
	memset(list->listed, 0, sizeof(list->listed));
	list->used = 0;
	list->overrun = false;
}

static bool is_listed(const struct option_list *list, uint8_t code)
{
	return list->listed[code / 32] >> code % 32 & 1;
}

void option_add(struct option_list *list, uint8_t code, bool must, const void *data, size_t size)
{
	size_t room = must ? sizeof(list->bytes) : OPTION_LIST_FREE;

	if (is_listed(list, code))
		return;
	if (list->used + size > room) {
		list->overrun = true;
		return;
	}
	list->listed[code / 32] |= 1u << code % 32;
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

/* write_field() - a text in a field of @size bytes, ended by a zero (RFC 2131 2) */
static void write_field(struct writer *w, const char *text, size_t size)
{
	size_t n = text ? MIN_OF(strlen(text), size - 1) : 0;

	write_bytes(w, text, n);
	write_zeros(w, size - n);
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
	write_zeros(w, DHCP_CHADDR_SIZE - hlen);
	write_field(w, h->sname, DHCP_SNAME_SIZE);
	write_field(w, h->file, DHCP_FILE_SIZE);
	write_u32(w, DHCP_COOKIE);
}

/* area - a stretch of the message for options; what is reserved in it is for END, and for options that must be there */
struct area {
	struct writer w;
	size_t reserved;
};

static bool area_takes(const struct area *a, size_t size)
{
	return a->w.pos + size + a->reserved <= a->w.room;
}

/* areas - the options field, and file and sname where these are free, in the order in which they are read (RFC 2131 4.1) */
enum { AREA_OPTIONS, AREA_FILE, AREA_SNAME, AREAS };
enum { OVERLOAD_WIRE_SIZE = 3, SNAME_AT = 44, FILE_AT = SNAME_AT + DHCP_SNAME_SIZE };

static bool is_free(const char *text)
{
	return !text || !text[0];
}


static size_t must_size(const struct option_list *list)
{
	size_t size = 0;

	for (unsigned i = 0; i < list->n; i++)
		if (list->item[i].must)
			size += wire_size(list->item[i].size);
	return size;
}

/* all_size() - of the whole list on the wire */
static size_t all_size(const struct option_list *list)
{
	size_t size = 0;

	for (unsigned i = 0; i < list->n; i++)
		size += wire_size(list->item[i].size);
	return size;
}

/* find_areas() - which there are for a list that does not fit into the options field alone
 *
 * Return: the value of option 52; 0: not needed, or no DHCP message, whose reader knows nothing of it.
 */
static uint8_t find_areas(struct area area[AREAS], const struct writer *w, const struct message_header *h, const struct option_list *list)
{
	bool file = is_free(h->file), sname = is_free(h->sname);

	area[AREA_OPTIONS] = (struct area){ *w, must_size(list) + 1 };
	area[AREA_FILE] = (struct area){ writer_init(w->data + FILE_AT, file ? DHCP_FILE_SIZE : 0), 1 };
	area[AREA_SNAME] = (struct area){ writer_init(w->data + SNAME_AT, sname ? DHCP_SNAME_SIZE : 0), 1 };
	if (!is_listed(list, OPTION_TYPE) || w->overrun || w->pos + all_size(list) + 1 <= w->room ||
	    w->pos + area[AREA_OPTIONS].reserved + OVERLOAD_WIRE_SIZE > w->room)
		return 0;
	return (uint8_t)((file ? OVERLOAD_FILE : 0) | (sname ? OVERLOAD_SNAME : 0));
}

/* place_option() - where it goes: the options field for what must be there, else the first area with room, or -1 */
static int place_option(const struct area area[AREAS], bool must, size_t size, bool overload)
{
	if (must)
		return AREA_OPTIONS;
	for (int i = AREA_OPTIONS; i < (overload ? AREAS : AREA_FILE); i++)
		if (area_takes(&area[i], size))
			return i;
	return -1;
}

static void write_options(struct writer *w, const struct message_header *h, const struct option_list *list)
{
	struct area area[AREAS];
	uint8_t overload = find_areas(area, w, h, list);

	if (overload)
		write_option(&area[AREA_OPTIONS].w, OPTION_OVERLOAD, &overload, sizeof(overload));
	for (unsigned i = 0; i < list->n; i++) {
		size_t size = wire_size(list->item[i].size);
		int at = place_option(area, list->item[i].must, size, overload);

		if (at < 0)
			continue;
		if (list->item[i].must)
			area[at].reserved -= size;
		write_option(&area[at].w, list->item[i].code, list->bytes + list->item[i].at, list->item[i].size);
	}
	for (unsigned i = 0; i < (overload ? AREAS : AREA_FILE); i++)
		if (area[i].w.room)
			write_u8(&area[i].w, OPTION_END);
	*w = area[AREA_OPTIONS].w;
}

int message_build(const struct message_header *h, const struct option_list *list, uint8_t *data, size_t limit)
{
	struct writer w = writer_init(data, limit);

	write_header(&w, h);
	write_options(&w, h, list);
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
