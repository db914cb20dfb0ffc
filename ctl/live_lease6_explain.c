// SPDX-License-Identifier: GPL-2.0-or-later
/* The DHCPv6 server is asked what it would answer, and its answer is written for people. */
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/live_lease.h"
#include "dhcp/dhcp6_explain.h"
#include "dhcp/option_value.h"
#include "dhcp/reservation.h"

enum { CLIENT_ID_WITH_DUID = 0xff, DUID_LINK = 3, HARDWARE_ETHERNET = 1 };

/* ---- who is meant ---- */

struct search {
	const struct live_lease6_who *who;
	struct lease6_record found;
	bool any;
};

static void look(void *arg, const struct lease6_record *r)
{
	struct search *s = arg;
	const struct live_lease6_who *w = s->who;
	bool match = w->by_port ? !strcmp(r->port, w->port) : w->by_mac ? !memcmp(r->mac, w->mac, MAC_SIZE) :
		     r->duid_size == w->id_size && !memcmp(r->duid, w->id, w->id_size);

	/* by its address rather than by its prefix, of which the MAC address is that of a router */
	if (!match || r->state != LEASE_BOUND || (s->any && s->found.place.len == 128))
		return;
	s->found = *r;
	s->any = true;
}

bool live_lease6_known(const struct live_segment *seg, const struct live_lease6_who *who, struct lease6_record *found)
{
	struct search s = { .who = who };

	if (!seg->leases6)
		return false;
	lease6_each(seg->leases6, look, &s);
	if (s.any)
		*found = s.found;
	return s.any;
}

/* as_new() - the guest before its first message: with the DUID that its client-id is, or holds (RFC 4361 6.1), or one made of its MAC address */
static void as_new(const struct live_lease6_who *who, struct lease6_record *r)
{
	bool has = who->id_size > 5 + DHCP6_DUID_MIN && who->id[0] == CLIENT_ID_WITH_DUID;
	const uint8_t *duid = has ? who->id + 5 : who->id;
	size_t size = has ? who->id_size - 5 : who->id_size;

	*r = (struct lease6_record){ .iaid = has ? get_u32(who->id + 1) : 1 };
	memcpy(r->mac, who->mac, MAC_SIZE);
	if (size >= DHCP6_DUID_MIN && size <= sizeof(r->duid) && !duid[0]) {	/* no type of a DUID is above 255 */
		memcpy(r->duid, duid, size);
		r->duid_size = (uint8_t)size;
		return;
	}
	put_u16(r->duid, DUID_LINK);
	put_u16(r->duid + 2, HARDWARE_ETHERNET);
	memcpy(r->duid + 4, who->mac, MAC_SIZE);
	r->duid_size = 4 + MAC_SIZE;
}

/* ---- what it would be given ---- */

/* told - an option of the answer; of addresses there may be something before each */
static const struct told {
	uint16_t code;
	const char *name;
	bool addresses;
	enum option_type type;		/* if it is not addresses */
	uint8_t skip;
} options[] = {
	{ OPTION6_DNS, "dns-servers", true, VALUE_HEX, 0 },
	{ OPTION6_SEARCH, "domain-list", false, VALUE_DOMAINS, 0 },
	{ OPTION6_NAME, "client-fqdn", false, VALUE_DOMAINS, 1 },
	{ OPTION6_NTP, "ntp-servers", true, VALUE_HEX, 4 },
	{ OPTION6_SOL_MAX_RT, "sol-max-rt", false, VALUE_U32, 0 },
	{ OPTION6_CAPTIVE_PORTAL, "captive-portal", false, VALUE_TEXT, 0 },
};

static json_t *addresses_text(const struct told *o, const uint8_t *data, size_t size)
{
	json_t *text = json_string(""), *more;
	char one[ADDR_TEXT];

	for (size_t at = o->skip; at + ADDR_SIZE <= size; at += ADDR_SIZE + o->skip) {
		more = json_sprintf("%s%s%s", json_string_value(text), at > o->skip ? " " : "", addr_format(addr6(data + at), one));
		json_decref(text);
		text = more;
	}
	return text;
}

static json_t *option_json(const struct told *o, const uint8_t *data, size_t size, const struct dhcp_reservation *named)
{
	char value[OPTION_VALUE_TEXT] = "";

	if (!o->addresses && size > o->skip)
		option_value_format(o->type, data + o->skip, size - o->skip, value);
	return json_pack("{s:i s:s s:o s:o}", "code", o->code, "name", o->name, "value",
			 o->addresses ? addresses_text(o, data, size) : json_string(value), "from",
			 named && named->hostname[0] && o->code == OPTION6_NAME ? json_sprintf("reservation %s", named->name) : json_string("network"));
}

static json_t *options_json(const struct dhcp6_explained *x)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		size_t size = 0;
		const uint8_t *data = dhcp6_message_option(x->answer, x->size, options[i].code, &size);

		if (data)
			json_array_append_new(list, option_json(&options[i], data, size, x->reservation));
	}
	return list;
}

static void add_place(json_t *o, const char *key, const char *why_key, struct prefix6 place, enum lease6_why why)
{
	char text[PREFIX6_TEXT];

	if (!place.len)
		return;
	json_object_set_new(o, key, json_string(lease6_text(place, text)));
	json_object_set_new(o, why_key, json_string(lease6_why_text(why)));
}

static json_t *explained_json(const struct live_segment *seg, const struct dhcp6_question *q, const struct dhcp6_explained *x)
{
	char id[OPTION_VALUE_TEXT], lease[16];
	json_t *o;

	option_value_format(VALUE_HEX, q->duid, q->duid_size, id);
	o = json_pack("{s:s s:s s:I s:s}", "outcome", dhcp6_outcome_name(x->outcome), "duid", id, "iaid", (json_int_t)q->iaid, "reservation",
		      x->reservation ? x->reservation->name : "");
	add_place(o, "ip", "why", x->address, x->address_why);
	add_place(o, "prefix", "prefix_why", x->prefix, x->prefix_why);
	json_object_set_new(o, "lease", json_string(duration_format(seg->server6.conf.lease_s, lease)));
	json_object_set_new(o, "options", options_json(x));
	return o;
}

json_t *live_lease6_explain(struct live_segment *seg, const struct live_lease6_who *who)
{
	struct lease6_record r;
	struct dhcp6_explained x;
	struct dhcp6_question q;

	if (!seg->leases6)
		return NULL;
	if (!live_lease6_known(seg, who, &r))
		as_new(who, &r);
	q = (struct dhcp6_question){ .port = who->port, .mac = r.mac, .duid = r.duid, .duid_size = r.duid_size, .iaid = r.iaid };
	if (dhcp6_explain(&seg->server6, &q, (int64_t)(clock_wall_ms() / 1000), &x) < 0)
		return NULL;
	return explained_json(seg, &q, &x);
}
