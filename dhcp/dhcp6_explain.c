// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dhcp6_explain.h"

#include <errno.h>
#include <string.h>

#include "dhcp/dhcp6_write.h"

/* room for the codes of all that is set, each two bytes, and what a guest may say of itself */
enum { QUESTION_MAX = 1024 + 2 * OPTION_SET_MAX * (DHCP_CLASSES_MAX + 2), IA_SIZE = 12 };

static const struct addr all_agents = { .bytes = { 0xff, 2, [13] = 1, 0, 2 } };	/* RFC 8415 7.1 */

static void add_ia(struct writer *w, uint16_t type, uint32_t iaid)
{
	uint8_t ia[IA_SIZE] = { 0 };

	put_u32(ia, iaid);
	option6_bytes(w, type, ia, sizeof(ia));
}

static void add_codes(struct writer *w, const struct option_set *set)
{
	for (unsigned i = 0; i < set->n; i++)
		write_u16(w, set->of[i].code);
}

/* ask_all() - for every option that has a name, and every one that somebody sets */
static void ask_all(struct writer *w, const struct dhcp6_conf *conf, const struct dhcp_reservation *own)
{
	size_t at = option6_open(w, OPTION6_REQUEST), n;
	const struct option_kind *kinds = option_kinds(OPTIONS6, &n);

	for (size_t i = 0; i < n; i++)
		write_u16(w, kinds[i].code);
	add_codes(w, &conf->says.options6);
	for (unsigned i = 0; i < conf->nclasses; i++)
		add_codes(w, &conf->classes[i].says.options6);
	if (own)
		add_codes(w, &own->says.options6);
	option6_close(w, at);
}

/* add_part() - RFC 8415 21.15, 21.16: what it says of itself, its length before it */
static void add_part(struct writer *w, uint16_t code, const char *text)
{
	size_t at = option6_open(w, code);

	if (code == OPTION6_VENDOR_CLASS)
		write_u32(w, 0);
	write_u16(w, (uint16_t)strlen(text));
	write_bytes(w, text, strlen(text));
	option6_close(w, at);
}

/* write_question() - the Solicit that such a guest would send, asking for all that it could be told. Return: its size, or -EINVAL. */
static int write_question(const struct dhcp6_server *s, const struct dhcp6_question *q, const struct dhcp_reservation *own, uint8_t data[QUESTION_MAX])
{
	struct writer w = writer_init(data, QUESTION_MAX);

	if (q->duid_size < DHCP6_DUID_MIN || q->duid_size > DHCP6_DUID_MAX)
		return -EINVAL;
	write_u8(&w, DHCP6_SOLICIT);
	write_zeros(&w, DHCP6_XID_SIZE);
	option6_bytes(&w, OPTION6_CLIENT_ID, q->duid, q->duid_size);
	ask_all(&w, &s->conf, own);
	if (q->vendor)
		add_part(&w, OPTION6_VENDOR_CLASS, q->vendor);
	if (q->user)
		add_part(&w, OPTION6_USER_CLASS, q->user);
	if (q->by_arch)
		option6_bytes(&w, OPTION6_ARCH, (const uint8_t[]){ (uint8_t)(q->arch >> 8), (uint8_t)q->arch }, 2);
	add_ia(&w, OPTION6_IA_NA, q->iaid);
	add_ia(&w, OPTION6_IA_PD, q->iaid);
	return w.overrun ? -EINVAL : (int)w.pos;
}

/* hear() - who speaks about such a guest */
static void hear(const struct dhcp6_server *s, const struct dhcp6_question *q, const uint8_t *question, size_t size, struct dhcp6_explained *e)
{
	const struct guest_id id = { .port = q->port, .mac = q->mac, .client_id = q->duid, .client_id_size = q->duid_size };
	struct guest_traits traits;
	struct dhcp6_message m;

	if (dhcp6_message_parse(&m, question, size) == 0)
		dhcp6_server_profile(s, &id, &m, &traits, &e->profile);
	e->lease_s = profile_lease_s(&e->profile, &e->lease_by);
	if (!e->lease_s)
		e->lease_s = s->conf.lease_s;
}

static void take(const struct dhcp6_server *s, struct lease6_guest *who, const struct dhcp6_ia *ia, struct prefix6 *place, enum lease6_why *why)
{
	if (!ia->nitems)
		return;
	who->prefix = ia->type == OPTION6_IA_PD;
	*place = ia->item[0];
	*why = lease6_why(s->leases, who, *place);
}

int dhcp6_explain(struct dhcp6_server *s, const struct dhcp6_question *q, int64_t now_wall_s, struct dhcp6_explained *e)
{
	struct dhcp6_request from = { .port = q->port, .src = addr_link_local(q->mac), .dst = all_agents, .sport = DHCP6_CLIENT_PORT, .store_ok = true };
	struct lease6_guest who = { .port = q->port, .mac = q->mac, .duid = q->duid, .duid_size = q->duid_size, .iaid = q->iaid };
	uint8_t question[QUESTION_MAX];
	struct dhcp6_result result;
	struct dhcp6_message m;
	int n;

	memset(e, 0, sizeof(*e));
	e->reservation = lease6_reservation(s->leases, &who);
	n = write_question(s, q, e->reservation, question);
	if (n < 0)
		return n;
	hear(s, q, question, (size_t)n, e);
	memcpy(from.src_mac, q->mac, MAC_SIZE);
	e->size = dhcp6_server_input(s, &from, question, (size_t)n, now_wall_s, e->answer, sizeof(e->answer), &result);
	e->outcome = result.outcome;
	if (!e->size)
		return 0;
	if (dhcp6_message_parse(&m, e->answer, e->size) < 0)
		return -EINVAL;
	for (unsigned i = 0; i < m.nias; i++) {
		bool prefix = m.ia[i].type == OPTION6_IA_PD;

		take(s, &who, &m.ia[i], prefix ? &e->prefix : &e->address, prefix ? &e->prefix_why : &e->address_why);
	}
	return 0;
}

const char *lease6_why_text(enum lease6_why why)
{
	static const char *const texts[] = {
		[LEASE6_WHY_RESERVED] = "it is reserved for it",
		[LEASE6_WHY_HAS] = "it has it",
		[LEASE6_WHY_ITS] = "it follows from its port and MAC address",
		[LEASE6_WHY_NEXT] = "another has what follows from its port and MAC address, and this is the next for its DUID and IAID",
	};

	return texts[why];
}
