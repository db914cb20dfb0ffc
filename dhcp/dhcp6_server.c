// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dhcp6_server.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/dhcp6_reply.h"

enum { DUID_LINK = 3, HARDWARE_ETHERNET = 1 };

/* turn - one message on its way through */
struct turn {
	struct dhcp6_server *s;
	const struct dhcp6_request *from;
	struct dhcp6_message m;
	struct dhcp6_relays relays;
	uint8_t mac[MAC_SIZE];
	int64_t now_s;
	struct guest_traits traits;
	struct dhcp_profile profile;
	uint32_t lease_s;		/* of what this guest is given */
	struct dhcp6_result *result;
	struct dhcp6_answer answer;
	unsigned ngood;			/* IAs that got something */
	bool store;			/* one of them cannot be answered truly, because the store refuses writes */
};

/* ---- IAs ---- */

static bool on_link(const struct turn *t, struct prefix6 item)
{
	return item.len < 128 || addr_in(t->s->conf.subnet, item.addr);
}

/* holds() - of an IA the item that we could have given, or the first; NULL: it holds none. A prefix without address is a mere wish. */
static const struct prefix6 *holds(const struct turn *t, const struct dhcp6_ia *ia)
{
	const struct prefix6 *first = NULL;

	for (unsigned i = 0; i < ia->nitems; i++) {
		if (addr_is_none(ia->item[i].addr))
			continue;
		if (lease6_is_ours(t->s->leases, ia->item[i]))
			return &ia->item[i];
		first = first ? first : &ia->item[i];
	}
	return first;
}

static struct lease6_guest guest_of(const struct turn *t, const struct dhcp6_ia *ia)
{
	const struct dhcp6_relay *first = t->relays.n ? &t->relays.of[t->relays.n - 1] : NULL;

	return (struct lease6_guest){
		.port = t->from->port, .mac = ia->type == OPTION6_IA_PD ? t->from->src_mac : t->mac, .duid = t->m.client_id, .duid_size = t->m.client_id_size, .iaid = ia->iaid,
		.prefix = ia->type == OPTION6_IA_PD, .len = ia->type == OPTION6_IA_PD && ia->nitems ? ia->item[0].len : 0,
		.via = t->from->src, .hostname = t->m.hostname, .circuit = first ? first->interface_id : NULL,
		.circuit_size = first ? first->interface_id_size : 0,
	};
}

/* nothing_left() - the status that says that an IA of this sort gets nothing */
static enum dhcp6_status nothing_left(const struct dhcp6_ia *ia)
{
	return ia->type == OPTION6_IA_PD ? STATUS6_NO_PREFIX : STATUS6_NO_ADDRESSES;
}

static struct dhcp6_ia_answer *answer_ia(struct turn *t, const struct dhcp6_ia *ia, enum dhcp6_status status)
{
	struct dhcp6_ia_answer *to = &t->answer.ia[t->answer.nias++];

	*to = (struct dhcp6_ia_answer){ .type = ia->type, .iaid = ia->iaid, .status = status };
	return to;
}

/* answer_given() - @place, and of what the client has nothing else */
static void answer_given(struct turn *t, const struct dhcp6_ia *ia, struct prefix6 place, uint32_t valid_s)
{
	struct dhcp6_ia_answer *to = answer_ia(t, ia, STATUS6_NONE);

	to->given[to->ngiven++] = (struct dhcp6_given){ place, valid_s };
	for (unsigned i = 0; i < ia->nitems; i++)
		if (!addr_is_none(ia->item[i].addr) && !addr_equal(ia->item[i].addr, place.addr))
			to->given[to->ngiven++] = (struct dhcp6_given){ ia->item[i], 0 };
	t->ngood++;
}

/* answer_lost() - nothing of what the client has is its own */
static void answer_lost(struct turn *t, const struct dhcp6_ia *ia)
{
	struct dhcp6_ia_answer *to = answer_ia(t, ia, STATUS6_NONE);

	for (unsigned i = 0; i < ia->nitems; i++)
		if (!addr_is_none(ia->item[i].addr))
			to->given[to->ngiven++] = (struct dhcp6_given){ ia->item[i], 0 };
	t->ngood++;
}

