// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/server: guests behind relays. IDs are those of the conformance statements. */
#include "tests/unit/dhcp_bench.h"

#include "base/array.h"

static void test_dhcp_34_35_relay(void **state)
{
	struct bench *b = *state;
	size_t end = 0;

	TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = "\1\4port", .client_id = "id");
	assert_true(has(b, 82));
	for (size_t at = 240; b->reply[at] != 255; at += 2u + b->reply[at + 1])
		end = at;
	assert_int_equal(b->reply[end], 82);		/* last before END */
	assert_memory_equal(b->reply + end + 2, "\1\4port", 6);
	TELL(b, DHCP_DISCOVER, .mac = 1, .relay = "\1\4port");
	assert_false(has(b, 82));			/* never to a guest that is not relayed */
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = SERVER), DHCP_OUT_RELAY);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = 0x0a4e0001), DHCP_OUT_RELAY);
	assert_int_equal(b->size, 0);
}

static void test_dhcp_34_35_sub_options(void **state)
{
	struct bench *b = *state;
	const char link[] = "\5\4\x0a\x4d\1\1";		/* 10.77.1.1: another subnet */
	const char named[] = "\13\4\x0a\1\1\1";		/* 10.1.1.1 */
	const uint8_t *p;
	size_t size;

	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = 0x0a010101), DHCP_OUT_RELAY);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = link), DHCP_OUT_RELAY);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = 0x0a010101, .relay = "\5\4\x0a\x4d\xff\2"), DHCP_OUT_RELAY);
	b->s.conf.subnet = (struct prefix4){ 0x0a4d0000, 16 };
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = 0x0a010101, .relay = link), DHCP_OUT_OFFER);
	assert_int_equal(b->r.dst_ip, 0x0a010101);
	p = message_option(&b->answer, OPTION_RELAY_INFO, &size);
	assert_memory_equal(p, link, size);
	assert_int_equal(b->reply[b->size - 1] == OPTION_END || b->reply[b->size - 1] == 0, 1);
	print_message("  server-id override: what it is called is what it answers to\n");
	b->named_as = 0x0a010101;
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = named), DHCP_OUT_OFFER);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .giaddr = NET + 9, .relay = named, .want = b->answer.yiaddr, .server = 0x0a010101),
			 DHCP_OUT_ACK);
	assert_int_equal(TELL(b, DHCP_RELEASE, .mac = 1, .giaddr = NET + 9, .relay = named, .ciaddr = FIRST, .server = 0x0a010101),
			 DHCP_OUT_RELEASE);
	print_message("  said by a guest, without a relay: nothing\n");
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .relay = named, .want = FIRST, .server = 0x0a010101), DHCP_OUT_FOREIGN_SERVER);
	b->named_as = 0;
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .want = FIRST, .server = 0x0a010101), DHCP_OUT_FOREIGN_SERVER);
	print_message("  lengths that lie: as if nothing were there\n");
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = "\13\4\x0a\1\1\1\1\5x"), DHCP_OUT_OFFER);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = "\13\3\x0a\1\1"), DHCP_OUT_OFFER);
}

/* a relay's guests behind circuit eth1 are phones: they have addresses and an option of their own */
static void phones(struct bench *b, struct dhcp_class *class)
{
	*class = (struct dhcp_class){ .name = "phones", .match.circuit = "eth1", .pool = 1 };
	put(&class->says.options, "ntp-servers 10.77.0.9");
	b->leases.ranges[1] = (struct lease_range){ FIRST + 20, FIRST + 29, 1 };
	b->leases.nranges = 2;
	reserve(b, 0);
	b->s.conf.classes = class;
	b->s.conf.nclasses = 1;
}

/* RFC 3046 2.1.1: a guest that renews asks the server directly; it has not moved for that */
static void test_dhcp_34_renewal_is_of_the_same_circuit(void **state)
{
	struct bench *b = *state;
	struct dhcp_class class;
	struct lease_record stored;

	phones(b, &class);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1, .giaddr = NET + 9, .relay = "\1\4eth1"), DHCP_OUT_OFFER);
	assert_int_equal(b->answer.yiaddr, FIRST + 20);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .giaddr = NET + 9, .relay = "\1\4eth1", .want = FIRST + 20, .server = SERVER), DHCP_OUT_ACK);
	stored = b->r.record;
	assert_int_equal(stored.circuit_size, 4);
	assert_memory_equal(stored.circuit, "eth1", 4);
	for (unsigned i = 0; i < 2; i++) {
		b->now += HOUR / 2;
		assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = FIRST + 20, .parameters = "\52"), DHCP_OUT_ACK);
		assert_int_equal(message_option_u32(&b->answer, 42), NET + 9);
	}
	print_message("  nobody else's, and only while it is his\n");
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 2, .ciaddr = FIRST + 20), DHCP_OUT_NAK);
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 2, .ciaddr = FIRST + 21), DHCP_OUT_NAK);
	assert_int_equal(TELL(b, DHCP_DISCOVER, .mac = 1), DHCP_OUT_OFFER);	/* not by the relay: he is here now */
	assert_int_equal(b->answer.yiaddr, FIRST);
	print_message("  and after a start\n");
	lease_table_free(b->s.leases);
	b->s.leases = lease_table_new(&b->leases, NULL, NULL);
	assert_int_equal(lease_load(b->s.leases, &stored, true), 0);
	b->now = NOW + 1;
	assert_int_equal(TELL(b, DHCP_REQUEST, .mac = 1, .ciaddr = FIRST + 20, .parameters = "\52"), DHCP_OUT_ACK);
	assert_int_equal(message_option_u32(&b->answer, 42), NET + 9);
	option_set_fini(&class.says.options);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dhcp_34_35_relay),
		TEST(test_dhcp_34_35_sub_options),
		TEST(test_dhcp_34_renewal_is_of_the_same_circuit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
