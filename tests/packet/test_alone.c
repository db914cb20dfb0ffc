// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests that are alone with the gateway hear nothing of one another, and each is served as if there were no other. */
#include "tests/packet/alone_bed.h"

#include "base/array.h"
#include "nat/ra.h"
#include "switch/fdb.h"
#include "switch/nd.h"
#include "switch/station.h"

/* ---- nothing passes ---- */

static const struct {
	const char *what;
	uint8_t dst[6];
	uint16_t ethertype;
} strays[] = {
	{ "a broadcast", { 255, 255, 255, 255, 255, 255 }, 0x88b5 },
	{ "a multicast of IPv4", { 1, 0, 0x5e, 0, 0, 0xfb }, 0x88b5 },
	{ "a multicast of IPv6", { 0x33, 0x33, 0, 0, 0, 1 }, 0x88b5 },
	{ "a frame for an unknown address", { 2, 0, 0, 0, 0, 0x77 }, 0x88b5 },
	{ "a frame for the address that all guests have", { 2, 0, 0, 0, 0, 15 }, 0x88b5 },
};

static void test_nothing_passes(void **state)
{
	struct bed *b = *state;

	for (unsigned i = 0; i < GUESTS; i++)	/* each has been heard */
		send_frame(b, i, build_arp(b->bytes, ARP_REQUEST, guest_mac, GUEST, (uint8_t[6]){ 0 }, GATEWAY, everybody));
	rig_clear(b->rig);
	for (size_t i = 0; i < ARRAY_SIZE(strays); i++)
		for (unsigned from = 0; from < GUESTS; from++) {
			print_message("  %s from %u\n", strays[i].what, from);
			send_frame(b, from, rig_eth(b->bytes, strays[i].dst, guest_mac, -1, strays[i].ethertype, 100));
			assert_int_equal(b->ports[from]->nsent, 0);
			silent(b, from);
		}
}

/* What a tag says is nobody's segment: neither another's number, nor the port's own, nor that of a VLAN. */
static void test_no_tag_leads_anywhere(void **state)
{
	static const int tags[] = { 1, 2, 10, 4094, 4095, 4096 & 0xfff };
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		send_frame(b, 0, rig_eth(b->bytes, everybody, guest_mac, tags[i], 0x88b5, 100));
		assert_int_equal(b->ports[0]->nsent, 0);
		silent(b, 0);
	}
	assert_int_equal(rig_verdict(b->ports[0], VERDICT_DROP_VLAN), ARRAY_SIZE(tags) - 1);	/* VID 0 is a priority alone */
}

static void test_address_of_another(void **state)
{
	struct bed *b = *state;

	print_message("  nobody answers for the address that the others have\n");
	send_frame(b, 0, build_arp(b->bytes, ARP_REQUEST, guest_mac, GUEST + 1, (uint8_t[6]){ 0 }, GUEST, everybody));
	assert_int_equal(b->ports[0]->nsent, 0);
	silent(b, 0);
	print_message("  and the gateway leads nobody there\n");
	send_frame(b, 0, build_udp_frame(b->bytes, b->gateway_mac, guest_mac, addr4(GUEST + 1), 5, addr4(GUEST), 80, "x", 1));
	assert_int_equal(b->ports[0]->nsent, 0);
	assert_int_equal(rig_verdict(b->ports[0], VERDICT_DROP_MARTIAN), 1);
	silent(b, 0);
}

/* ---- each is served ---- */

static void test_gateway(void **state)
{
	static const uint32_t addresses[] = { GATEWAY, DNS };
	struct bed *b = *state;

	for (unsigned from = 0; from < GUESTS; from++)
		for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
			const struct rig_frame *f;

			send_frame(b, from, build_arp(b->bytes, ARP_REQUEST, guest_mac, GUEST, (uint8_t[6]){ 0 }, addresses[i], everybody));
			f = awaited(b, from);
			assert_int_equal(get_u16(f->data + 20), ARP_REPLY);
			assert_int_equal(get_u32(f->data + 28), addresses[i]);
			assert_memory_equal(f->data + 22, b->gateway_mac, MAC_SIZE);
			assert_int_equal(f->tci, 0);
			silent(b, from);
		}
}