static void answer_nothing(struct turn *t, const struct dhcp6_ia *ia, int rc)
{
	answer_ia(t, ia, nothing_left(ia));
	t->result->exhausted |= rc == -ENOSPC || rc == -EDQUOT;
}

/* ---- giving ---- */

static void offer(struct turn *t, const struct dhcp6_ia *ia)
{
	struct lease6_guest who = guest_of(t, ia);
	struct prefix6 place;
	int rc = ia->type == OPTION6_IA_TA ? -EOPNOTSUPP : lease6_choose(t->s->leases, &who, holds(t, ia), t->now_s, &place);

	if (rc == 0 && !t->from->store_ok && !lease6_durable_left(t->s->leases, &who, t->now_s))
		rc = -EIO;		/* what cannot be bound is not offered */
	if (rc < 0)
		answer_nothing(t, ia, rc);
	else
		answer_given(t, ia, place, t->lease_s);
}

/* give() - bind, or renew */
static void give(struct turn *t, const struct dhcp6_ia *ia)
{
	struct dhcp6_result *r = t->result;
	struct lease6_guest who = guest_of(t, ia);
	struct lease6_record had;
	uint32_t left_s;
	bool durable = false;
	int rc;

	if (ia->type == OPTION6_IA_TA) {
		answer_nothing(t, ia, -EOPNOTSUPP);
		return;
	}
	if (!t->from->store_ok) {	/* what is left of the durable binding, and nothing else */
		left_s = lease6_durable_left(t->s->leases, &who, t->now_s);
		if (left_s && lease6_has(t->s->leases, &who, &had) == 0)
			answer_given(t, ia, had.place, MIN_OF(left_s, t->lease_s));
		t->store |= !left_s;
		return;
	}
	rc = lease6_bind(t->s->leases, &who, holds(t, ia), t->lease_s, t->now_s, &r->records[r->nrecords], &durable);
	if (rc < 0) {
		answer_nothing(t, ia, rc);
		return;
	}
	answer_given(t, ia, r->records[r->nrecords].place, t->lease_s);
	r->nrecords++;
	r->durable_first |= !durable;
}

/* ---- the messages (RFC 8415 18.3) ---- */

static enum dhcp6_outcome reply(struct turn *t, enum dhcp6_type type, enum dhcp6_outcome good)
{
	if (t->store && !t->ngood)
		return DHCP6_OUT_STORE;
	t->answer.type = type;
	t->answer.settings = true;
	return t->ngood || !t->m.nias ? good : DHCP6_OUT_REFUSED;
}

static enum dhcp6_outcome on_solicit(struct turn *t)
{
	bool commit = t->m.rapid_commit;

	for (unsigned i = 0; i < t->m.nias; i++)
		(commit ? give : offer)(t, &t->m.ia[i]);
	t->answer.rapid_commit = commit;
	return commit ? reply(t, DHCP6_REPLY, DHCP6_OUT_REPLY) : reply(t, DHCP6_ADVERTISE, DHCP6_OUT_ADVERTISE);
}

static bool any_off_link(const struct turn *t, const struct dhcp6_ia *ia)
{
	for (unsigned i = 0; i < ia->nitems; i++)
		if (!on_link(t, ia->item[i]))
			return true;
	return false;
}

static enum dhcp6_outcome on_request(struct turn *t)
{
	for (unsigned i = 0; i < t->m.nias; i++) {
		if (any_off_link(t, &t->m.ia[i]))
			answer_ia(t, &t->m.ia[i], STATUS6_NOT_ON_LINK);
		else
			give(t, &t->m.ia[i]);
	}
	return reply(t, DHCP6_REPLY, DHCP6_OUT_REPLY);
}

