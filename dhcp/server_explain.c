// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/server_explain.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/message_build.h"
#include "dhcp/relay_info.h"
#include "dhcp/server_turn.h"

enum { ROOM = 1472 };

static void add_text(struct option_list *list, uint8_t code, const char *text)
{
	if (text)
		option_add(list, code, false, text, strlen(text));
}

/* ask_all() - every option, the usual first; the list fits one option */
static void ask_all(struct option_list *list)
{
	static const uint8_t usual[] = { OPTION_SUBNET_MASK, OPTION_ROUTES, OPTION_ROUTER, OPTION_DNS, OPTION_DOMAIN, OPTION_SEARCH };
	uint8_t codes[255];
	size_t n = sizeof(usual);

	memcpy(codes, usual, n);
	for (unsigned code = 1; code < OPTION_END; code++)
		if (!memchr(usual, (int)code, sizeof(usual)) && code != OPTION_ROUTES_MS)
			codes[n++] = (uint8_t)code;
	option_add(list, OPTION_PARAMETERS, true, codes, n);
}

static void add_relay(struct option_list *list, const char *circuit)
{
	uint8_t info[2 + 255];
	size_t n = MIN_OF(strlen(circuit), (size_t)255);

	info[0] = RELAY_CIRCUIT;
	info[1] = (uint8_t)n;
	memcpy(info + 2, circuit, n);
	option_add(list, OPTION_RELAY_INFO, true, info, 2 + n);
}

/* write_question() - the DISCOVER that such a guest would send. Return: its size, or -EMSGSIZE. */
static int write_question(const struct dhcp_question *q, uint8_t data[ROOM])
{
	struct message_header h = {
		.op = BOOTP_REQUEST, .htype = HTYPE_ETHERNET, .hlen = MAC_SIZE, .giaddr = q->giaddr, .chaddr = q->mac,
	};
	struct option_list list;
	uint8_t arch[2];

	option_list_init(&list);
	option_add_u8(&list, OPTION_TYPE, true, DHCP_DISCOVER);
	option_add_u16(&list, OPTION_MAX_SIZE, true, ROOM + 28);
	if (q->client_id_size)
		option_add(&list, OPTION_CLIENT_ID, true, q->client_id, q->client_id_size);
	if (q->asks_all)
		ask_all(&list);
	add_text(&list, OPTION_VENDOR_CLASS, q->vendor);
	add_text(&list, OPTION_USER_CLASS, q->user);
	put_u16(arch, q->arch);
	if (q->by_arch)
		option_add(&list, OPTION_ARCH, false, arch, sizeof(arch));
	if (q->circuit && q->giaddr)
		add_relay(&list, q->circuit);
	return message_build(&h, &list, data, ROOM);
}

/* explaining - a turn of which more is wanted than its result */
struct explaining {
	struct turn turn;
	struct dhcp_explained *e;
};

static enum dhcp_outcome decide(struct turn *t)
{
	struct dhcp_explained *e = container_of(t, struct explaining, turn)->e;
	int rc;

	if (t->profile.refused)
		return DHCP_OUT_REFUSED;
	rc = lease_trial(t->s->leases, &t->who, 0, &e->ip, &e->why);
	if (rc < 0)
		return rc == -EDQUOT ? DHCP_OUT_QUOTA : DHCP_OUT_EXHAUSTED;
	e->lease_s = server_lease_time(t);
	t->answer.type = DHCP_OFFER;
	t->answer.yiaddr = e->ip;
	t->answer.lease_s = e->lease_s;
	return DHCP_OUT_OFFER;
}

int dhcp_server_explain(struct dhcp_server *s, const struct dhcp_question *q, int64_t now_wall_s, struct dhcp_explained *e)
{
	struct dhcp_request from = { .port = q->port, .store_ok = true };
	struct dhcp_result result;
	struct explaining x = { .e = e };
	uint8_t question[ROOM], reply[ROOM];
	int n = write_question(q, question);
	size_t size;

	memset(e, 0, sizeof(*e));
	if (n < 0)
		return -EINVAL;
	x.turn.s = s;
	x.turn.from = &from;
	x.turn.now_s = now_wall_s;
	x.turn.result = &result;
	size = server_turn(&x.turn, question, (size_t)n, decide, reply, sizeof(reply));
	e->outcome = result.outcome;
	if (result.outcome == DHCP_OUT_RELAY || result.outcome == DHCP_OUT_MALFORMED)
		return -EINVAL;
	profile_copy(&e->profile, &x.turn.profile);
	profile_lease_s(&e->profile, &e->lease_by);
	return size && message_parse(&e->answer, reply, size) < 0 ? -EINVAL : 0;
}

const char *lease_why_text(enum lease_why why)
{
	static const char *const texts[] = {
		[LEASE_WHY_RESERVED] = "it is reserved for it",
		[LEASE_WHY_HAS] = "it has it",
		[LEASE_WHY_HAD] = "it had it before",
		[LEASE_WHY_PORT_HAD] = "the port's only former guest had it",
		[LEASE_WHY_MAC_HAD] = "its MAC address had it on a port that is gone",
		[LEASE_WHY_WANTED] = "it asks for it, and nobody ever had it",
		[LEASE_WHY_FRESH] = "it is the first of its pool that nobody has or had",
		[LEASE_WHY_IDLEST] = "of those that guests had it is idle longest",
		[LEASE_WHY_SHARE] = "the port has its share, and this is its own that is idle longest",
	};

	return texts[why];
}
