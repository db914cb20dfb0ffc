// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dhcp6_reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/dns_name.h"

enum {
	PREFERENCE_ONLY = 255,		/* RFC 8415 18.2.1: who reads this waits for no other server */
	SOL_MAX_RT_S = 3600,		/* RFC 8415 7.6: the default */
	REFRESH_S = 86400,		/* RFC 8415 21.23: likewise */
	NTP_SERVER_ADDRESS = 1,		/* RFC 5908 4.1 */
	NAME_SERVER_UPDATES = 1, NAME_OVERRIDDEN = 2,	/* RFC 4704 4.1: we see to the name's address */
};

/* ---- options ---- */

/* option_open() - an option whose size is not known yet; Return: for option_close() */
static size_t option_open(struct writer *w, uint16_t code)
{
	write_u16(w, code);
	write_u16(w, 0);
	return w->pos;
}

static void option_close(struct writer *w, size_t from)
{
	if (!w->overrun)
		put_u16(w->data + from - 2, (uint16_t)(w->pos - from));
}

static void option_bytes(struct writer *w, uint16_t code, const void *data, size_t size)
{
	write_u16(w, code);
	write_u16(w, (uint16_t)size);
	write_bytes(w, data, size);
}

static void option_u32(struct writer *w, uint16_t code, uint32_t value)
{
	write_u16(w, code);
	write_u16(w, sizeof(value));
	write_u32(w, value);
}

static void add_status(struct writer *w, enum dhcp6_status status)
{
	static const char *const says[] = {
		"", "failed", "no address is left", "this is not yours", "not an address of this link", "send to the group ff02::1:2",
		"no prefix is left",
	};
	size_t at;

	if (status == STATUS6_NONE)
		return;
	at = option_open(w, OPTION6_STATUS);
	write_u16(w, (uint16_t)status);
	write_bytes(w, says[status], strlen(says[status]));
	option_close(w, at);
}

/* ---- IAs ---- */

/* preferred() - for new connections only so long: a guest that cannot renew gives up an address by and by */
static uint32_t preferred(uint32_t valid_s)
{
	return valid_s == UINT32_MAX ? UINT32_MAX : (uint32_t)((uint64_t)valid_s * 3 / 4);
}

/* shortest() - preferred time of the first to end, of those that are given; 0: none is */
static uint32_t shortest(const struct dhcp6_ia_answer *ia)
{
	uint32_t s = 0;

	for (unsigned i = 0; i < ia->ngiven; i++) {
		uint32_t p = preferred(ia->given[i].valid_s);

		if (p && (!s || p < s))
			s = p;
	}
	return s;
}

static void add_given(struct writer *w, const struct dhcp6_given *g)
{
	bool prefix = g->place.len < 128;
	size_t at = option_open(w, prefix ? OPTION6_IA_PREFIX : OPTION6_IA_ADDRESS);

	if (!prefix)
		write_bytes(w, g->place.addr.bytes, ADDR_SIZE);
	write_u32(w, preferred(g->valid_s));
	write_u32(w, g->valid_s);
	if (prefix) {
		write_u8(w, g->place.len);
		write_bytes(w, g->place.addr.bytes, ADDR_SIZE);
	}
	option_close(w, at);
}

/* RFC 8415 21.4: T1 and T2 are a half and four fifths of the shortest preferred time */
static void add_ia(struct writer *w, const struct dhcp6_ia_answer *ia)
{
	uint32_t s = shortest(ia);
	size_t at = option_open(w, ia->type);

	write_u32(w, ia->iaid);
	if (ia->type != OPTION6_IA_TA) {
		write_u32(w, s == UINT32_MAX ? s : s / 2);
		write_u32(w, s == UINT32_MAX ? s : (uint32_t)((uint64_t)s * 4 / 5));
	}
	for (unsigned i = 0; i < ia->ngiven; i++)
		add_given(w, &ia->given[i]);
	add_status(w, ia->status);
	option_close(w, at);
}

/* ---- settings ---- */

static void add_search(struct writer *w, const struct dhcp6_conf *conf)
{
	struct dns_name name;

	if (conf->domain[0] && dns_name_from_text(&name, conf->domain) == 0)
		option_bytes(w, OPTION6_SEARCH, name.wire, name.size);
}

static void add_ntp(struct writer *w, const struct dhcp6_conf *conf)
{
	size_t at = conf->nntp ? option_open(w, OPTION6_NTP) : 0;

	for (unsigned i = 0; i < conf->nntp; i++)
		option_bytes(w, NTP_SERVER_ADDRESS, conf->ntp[i].bytes, ADDR_SIZE);
	if (conf->nntp)
		option_close(w, at);
}

/* add_name() - the name by which others find it, whatever it calls itself */
static void add_name(struct writer *w, const struct dhcp6_conf *conf, const struct dhcp6_answer *a)
{
	char text[sizeof(conf->domain) + NAME_MAX_SIZE + 1];
	struct dns_name name;
	size_t at;

	if (!conf->domain[0] || a->information)
		return;
	snprintf(text, sizeof(text), "%s.%s", a->name, conf->domain);
	if (dns_name_from_text(&name, text) < 0)
		return;
	at = option_open(w, OPTION6_NAME);
	write_u8(w, NAME_SERVER_UPDATES | NAME_OVERRIDDEN);
	write_bytes(w, name.wire, name.size);
	option_close(w, at);
}

