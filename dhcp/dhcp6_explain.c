// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dhcp6_explain.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

enum { QUESTION_MAX = 256, IA_SIZE = 12 };

static const struct addr all_agents = { .bytes = { 0xff, 2, [13] = 1, 0, 2 } };	/* RFC 8415 7.1 */

static void add_ia(struct writer *w, uint16_t type, uint32_t iaid)
{
	write_u16(w, type);
	write_u16(w, IA_SIZE);
	write_u32(w, iaid);
	write_zeros(w, IA_SIZE - 4);
}

/* write_question() - the Solicit that such a guest would send, asking for all that we ever tell. Return: its size, or -EINVAL. */
static int write_question(const struct dhcp6_question *q, uint8_t data[QUESTION_MAX])
{
	static const uint16_t wanted[] = {
		OPTION6_DNS, OPTION6_SEARCH, OPTION6_NTP, OPTION6_NAME, OPTION6_SOL_MAX_RT, OPTION6_CAPTIVE_PORTAL,
	};
	struct writer w = writer_init(data, QUESTION_MAX);

	if (q->duid_size < DHCP6_DUID_MIN || q->duid_size > DHCP6_DUID_MAX)
		return -EINVAL;
	write_u8(&w, DHCP6_SOLICIT);
	write_zeros(&w, DHCP6_XID_SIZE);
	write_u16(&w, OPTION6_CLIENT_ID);
	write_u16(&w, (uint16_t)q->duid_size);
	write_bytes(&w, q->duid, q->duid_size);
	write_u16(&w, OPTION6_REQUEST);
	write_u16(&w, sizeof(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		write_u16(&w, wanted[i]);
	add_ia(&w, OPTION6_IA_NA, q->iaid);
	add_ia(&w, OPTION6_IA_PD, q->iaid);
	return w.overrun ? -EINVAL : (int)w.pos;
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
	int n = write_question(q, question);

	memset(e, 0, sizeof(*e));
	if (n < 0)
		return n;
	memcpy(from.src_mac, q->mac, MAC_SIZE);
	e->size = dhcp6_server_input(s, &from, question, (size_t)n, now_wall_s, e->answer, sizeof(e->answer), &result);
	e->outcome = result.outcome;
	e->reservation = lease6_reservation(s->leases, &who);
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