/* extend() - one IA of a client that renews, or (@anybody) asks whoever is there */
static void extend(struct turn *t, const struct dhcp6_ia *ia, bool anybody)
{
	struct lease6_guest who = guest_of(t, ia);
	const struct prefix6 *has = holds(t, ia);

	if (ia->type != OPTION6_IA_TA && (lease6_has(t->s->leases, &who, NULL) == 0 || (has && lease6_may_have(t->s->leases, &who, *has))))
		give(t, ia);
	else if (ia->type != OPTION6_IA_TA && has && !lease6_is_ours(t->s->leases, *has) && t->from->store_ok)
		give(t, ia);		/* of another place or time: it is told so, and has a new one at once */
	else if (anybody && has)
		answer_lost(t, ia);
	else if (!anybody)
		answer_ia(t, ia, STATUS6_NO_BINDING);
}

static enum dhcp6_outcome on_extend(struct turn *t, bool anybody)
{
	for (unsigned i = 0; i < t->m.nias; i++)
		extend(t, &t->m.ia[i], anybody);
	if (anybody && !t->answer.nias && !t->store)
		return DHCP6_OUT_UNDECIDED;
	return reply(t, DHCP6_REPLY, DHCP6_OUT_REPLY);
}

/* RFC 8415 18.3.3: it is about the link alone, not whose the addresses are */
static enum dhcp6_outcome on_confirm(struct turn *t)
{
	unsigned n = 0;
	bool off = false;

	for (unsigned i = 0; i < t->m.nias; i++) {
		if (t->m.ia[i].type == OPTION6_IA_PD)
			continue;
		n += t->m.ia[i].nitems;
		off |= any_off_link(t, &t->m.ia[i]);
	}
	if (!n)
		return DHCP6_OUT_UNDECIDED;
	t->answer.type = DHCP6_REPLY;
	t->answer.status = off ? STATUS6_NOT_ON_LINK : STATUS6_SUCCESS;
	return DHCP6_OUT_CONFIRM;
}

typedef int give_up_fn(struct lease6_table *t, const struct lease6_guest *who, struct prefix6 place, int64_t now_s, struct lease6_record *record);

static enum dhcp6_outcome on_give_up(struct turn *t, give_up_fn *give_up, enum dhcp6_outcome good)
{
	struct dhcp6_result *r = t->result;

	for (unsigned i = 0; i < t->m.nias; i++) {
		const struct dhcp6_ia *ia = &t->m.ia[i];
		struct lease6_guest who = guest_of(t, ia);
		unsigned before = r->nrecords;

		for (unsigned k = 0; k < ia->nitems && r->nrecords == before; k++)
			r->nrecords += give_up(t->s->leases, &who, ia->item[k], t->now_s, &r->records[r->nrecords]) == 0;
		if (r->nrecords == before)
			answer_ia(t, ia, STATUS6_NO_BINDING);
	}
	t->answer.type = DHCP6_REPLY;
	t->answer.status = STATUS6_SUCCESS;
	return r->nrecords ? good : DHCP6_OUT_REFUSED;
}

static enum dhcp6_outcome on_inform(struct turn *t)
{
	t->answer.type = DHCP6_REPLY;
	t->answer.settings = t->answer.information = true;
	return DHCP6_OUT_INFORM;
}

static enum dhcp6_outcome decide(struct turn *t)
{
	if (t->profile.refused)
		return DHCP6_OUT_DENIED;
	switch (t->m.type) {
	case DHCP6_SOLICIT:
		return on_solicit(t);
	case DHCP6_REQUEST:
		return on_request(t);
	case DHCP6_CONFIRM:
		return on_confirm(t);
	case DHCP6_RENEW:
		return on_extend(t, false);
	case DHCP6_REBIND:
		return on_extend(t, true);
	case DHCP6_RELEASE:
		return on_give_up(t, lease6_release, DHCP6_OUT_RELEASE);
	case DHCP6_DECLINE:
		return on_give_up(t, lease6_decline, DHCP6_OUT_DECLINE);
	}
	return on_inform(t);
}