/* The FDB knows each of them by its own segment: nobody takes an address away from another. */
static void test_no_moves(void **state)
{
	struct bed *b = *state;
	struct fdb_entry seen[8];
	unsigned n;

	for (unsigned i = 0; i < 10 * GUESTS; i++)
		send_frame(b, i % GUESTS, build_arp(b->bytes, ARP_REQUEST, guest_mac, GUEST, (uint8_t[6]){ 0 }, GATEWAY, everybody));
	n = fdb_each(b->rig->nets[0].fdb, worker_now_ms(b->rig->w), seen, ARRAY_SIZE(seen));
	assert_int_equal(n, GUESTS);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(seen[i].moves, 0);
	for (unsigned i = 0; i < GUESTS; i++) {
		struct station st;

		assert_true(station_find(b->segments[i]->stations, addr4(GUEST), &st));
		assert_int_equal(st.port, b->ports[i]->port.id);
	}
}

static uint32_t dns_query(uint8_t *to, const char *wire, size_t size, uint16_t type)
{
	struct writer w = writer_init(to, 512);

	write_u16(&w, 0x1234);
	write_u16(&w, 0x0100);
	write_u16(&w, 1);
	write_zeros(&w, 6);
	write_bytes(&w, wire, size);
	write_u16(&w, type);
	write_u16(&w, 1);
	return (uint32_t)w.pos;
}

/* ask_name() - Return: the answer's code and count of answers, as code << 8 | count */
static unsigned ask_name(struct bed *b, unsigned from, const char *wire, size_t size, uint16_t type, struct packet *p)
{
	uint8_t query[512];
	const struct rig_frame *f;

	send_frame(b, from, build_udp_frame(b->bytes, b->gateway_mac, guest_mac, addr4(GUEST), 5353, addr4(DNS), PORT_DNS, query,
					    dns_query(query, wire, size, type)));
	f = awaited(b, from);
	assert_int_equal(packet_parse(f->data, f->len, &f->offload, p), VERDICT_FORWARDED);
	assert_int_equal(addr_4(p->src), DNS);
	return (packet_payload(p)[3] & 15u) << 8 | packet_payload(p)[7];
}

static void test_names(void **state)
{
	static const char reverse[] = "\00215\0012\0010\00210\7in-addr\4arpa";
	struct bed *b = *state;
	struct dns_name owner;
	struct dns_record record;
	struct packet p;

	assert_int_equal(dns_owner_parse(&owner, "all", &b->zone.origin), 0);
	assert_int_equal(dns_record_parse(&record, DNS_A, "192.0.2.7", &b->zone.origin), 0);
	assert_int_equal(names_add(b->outer, &owner, &record), 0);
	for (unsigned from = 0; from < GUESTS; from++) {
		char own[] = "\4web0\3lab\10internal", other[] = "\4web0\3lab\10internal", common[] = "\3all\3lab\10internal";

		own[4] = (char)('0' + from);
		other[4] = (char)('0' + (from + 1) % GUESTS);
		print_message("  web%u is known to itself, the others are not, and what is the network's is everybody's\n", from);
		assert_int_equal(ask_name(b, from, own, sizeof(own), DNS_A, &p), 1);
		silent(b, from);
		assert_int_equal(ask_name(b, from, other, sizeof(other), DNS_A, &p), 3 << 8);
		silent(b, from);
		assert_int_equal(ask_name(b, from, common, sizeof(common), DNS_A, &p), 1);
		silent(b, from);
		assert_int_equal(ask_name(b, from, reverse, sizeof(reverse), DNS_PTR, &p), 1);
		assert_memory_equal(packet_payload(&p) + packet_payload_len(&p) - sizeof(own), own, sizeof(own));
		silent(b, from);
	}
}

static void test_nothing_else_at_the_dns_address(void **state)
{
	struct bed *b = *state;
	const struct rig_frame *f;

	send_frame(b, 0, build_udp_frame(b->bytes, b->gateway_mac, guest_mac, addr4(GUEST), 5, addr4(DNS), 111, "x", 1));
	f = awaited(b, 0);
	assert_int_equal(f->data[ETH_HEADER + IP4_HEADER], 3);		/* destination unreachable: port */
	assert_int_equal(f->data[ETH_HEADER + IP4_HEADER + 1], 3);
	silent(b, 0);
	assert_int_equal(rig_verdict(b->ports[0], VERDICT_CONSUMED_REFUSED), 1);
}

static void test_advertisements(void **state)
{
	struct bed *b = *state;

	ra_send(b->rig->w, 1, RA_USUAL);
	for (unsigned i = 0; i < GUESTS; i++) {
		assert_int_equal(b->ports[i]->nsent, 1);
		assert_int_equal(b->ports[i]->sent[0].data[ETH_HEADER + IP6_HEADER], ND_ROUTER_ADVERTISEMENT);
	}
	assert_int_equal(b->other->nsent, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_passes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_tag_leads_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_address_of_another, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gateway, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_else_at_the_dns_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_advertisements, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
