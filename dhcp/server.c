// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/server.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "dhcp/relay_info.h"
#include "dhcp/server_reply.h"
#include "dhcp/server_turn.h"

enum { HOPS_MAX = 16 };		/* RFC 1542 4.1.1 */

/* refuse() - what is counted when the lease table says no */
static enum dhcp_outcome refuse(int rc)
{
	switch (rc) {
	case -EDQUOT:
		return DHCP_OUT_QUOTA;
	case -ENOSPC:
		return DHCP_OUT_EXHAUSTED;
	case -ENOMEM:
		return DHCP_OUT_NO_MEMORY;
	}
	return DHCP_OUT_NAK;
}

uint32_t server_lease_time(const struct turn *t)
{
	const struct dhcp_conf *c = &t->s->conf;
	uint32_t min_s = c->lease_min_s ? c->lease_min_s : MIN_OF(c->lease_s, 60u);
	uint32_t said_s = profile_lease_s(&t->profile, NULL), usual_s = said_s ? said_s : c->lease_s;
	uint32_t max_s = said_s ? said_s : c->lease_max_s ? c->lease_max_s : c->lease_s;

	if (!t->m.has_lease)
		return usual_s;
	return MIN_OF(MAX_OF(t->m.lease_s, min_s), max_s);
}

static enum dhcp_outcome answer(struct turn *t, enum dhcp_outcome outcome, enum dhcp_type type, uint32_t ip, uint32_t lease_s)
{
	t->answer.type = type;
	t->answer.yiaddr = ip;
	t->answer.lease_s = lease_s;
	return outcome;
}

/* grant() - the guest wants this very address
 * @adopt: it says that it has it already
 */
static enum dhcp_outcome grant(struct turn *t, uint32_t ip, bool adopt, uint32_t lease_s)
{
	struct dhcp_result *r = t->result;
	uint32_t left_s;
	bool durable;
	int rc;

	if (!t->from->store_ok) {	/* what is left of the durable lease, and nothing else */
		left_s = lease_durable_left(t->s->leases, &t->who, ip, t->now_s);
		return left_s ? answer(t, DHCP_OUT_ACK, DHCP_ACK, ip, MIN_OF(left_s, lease_s)) : DHCP_OUT_STORE;
	}
	rc = lease_bind(t->s->leases, &t->who, ip, adopt, lease_s, t->now_s, &r->record, &durable);
	if (rc == 0) {
		r->has_record = true;
		r->durable_first = !durable;
		return answer(t, DHCP_OUT_ACK, DHCP_ACK, ip, lease_s);
	}
	return refuse(rc) == DHCP_OUT_NAK ? answer(t, DHCP_OUT_NAK, DHCP_NAK, 0, 0) : refuse(rc);
}

/* choose() - hold an address for the guest. Return: 0, or the outcome and a negative errno. */
static int choose(struct turn *t, uint32_t *ip, enum dhcp_outcome *outcome)
{
	int rc;

	/* What cannot be bound is not offered. */
	*outcome = DHCP_OUT_STORE;
	if (!t->from->store_ok && !lease_durable_left(t->s->leases, &t->who, 0, t->now_s))
		return -EIO;
	rc = lease_offer(t->s->leases, &t->who, t->m.requested_ip, t->now_s, ip);
	*outcome = refuse(rc);
	return rc;
}

/* does_without() - RFC 8925: the guest asks to be told if it can do without IPv4, and it can */
static bool does_without(const struct turn *t)
{
	const struct option_item *item = profile_option(&t->profile, OPTION_V6ONLY, NULL);

	return item && item->send != OPTION_NEVER && message_asks(&t->m, OPTION_V6ONLY);
}

/* no_address() - RFC 2563 2.3: a guest that would then choose an address by itself, and says so, is told not to where that is set; others
 * hear nothing
 */
static enum dhcp_outcome no_address(struct turn *t, enum dhcp_outcome outcome)
{
	const struct option_item *item = profile_option(&t->profile, OPTION_AUTO_CONFIG, NULL);
	size_t size;

	if (t->m.type == DHCP_DISCOVER && message_option(&t->m, OPTION_AUTO_CONFIG, &size) && item && item->send != OPTION_NEVER &&
	    item->size == 1 && item->data[0] == 0)
		t->answer.type = DHCP_OFFER;
	return outcome;
}

static enum dhcp_outcome on_discover(struct turn *t)
{
	enum dhcp_outcome outcome;
	size_t size;
	uint32_t ip;

	if (choose(t, &ip, &outcome) < 0)
		return no_address(t, outcome);
	if (t->s->conf.rapid_commit && message_option(&t->m, OPTION_RAPID_COMMIT, &size)) {
		t->answer.rapid = true;
		return grant(t, ip, false, server_lease_time(t));
	}
	if (does_without(t))
		lease_withdraw(t->s->leases, &t->who, t->now_s);
	return answer(t, DHCP_OUT_OFFER, DHCP_OFFER, ip, server_lease_time(t));
}