/* ---- what is looked at at all (RFC 8415 16) ---- */

enum wants { WANTS_NONE, WANTS_OURS, WANTS_NONE_OR_OURS };

/* rule - which identifiers a message must have, and whether one that came to our own address is told that it should not */
static const struct rule {
	bool known, client;
	enum wants server;
	bool redirect;
} rules[] = {
	[DHCP6_SOLICIT] = { true, true, WANTS_NONE, false },
	[DHCP6_REQUEST] = { true, true, WANTS_OURS, true },
	[DHCP6_CONFIRM] = { true, true, WANTS_NONE, false },
	[DHCP6_RENEW] = { true, true, WANTS_OURS, true },
	[DHCP6_REBIND] = { true, true, WANTS_NONE, false },
	[DHCP6_RELEASE] = { true, true, WANTS_OURS, true },
	[DHCP6_DECLINE] = { true, true, WANTS_OURS, true },
	[DHCP6_INFORMATION_REQUEST] = { true, false, WANTS_NONE_OR_OURS, false },
};

static bool server_fits(const struct turn *t, enum wants wants)
{
	const struct dhcp6_message *m = &t->m;

	if (!m->server_id)
		return wants != WANTS_OURS;
	return wants != WANTS_NONE && m->server_id_size == sizeof(t->s->conf.duid) && !memcmp(m->server_id, t->s->conf.duid, m->server_id_size);
}

/* admit_relays() - RFC 8415 19.3: the relay that is next to the client, and has an address there, says where that is */
static bool admit_relays(const struct turn *t)
{
	for (unsigned i = t->relays.n; i-- > 0;)
		if (!addr_is_none(t->relays.of[i].link))
			return addr_in(t->s->conf.subnet, t->relays.of[i].link);
	return true;
}

static void find_mac(struct turn *t)
{
	memcpy(t->mac, t->from->src_mac, MAC_SIZE);
	if (!t->relays.n)
		return;
	if (t->relays.link_address)
		memcpy(t->mac, t->relays.link_address, MAC_SIZE);
	else if (t->m.client_id)
		dhcp6_duid_mac(t->m.client_id, t->m.client_id_size, t->mac);
}

/* admit() - Return: -1 for a message to decide on, or what has become of it */
static int admit(struct turn *t, const uint8_t *data, size_t size)
{
	const struct rule *rule;
	int rc = dhcp6_relays_parse(&t->relays, &data, &size);

	if (rc < 0)
		return rc == -ELOOP ? DHCP6_OUT_RELAY : DHCP6_OUT_MALFORMED;
	if (!admit_relays(t))
		return DHCP6_OUT_RELAY;
	if (dhcp6_message_parse(&t->m, data, size) < 0)
		return DHCP6_OUT_MALFORMED;
	t->result->type = t->m.type;
	if (t->m.type >= ARRAY_SIZE(rules) || !rules[t->m.type].known)
		return DHCP6_OUT_UNEXPECTED;
	rule = &rules[t->m.type];
	if ((rule->client && !t->m.client_id) || (t->m.type == DHCP6_INFORMATION_REQUEST && t->m.nias))
		return DHCP6_OUT_IDENTIFIERS;
	if (!server_fits(t, rule->server))
		return t->m.server_id && rule->server != WANTS_NONE ? DHCP6_OUT_FOREIGN_SERVER : DHCP6_OUT_IDENTIFIERS;
	find_mac(t);
	if (t->relays.n || addr_is_multicast(t->from->dst))
		return -1;
	if (rule->redirect) {
		t->answer.type = DHCP6_REPLY;
		t->answer.status = STATUS6_USE_MULTICAST;
	}
	return DHCP6_OUT_MULTICAST;
}

void dhcp6_server_profile(const struct dhcp6_server *s, const struct guest_id *id, const struct dhcp6_message *m, struct guest_traits *traits,
			  struct dhcp_profile *profile)
{
	const struct dhcp6_conf *c = &s->conf;

