/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/alone_bed.h - three ports that are alone with the gateway, as in mode nat, and beside them one that is not
 *
 * All guests have one MAC address and one IP address. Gateway, DNS and NAT are real, so are the NAT's sockets, behind which the test
 * has its servers on loopback. To be included by one file of a test.
 */
#ifndef TESTS_ALONE_BED_H
#define TESTS_ALONE_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <time.h>

#include "base/bytes.h"
#include "dhcp/service.h"
#include "nat/gateway.h"
#include "nat/nat.h"
#include "switch/build.h"
#include "switch/request.h"
#include "tests/packet/rig.h"

enum { GUESTS = 3, GUEST = 0x0a00020f, GATEWAY = 0x0a000202, DNS = 0x0a000203, SPORT = 40000, ISS = 1000000 };

#define MAYBE_UNUSED __attribute__((unused))

static MAYBE_UNUSED const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 15 };		/* of every guest */

struct bed {
	struct rig *rig;
	struct rig_port *ports[GUESTS], *other;		/* other: on a VLAN of its network, as any port is */
	struct segment *segments[GUESTS];
	struct gateway *gateway;
	struct nat *nat;
	struct requests *requests;
	struct dns_zone zone;
	struct names *outer, *names[GUESTS];
	struct service *dns[GUESTS];
	const uint8_t *gateway_mac;
	uint8_t bytes[2048];
};

static void add_guest(struct bed *b, unsigned i)
{
	char name[8];

	b->ports[i] = rig_port_alone(b->rig, 0, gateway_service(b->gateway), &b->segments[i]);
	b->names[i] = names_new_within(b->outer, true);
	assert_non_null(b->names[i]);
	snprintf(name, sizeof(name), "web%u", i);
	assert_int_equal(names_set_host(b->names[i], name, GUEST), 0);
	b->dns[i] = dns_service_new(b->requests, &b->zone, b->names[i]);
	b->segments[i]->services[b->segments[i]->nservices++] = b->dns[i];
	b->segments[i]->services[b->segments[i]->nservices++] = nat_service(b->nat);
	b->segments[i]->has_subnet6 = true;
	b->segments[i]->subnet6 = (struct prefix6){ { .bytes = { 0xfd, 2 } }, 64 };
	b->segments[i]->gateway6 = (struct addr){ .bytes = { 0xfd, 2, [15] = 1 } };
	b->segments[i]->gateway6_link = addr_link_local(b->segments[i]->gateway_mac);
	b->segments[i]->router = true;
}

static MAYBE_UNUSED int setup(void **state)
{
	static struct bed bed;
	struct bed *b = &bed;
	struct nat_conf conf = { .net_id = 1, .host_access = HOST_LOOPBACK, .uplink = true };

	memset(b, 0, sizeof(*b));
	b->rig = rig_new();
	b->requests = requests_new();
	b->gateway = gateway_new();
	b->nat = nat_new(&conf, &b->rig->w, 1);
	assert_non_null(b->nat);
	assert_int_equal(dns_zone_init(&b->zone, "lab.internal", (struct prefix4){ GUEST & ~255u, 24 }, true), 0);
	b->outer = names_new(&b->zone.origin);
	rig_net(b->rig, 1500, true);
	for (unsigned i = 0; i < GUESTS; i++)
		add_guest(b, i);
	b->other = rig_port(b->rig, 0, rig_access(1));
	b->gateway_mac = b->segments[0]->gateway_mac;
	rig_publish(b->rig);
	*state = b;
	return 0;
}

static MAYBE_UNUSED int teardown(void **state)
{
	struct bed *b = *state;
	time_t end = time(NULL) + 5;

	while (!nat_stop(b->nat))
		worker_turn(b->rig->w, 0);
	while (!nat_stopped(b->nat) && time(NULL) < end)
		worker_turn(b->rig->w, 1);
	assert_true(nat_stopped(b->nat));
	for (unsigned i = 0; i < GUESTS; i++) {
		free(b->dns[i]);
		names_free(b->names[i]);
	}
	names_free(b->outer);
	nat_free(b->nat);
	gateway_free(b->gateway);
	requests_free(b->requests);
	rig_free(b->rig);
	return 0;
}

static void send_frame(struct bed *b, unsigned from, uint32_t len)
{
	rig_offer(b->ports[from], b->bytes, len);
	rig_run(b->rig);
}

/* silent() - nobody but @from was sent anything; that is cleared */
static MAYBE_UNUSED void silent(struct bed *b, unsigned from)
{
	for (unsigned i = 0; i < GUESTS; i++) {
		if (i != from)
			assert_int_equal(b->ports[i]->nsent, 0);
		assert_true(rig_identities(&b->ports[i]->port));
	}
	assert_int_equal(b->other->nsent, 0);
	rig_clear(b->rig);
}

/* awaited() - the first frame of @from that was sent within two seconds */
static const struct rig_frame *awaited(struct bed *b, unsigned from)
{
	time_t end = time(NULL) + 3;

	while (!b->ports[from]->nsent && time(NULL) < end)
		worker_turn(b->rig->w, 10);
	assert_true(b->ports[from]->nsent > 0);
	return &b->ports[from]->sent[0];
}

#endif
