// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/run_dhcp.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/message.h"
#include "dhcp/message_build.h"

/* RFC 2131 4.1 waits 4, 8, 16... seconds for servers across a LAN; ours is in the next process. */
enum { FIRST_WAIT_MS = 200, LONGEST_WAIT_MS = 4000, REQUESTS_MAX = 5, RENEW_WAIT_MS = 60000 };

/* next_random() - good enough for transaction ids, on a network where we are alone with the server (xorshift) */
static uint32_t next_random(uint32_t x)
{
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x ? x : 1;
}

static void go_to(struct dhcp_client *c, enum dhcp_state state, uint64_t next_ms)
{
	c->state = state;
	c->tries = 0;
	c->next_ms = next_ms;
}

/* begin() - a new exchange has a new transaction id (RFC 2131 4.4.1) */
static void begin(struct dhcp_client *c, enum dhcp_state state, uint64_t now_ms)
{
	c->xid = next_random(c->xid);
	c->began_ms = now_ms;
	go_to(c, state, now_ms);
}

void dhcp_client_init(struct dhcp_client *c, const uint8_t mac[MAC_SIZE], const char *hostname, uint32_t seed,
		      uint64_t now_ms)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->mac, mac, MAC_SIZE);
	snprintf(c->hostname, sizeof(c->hostname), "%s", hostname ? hostname : "");
	c->xid = seed ? seed : 1;
	begin(c, DHCP_CLIENT_SELECTING, now_ms);
}

bool dhcp_client_unicast(const struct dhcp_client *c)
{
	return c->state == DHCP_CLIENT_BOUND || c->state == DHCP_CLIENT_RENEWING;
}

bool dhcp_client_listening(const struct dhcp_client *c)
{
	return c->state != DHCP_CLIENT_BOUND;
}

/* --- sending ----------------------------------------------------------------------------------------- */

/* build() - RFC 2131 table 5: which fields each message carries */
static size_t build(const struct dhcp_client *c, enum dhcp_type type, uint64_t now_ms, uint8_t *data, size_t room)
{
	bool has_address = c->state >= DHCP_CLIENT_BOUND;
	struct message_client m = {
		.xid = c->xid,
		.secs = (uint16_t)MIN_OF((now_ms - c->began_ms) / 1000, 65535u),
		.hostname = c->hostname[0] ? c->hostname : NULL,
		.ciaddr = has_address ? c->binding.ip : 0,
		.requested_ip = c->state == DHCP_CLIENT_REQUESTING ? c->offered_ip : 0,
		.server_id = c->state == DHCP_CLIENT_REQUESTING || type == DHCP_RELEASE ? c->server_id : 0,
	};
	int n;

	memcpy(m.mac, c->mac, MAC_SIZE);
	n = message_build_client(type, &m, data, room);
	return n > 0 ? (size_t)n : 0;
}

/* retry_ms() - twice as long each time, give or take an eighth */
static uint64_t retry_ms(struct dhcp_client *c)
{
	uint64_t wait = MIN_OF((uint64_t)FIRST_WAIT_MS << MIN_OF(c->tries, 8u), (uint64_t)LONGEST_WAIT_MS);

	return wait - wait / 8 + next_random(c->xid + c->tries) % (wait / 4);
}

/* patient_ms() - RFC 2131 4.4.5: half of what is left until @until, but no less than 60 s */
static uint64_t patient_ms(uint64_t now_ms, uint64_t until)
{
	uint64_t left = until > now_ms ? until - now_ms : 0;

	return now_ms + MIN_OF(MAX_OF(left / 2, (uint64_t)RENEW_WAIT_MS), left);
}

static size_t tick_unbound(struct dhcp_client *c, uint64_t now_ms, uint8_t *data, size_t room)
{
	enum dhcp_type type = c->state == DHCP_CLIENT_SELECTING ? DHCP_DISCOVER : DHCP_REQUEST;

	if (c->state == DHCP_CLIENT_REQUESTING && c->tries == REQUESTS_MAX) {
		begin(c, DHCP_CLIENT_SELECTING, now_ms);
		type = DHCP_DISCOVER;
	}
	c->next_ms = now_ms + retry_ms(c);
	c->tries++;
	return build(c, type, now_ms, data, room);
}

size_t dhcp_client_tick(struct dhcp_client *c, uint64_t now_ms, uint8_t *data, size_t room, enum dhcp_news *news)
{
	*news = DHCP_NOTHING;
	if (now_ms < c->next_ms)
		return 0;
	if (c->state < DHCP_CLIENT_BOUND)
		return tick_unbound(c, now_ms, data, room);
	if (now_ms >= c->end_ms) {
		*news = DHCP_LOST;
		begin(c, DHCP_CLIENT_SELECTING, now_ms);
		return tick_unbound(c, now_ms, data, room);
	}
	if (c->state == DHCP_CLIENT_BOUND)
		begin(c, DHCP_CLIENT_RENEWING, now_ms);
	if (c->state == DHCP_CLIENT_RENEWING && now_ms >= c->t2_ms)
		go_to(c, DHCP_CLIENT_REBINDING, now_ms);
	c->next_ms = patient_ms(now_ms, c->state == DHCP_CLIENT_RENEWING ? c->t2_ms : c->end_ms);
	c->tries++;
	return build(c, DHCP_REQUEST, now_ms, data, room);
}

size_t dhcp_client_release(struct dhcp_client *c, uint8_t *data, size_t room)
{
	if (c->state < DHCP_CLIENT_BOUND)
		return 0;
	c->xid = next_random(c->xid);
	go_to(c, DHCP_CLIENT_BOUND, UINT64_MAX);
	return build(c, DHCP_RELEASE, c->began_ms, data, room);
}