/* RFC 1534 2: without a lease time in its protocol, its lease has no end */
static enum dhcp_outcome on_bootp(struct turn *t)
{
	enum dhcp_outcome outcome;
	uint32_t ip;

	if (choose(t, &ip, &outcome) < 0)
		return outcome;
	t->answer.bootp = true;
	return grant(t, ip, false, DHCP_INFINITE);
}

/* names_us() - does the guest mean us by its server identifier? */
static bool names_us(const struct turn *t)
{
	return t->m.server_id == t->s->conf.server_ip || t->m.server_id == t->answer.server_id;
}

/* RFC 2131 4.3.2: the state a client is in shows in which of ciaddr, option 50 and option 54 it sends */
static enum dhcp_outcome on_request(struct turn *t)
{
	const struct dhcp_message *m = &t->m;

	if (m->server_id && !names_us(t)) {
		lease_withdraw(t->s->leases, &t->who, t->now_s);
		return DHCP_OUT_FOREIGN_SERVER;
	}
	if (m->server_id)		/* SELECTING */
		return m->requested_ip && !m->ciaddr ? grant(t, m->requested_ip, false, server_lease_time(t)) : DHCP_OUT_MALFORMED;
	if (!m->ciaddr)			/* INIT-REBOOT */
		return m->requested_ip ? grant(t, m->requested_ip, true, server_lease_time(t)) : DHCP_OUT_MALFORMED;
	if (m->requested_ip && m->requested_ip != m->ciaddr)
		return DHCP_OUT_MALFORMED;
	return grant(t, m->ciaddr, true, server_lease_time(t));	/* RENEWING, REBINDING */
}

static enum dhcp_outcome on_release(struct turn *t)
{
	struct dhcp_result *r = t->result;

	if (!names_us(t) ||
	    lease_release(t->s->leases, &t->who, t->m.ciaddr, t->now_s, &r->record) < 0)
		return DHCP_OUT_STRANGER;
	r->has_record = true;
	return DHCP_OUT_RELEASE;
}

static enum dhcp_outcome on_decline(struct turn *t)
{
	struct dhcp_result *r = t->result;

	if (!names_us(t) || !t->m.requested_ip ||
	    lease_decline(t->s->leases, &t->who, t->m.requested_ip, t->now_s, &r->record) < 0)
		return DHCP_OUT_STRANGER;
	r->has_record = true;
	return DHCP_OUT_DECLINE;
}

/* RFC 2131 4.3.5: settings for a guest that has its address from elsewhere; nothing is bound */
static enum dhcp_outcome on_inform(struct turn *t)
{
	uint32_t to = t->m.ciaddr ? t->m.ciaddr : t->from->src_ip;

	if (!prefix4_has(t->s->conf.subnet, to))
		return DHCP_OUT_MALFORMED;
	t->answer.to = to;
	return answer(t, DHCP_OUT_INFORM, DHCP_ACK, 0, 0);
}

static enum dhcp_outcome decide(struct turn *t)
{
	if (t->profile.refused)
		return no_address(t, DHCP_OUT_REFUSED);
	switch (t->m.type) {
	case DHCP_NO_TYPE:
		return on_bootp(t);
	case DHCP_DISCOVER:
		return on_discover(t);
	case DHCP_REQUEST:
		return on_request(t);
	case DHCP_RELEASE:
		return on_release(t);
	case DHCP_DECLINE:
		return on_decline(t);
	case DHCP_INFORM:
		return on_inform(t);
	}
	return DHCP_OUT_UNEXPECTED;
}

/* guest_mac() - the guest's half of its identity; an address that is no Ethernet one is a key of the same size */
static int guest_mac(const struct dhcp_message *m, uint8_t mac[MAC_SIZE])
{
	static const uint8_t none[MAC_SIZE];
	uint64_t h;

	if (m->htype == HTYPE_ETHERNET && m->hlen == MAC_SIZE) {
		memcpy(mac, m->chaddr, MAC_SIZE);
		return mac_is_group(mac) || !memcmp(mac, none, MAC_SIZE) ? -EBADMSG : 0;
	}
	/* not seeded: leases outlive us */
	h = hash_bytes(m->chaddr, DHCP_CHADDR_SIZE, (uint64_t)m->htype << 8 | m->hlen);
	memcpy(mac, &h, MAC_SIZE);
	mac[0] = (mac[0] & 0xfc) | 0x02;
	return 0;
}

