// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* NAT-11: what protocols say of addresses and ports inside their payload arrives as it was sent, either way, and opens nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "tests/packet/conversation.h"

enum { DATAGRAM_ROOM = 512, GUEST_UDP = 5060 };

#define BYTES(text) { text, sizeof(text) - 1 }

/* 10.0.0.15 is the guest, as it believes itself to be; what a helper would look for, at the port where it would look */
static const struct {
	const char *what;
	bool tcp;
	uint16_t port;
	struct bytes {
		const char *data;
		uint32_t size;
	} up, down;
} cases[] = {
	{ "FTP, active", true, 21, BYTES("USER a\r\nPORT 10,0,0,15,156,64\r\n"),
	  BYTES("200 PORT command successful\r\n150 from 10,0,0,15\r\n") },
	{ "FTP, passive", true, 21, BYTES("PASV\r\nEPSV\r\n"),
	  BYTES("227 Entering Passive Mode (127,0,0,1,195,80)\r\n229 (|||50000|)\r\n") },
	{ "IRC DCC", true, 6667, BYTES("PRIVMSG b :\001DCC SEND f 167772175 40000 9\001\r\n"),
	  BYTES(":s 001 a :hello 10.0.0.15\r\n") },
	{ "PPTP", true, 1723, BYTES("\0\x9c\0\1\x1a\x2b\x3c\x4d\0\7\0\0\0\1\0\2\0\0\1,"),
	  BYTES("\0\x20\0\1\x1a\x2b\x3c\x4d\0\x8\0\0\0\2\0\1\1\0\0\0") },
	{ "H.323", true, 1720, BYTES("\3\0\0\x14\x8\2\0\1\5\x7e\0\x8\5\x21\x80\x0a\0\0\x0f\6"),
	  BYTES("\3\0\0\x0c\x8\2\x80\1\7\x0a\0\x0f") },
	{ "SIP over TCP", true, 5060, BYTES("REGISTER sip:p SIP/2.0\r\nContact: <sip:a@10.0.0.15:5060>\r\n\r\n"),
	  BYTES("SIP/2.0 200 OK\r\nContact: <sip:a@10.0.0.15:5060>\r\n\r\n") },
	{ "SIP", false, 5060, BYTES("INVITE sip:b@p SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.15:5060\r\nContent-Length: 41\r\n\r\n"
				   "c=IN IP4 10.0.0.15\r\nm=audio 40000 RTP/AVP 0\r\n"),
	  BYTES("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.15:5060;received=10.0.0.1\r\n\r\n"
		"c=IN IP4 10.0.0.15\r\nm=audio 40002 RTP/AVP 0\r\n") },
	{ "TFTP", false, 69, BYTES("\0\1name\0octet\0"), BYTES("\0\4\0\0") },
	{ "NetBIOS names", false, 137, BYTES("\0\1\0\0\0\1\0\0\0\0\0\0\x0a\0\0\x0f"),
	  BYTES("\0\1\x85\0\0\0\0\1\0\0\0\0\x0a\0\0\x0f") },
	{ "SNMP trap", false, 162, BYTES("\x30\x14\2\1\0\4\6public\xa4\7\x40\4\x0a\0\0\x0f\2"), BYTES("\x30\2\2\1") },
	{ "Amanda", false, 10080, BYTES("Amanda 2.3 REQ CONNECT DATA 40000 MESG 40001\n"),
	  BYTES("CONNECT DATA 40002 MESG 40003\n") },
};

/* serve() - a socket at a port where a service would be; the test has a network namespace of its own, and rights there */
static int serve(int type, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void by_tcp(unsigned i)
{
	static struct conversation c;

	conversation_begin(&c, &conversation_conf);
	close(c.r.listener);
	c.r.listener = serve(SOCK_STREAM, cases[i].port);
	c.r.port = c.g.dport = cases[i].port;
	conversation_connect(&c);
	c.g.out = (const uint8_t *)cases[i].up.data;
	c.g.out_size = cases[i].up.size;
	c.r.out = (const uint8_t *)cases[i].down.data;
	c.r.out_size = cases[i].down.size;
	guest_send(&c.g);
	CONVERSE_UNTIL(&c, c.r.in_size >= cases[i].up.size && c.g.in_size >= cases[i].down.size);
	assert_int_equal(conversation_flows(&c), 1);
	c.r.shut_at_end = c.g.want_fin = true;
	CONVERSE_UNTIL(&c, c.r.eof && c.g.fin_seen);
	assert_int_equal(c.r.in_size, cases[i].up.size);
	assert_memory_equal(c.r.in, cases[i].up.data, cases[i].up.size);
	assert_int_equal(c.g.in_size, cases[i].down.size);
	assert_memory_equal(c.g.in, cases[i].down.data, cases[i].down.size);
	conversation_end(&c);
}

static void by_udp(unsigned i)
{
	int server = serve(SOCK_DGRAM, cases[i].port);
	uint8_t got[DATAGRAM_ROOM];
	struct nat_counts counts;
	struct sockaddr_in from;
	socklen_t room = sizeof(from);
	struct bed_frame *f;
	struct packet p;
	struct bed bed;

	bed_init(&bed, &conversation_conf, 1);
	assert_int_equal(bed_udp(&bed, GUEST_UDP, BED_GATEWAY, cases[i].port, cases[i].up.data, cases[i].up.size), VERDICT_CONSUMED_NAT);
	assert_int_equal(recvfrom(server, got, sizeof(got), 0, (struct sockaddr *)&from, &room), cases[i].up.size);
	assert_memory_equal(got, cases[i].up.data, cases[i].up.size);
	assert_int_equal(sendto(server, cases[i].down.data, cases[i].down.size, 0, (struct sockaddr *)&from, room), cases[i].down.size);
	bed_settle(&bed);
	f = bed_next(&bed);
	assert_non_null(f);
	assert_int_equal(packet_parse(f->data, f->len, &f->offload, &p), VERDICT_FORWARDED);
	assert_int_equal(packet_payload_len(&p), cases[i].down.size);
	assert_memory_equal(packet_payload(&p), cases[i].down.data, cases[i].down.size);
	free(f);
	nat_count(bed.nat, &counts);
	assert_int_equal(counts.flows, 1);
	bed_fini(&bed);
	close(server);
}

static void test_payload(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		if (cases[i].tcp)
			by_tcp(i);
		else
			by_udp(i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_payload) };

	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
