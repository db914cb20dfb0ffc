// SPDX-License-Identifier: GPL-2.0-or-later
/* The DHCPv6 server is asked what it would answer, and its answer is written for people. */
#include <string.h>

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

enum { FQDN_FLAGS = 1 };		/* bytes before the name in option 39 (RFC 4704 4) */

/* option_json() - with who says so; a name is told by its reservation */
static json_t *option_json(const struct dhcp6_explained *x, uint16_t code, const uint8_t *data, size_t size)
{
	const struct option_kind *kind = option_coded(OPTIONS6, code);
	const struct dhcp_layer *by = NULL;
	const struct option_item *item = profile_option(&x->profile, code, &by);
	enum option_type type = item ? (enum option_type)item->type : kind ? kind->type : VALUE_HEX;
	bool name = code == OPTION6_NAME && size > FQDN_FLAGS;
	char value[OPTION_VALUE_TEXT];

	if (name && x->reservation && x->reservation->hostname[0])
		by = &x->profile.layer[0];
	option_value_format(name ? VALUE_DOMAINS : type, data + (name ? FQDN_FLAGS : 0), size - (name ? FQDN_FLAGS : 0), value);
	return json_pack("{s:i s:s s:s s:o}", "code", code, "name", kind ? kind->name : "", "value", value, "from", live_lease_layer(by));
}

/* options_json() - those of the answer that are not of the exchange itself */
static json_t *options_json(const struct dhcp6_explained *x)
{
	struct reader r = reader_init(x->answer, x->size);
	json_t *list = json_array();

	(void)read_bytes(&r, 1 + DHCP6_XID_SIZE);
	while (reader_left(&r)) {
		uint16_t code = read_u16(&r), size = read_u16(&r);
		const uint8_t *data = read_bytes(&r, size);

		if (data && (option_settable(OPTIONS6, code) || code == OPTION6_NAME))
			json_array_append_new(list, option_json(x, code, data, size));
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

static json_t *explained_json(const struct dhcp6_question *q, const struct dhcp6_explained *x)
{
	char id[OPTION_VALUE_TEXT], lease[16];
	json_t *o;

	option_value_format(VALUE_HEX, q->duid, q->duid_size, id);
	o = json_pack("{s:s s:s s:I s:s}", "outcome", dhcp6_outcome_name(x->outcome), "duid", id, "iaid", (json_int_t)q->iaid, "reservation",
		      x->reservation ? x->reservation->name : "");
	add_place(o, "ip", "why", x->address, x->address_why);
	add_place(o, "prefix", "prefix_why", x->prefix, x->prefix_why);
	json_object_set_new(o, "heard", live_lease_layers(&x->profile));
	if (x->profile.refused)
		json_object_set_new(o, "refused_by", live_lease_layer(x->profile.refused));
	json_object_set_new(o, "lease", json_string(duration_format(x->lease_s, lease)));
	json_object_set_new(o, "lease_from", live_lease_layer(x->lease_by ? x->lease_by : &x->profile.layer[x->profile.n - 1]));
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
	q = (struct dhcp6_question){
		.port = who->port, .mac = r.mac, .duid = r.duid, .duid_size = r.duid_size, .iaid = r.iaid, .vendor = who->vendor,
		.user = who->user, .by_arch = who->by_arch, .arch = who->arch,
	};
	if (dhcp6_explain(&seg->server6, &q, (int64_t)(clock_wall_ms() / 1000), &x) < 0)
		return NULL;
	return explained_json(&q, &x);
}
