// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports that are alone with the gateway, as in mode nat: guests with one MAC address and one IP address, each served as if there
 * were no other, and nothing of one ever seen by another. NAT and its sockets are real, behind them are servers on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "dhcp/service.h"
#include "nat/forward.h"
#include "nat/gateway.h"
#include "nat/nat.h"
#include "nat/ra.h"
#include "switch/build.h"
#include "switch/fdb.h"
#include "switch/nd.h"
#include "switch/request.h"
#include "switch/station.h"
#include "tests/packet/rig.h"

enum { GUESTS = 3, GUEST = 0x0a00020f, GATEWAY = 0x0a000202, DNS = 0x0a000203, SPORT = 40000, ISS = 1000000 };

static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 15 };		/* of every guest */

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
	b->names[i] = names_new_within(b->outer);
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

static int setup(void **state)
{
	static struct bed bed;
	struct bed *b = &bed;
	struct nat_conf conf = { .net_id = 1, .vid = VID_DEFAULT, .host_access = HOST_LOOPBACK, .uplink = true };

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

static int teardown(void **state)
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
static void silent(struct bed *b, unsigned from)
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
		send_frame(b, i, build_arp(b->bytes, ARP_REQUEST, mac, GUEST, (uint8_t[6]){ 0 }, GATEWAY, everybody));
	rig_clear(b->rig);
	for (size_t i = 0; i < ARRAY_SIZE(strays); i++)
		for (unsigned from = 0; from < GUESTS; from++) {
			print_message("  %s from %u\n", strays[i].what, from);
			send_frame(b, from, rig_eth(b->bytes, strays[i].dst, mac, -1, strays[i].ethertype, 100));
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
		send_frame(b, 0, rig_eth(b->bytes, everybody, mac, tags[i], 0x88b5, 100));
		assert_int_equal(b->ports[0]->nsent, 0);
		silent(b, 0);
	}
	assert_int_equal(rig_verdict(b->ports[0], VERDICT_DROP_VLAN), ARRAY_SIZE(tags) - 1);	/* VID 0 is a priority alone */
}

