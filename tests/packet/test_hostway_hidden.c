// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's loopback over IPv6 is the NAT's (hostway_is_loopback6()): also what has its ports behind other headers, or not in each of its
 * packets, never comes to the host by its own address instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/hostway.h"
#include "tests/packet/hostway_bed.h"

enum { OPTIONS = 60, FRAGMENT = 44, MORE = 1, LATER = 100 << 3, EXTENSION = 8 };

static const struct {
	const char *what;
	uint8_t extension, next;
	uint16_t offset;		/* of a fragment, with MORE */
	uint16_t port;
	char loopback6;			/* whose it is then: 'h' the host's, 's' the services'. Else it is the host's */
} cases[] = {
	{ "UDP behind options", OPTIONS, PROTO_UDP, 0, 80, 's' },
	{ "to a port of the host's, behind options", OPTIONS, PROTO_UDP, 0, HOSTWAY_HAIRPIN, 'h' },
	{ "a first fragment of UDP", FRAGMENT, PROTO_UDP, MORE, 80, 's' },
	{ "a later one, which has no port", FRAGMENT, PROTO_UDP, LATER, HOSTWAY_HAIRPIN, 's' },
	{ "a later one of TCP", FRAGMENT, PROTO_TCP, LATER, 80, 's' },
	{ "a fragment that is its whole packet", FRAGMENT, PROTO_UDP, 0, 80, 's' },
	{ "one that would write over a header", FRAGMENT, PROTO_TCP, 1 << 3, 80, 's' },
	{ "a first fragment of a ping", FRAGMENT, PROTO_ICMP6, MORE, 0, 'h' },
	{ "a later one", FRAGMENT, PROTO_ICMP6, LATER, 0, 'h' },
	{ "headers without an end", OPTIONS, OPTIONS, 0, 0, 's' },
};

/* hide() - the datagram at @frame, to the gateway, behind one more header. Return: its size */
static uint32_t hide(uint8_t *frame, uint32_t len, size_t i)
{
	uint8_t *ip6 = frame + ETH_HEADER, *at = ip6 + IP6_HEADER;

	memmove(at + EXTENSION, at, len - ETH_HEADER - IP6_HEADER);
	memset(at, 0, EXTENSION);
	at[0] = cases[i].next;
	put_u16(at + 2, cases[i].extension == FRAGMENT ? cases[i].offset : 0x0104);	/* an option that pads */
	ip6[6] = cases[i].extension;
	put_u16(ip6 + 4, (uint16_t)(len - ETH_HEADER - IP6_HEADER + EXTENSION));
	return len + EXTENSION;
}

static void test_hidden(void **state)
{
	(void)state;
	for (int loopback6 = 0; loopback6 < 2; loopback6++) {
		struct bed b;

		bed_init(&b, true, true);
		b.segment->loopback6 = loopback6;
		bed_publish(&b, true);
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			uint8_t frame[200];
			uint32_t len = hide(frame, ip(frame, b.mac, guest_mac, "fd01::9", "fd01::1", cases[i].port), i);
			bool hosts = !loopback6 || cases[i].loopback6 == 'h';

			print_message("  %s\n", cases[i].what);
			rig_clear(b.rig);
			rig_offer(b.guest, frame, len);
			rig_run(b.rig);
			assert_int_equal(b.host->nsent, hosts);
		}
		bed_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_hidden) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
