// SPDX-License-Identifier: GPL-2.0-or-later
/* covers: dhcp/dhcp6_explain.c dhcp/dhcp6_message.c dhcp/dhcp6_reply.c dhcp/dhcp6_server.c dhcp/dhcp6_settings.c dhcp/lease6.c dhcp/lease6_table.c */
/* max_len: 4096 */
/* Conversations of several guests with one DHCPv6 server on a fake clock. The input is a row of steps: what happens (low three bits) and
 * who does it (the others), how many minutes after the last, and for messages their size (two bytes) and themselves. Our server identifier
 * may be written as ten bytes 0xee. Besides memory errors it looks for broken promises: an answer no client could read, a place outside
 * the pools, or one that two have, or one the store was not told of.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "dhcp/boot.h"
#include "dhcp/dhcp6_explain.h"
#include "dhcp/reservation.h"
#include "tests/packet/dhcp6_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what) do { if (!(what)) abort(); } while (0)

enum step { STEP_MESSAGE, STEP_UNICAST, STEP_RESTART, STEP_PORT_GONE, STEP_FREE, STEP_POOL, STEP_STORE, STEP_USED };

struct world {
	struct dhcp6_server s;
	struct lease6_conf conf;
	int64_t now;
	bool broken, used;
	struct lease6_record kept[64];	/* for a restart */
	unsigned nkept;
};

static const char *const ports[4] = { "web1", "web2", "db", "box1" };

static bool is_used(void *arg, struct addr a, const char *port, const uint8_t *mac)
{
	const struct world *w = arg;

	(void)port, (void)mac;
	return w->used && a.bytes[15] & 1;
}

static void on_changed(void *arg, const struct lease6_record *r)
{
	(void)arg;
	MUST(r->state != LEASE_BOUND && r->port[0]);
}

static void check_given(const struct world *w, const struct heard *h)
{
	for (unsigned i = 0; i < h->nias; i++)
		for (unsigned k = 0; k < h->ia[i].n; k++) {
			MUST(h->ia[i].item[k].preferred <= h->ia[i].item[k].valid);
			MUST(!h->ia[i].item[k].valid || lease6_is_ours(w->s.leases, h->ia[i].item[k].place));
		}
}

/* explain() - what the guest would be given is told without giving it */
static void explain(struct world *w, const char *port, const uint8_t *mac)
{
	static const uint8_t duid[] = { 0, 4, 1 };
	const struct dhcp6_question q = {
		.port = port, .mac = mac, .duid = duid, .duid_size = sizeof(duid), .iaid = mac[5], .user = mac[5] & 1 ? "phone" : NULL,
		.vendor = mac[5] & 2 ? "HTTPClient" : NULL, .by_arch = mac[5] & 4, .arch = 16,
	};
	static struct dhcp6_explained e;
	size_t before, size;

	lease6_expire(w->s.leases, w->now);
	before = lease6_count(w->s.leases);
	MUST(dhcp6_explain(&w->s, &q, w->now, &e) == 0);
	MUST(lease6_count(w->s.leases) == before);
	MUST(!e.address.len || lease6_why_text(e.address_why));
	MUST(e.lease_s == (mac[5] & 1 ? 60 : 3600) && e.profile.n);
	MUST(!dhcp6_message_option(e.answer, e.size, OPTION6_RAPID_COMMIT, &size));
}

static void say(struct world *w, unsigned guest, bool unicast, uint8_t *data, size_t size)
{
	struct dhcp6_request from = {
		.port = ports[guest & 3], .src_mac = { 2, [5] = (uint8_t)guest }, .src = { .bytes = { 0xfe, 0x80, [15] = (uint8_t)guest } },
		.dst = { .bytes = { 0xff, 2 } }, .sport = 546, .store_ok = !w->broken,
	};
	static struct dhcp6_result r;
	static uint8_t reply[1452];
	struct heard h;
	size_t n;

	if (unicast)
		from.dst = w->conf.gateway;
	for (size_t i = 0; i + 10 <= size; i++)
		if (!memcmp(data + i, "\xee\xee\xee\xee\xee\xee\xee\xee\xee\xee", 10))
			memcpy(data + i, w->s.conf.duid, 10);
	n = dhcp6_server_input(&w->s, &from, data, size, w->now, reply, sizeof(reply), &r);
	MUST(r.outcome < DHCP6_OUT_COUNT && dhcp6_outcome_name(r.outcome) && n <= sizeof(reply));
	MUST(!w->broken || !r.durable_first);
	for (unsigned i = 0; i < r.nrecords; i++)
		lease6_committed(w->s.leases, &r.records[i]);
	if (n && reply[0] != DHCP6_RELAY_REPLY && hear(&h, reply, n))
		check_given(w, &h);
	explain(w, from.port, from.src_mac);
}

