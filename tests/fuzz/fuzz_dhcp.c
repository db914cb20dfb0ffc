// SPDX-License-Identifier: GPL-2.0-or-later
/* covers: dhcp/message.c dhcp/message_build.c dhcp/server.c dhcp/server_reply.c dhcp/profile.c dhcp/reservation.c dhcp/lease.c dhcp/lease_table.c dhcp/lease_admin.c dhcp/expiry.c */
/* max_len: 4096 */
/* Whole conversations of several ports with one server on a fake clock. The input is a row of steps: what
 * happens (a byte), how long after the last (a byte), and then the step's own bytes. Besides memory errors it
 * looks for broken promises: an answer no client could read, an address outside the pool or held twice, a lease
 * that the store was not told of.
 */
#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/lease.h"
#include "dhcp/message_build.h"
#include "dhcp/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NET 0x0a4d0000u			/* 10.77.0.0/24 */
#define SERVER (NET + 1)

#define MUST(what) do { if (!(what)) abort(); } while (0)

enum step {
	STEP_RAW = 0,			/* size (2), bytes of the message; above 0x8000 see own_client() */
	STEP_SHORT = 1,			/* a message that is well formed up to its options; see short_message() */
	STEP_RESERVE = 2,		/* address (1) */
	STEP_UNRESERVE = 3,
	STEP_PORT_GONE = 4,
	STEP_FREE = 5,			/* address (1) */
	STEP_RESTART = 6,		/* or, with CLOCK_SET, by how many days (1) */
	STEP_POOL = 7,			/* last address (1) */
};

enum { CLOCK_SET = 0x40 };

struct world {
	struct dhcp_server s;
	struct dhcp_reservation reserved[4];	/* of the four ports */
	struct reservations *index;
	struct lease_conf conf;
	int64_t now;
	struct lease_record stored[256];	/* what the store knows, by the last byte of the address */
	bool known[256];
	bool broken;				/* the store */
	const char *port;
};

static const char *const ports[4] = { "web1", "web2", "db", "box1" };

static void store(struct world *w, const struct lease_record *r)
{
	MUST(prefix4_has(w->conf.subnet, r->ip) && r->ip != SERVER);
	w->stored[r->ip & 255] = *r;
	w->known[r->ip & 255] = true;
}

static void on_changed(void *arg, const struct lease_record *record)
{
	store(arg, record);
}

/* short_message() - the fields that decide, so that the fuzzer need not find a cookie: type, mac, ciaddr,
 * giaddr, flags; options follow
 */
static size_t short_message(struct reader *r, uint8_t *to)
{
	uint8_t type = read_u8(r), mac = read_u8(r), ciaddr = read_u8(r), giaddr = read_u8(r), flags = read_u8(r);
	size_t said = read_u8(r), n = MIN_OF(said, reader_left(r));
	const uint8_t *options = read_bytes(r, n);

	memset(to, 0, 244);
	to[0] = BOOTP_REQUEST;
	to[1] = HTYPE_ETHERNET;
	to[2] = 6;
	put_u16(to + 10, (uint16_t)(flags << 8));
	put_u32(to + 12, ciaddr ? NET + ciaddr : 0);
	put_u32(to + 24, giaddr ? NET + giaddr : 0);
	to[28] = 2;
	to[33] = mac;
	put_u32(to + 236, DHCP_COOKIE);
	memcpy(to + 240, "\x35\1", 2);
	to[242] = type;
	if (n)
		memcpy(to + 243, options, n);
	to[243 + n] = OPTION_END;
	return 244 + n;
}

/* own_client() - what our own client sends: type, mac, asked, has, server */
static size_t own_client(struct reader *r, uint8_t *to)
{
	enum dhcp_type type = (enum dhcp_type)(read_u8(r) & 15);
	struct message_client c = { .mac = { 2, [5] = read_u8(r) }, .xid = 7, .hostname = "box1" };
	uint8_t asked = read_u8(r), has = read_u8(r), server = read_u8(r);
	int n;

	c.requested_ip = asked ? NET + asked : 0;
	c.ciaddr = has ? NET + has : 0;
	c.server_id = server ? NET + server : 0;
	c.broadcast = server & 1;
	n = message_build_client(type, &c, to, 300 + (server & 0xf0));
	MUST(n >= 300);
	return (size_t)n;
}