	traits6(traits, id, m);
	profile_make(profile, OPTIONS6, &(struct dhcp_sayers){ &c->says, c->classes, c->nclasses, c->reservations }, traits);
}

/* begin() - who asks, and what is said about him */
static void begin(struct turn *t)
{
	const struct lease6_guest who = guest_of(t, &(struct dhcp6_ia){ .type = OPTION6_IA_NA });
	const struct guest_id id = {
		.port = who.port, .mac = who.mac, .client_id = who.duid, .client_id_size = who.duid_size, .circuit = who.circuit,
		.circuit_size = who.circuit_size,
	};
	const struct dhcp_profile *p = &t->profile;
	uint32_t said_s;

	dhcp6_server_profile(t->s, &id, &t->m, &t->traits, &t->profile);
	said_s = profile_lease_s(p, NULL);
	t->lease_s = said_s ? said_s : t->s->conf.lease_s;
	t->answer.traits = &t->traits;
	t->answer.profile = p;
	t->answer.name = p->reservation && p->reservation->hostname[0] ? p->reservation->hostname : t->from->port;
}

void dhcp6_server_duid(struct dhcp6_conf *conf, const uint8_t gateway_mac[MAC_SIZE])
{
	put_u16(conf->duid, DUID_LINK);
	put_u16(conf->duid + 2, HARDWARE_ETHERNET);
	memcpy(conf->duid + 4, gateway_mac, MAC_SIZE);
}

size_t dhcp6_server_input(struct dhcp6_server *s, const struct dhcp6_request *from, const uint8_t *data, size_t size, int64_t now_wall_s,
			  uint8_t *to, size_t room, struct dhcp6_result *result)
{
	struct turn t;			/* its profile is long: that is not cleared for nothing */
	int outcome, n;

	memset(result, 0, offsetof(struct dhcp6_result, records));
	t.s = s;
	t.from = from;
	t.now_s = now_wall_s;
	t.result = result;
	t.ngood = 0;
	t.store = false;
	t.answer = (struct dhcp6_answer){ .status = STATUS6_NONE };
	outcome = admit(&t, data, size);
	if (outcome < 0)
		begin(&t);
	result->outcome = outcome < 0 ? decide(&t) : (enum dhcp6_outcome)outcome;
	if (!t.answer.type)
		return 0;
	result->dst = from->src;
	result->dst_port = t.relays.n ? t.relays.of[0].port ? from->sport : DHCP6_SERVER_PORT : DHCP6_CLIENT_PORT;
	n = dhcp6_reply_build(&s->conf, &t.m, &t.relays, &t.answer, to, room);
	return n < 0 ? 0 : (size_t)n;
}

const char *dhcp6_outcome_name(enum dhcp6_outcome outcome)
{
	static const char *const names[DHCP6_OUT_COUNT] = {
		[DHCP6_OUT_ADVERTISE] = "advertise", [DHCP6_OUT_REPLY] = "reply", [DHCP6_OUT_INFORM] = "inform",
		[DHCP6_OUT_RELEASE] = "release", [DHCP6_OUT_DECLINE] = "decline", [DHCP6_OUT_CONFIRM] = "confirm",
		[DHCP6_OUT_REFUSED] = "refused", [DHCP6_OUT_MULTICAST] = "multicast", [DHCP6_OUT_UNDECIDED] = "undecided",
		[DHCP6_OUT_DENIED] = "denied", [DHCP6_OUT_STORE] = "store", [DHCP6_OUT_FOREIGN_SERVER] = "foreign-server", [DHCP6_OUT_IDENTIFIERS] = "identifiers",
		[DHCP6_OUT_RELAY] = "relay", [DHCP6_OUT_UNEXPECTED] = "unexpected", [DHCP6_OUT_MALFORMED] = "malformed",
	};

	return outcome < DHCP6_OUT_COUNT ? names[outcome] : "?";
}
