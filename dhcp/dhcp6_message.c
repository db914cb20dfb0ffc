// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dhcp6_message.h"

#include <errno.h>

#include "base/bytes.h"
#include "dhcp/message.h"

enum { HARDWARE_ETHERNET = 1, DUID_LINK_TIME = 1, DUID_LINK = 3, IA_HEAD = 12, IA_TA_HEAD = 4 };

/* option - one of a message, a relay's wrapping or an IA */
struct option {
	uint16_t code;
	size_t size;
	const uint8_t *data;
};

/* next_option() - Return: is there one? A cut one is an overrun of @r. */
static bool next_option(struct reader *r, struct option *o)
{
	if (!reader_left(r))
		return false;
	o->code = read_u16(r);
	o->size = read_u16(r);
	o->data = read_bytes(r, o->size);
	return o->data != NULL;
}

/* read_item() - an address or a prefix of an IA; the client's times are its own business */
static int read_item(struct dhcp6_ia *ia, const struct option *o)
{
	struct reader r = reader_init(o->data, o->size);
	bool prefix = o->code == OPTION6_IA_PREFIX;
	struct prefix6 item = { .len = 128 };

	if (prefix) {
		(void)read_bytes(&r, 8);
		item.len = read_u8(&r);
	}
	read_copy(&r, item.addr.bytes, ADDR_SIZE);
	if (!prefix)
		(void)read_bytes(&r, 8);
	if (r.overrun || item.len > 128)
		return -EBADMSG;
	if (ia->nitems < DHCP6_IA_ITEMS)
		ia->item[ia->nitems++] = item;
	return 0;
}

static int read_ia(struct dhcp6_message *m, const struct option *o)
{
	struct reader r = reader_init(o->data, o->size);
	struct dhcp6_ia ia = { .type = o->code, .iaid = read_u32(&r) };
	struct option in;

	(void)read_bytes(&r, (o->code == OPTION6_IA_TA ? IA_TA_HEAD : IA_HEAD) - 4);
	while (next_option(&r, &in))
		if (in.code == (o->code == OPTION6_IA_PD ? OPTION6_IA_PREFIX : OPTION6_IA_ADDRESS) && read_item(&ia, &in) < 0)
			return -EBADMSG;
	if (r.overrun)
		return -EBADMSG;
	if (m->nias < DHCP6_IAS_MAX)
		m->ia[m->nias++] = ia;
	return 0;
}

static int read_duid(const struct option *o, const uint8_t **duid, size_t *size)
{
	if (*duid || o->size < DHCP6_DUID_MIN || o->size > DHCP6_DUID_MAX)
		return -EBADMSG;
	*duid = o->data;
	*size = o->size;
	return 0;
}

/* read_name() - RFC 4704 4.2: flags, and a name that may lack its end; its first label says how the guest calls itself */
static void read_name(struct dhcp6_message *m, const struct option *o)
{
	struct reader r = reader_init(o->data, o->size);
	size_t size;
	const uint8_t *label;

	m->has_name = true;
	(void)read_u8(&r);
	size = read_u8(&r);
	label = read_bytes(&r, size);
	if (label)
		message_clean_hostname(m->hostname, label, size);
}

static void keep_first(const struct option *o, const uint8_t **data, size_t *size)
{
	if (*data)
		return;
	*data = o->data;
	*size = o->size;
}

static int read_option(struct dhcp6_message *m, const struct option *o)
{
	switch (o->code) {
	case OPTION6_CLIENT_ID:
		return read_duid(o, &m->client_id, &m->client_id_size);
	case OPTION6_SERVER_ID:
		return read_duid(o, &m->server_id, &m->server_id_size);
	case OPTION6_IA_NA:
	case OPTION6_IA_TA:
	case OPTION6_IA_PD:
		return read_ia(m, o);
	case OPTION6_REQUEST:
		m->request = o->data;
		m->request_count = o->size / 2;
		return 0;
	case OPTION6_USER_CLASS:
		keep_first(o, &m->user, &m->user_size);
		return 0;
	case OPTION6_VENDOR_CLASS:
		keep_first(o, &m->vendor, &m->vendor_size);
		return 0;
	case OPTION6_ARCH:
		keep_first(o, &m->arch, &m->arch_size);
		return 0;
	case OPTION6_RAPID_COMMIT:
		m->rapid_commit = true;
		return 0;
	case OPTION6_NAME:
		read_name(m, o);
		return 0;
	}
	return 0;
}

