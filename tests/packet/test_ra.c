// SPDX-License-Identifier: GPL-2.0-or-later
/* nat/ra: what advertisements say, option by option (RA-03, RA-04). Layouts are those of RFC 4861 4.6, 4191 2.3, 8106 5, 8781 4, 8910 2.3. */
#include "nat/ra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "switch/build.h"
#include "switch/nd.h"
#include "switch/snapshot.h"

enum { MESSAGE = ETH_HEADER + IP6_HEADER, OPTIONS = MESSAGE + 16 };

static const uint8_t mac[6] = { 0x33, 0x33, [5] = 1 };
static const struct addr all = { .bytes = { 0xff, 2, [15] = 1 } };
static char domain[] = "lab.internal", portal[] = "https://p.example/";

static struct segment usual(void)
{
	return (struct segment){
		.has_subnet6 = true, .subnet6 = { { .bytes = { 0xfd, 0, 0, 0x77 } }, 64 }, .gateway6 = { .bytes = { 0xfd, 0, 0, 0x77, [15] = 1 } },
		.gateway6_link = { .bytes = { 0xfe, 0x80, [15] = 1 } }, .gateway_mac = { 2, [5] = 1 }, .router = true, .resolver = true,
	};
}

/* option_at() - the @n-th option of a type; NULL: there is none. Every option on the way must be whole. */
static const uint8_t *option_at(const uint8_t *frame, uint32_t len, uint8_t type, unsigned n)
{
	for (uint32_t at = OPTIONS; at < len; at += frame[at + 1] * 8u) {
		assert_true(at + 8 <= len && frame[at + 1] && at + frame[at + 1] * 8u <= len);
		if (frame[at] == type && n-- == 0)
			return frame + at;
	}
	return NULL;
}

static uint32_t build(uint8_t *frame, const struct segment *seg, enum ra_kind kind, uint64_t now_ms)
{
	uint32_t len = ra_build(frame, seg, 1500, mac, all, kind, now_ms);
	struct packet p;
	struct offload none = { 0 };

	assert_true(len <= RA_MAX);
	assert_int_equal(packet_parse(frame, len, &none, &p), VERDICT_FORWARDED);	/* its checksum, too (RA-01) */
	assert_int_equal(p.ttl, 255);
	assert_true(addr_is_link_local(p.src));
	return len;
}

static void test_RA_01_intervals(void **state)
{
	uint32_t least = UINT32_MAX, most = 0;

	(void)state;
	for (unsigned n = 1; n <= RA_INITIAL; n++)
		assert_true(ra_wait_s(n, n * 77) <= 16);
	for (uint64_t random = UINT64_MAX - 5000; random; random++) {
		uint32_t s = ra_wait_s(RA_INITIAL + 1, random);

		least = s < least ? s : least;
		most = s > most ? s : most;
	}
	assert_int_equal(least, 200);
	assert_int_equal(most, 600);
	print_message("  three seconds between any two to everybody\n");
	for (uint32_t ms = 0; ms < 10000; ms++)
		assert_int_equal(ms + ra_delay_ms(ms), ms < 3000 ? 3000 : ms);
	assert_int_equal(ra_delay_ms(UINT64_MAX), 0);
}

static void test_RA_03_flags(void **state)
{
	static const struct { bool dhcp6, managed; uint8_t flags; } cases[] = { { false, false, 0 }, { true, false, 0x40 }, { true, true, 0xc0 } };
	struct segment seg = usual();
	uint8_t frame[RA_MAX];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		seg.dhcp6 = cases[i].dhcp6;
		seg.managed = cases[i].managed;
		build(frame, &seg, RA_USUAL, 0);
		assert_int_equal(frame[MESSAGE + 5], cases[i].flags);
	}
}