/* admit() - is this a client's message, for us, and can it be answered? Return: why not, or -1. */
static int admit(struct turn *t, const uint8_t *data, size_t size)
{
	const struct dhcp_conf *conf = &t->s->conf;
	struct dhcp_message *m = &t->m;
	int rc = message_parse(m, data, size);

	if (rc == -EPROTO && !conf->bootp)
		return DHCP_OUT_BOOTP;
	if (rc < 0 && rc != -EPROTO)
		return DHCP_OUT_MALFORMED;
	t->result->type = m->type;
	if (m->op != BOOTP_REQUEST)
		return DHCP_OUT_UNEXPECTED;
	if (guest_mac(m, t->result->mac) < 0 || !server_reply_fits(conf, m))
		return DHCP_OUT_MALFORMED;
	if (m->hops > HOPS_MAX ||
	    (m->giaddr && (m->giaddr == conf->server_ip || !prefix4_has(conf->subnet, relay_link(m)))))
		return DHCP_OUT_RELAY;
	return -1;
}

/* hear_circuit() - as a relay tells it. Who renews speaks to us directly, and is still who that relay heard (RFC 3046 2.1.1) */
static void hear_circuit(struct turn *t)
{
	struct lease_guest *who = &t->who;

	if (t->m.giaddr)
		who->circuit = relay_sub_option(&t->m, RELAY_CIRCUIT, &who->circuit_size);
	else if (t->m.ciaddr)
		who->circuit_size = lease_circuit(t->s->leases, who, t->m.ciaddr, t->circuit);
	if (who->circuit_size && !who->circuit)
		who->circuit = t->circuit;
}

/* begin() - who asks, and what is said about him */
static void begin(struct turn *t)
{
	const struct dhcp_profile *p = &t->profile;
	uint32_t named_as = relay_address(&t->m, RELAY_SERVER_ID);
	const struct dhcp_conf *c = &t->s->conf;
	struct guest_id id;

	t->who = (struct lease_guest){ .port = t->from->port, .mac = t->result->mac, .hostname = t->m.hostname };
	t->who.client_id = message_option(&t->m, OPTION_CLIENT_ID, &t->who.client_id_size);
	hear_circuit(t);
	id = (struct guest_id){
		.port = t->who.port, .mac = t->who.mac, .client_id = t->who.client_id, .client_id_size = t->who.client_id_size,
		.circuit = t->who.circuit, .circuit_size = t->who.circuit_size,
	};
	traits4(&t->traits, &id, &t->m);
	profile_make(&t->profile, OPTIONS4, &(struct dhcp_sayers){ &c->says, c->classes, c->nclasses, c->reservations }, &t->traits);
	t->who.reserved = p->reservation ? p->reservation->ip : 0;
	t->who.pool = p->pool;
	t->answer = (struct dhcp_answer){
		.traits = &t->traits, .profile = p, .server_id = named_as ? named_as : c->server_ip,
		.name = p->reservation && p->reservation->hostname[0] ? p->reservation->hostname : t->from->port,
	};
}

size_t server_turn(struct turn *t, const uint8_t *data, size_t size, turn_fn *decided, uint8_t *reply, size_t room)
{
	int refused, n;

	memset(t->result, 0, offsetof(struct dhcp_result, record));
	refused = admit(t, data, size);
	if (refused >= 0) {
		t->result->outcome = (enum dhcp_outcome)refused;
		return 0;
	}
	begin(t);
	t->result->outcome = decided(t);
	if (!t->answer.type)
		return 0;
	n = server_reply_build(&t->s->conf, &t->m, &t->answer, reply, room);
	if (n < 0)
		return 0;		/* only with too little room: server_reply_fits() has seen to the rest */
	server_reply_route(&t->m, t->from, &t->answer, t->result);
	return (size_t)n;
}

size_t dhcp_server_input(struct dhcp_server *s, const struct dhcp_request *from, const uint8_t *data, size_t size,
			 int64_t now_wall_s, uint8_t *reply, size_t room, struct dhcp_result *result)
{
	struct turn t;

	t.s = s;
	t.from = from;
	t.now_s = now_wall_s;
	t.result = result;
	return server_turn(&t, data, size, decide, reply, room);
}

const char *dhcp_outcome_name(enum dhcp_outcome outcome)
{
	static const char *const names[DHCP_OUT_COUNT] = {
		[DHCP_OUT_OFFER] = "offer", [DHCP_OUT_ACK] = "ack", [DHCP_OUT_NAK] = "nak", [DHCP_OUT_INFORM] = "inform",
		[DHCP_OUT_RELEASE] = "release", [DHCP_OUT_DECLINE] = "decline",
		[DHCP_OUT_FOREIGN_SERVER] = "foreign-server", [DHCP_OUT_STRANGER] = "stranger",
		[DHCP_OUT_EXHAUSTED] = "exhausted", [DHCP_OUT_QUOTA] = "quota", [DHCP_OUT_STORE] = "store",
		[DHCP_OUT_RELAY] = "relay", [DHCP_OUT_BOOTP] = "bootp", [DHCP_OUT_REFUSED] = "refused", [DHCP_OUT_UNEXPECTED] = "unexpected",
		[DHCP_OUT_MALFORMED] = "malformed", [DHCP_OUT_NO_MEMORY] = "no-memory",
	};

	return outcome < DHCP_OUT_COUNT ? names[outcome] : "?";
}