static void check_reply(const struct world *w, const uint8_t *reply, size_t size, const struct dhcp_result *result)
{
	static struct dhcp_message m;
	struct lease_record r;

	MUST(size >= 300 && size <= 1472);
	MUST(message_parse(&m, reply, size) == 0);
	MUST(m.op == BOOTP_REPLY && (m.server_id == SERVER || m.giaddr));	/* a relay may have another name for it */
	MUST(result->dst_ip && (result->dst_port == 67 || result->dst_port == 68));
	if (m.type == DHCP_NAK) {
		MUST(!m.yiaddr && !m.has_lease);
	} else if (m.yiaddr) {
		MUST(prefix4_has(w->conf.subnet, m.yiaddr) && m.yiaddr != SERVER && m.yiaddr != NET &&
		     m.yiaddr != NET + 255);
		MUST(m.has_lease && m.lease_s);
		if (lease_find(w->s.leases, m.yiaddr, &r) == 0)
			MUST(!memcmp(r.mac, result->mac, 6) && !strcmp(r.port, w->port));
		else			/* RFC 8925 3.3: nothing is kept for who can do without */
			MUST(m.type == DHCP_OFFER && message_option(&m, OPTION_V6ONLY, &size));
	}
	if (m.type == DHCP_ACK && m.yiaddr && !w->broken)
		MUST(result->has_record && result->record.ip == m.yiaddr && result->record.state == LEASE_BOUND);
}

static void say(struct world *w, const uint8_t *data, size_t size)
{
	struct dhcp_request from = { .port = w->port, .src_mac = { 2 }, .src_ip = NET + 9, .store_ok = !w->broken };
	static struct dhcp_result result;
	static uint8_t reply[1500];
	size_t n = dhcp_server_input(&w->s, &from, data, size, w->now, reply, sizeof(reply), &result);

	MUST(result.outcome < DHCP_OUT_COUNT && dhcp_outcome_name(result.outcome));
	if (result.has_record) {
		MUST(!w->broken || !result.durable_first);
		if (!w->broken) {
			store(w, &result.record);
			lease_committed(w->s.leases, &result.record);
		}
	}
	if (n)
		check_reply(w, reply, n, &result);
}

static void check_listed(void *arg, const struct lease_record *record)
{
	struct world *w = arg;

	MUST(record->state <= LEASE_DECLINED && record->port[0] && prefix4_has(w->conf.subnet, record->ip));
}

/* restart() - the table is lost and made again from what was stored */
static void restart(struct world *w)
{
	lease_each(w->s.leases, check_listed, w);
	lease_table_free(w->s.leases);
	w->s.leases = lease_table_new(&w->conf, on_changed, w);
	MUST(w->s.leases);
	for (unsigned i = 0; i < 256; i++)
		if (w->known[i])
			lease_load(w->s.leases, &w->stored[i], strcmp(w->stored[i].port, ports[3]) != 0);
}

static void store_again(void *arg, const struct lease_record *record)
{
	if (record->state != LEASE_OFFERED)
		store(arg, record);
}

/* set_clock() - the daemon moves every end along, and stores them again */
static void set_clock(struct world *w, int8_t days)
{
	int64_t by_s = days * INT64_C(86400);

	lease_table_shift(w->s.leases, by_s);
	w->now += by_s;
	lease_each(w->s.leases, store_again, w);
}

/* reserve() - @ip for the port, or nothing */
static void reserve(struct world *w, uint32_t ip)
{
	struct reservations *old = w->index;
	unsigned i = 0;

	while (ports[i] != w->port)
		i++;
	w->reserved[i].ip = ip;
	w->index = reservations_new(w->reserved, ARRAY_SIZE(w->reserved));
	MUST(w->index);
	w->conf.reservations = w->s.conf.reservations = w->index;
	MUST(lease_table_configure(w->s.leases, &w->conf, w->now) == 0);
	reservations_free(old);
}