static void test_RA_03_options(void **state)
{
	struct segment seg = usual();
	uint8_t frame[RA_MAX];
	const uint8_t *o;
	uint32_t len;

	(void)state;
	seg.domain = domain;
	seg.captive_portal = portal;
	seg.pref64 = (struct prefix6){ { .bytes = { 0, 0x64, 0xff, 0x9b } }, 96 };
	len = build(frame, &seg, RA_USUAL, 0);
	assert_memory_equal(option_at(frame, len, ND_DNSSL, 0), "\37\3\0\0\0\0\7\10\3lab\10internal\0\0", 24);
	assert_memory_equal(option_at(frame, len, ND_PREF64, 0), "\46\2\7\10\0\144\377\233\0\0\0\0\0\0\0\0", 16);
	o = option_at(frame, len, ND_CAPTIVE_PORTAL, 0);
	assert_memory_equal(o, "\45\3https://p.example/\0\0\0\0", 24);
	assert_null(option_at(frame, len, ND_ROUTE, 0));
	seg.pref64.len = 64;
	len = build(frame, &seg, RA_USUAL, 0);
	assert_int_equal(option_at(frame, len, ND_PREF64, 0)[3] & 7, 1);
	print_message("  who is no router tells the way to what is delegated\n");
	seg.router = false;
	seg.delegated = (struct prefix6){ { .bytes = { 0xfd, 0, 0, 0x88 } }, 48 };
	len = build(frame, &seg, RA_USUAL, 0);
	assert_memory_equal(option_at(frame, len, ND_ROUTE, 0), "\30\2\60\0\0\0\7\10\375\0\0\210\0\0\0\0", 16);
}

static void test_RA_04_old_prefixes(void **state)
{
	struct segment seg = usual();
	uint8_t frame[RA_MAX];
	const uint8_t *o;
	uint32_t len;

	(void)state;
	seg.old[0].prefix = (struct prefix6){ { .bytes = { 0xfd, 0, 0, 0x66 } }, 64 };
	seg.old[0].until_ms = 5000000;
	seg.nold = 1;
	len = build(frame, &seg, RA_USUAL, 1000000);
	o = option_at(frame, len, ND_PREFIX_INFORMATION, 1);
	assert_int_equal(get_u32(o + 4), 4000);
	assert_int_equal(get_u32(o + 8), 0);
	assert_memory_equal(o + 16, seg.old[0].prefix.addr.bytes, 16);
	assert_int_equal(get_u32(option_at(frame, len, ND_PREFIX_INFORMATION, 0) + 8), RA_PREFERRED_S);
	len = build(frame, &seg, RA_USUAL, 5000000);
	assert_null(option_at(frame, len, ND_PREFIX_INFORMATION, 1));
	print_message("  a gateway that rests takes no address back, one that goes does\n");
	len = build(frame, &seg, RA_STOP, 0);
	assert_int_equal(get_u16(frame + MESSAGE + 6), 0);
	assert_int_equal(get_u32(option_at(frame, len, ND_RDNSS, 0) + 4), 0);
	assert_int_equal(get_u32(option_at(frame, len, ND_PREFIX_INFORMATION, 0) + 8), RA_PREFERRED_S);
	len = build(frame, &seg, RA_BYE, 0);
	assert_int_equal(get_u32(option_at(frame, len, ND_PREFIX_INFORMATION, 0) + 8), 0);
}

/* What does not fit is left out whole; what comes behind it and fits is there. */
static void test_room(void **state)
{
	static struct peer peers[PEERS_MAX];
	struct segment seg = usual(), to = usual();
	char long_domain[254], uri[254];
	uint8_t frame[RA_MAX];
	uint32_t len;

	(void)state;
	memset(long_domain, 'a', sizeof(long_domain));
	memset(uri, 'u', sizeof(uri));
	long_domain[253] = uri[253] = 0;
	for (unsigned i = 63; i < 253; i += 64)
		long_domain[i] = '.';
	for (unsigned i = 0; i < PEERS_MAX; i++)
		peers[i].to = &to;
	seg.router = false;
	seg.peers = peers;
	seg.npeers = PEERS_MAX;
	seg.domain = long_domain;
	seg.captive_portal = uri;
	seg.nold = SEGMENT_OLD_PREFIXES;
	for (unsigned i = 0; i < SEGMENT_OLD_PREFIXES; i++)
		seg.old[i].until_ms = 10000;
	len = build(frame, &seg, RA_USUAL, 0);
	assert_non_null(option_at(frame, len, ND_DNSSL, 0));
	assert_non_null(option_at(frame, len, ND_ROUTE, PEERS_MAX - 1));
	assert_non_null(option_at(frame, len, ND_PREFIX_INFORMATION, SEGMENT_OLD_PREFIXES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_RA_01_intervals), cmocka_unit_test(test_RA_03_flags), cmocka_unit_test(test_RA_03_options), cmocka_unit_test(test_RA_04_old_prefixes),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