int dhcp6_message_parse(struct dhcp6_message *m, const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	struct option o;

	*m = (struct dhcp6_message){ .type = read_u8(&r) };
	m->xid = read_bytes(&r, DHCP6_XID_SIZE);
	while (next_option(&r, &o))
		if (read_option(m, &o) < 0)
			return -EBADMSG;
	return r.overrun ? -EBADMSG : 0;
}

const uint8_t *dhcp6_message_option(const uint8_t *data, size_t size, uint16_t code, size_t *option_size)
{
	struct reader r = reader_init(data, size);
	struct option o;

	(void)read_bytes(&r, 1 + DHCP6_XID_SIZE);
	while (next_option(&r, &o))
		if (o.code == code) {
			*option_size = o.size;
			return o.data;
		}
	return NULL;
}

/* read_relay() - one wrapping; @data, @size: out: what is in it */
static int read_relay(struct dhcp6_relays *relays, const uint8_t **data, size_t *size)
{
	struct reader r = reader_init(*data, *size);
	struct dhcp6_relay *relay = &relays->of[relays->n];
	const uint8_t *inner = NULL;
	struct option o;

	(void)read_u8(&r);
	*relay = (struct dhcp6_relay){ .hops = read_u8(&r) };
	read_copy(&r, relay->link.bytes, ADDR_SIZE);
	read_copy(&r, relay->peer.bytes, ADDR_SIZE);
	relays->link_address = NULL;	/* only what the innermost says of its neighbour is about the client */
	while (next_option(&r, &o)) {
		if (o.code == OPTION6_RELAY_MESSAGE && !inner) {
			inner = o.data;
			*size = o.size;
		} else if (o.code == OPTION6_INTERFACE_ID) {
			relay->interface_id = o.data;
			relay->interface_id_size = o.size;
		} else if (o.code == OPTION6_RELAY_PORT && o.size == 2) {
			relay->port = o.data;
		} else if (o.code == OPTION6_LINK_ADDRESS && o.size == 2 + MAC_SIZE && get_u16(o.data) == HARDWARE_ETHERNET) {
			relays->link_address = o.data + 2;
		}
	}
	if (r.overrun || !inner)
		return -EBADMSG;
	*data = inner;
	relays->n++;
	return 0;
}

int dhcp6_relays_parse(struct dhcp6_relays *relays, const uint8_t **data, size_t *size)
{
	relays->n = 0;
	relays->link_address = NULL;
	while (*size && **data == DHCP6_RELAY_FORWARD) {
		if (relays->n == DHCP6_RELAYS_MAX)
			return -ELOOP;
		if (read_relay(relays, data, size) < 0)
			return -EBADMSG;
		if (relays->of[relays->n - 1].hops > DHCP6_RELAYS_MAX)
			return -ELOOP;
	}
	return 0;
}

bool dhcp6_duid_mac(const uint8_t *duid, size_t size, uint8_t mac[MAC_SIZE])
{
	bool timed = size == 8 + MAC_SIZE && get_u16(duid) == DUID_LINK_TIME, plain = size == 4 + MAC_SIZE && get_u16(duid) == DUID_LINK;

	if ((!timed && !plain) || get_u16(duid + 2) != HARDWARE_ETHERNET || mac_is_group(duid + size - MAC_SIZE))
		return false;
	memcpy(mac, duid + size - MAC_SIZE, MAC_SIZE);
	return true;
}