static void step(struct world *w, uint8_t what, struct reader *r)
{
	static uint8_t message[4096];
	struct lease_record record;
	size_t n;

	switch (what & 7) {
	case STEP_RAW:
		n = read_u16(r);
		if (n & 0x8000) {
			say(w, message, own_client(r, message));
			break;
		}
		n = MIN_OF(n & 0xfff, reader_left(r));
		read_copy(r, message, n);
		say(w, message, n);
		break;
	case STEP_SHORT:
		say(w, message, short_message(r, message));
		break;
	case STEP_RESERVE:
		reserve(w, NET + read_u8(r));
		break;
	case STEP_UNRESERVE:
		reserve(w, 0);
		break;
	case STEP_PORT_GONE:
		lease_port_gone(w->s.leases, w->port, w->now);
		break;
	case STEP_FREE:
		if (lease_free(w->s.leases, NET + read_u8(r), w->now, &record) == 0)
			store(w, &record);
		break;
	case STEP_RESTART:
		if (what & CLOCK_SET)
			set_clock(w, (int8_t)read_u8(r));
		else
			restart(w);
		break;
	case STEP_POOL:
		w->conf.ranges[0].last = NET + 16 + read_u8(r) % 240;
		MUST(lease_table_configure(w->s.leases, &w->conf, w->now) == 0);
		break;
	}
	if (lease_find_port(w->s.leases, w->port, &record) == 0)
		MUST(record.state == LEASE_BOUND && !strcmp(record.port, w->port));
	MUST(lease_count_active(w->s.leases) <= lease_count(w->s.leases));
	MUST(lease_count(w->s.leases) <= 256);
}

/* said() - some options, the same for every conversation */
static struct option_set said(void)
{
	static const char *const lines[] = {
		"classless-static-routes 10.8.0.0/16 10.77.0.9", "force tftp-server-name boot", "never swap-server", "domain-search a.example",
		"v6-only-preferred 1800",
	};
	static struct option_set set;
	char why[OPTION_WHY];

	for (unsigned i = set.n; i < ARRAY_SIZE(lines); i++)
		MUST(option_set_add(&set, lines[i], why) == 0);
	return set;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dhcp_class classes[] = {
		{ .name = "db", .match.port = "d*", .says = { .lease_s = 600, .boot = { NET + 3, "boot", "kernel" } } },
		{ .name = "odd", .match = { .vendor = "odd*" }, .says.refuse = true },
	};
	static struct world w;
	struct reader r = reader_init(data, size);

	memset(&w, 0, sizeof(w));
	w.now = 1000000;
	w.conf = (struct lease_conf){
		.subnet = { NET, 24 },
		.ranges = { { NET + 16, NET + 23, 0 } },
		.nranges = 1,
		.excluded = { SERVER },
		.nexcluded = 1,
		.quota = 5,
	};
	w.s.conf = (struct dhcp_conf){
		.subnet = w.conf.subnet,
		.server_ip = SERVER,
		.router = SERVER,
		.dns = SERVER,
		.domain = "lab.internal",
		.mtu = 1500,
		.lease_s = 3600,
		.says.options = said(),
		.classes = classes,
		.nclasses = ARRAY_SIZE(classes),
		.rapid_commit = true,
	};
	w.s.leases = lease_table_new(&w.conf, on_changed, &w);
	MUST(w.s.leases);
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++) {
		w.reserved[i].key = GUEST_PORT;
		strcpy(w.reserved[i].name, ports[i]);
	}
	while (reader_left(&r) >= 2) {
		uint8_t what = read_u8(&r), time = read_u8(&r);

		w.port = ports[what >> 3 & 3];
		w.broken = what & 0x80;
		w.now += (time & 0x80) ? (time & 0x7f) * 600 : time;
		step(&w, what, &r);
	}
	lease_table_free(w.s.leases);
	reservations_free(w.index);
	return 0;
}
