// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_lease.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/check.h"
#include "ctl/check_trial.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "dhcp/message.h"
#include "switch/build.h"

enum { LEASE_MS = 4000, SILENCE_MS = 700, ARP_MS = 250, PICKS_MAX = 64, DHCP_ROOM = 600, SERVER_PORT = 67, CLIENT_PORT = 68 };

static const uint8_t everybody[MAC_SIZE] = { 255, 255, 255, 255, 255, 255 };

/* --- DHCP ------------------------------------------------------------------------------------------------ */

static void send_dhcp(struct check_guest *g, const uint8_t *mac, uint32_t from, uint32_t to, const uint8_t *data, size_t size)
{
	uint8_t frame[DHCP_ROOM + 64];

	guest_send(g, frame, build_udp_frame(frame, mac, g->mac, addr4(from), CLIENT_PORT, addr4(to), SERVER_PORT, data, (uint32_t)size));
}

void check_lease_tick(struct check_guest *g, uint64_t now_ms)
{
	uint8_t data[DHCP_ROOM];
	enum dhcp_news news;
	size_t size = g->leasing ? dhcp_client_tick(&g->dhcp, now_ms, data, sizeof(data), &news) : 0;

	if (size)
		send_dhcp(g, everybody, 0, 0xffffffff, data, size);
}

static void take_binding(struct check_guest *g)
{
	const struct dhcp_binding *b = &g->dhcp.binding;

	g->leasing = false;		/* it is not prolonged: the check is over long before */
	g->ip = addr4(b->ip);
	g->len = b->len;
	g->router = b->router;
	g->resolver = b->ndns ? b->dns[0] : 0;
}

bool check_lease_input(struct check_guest *g, const struct packet *p)
{
	const uint8_t *data = packet_payload(p);
	uint32_t size = packet_payload_len(p);
	struct dhcp_message m;

	if (p->proto != PROTO_UDP || p->dport != CLIENT_PORT)
		return false;
	if (!g->leasing || message_parse(&m, data, size) < 0 || m.op != BOOTP_REPLY || memcmp(m.chaddr, g->mac, MAC_SIZE))
		return true;
	if (m.type == DHCP_OFFER || m.type == DHCP_ACK) {
		g->offered = true;
		g->server = m.server_id;
		g->offer_router = message_option_u32(&m, OPTION_ROUTER) != 0;
	}
	if (dhcp_client_input(&g->dhcp, clock_now_ms(), data, size) == DHCP_BOUND)
		take_binding(g);
	return true;
}

void check_lease_wait(struct check *c, struct check_guest *g, bool expected)
{
	uint64_t limit_ms = clock_now_ms() + (expected ? LEASE_MS : SILENCE_MS);
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint32_t)clock_now_ns();
	dhcp_client_init(&g->dhcp, g->mac, NULL, seed, clock_now_ms());
	g->leasing = true;
	while (g->leasing && guest_is_there(g) && clock_now_ms() < limit_ms)
		check_turn(c, limit_ms);
	g->leasing = false;
}

void check_lease_release(struct check *c, struct check_guest *g)
{
	uint8_t data[DHCP_ROOM];
	size_t size = g->fd >= 0 && !addr_is_none(g->ip) ? dhcp_client_release(&g->dhcp, data, sizeof(data)) : 0;
	const uint8_t *mac = size ? check_lease_resolve(c, g, g->dhcp.server_id, c->net.gateway_mac) : NULL;

	if (mac)
		send_dhcp(g, mac, addr_4(g->ip), g->dhcp.server_id, data, size);
}

/* --- ARP ------------------------------------------------------------------------------------------------- */

static bool ask(struct check *c, struct check_guest *g, uint32_t from, uint32_t ip, const uint8_t *mac)
{
	static const uint8_t unknown[MAC_SIZE];
	uint64_t limit_ms = clock_now_ms() + ARP_MS;
	uint8_t frame[64];

	guest_send(g, frame, build_arp(frame, ARP_REQUEST, g->mac, from, unknown, ip, mac));
	while (!guest_neighbour(g, ip) && guest_is_there(g) && clock_now_ms() < limit_ms)
		check_turn(c, limit_ms);
	return guest_neighbour(g, ip) != NULL;
}

const uint8_t *check_lease_resolve(struct check *c, struct check_guest *g, uint32_t ip, const uint8_t *likely)
{
	uint32_t from = addr_is_none(g->ip) ? 0 : addr_4(g->ip);

	if (!guest_neighbour(g, ip) && !(likely && ask(c, g, from, ip, likely)))
		ask(c, g, from, ip, everybody);
	return guest_neighbour(g, ip);
}

/* --- without DHCP ------------------------------------------------------------------------------------------ */

/* is_taken() - does a row of @rows, or of the addresses in a row, say so? */
static bool is_taken(const json_t *rows, const char *text)
{
	json_t *row, *address;
	size_t i, j;

	json_array_foreach(rows, i, row) {
		if (!strcmp(row_text(row, "ip"), text))
			return true;
		json_array_foreach(json_object_get(row, "addresses"), j, address)
			if (!strcmp(row_text(address, "ip"), text))
				return true;
	}
	return false;
}

static bool is_free(const struct check *c, const json_t *lists[3], uint32_t ip)
{
	char text[IP4_TEXT];

	ip4_format(ip, text);
	for (unsigned i = 0; i < CHECK_GUESTS; i++)
		if (addr_equal(c->guests[i].ip, addr4(ip)))
			return false;
	for (unsigned i = 0; i < 3; i++)
		if (is_taken(lists[i], text))
			return false;
	return addr_is_none(c->net.gateway) || addr_4(c->net.gateway) != ip;
}

/* from the end of the subnet, where people put least; asked for as RFC 5227 2.1.1 has it, from no address */
static bool pick_from(struct check *c, struct check_guest *g, const json_t *lists[3])
{
	uint32_t last = prefix4_last(c->net.subnet);

	for (uint32_t n = 1; n <= PICKS_MAX && last - n > c->net.subnet.addr; n++) {
		if (!is_free(c, lists, last - n) || ask(c, g, 0, last - n, everybody))
			continue;
		g->ip = addr4(last - n);
		return true;
	}
	return false;
}

bool check_lease_pick(struct check *c, struct check_guest *g)
{
	static const char *const keys[3] = { "ports", "leases", "reservations" };
	json_t *answers[3] = { NULL };
	const json_t *lists[3] = { NULL };
	bool picked = true;

	for (unsigned i = 0; i < 3 && picked; i++) {
		picked = cli_list(c->cli, g->name.net, keys[i], &answers[i]) == 0;
		lists[i] = json_object_get(answers[i], keys[i]);
	}
	picked = picked && pick_from(c, g, lists);
	for (unsigned i = 0; i < 3; i++)
		json_decref(answers[i]);
	return picked;
}
