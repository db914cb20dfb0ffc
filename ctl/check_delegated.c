// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_delegated.h"

#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "ctl/check.h"
#include "ctl/check_row.h"
#include "ctl/route_get.h"
#include "dhcp/dhcp6_message.h"
#include "switch/build.h"

enum { CLIENT_PORT6 = 546, SERVER_PORT6 = 547, DUID_LL = 3, ETHERNET = 1, IAID = 0x6c79, WAIT_MS = 3000, AGAIN_MS = 300, ROUTE_MS = 2000, LOOK_MS = 20 };

static const uint8_t xid[DHCP6_XID_SIZE] = { 'l', 'y', 'c' };

/* ---- messages ---- */

static size_t open_option(struct writer *w, uint16_t code)
{
	write_u16(w, code);
	write_u16(w, 0);
	return w->pos;
}

static void close_option(struct writer *w, size_t at)
{
	put_u16(w->data + at - 2, (uint16_t)(w->pos - at));
}

static void write_client(struct writer *w, const uint8_t *mac)
{
	size_t at = open_option(w, OPTION6_CLIENT_ID);

	write_u16(w, DUID_LL);
	write_u16(w, ETHERNET);
	write_bytes(w, mac, MAC_SIZE);
	close_option(w, at);
}

/* write_ia() - with the prefix that there is, or with the wish for any */
static void write_ia(struct writer *w, const struct prefix6 *p)
{
	size_t at = open_option(w, OPTION6_IA_PD), in;

	write_u32(w, IAID);
	write_u32(w, 0);
	write_u32(w, 0);
	if (p->len) {
		in = open_option(w, OPTION6_IA_PREFIX);
		write_u32(w, 0);
		write_u32(w, 0);
		write_u8(w, p->len);
		write_bytes(w, p->addr.bytes, ADDR_SIZE);
		close_option(w, in);
	}
	close_option(w, at);
}

static void send_message(struct check_guest *g, uint8_t type)
{
	static const struct addr servers = { .bytes = { 0xff, 2, [13] = 1, [15] = 2 } };	/* All_DHCP_Relay_Agents_and_Servers */
	static const uint8_t servers_mac[MAC_SIZE] = { 0x33, 0x33, 0, 1, 0, 2 };
	uint8_t data[256], frame[384];
	struct writer w = writer_init(data, sizeof(data));

	write_u8(&w, type);
	write_bytes(&w, xid, sizeof(xid));
	write_client(&w, g->mac);
	if (type == DHCP6_SOLICIT) {
		close_option(&w, open_option(&w, OPTION6_RAPID_COMMIT));
	} else {
		size_t at = open_option(&w, OPTION6_SERVER_ID);

		write_bytes(&w, g->server6, g->server6_size);
		close_option(&w, at);
	}
	write_ia(&w, &g->delegated);
	guest_send(g, frame, build_udp_frame(frame, servers_mac, g->mac, addr_link_local(g->mac), CLIENT_PORT6, servers, SERVER_PORT6, data, (uint32_t)w.pos));
}

static void take(struct check_guest *g, const struct dhcp6_message *m)
{
	const struct dhcp6_ia *ia = &m->ia[0];

	if (m->type != DHCP6_REPLY || memcmp(m->xid, xid, sizeof(xid)) || !m->server_id || m->nias != 1 || ia->type != OPTION6_IA_PD || !ia->nitems)
		return;
	g->delegated = ia->item[0];
	g->behind = ia->item[0].addr;
	g->behind.bytes[ADDR_SIZE - 1] = 1;
	memcpy(g->server6, m->server_id, m->server_id_size);
	g->server6_size = m->server_id_size;
}

bool check_delegated_input(struct check_guest *g, const struct packet *p)
{
	struct dhcp6_message m;

	if (p->proto != PROTO_UDP || p->dport != CLIENT_PORT6 || addr_is4(p->dst))
		return false;
	if (!g->delegated.len && dhcp6_message_parse(&m, packet_payload(p), packet_payload_len(p)) == 0 && m.xid)
		take(g, &m);
	return true;
}

void check_delegated_wait(struct check *c, struct check_guest *g)
{
	uint64_t limit_ms = clock_now_ms() + WAIT_MS;

	while (!g->delegated.len && guest_is_there(g) && clock_now_ms() < limit_ms) {
		uint64_t again_ms = MIN_OF(clock_now_ms() + AGAIN_MS, limit_ms);

		send_message(g, DHCP6_SOLICIT);
		while (!g->delegated.len && clock_now_ms() < again_ms)
			check_turn(c, again_ms);
	}
}

void check_delegated_release(struct check_guest *g)
{
	if (g->fd >= 0 && g->delegated.len)
		send_message(g, DHCP6_RELEASE);
}

/* ---- the row ---- */

/* wait_for_route() - the host's follows the lease a moment later */
static void wait_for_route(struct check *c, struct addr dst)
{
	uint64_t limit_ms = clock_now_ms() + ROUTE_MS;
	struct route_got got;

	while ((route_get((struct addr){ 0 }, dst, NULL, "", &got) < 0 || !addr_is_link_local(got.via)) && clock_now_ms() < limit_ms)
		check_turn(c, clock_now_ms() + LOOK_MS);
}

/* to_behind() - the trial is to arrive at the first guest, which stands for who is behind it */
static void to_behind(struct check *c, struct trial *t)
{
	t->dport = t->at_port;
	t->to = &c->guests[CHECK_A1];
}

void probe_delegated(struct check *c, struct check_result *r)
{
	struct check_guest *a1 = &c->guests[CHECK_A1], *a2 = &c->guests[CHECK_A2];
	bool host = c->net.terms.mode == CHECK_HOST_ONLY || c->net.terms.mode == CHECK_ROUTED;

	if (!a1->delegated.len) {
		trial_void(row_add(c, r, "prefix", TRIAL_UDP), "no prefix was delegated");
		return;
	}
	to_behind(c, row_beyond(c, r, "guest, UDP", TRIAL_UDP, a2, a1->behind, 0));
	to_behind(c, row_beyond(c, r, "guest, TCP", TRIAL_TCP, a2, a1->behind, 0));
	if (!host)
		return;
	wait_for_route(c, a1->behind);
	to_behind(c, row_host(c, r, "host, UDP", TRIAL_HOST_UDP, a1->behind, 0, a1));
	to_behind(c, row_host(c, r, "host, TCP", TRIAL_HOST_TCP, a1->behind, 0, a1));
}
