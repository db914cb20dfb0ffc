// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dhcp6_reply.h"

#include <errno.h>
#include <string.h>

#include "dhcp/dhcp6_write.h"

enum { PREFERENCE_ONLY = 255 };		/* RFC 8415 18.2.1: who reads this waits for no other server */

static void add_status(struct writer *w, enum dhcp6_status status)
{
	static const char *const says[] = {
		"", "failed", "no address is left", "this is not yours", "not an address of this link", "send to the group ff02::1:2",
		"no prefix is left",
	};
	size_t at;

	if (status == STATUS6_NONE)
		return;
	at = option6_open(w, OPTION6_STATUS);
	write_u16(w, (uint16_t)status);
	write_bytes(w, says[status], strlen(says[status]));
	option6_close(w, at);
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
	size_t at = option6_open(w, prefix ? OPTION6_IA_PREFIX : OPTION6_IA_ADDRESS);

	if (!prefix)
		write_bytes(w, g->place.addr.bytes, ADDR_SIZE);
	write_u32(w, preferred(g->valid_s));
	write_u32(w, g->valid_s);
	if (prefix) {
		write_u8(w, g->place.len);
		write_bytes(w, g->place.addr.bytes, ADDR_SIZE);
	}
	option6_close(w, at);
}

/* RFC 8415 21.4: T1 and T2 are a half and four fifths of the shortest preferred time */
static void add_ia(struct writer *w, const struct dhcp6_ia_answer *ia)
{
	uint32_t s = shortest(ia);
	size_t at = option6_open(w, ia->type);

	write_u32(w, ia->iaid);
	if (ia->type != OPTION6_IA_TA) {
		write_u32(w, s == UINT32_MAX ? s : s / 2);
		write_u32(w, s == UINT32_MAX ? s : (uint32_t)((uint64_t)s * 4 / 5));
	}
	for (unsigned i = 0; i < ia->ngiven; i++)
		add_given(w, &ia->given[i]);
	add_status(w, ia->status);
	option6_close(w, at);
}

/* ---- messages ---- */

static void write_message(struct writer *w, const struct dhcp6_conf *conf, const struct dhcp6_message *m, const struct dhcp6_answer *a)
{
	static const uint8_t only = PREFERENCE_ONLY;

	write_u8(w, (uint8_t)a->type);
	write_bytes(w, m->xid, DHCP6_XID_SIZE);
	option6_bytes(w, OPTION6_SERVER_ID, conf->duid, sizeof(conf->duid));
	if (m->client_id)
		option6_bytes(w, OPTION6_CLIENT_ID, m->client_id, m->client_id_size);
	if (a->type == DHCP6_ADVERTISE)
		option6_bytes(w, OPTION6_PREFERENCE, &only, sizeof(only));
	if (a->rapid_commit)
		option6_bytes(w, OPTION6_RAPID_COMMIT, "", 0);
	add_status(w, a->status);
	for (unsigned i = 0; i < a->nias; i++)
		add_ia(w, &a->ia[i]);
	if (a->settings)
		dhcp6_settings_write(w, conf, m, a);
}

/* RFC 8415 19.3: what a relay put around the message is around the answer, with the same addresses */
static void write_relay(struct writer *w, const struct dhcp6_relay *relay)
{
	write_u8(w, DHCP6_RELAY_REPLY);
	write_u8(w, relay->hops);
	write_bytes(w, relay->link.bytes, ADDR_SIZE);
	write_bytes(w, relay->peer.bytes, ADDR_SIZE);
	if (relay->interface_id)
		option6_bytes(w, OPTION6_INTERFACE_ID, relay->interface_id, relay->interface_id_size);
	if (relay->port)
		option6_bytes(w, OPTION6_RELAY_PORT, relay->port, 2);
}

int dhcp6_reply_build(const struct dhcp6_conf *conf, const struct dhcp6_message *m, const struct dhcp6_relays *relays,
		      const struct dhcp6_answer *a, uint8_t *reply, size_t room)
{
	struct writer w = writer_init(reply, room);
	size_t inside[DHCP6_RELAYS_MAX];

	for (unsigned i = 0; i < relays->n; i++) {
		write_relay(&w, &relays->of[i]);
		inside[i] = option6_open(&w, OPTION6_RELAY_MESSAGE);
	}
	write_message(&w, conf, m, a);
	for (unsigned i = relays->n; i-- > 0;)
		option6_close(&w, inside[i]);
	return w.overrun ? -EMSGSIZE : (int)w.pos;
}