static void test_address_of_another(void **state)
{
	struct bed *b = *state;

	print_message("  nobody answers for the address that the others have\n");
	send_frame(b, 0, build_arp(b->bytes, ARP_REQUEST, mac, GUEST + 1, (uint8_t[6]){ 0 }, GUEST, everybody));
	assert_int_equal(b->ports[0]->nsent, 0);
	silent(b, 0);
	print_message("  and the gateway leads nobody there\n");
	send_frame(b, 0, build_udp_frame(b->bytes, b->gateway_mac, mac, addr4(GUEST + 1), 5, addr4(GUEST), 80, "x", 1));
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

			send_frame(b, from, build_arp(b->bytes, ARP_REQUEST, mac, GUEST, (uint8_t[6]){ 0 }, addresses[i], everybody));
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
		send_frame(b, i % GUESTS, build_arp(b->bytes, ARP_REQUEST, mac, GUEST, (uint8_t[6]){ 0 }, GATEWAY, everybody));
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

	send_frame(b, from, build_udp_frame(b->bytes, b->gateway_mac, mac, addr4(GUEST), 5353, addr4(DNS), PORT_DNS, query,
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

	send_frame(b, 0, build_udp_frame(b->bytes, b->gateway_mac, mac, addr4(GUEST), 5, addr4(DNS), 111, "x", 1));
	f = awaited(b, 0);
	assert_int_equal(f->data[ETH_HEADER + IP4_HEADER], 3);		/* destination unreachable: port */
	assert_int_equal(f->data[ETH_HEADER + IP4_HEADER + 1], 3);
	silent(b, 0);
	assert_int_equal(rig_verdict(b->ports[0], VERDICT_CONSUMED_REFUSED), 1);
}

static void test_advertisements(void **state)
{
	struct bed *b = *state;

	ra_send(b->rig->w, 1, false);
	for (unsigned i = 0; i < GUESTS; i++) {
		assert_int_equal(b->ports[i]->nsent, 1);
		assert_int_equal(b->ports[i]->sent[0].data[ETH_HEADER + IP6_HEADER], ND_ROUTER_ADVERTISEMENT);
	}
	assert_int_equal(b->other->nsent, 0);
}

/* ---- through NAT ---- */

static uint32_t tcp(struct bed *b, uint16_t sport, uint16_t dport, uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
	uint32_t size = TCP_HEADER + (uint32_t)strlen(data);
	uint8_t *t = build_ip(b->bytes, b->gateway_mac, mac, addr4(GUEST), addr4(GATEWAY), PROTO_TCP, 64, size);

	memset(t, 0, TCP_HEADER);
	put_u16(t, sport);
	put_u16(t + 2, dport);
	put_u32(t + 4, seq);
	put_u32(t + 8, ack);
	t[12] = TCP_HEADER / 4 << 4;
	t[13] = flags;
	put_u16(t + 14, 65535);
	memcpy(t + TCP_HEADER, data, strlen(data));
	put_u16(t + 16, checksum_finish(checksum_add(build_pseudo(addr4(GUEST), addr4(GATEWAY), PROTO_TCP, size), t, size)));
	return ETH_HEADER + IP4_HEADER + size;
}

static int listener(int type, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t room = sizeof(at);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &room), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

/* own_alone() - what each was sent belongs to its own connection, as its numbers show; that is cleared */
static void own_alone(struct bed *b)
{
	for (unsigned i = 0; i < GUESTS; i++)
		for (unsigned k = 0; k < b->ports[i]->nsent; k++)
			assert_int_equal(get_u32(b->ports[i]->sent[k].data + 42) / ISS, i + 1);
	rig_clear(b->rig);
}

/* All open the same connection, from the same port. Each has its own, and hears what is said to it. */
static void test_tcp(void **state)
{
	struct bed *b = *state;
	int fds[GUESTS], server;
	uint16_t port;

	server = listener(SOCK_STREAM, &port);
	for (unsigned i = 0; i < GUESTS; i++) {
		char said[2] = { (char)('a' + i) }, heard[8] = "";
		const struct rig_frame *f;
		uint32_t seq;

		send_frame(b, i, tcp(b, SPORT, port, TCP_SYN, ISS * (i + 1), 0, ""));
		f = awaited(b, i);
		assert_int_equal(f->data[47], TCP_SYN | TCP_ACK);
		seq = get_u32(f->data + 38) + 1;
		own_alone(b);
		send_frame(b, i, tcp(b, SPORT, port, TCP_ACK | TCP_PSH, ISS * (i + 1) + 1, seq, said));
		fds[i] = accept(server, NULL, NULL);
		assert_int_equal(recv(fds[i], heard, sizeof(heard), 0), 1);
		assert_int_equal(heard[0], said[0]);
		own_alone(b);
	}
	for (unsigned i = 0; i < GUESTS; i++) {
		char said[8];
		const struct rig_frame *f;

		snprintf(said, sizeof(said), "to %u", i);
		assert_int_equal(send(fds[i], said, 4, 0), 4);
		for (f = awaited(b, i); f->len == ETH_HEADER + IP4_HEADER + TCP_HEADER; f = awaited(b, i))
			own_alone(b);
		assert_memory_equal(f->data + f->len - 4, said, 4);
		own_alone(b);
		close(fds[i]);
	}
	close(server);
}

static void test_udp(void **state)
{
	struct bed *b = *state;
	uint16_t port;
	int server = listener(SOCK_DGRAM, &port);

	for (unsigned i = 0; i < GUESTS; i++) {
		char heard[8] = "", said[2] = { (char)('a' + i) };
		struct sockaddr_in from;
		socklen_t room = sizeof(from);
		const struct rig_frame *f;

		send_frame(b, i, build_udp_frame(b->bytes, b->gateway_mac, mac, addr4(GUEST), SPORT, addr4(GATEWAY), port, said, 1));
		worker_turn(b->rig->w, 0);
		assert_int_equal(recvfrom(server, heard, sizeof(heard), 0, (struct sockaddr *)&from, &room), 1);
		assert_int_equal(heard[0], said[0]);
		assert_int_equal(sendto(server, said, 1, 0, (struct sockaddr *)&from, room), 1);
		f = awaited(b, i);
		assert_int_equal(f->data[f->len - 1], said[0]);
		silent(b, i);
	}
	close(server);
}

/* own_forward() - what each was sent is for its own server, or asks for its address; that is cleared */
static void own_forward(struct bed *b)
{
	for (unsigned i = 0; i < GUESTS; i++)
		for (unsigned k = 0; k < b->ports[i]->nsent; k++) {
			const uint8_t *data = b->ports[i]->sent[k].data;

			assert_int_equal(get_u16(data + 12) == ETHERTYPE_ARP4 ? 80 + i : get_u16(data + 36), 80 + i);
		}
	rig_clear(b->rig);
}

/* A forward leads to its own guest, also to one that has said nothing since it was restored: it is asked for at its address. */
static void test_forwards(void **state)
{
	struct bed *b = *state;

	for (unsigned i = 0; i < GUESTS; i++) {
		struct forward_target t = { .port = b->ports[i]->port.id, .to_port = (uint16_t)(80 + i) };
		struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		const struct rig_frame *f;
		struct forward *forward;
		uint16_t port;
		int client, fd = listener(SOCK_STREAM, &port);

		forward = forward_new(b->nat, IPPROTO_TCP, fd, &t, b->rig->w);
		assert_non_null(forward);
		worker_turn(b->rig->w, 0);
		client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		at.sin_port = htons(port);
		assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
		f = awaited(b, i);
		assert_int_equal(get_u16(f->data + 12), ETHERTYPE_ARP4);
		assert_int_equal(get_u32(f->data + 38), GUEST);
		own_forward(b);
		send_frame(b, i, build_arp(b->bytes, ARP_REPLY, mac, GUEST, b->gateway_mac, GATEWAY, b->gateway_mac));
		f = awaited(b, i);
		while (get_u16(f->data + 12) != ETHERTYPE_IP4) {
			own_forward(b);
			f = awaited(b, i);
		}
		assert_int_equal(f->data[47], TCP_SYN);
		own_forward(b);
		close(client);
		assert_true(forward_stop(forward));
		for (unsigned turn = 0; turn < 10; turn++)
			worker_turn(b->rig->w, 0);
	}
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
		cmocka_unit_test_setup_teardown(test_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forwards, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