/* add_asked() - one option of the guest's list, if we have it */
static void add_asked(struct writer *w, const struct dhcp6_conf *conf, const struct dhcp6_answer *a, uint16_t code)
{
	switch (code) {
	case OPTION6_DNS:
		if (!addr_is_none(conf->dns))
			option_bytes(w, code, conf->dns.bytes, ADDR_SIZE);
		break;
	case OPTION6_SEARCH:
		add_search(w, conf);
		break;
	case OPTION6_NTP:
		add_ntp(w, conf);
		break;
	case OPTION6_NAME:
		add_name(w, conf, a);
		break;
	case OPTION6_SOL_MAX_RT:
		option_u32(w, code, SOL_MAX_RT_S);
		break;
	case OPTION6_REFRESH_TIME:
		if (a->information)
			option_u32(w, code, REFRESH_S);
		break;
	case OPTION6_CAPTIVE_PORTAL:
		if (conf->captive_portal[0])
			option_bytes(w, code, conf->captive_portal, strlen(conf->captive_portal));
		break;
	}
}

/* known_option() - the place of an option that we may have, or -1 */
static int known_option(uint16_t code)
{
	static const uint16_t known[] = {
		OPTION6_DNS, OPTION6_SEARCH, OPTION6_NTP, OPTION6_NAME, OPTION6_SOL_MAX_RT, OPTION6_REFRESH_TIME, OPTION6_CAPTIVE_PORTAL,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == code)
			return (int)i;
	return -1;
}

/* add_settings() - in the guest's order; one without a list gets what every guest needs */
static void add_settings(struct writer *w, const struct dhcp6_conf *conf, const struct dhcp6_message *m, const struct dhcp6_answer *a)
{
	static const uint16_t unasked[] = { OPTION6_DNS, OPTION6_SEARCH };
	unsigned said = 0;		/* a list may be 700 long, and each option is wanted once */
	bool name = false;

	for (size_t i = 0; i < m->request_count; i++) {
		uint16_t code = get_u16(m->request + 2 * i);
		int at = known_option(code);

		name |= code == OPTION6_NAME;
		if (at >= 0 && !(said >> at & 1))
			add_asked(w, conf, a, code);
		said |= at >= 0 ? 1u << at : 0;
	}
	for (size_t i = 0; !m->request && i < ARRAY_SIZE(unasked); i++)
		add_asked(w, conf, a, unasked[i]);
	if (m->has_name && !name)
		add_asked(w, conf, a, OPTION6_NAME);
}

/* ---- messages ---- */

static void write_message(struct writer *w, const struct dhcp6_conf *conf, const struct dhcp6_message *m, const struct dhcp6_answer *a)
{
	static const uint8_t only = PREFERENCE_ONLY;

	write_u8(w, (uint8_t)a->type);
	write_bytes(w, m->xid, DHCP6_XID_SIZE);
	option_bytes(w, OPTION6_SERVER_ID, conf->duid, sizeof(conf->duid));
	if (m->client_id)
		option_bytes(w, OPTION6_CLIENT_ID, m->client_id, m->client_id_size);
	if (a->type == DHCP6_ADVERTISE)
		option_bytes(w, OPTION6_PREFERENCE, &only, sizeof(only));
	if (a->rapid_commit)
		option_bytes(w, OPTION6_RAPID_COMMIT, "", 0);
	add_status(w, a->status);
	for (unsigned i = 0; i < a->nias; i++)
		add_ia(w, &a->ia[i]);
	if (a->settings)
		add_settings(w, conf, m, a);
}

/* RFC 8415 19.3: what a relay put around the message is around the answer, with the same addresses */
static void write_relay(struct writer *w, const struct dhcp6_relay *relay)
{
	write_u8(w, DHCP6_RELAY_REPLY);
	write_u8(w, relay->hops);
	write_bytes(w, relay->link.bytes, ADDR_SIZE);
	write_bytes(w, relay->peer.bytes, ADDR_SIZE);
	if (relay->interface_id)
		option_bytes(w, OPTION6_INTERFACE_ID, relay->interface_id, relay->interface_id_size);
	if (relay->port)
		option_bytes(w, OPTION6_RELAY_PORT, relay->port, 2);
}

int dhcp6_reply_build(const struct dhcp6_conf *conf, const struct dhcp6_message *m, const struct dhcp6_relays *relays,
		      const struct dhcp6_answer *a, uint8_t *reply, size_t room)
{
	struct writer w = writer_init(reply, room);
	size_t inside[DHCP6_RELAYS_MAX];

	for (unsigned i = 0; i < relays->n; i++) {
		write_relay(&w, &relays->of[i]);
		inside[i] = option_open(&w, OPTION6_RELAY_MESSAGE);
	}
	write_message(&w, conf, m, a);
	for (unsigned i = relays->n; i-- > 0;)
		option_close(&w, inside[i]);
	return w.overrun ? -EMSGSIZE : (int)w.pos;
}