static void keep(void *arg, const struct lease6_record *r)
{
	struct world *w = arg;

	MUST(lease6_is_ours(w->s.leases, r->place));
	if (w->nkept < ARRAY_SIZE(w->kept))
		w->kept[w->nkept++] = *r;
}

static void restart(struct world *w)
{
	w->nkept = 0;
	lease6_each(w->s.leases, keep, w);
	lease6_table_free(w->s.leases);
	w->s.leases = lease6_table_new(&w->conf, on_changed, w);
	for (unsigned i = 0; i < w->nkept; i++)
		MUST(lease6_load(w->s.leases, &w->kept[i]) != -ENOMEM);
}

static void step(struct world *w, struct reader *r)
{
	uint8_t what = read_u8(r), after = read_u8(r);
	unsigned guest = what >> 3;
	struct lease6_record record;
	uint8_t copy[2048];
	size_t n;

	w->now += 60 * after;
	switch (what & 7) {
	case STEP_MESSAGE:
	case STEP_UNICAST:
		n = read_u16(r);
		n = MIN_OF(MIN_OF(n, sizeof(copy)), reader_left(r));
		if (n)
			memcpy(copy, read_bytes(r, n), n);
		say(w, guest, (what & 7) == STEP_UNICAST, copy, n);
		break;
	case STEP_RESTART:
		restart(w);
		break;
	case STEP_PORT_GONE:
		lease6_port_gone(w->s.leases, ports[guest & 3], w->now);
		break;
	case STEP_FREE:
		w->nkept = 0;
		lease6_each(w->s.leases, keep, w);
		if (w->nkept)
			MUST(lease6_free(w->s.leases, w->kept[guest % w->nkept].place.addr, w->now, &record) == 0);
		break;
	case STEP_POOL:
		w->conf.last = 0x1000 + guest;
		w->conf.delegated_len = 60 + (guest & 3);
		lease6_table_configure(w->s.leases, &w->conf, w->now);
		break;
	case STEP_STORE:
		w->broken = !w->broken;
		break;
	case STEP_USED:
		w->used = !w->used;
		break;
	}
}

static struct option_set set_of(const char *line, const char *another)
{
	struct option_set set = { .family = OPTIONS6 };
	char why[OPTION_WHY];

	MUST(option_set_add(&set, line, why) == 0 && option_set_add(&set, another, why) == 0);
	return set;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct boot_conf boot = { .tftp = "/srv", .file = "other", .of = { [BOOT_HTTP_X64] = "http://b/x" }, .ipxe = "http://b/menu" };
	struct dhcp_class classes[] = {
		{ .name = "phones", .match = { .user = "phone*" }, .says.lease_s = 60 },
		{ .name = "strangers", .match = { .vendor = "x*" }, .says.refuse = true },
		{ .name = "arm", .match = { .arch = { 11 }, .narch = 1 }, .says.boot = { .file = "a", .server = 1 } },
	};
	static const struct dhcp_reservation pinned = { .name = "db", .key = GUEST_PORT, .ip = 0x0a4d0032 };
	struct reader r = reader_init(data, size);
	struct world w = { .now = 1000000 };
	struct reservations *index = reservations_new(&pinned, 1);

	w.conf = (struct lease6_conf){
		.subnet = { { .bytes = { 0xfd, 0, 0, 0x77 } }, 64 }, .first = 0x1000, .last = 0x100f, .delegated = { { .bytes = { 0xfd, 0, 0, 0x88 } }, 56 },
		.delegated_len = 60, .gateway = { .bytes = { 0xfd, 0, 0, 0x77, [15] = 1 } }, .quota = 8, .is_used = is_used, .reservations = index,
	};
	w.s.conf = (struct dhcp6_conf){
		.subnet = w.conf.subnet, .dns = w.conf.gateway, .domain = "lab.internal", .captive_portal = "https://p.example/", .lease_s = 3600,
		.ntp = { w.conf.gateway }, .nntp = 1, .gateway = w.conf.gateway, .boot = &boot, .classes = classes, .nclasses = ARRAY_SIZE(classes),
		.reservations = index, .says.options6 = set_of("force 17 0000013701", "never captive-portal"),
	};
	classes[0].says.options6 = set_of("sntp-servers fd00::8", "boot-file-parameters ro");
	dhcp6_server_duid(&w.s.conf, (const uint8_t[]){ 2, 0, 0, 0, 0, 1 });
	w.s.leases = lease6_table_new(&w.conf, on_changed, &w);
	MUST(index && w.s.leases);
	for (unsigned i = 0; i < 200 && reader_left(&r); i++)
		step(&w, &r);
	lease6_expire(w.s.leases, w.now);
	lease6_table_free(w.s.leases);
	reservations_free(index);
	option_set_fini(&w.s.conf.says.options6);
	option_set_fini(&classes[0].says.options6);
	return 0;
}