/* --- receiving --------------------------------------------------------------------------------------- */

/* mask_length() - bits of a mask, or 32 when it is none; a /32 reaches nothing it should not */
static uint8_t mask_length(uint32_t mask)
{
	uint8_t n = (uint8_t)__builtin_popcount(mask);

	return mask && mask == prefix4_mask((struct prefix4){ .len = n }) ? n : 32;
}

/* read_routes() - RFC 3442: what is here counts in place of the router; a default route among it is that one */
static void read_routes(const struct dhcp_message *m, struct dhcp_binding *b)
{
	size_t size = 0;
	const uint8_t *option = message_option(m, OPTION_ROUTES, &size);
	struct reader r = reader_init(option, size);

	if (option)
		b->router = 0;
	while (reader_left(&r) && b->nroutes < DHCP_CLIENT_ROUTES) {
		struct prefix4 to = { .len = read_u8(&r) };
		uint32_t by;

		for (unsigned bit = 0; bit < to.len; bit += 8)
			to.addr |= (uint32_t)read_u8(&r) << (24 - MIN_OF(bit, 24u));
		by = read_u32(&r);
		if (r.overrun || to.len > 32 || !by)
			return;
		to.addr &= prefix4_mask(to);
		if (!to.len) {
			b->router = by;
			continue;
		}
		b->routes[b->nroutes].to = to;
		b->routes[b->nroutes++].by = by;
	}
}

static void read_binding(const struct dhcp_message *m, struct dhcp_binding *b)
{
	const uint8_t *option;
	size_t size;

	memset(b, 0, sizeof(*b));
	b->ip = m->yiaddr;
	b->len = mask_length(message_option_u32(m, OPTION_SUBNET_MASK));
	b->router = message_option_u32(m, OPTION_ROUTER);
	read_routes(m, b);
	b->lease_s = m->lease_s;
	option = message_option(m, OPTION_DNS, &size);
	for (size_t i = 0; option && i + 4 <= size && b->ndns < DHCP_DNS_MAX; i += 4)
		b->dns[b->ndns++] = get_u32(option + i);
	option = message_option(m, OPTION_DOMAIN, &size);
	for (size_t i = 0, n = 0; option && i < size && n + 1 < sizeof(b->domain); i++)
		if (option[i] > ' ' && option[i] < 0x7f)	/* it becomes a line of resolv.conf */
			b->domain[n++] = (char)option[i];
}

/* option_ms() - T1 or T2 from the message, or @otherwise where it is absent or makes no sense */
static uint64_t option_ms(const struct dhcp_message *m, uint8_t code, uint64_t otherwise, uint64_t limit)
{
	uint64_t ms = (uint64_t)message_option_u32(m, code) * 1000;

	return ms && ms <= limit ? ms : otherwise;
}

static enum dhcp_news bind_lease(struct dhcp_client *c, uint64_t now_ms, const struct dhcp_message *m)
{
	uint64_t lease_ms = (uint64_t)m->lease_s * 1000;

	if (!m->has_lease || m->lease_s == 0 || m->yiaddr == 0)
		return DHCP_NOTHING;
	read_binding(m, &c->binding);
	if (m->server_id)
		c->server_id = m->server_id;
	if (m->lease_s == DHCP_INFINITE) {
		c->t1_ms = c->t2_ms = c->end_ms = UINT64_MAX;
	} else {
		c->end_ms = now_ms + lease_ms;
		c->t2_ms = now_ms + option_ms(m, OPTION_T2, lease_ms / 8 * 7, lease_ms);
		c->t1_ms = MIN_OF(now_ms + option_ms(m, OPTION_T1, lease_ms / 2, lease_ms), c->t2_ms);
	}
	go_to(c, DHCP_CLIENT_BOUND, c->t1_ms);
	return DHCP_BOUND;
}

static enum dhcp_news take_nak(struct dhcp_client *c, uint64_t now_ms)
{
	bool had = c->state >= DHCP_CLIENT_BOUND;

	begin(c, DHCP_CLIENT_SELECTING, now_ms + FIRST_WAIT_MS);
	return had ? DHCP_LOST : DHCP_NOTHING;
}

enum dhcp_news dhcp_client_input(struct dhcp_client *c, uint64_t now_ms, const uint8_t *data, size_t size)
{
	struct dhcp_message m;

	if (message_parse(&m, data, size) < 0 || m.op != BOOTP_REPLY || m.xid != c->xid || m.hlen != MAC_SIZE ||
	    memcmp(m.chaddr, c->mac, MAC_SIZE))
		return DHCP_NOTHING;
	if (c->state == DHCP_CLIENT_SELECTING) {
		if (m.type != DHCP_OFFER || !m.yiaddr || !m.server_id)
			return DHCP_NOTHING;
		c->offered_ip = m.yiaddr;
		c->server_id = m.server_id;
		go_to(c, DHCP_CLIENT_REQUESTING, now_ms);
		return DHCP_NOTHING;
	}
	if (c->state == DHCP_CLIENT_BOUND)
		return DHCP_NOTHING;
	if (c->state == DHCP_CLIENT_REQUESTING && m.server_id != c->server_id)
		return DHCP_NOTHING;
	return m.type == DHCP_ACK ? bind_lease(c, now_ms, &m) : m.type == DHCP_NAK ? take_nak(c, now_ms) : DHCP_NOTHING;
}
