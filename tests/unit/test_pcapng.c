// SPDX-License-Identifier: GPL-2.0-or-later
/* What is written is read by libpcap, and by pcapng_read(); and frames in one line. */
#include "ctl/pcapng.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "ctl/cli_frame.h"

enum { ROOM = 200 << 10, LENGTHS = 66 };

static uint8_t data[ROOM], frame[65536];

/* write_file() - two interfaces, frames of every length that matters, statistics. Return: its size */
static size_t write_file(void)
{
	struct writer w = writer_init(data, sizeof(data));
	struct pcapng_interface one = { .name = "lab/web1", .about = "stream port", .snaplen = 65536 }, two = { .name = "lab/@gateway", .snaplen = 65536 };

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	pcapng_section(&w, "lanyard test");
	pcapng_interface(&w, &one);
	pcapng_interface(&w, &two);
	for (unsigned n = 0; n < LENGTHS; n++) {
		struct pcapng_packet p = { .interface = n & 1, .wall_ns = 1700000000123456789ull + n, .kept = n, .len = n + 5, .bytes = frame,
					   .way = PCAPNG_INBOUND + (n & 1), .lost = n == 9 ? 1ull << 33 : 0 };

		for (unsigned i = 0; i < n % 6; i++)
			pcapng_comment(&p, "comment %u of %u", i, n);
		pcapng_packet(&w, &p);
	}
	pcapng_packet(&w, &(struct pcapng_packet){ .kept = 65536, .len = 65536, .bytes = frame, .wall_ns = 1 });
	pcapng_statistics(&w, &(struct pcapng_statistics){ .interface = 1, .begin_ns = 5, .end_ns = 1ull << 40, .received = 1ull << 34, .lost = 3 });
	assert_false(w.overrun);
	return w.pos;
}

static void test_libpcap_reads_it(void **state)
{
	char path[] = "/tmp/lanyard-pcapng-XXXXXX", err[PCAP_ERRBUF_SIZE];
	int fd = mkstemp(path);
	size_t size = write_file();
	struct pcap_pkthdr *h;
	const u_char *bytes;
	pcap_t *p;

	(void)state;
	assert_int_equal(write(fd, data, size), size);
	p = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, err);
	unlink(path);
	close(fd);
	if (!p)
		fail_msg("%s", err);
	assert_int_equal(pcap_datalink(p), DLT_EN10MB);
	for (unsigned n = 0; n < LENGTHS; n++) {
		assert_int_equal(pcap_next_ex(p, &h, &bytes), 1);
		assert_int_equal(h->caplen, n);
		assert_int_equal(h->len, n + 5);
		assert_int_equal(h->ts.tv_sec, 1700000000);
		assert_int_equal(h->ts.tv_usec, 123456789 + n);
		assert_memory_equal(bytes, frame, n);
	}
	assert_int_equal(pcap_next_ex(p, &h, &bytes), 1);
	assert_int_equal(h->caplen, 65536);
	assert_int_equal(pcap_next_ex(p, &h, &bytes), PCAP_ERROR_BREAK);
	pcap_close(p);
}

static void test_read_again(void **state)
{
	size_t size = write_file(), at = 0;
	unsigned packets = 0, interfaces = 0;
	struct pcapng_block b;
	int n;

	(void)state;
	for (; at < size; at += (size_t)n) {
		char text[40];

		for (size_t less = 0; less < 12; less++)	/* until it is all there */
			assert_int_equal(pcapng_read(data + at, less, &b), 0);
		n = pcapng_read(data + at, size - at, &b);
		assert_true(n > 0);
		assert_int_equal(pcapng_read(data + at, (size_t)n - 1, &b), 0);
		assert_int_equal(pcapng_read(data + at, (size_t)n, &b), n);
		if (b.type == PCAPNG_INTERFACE && !interfaces++)
			assert_string_equal(b.interface.name, "lab/web1");
		if (b.type == PCAPNG_STATISTICS)
			assert_true(b.statistics.received == 1ull << 34 && b.statistics.lost == 3 && b.statistics.end_ns == 1ull << 40);
		if (b.type != PCAPNG_PACKET || packets == LENGTHS)
			continue;
		assert_int_equal(b.packet.kept, packets);
		assert_int_equal(b.packet.way, PCAPNG_INBOUND + (packets & 1));
		assert_true(b.packet.lost == (packets == 9 ? 1ull << 33 : 0));
		assert_int_equal(b.packet.ncomments, MIN_OF(packets % 6, (unsigned)PCAPNG_COMMENTS));
		snprintf(text, sizeof(text), "comment 0 of %u", packets);
		if (b.packet.ncomments)
			assert_string_equal(b.packet.comments[0], text);
		packets++;
	}
	assert_int_equal(at, size);
	assert_int_equal(interfaces, 2);
}

static void test_no_room(void **state)
{
	struct pcapng_packet p = { .kept = 100, .len = 100, .bytes = frame };

	(void)state;
	for (size_t room = 0; room < 140; room++) {
		uint8_t small[200] = { 0 };
		struct writer w = writer_init(small, room);

		pcapng_packet(&w, &p);
		assert_true(w.overrun);
		assert_int_equal(w.pos, 0);
	}
}

static void test_nonsense(void **state)
{
	size_t size = write_file();
	struct pcapng_block b;

	(void)state;
	assert_true(size > 28);
	data[8] ^= 1;						/* the magic */
	assert_int_equal(pcapng_read(data, size, &b), -EBADMSG);
	data[8] ^= 1;
	data[7] ^= 4;						/* its size, and the one behind it */
	assert_int_equal(pcapng_read(data, size, &b), -EBADMSG);
	put_u32(data + 4, 8);
	assert_int_equal(pcapng_read(data, size, &b), -EBADMSG);
	put_u32(data + 4, PCAPNG_BLOCK_MAX + 4);
	assert_int_equal(pcapng_read(data, size, &b), -EBADMSG);
}

/* A length that is rounded up to 0 in 32 bits; make fuzz found it. */
static void test_longer_than_all(void **state)
{
	struct writer w = writer_init(data, sizeof(data));
	struct pcapng_block b;

	(void)state;
	pcapng_packet(&w, &(struct pcapng_packet){ .bytes = (const uint8_t *)"\0\0\0", .kept = 4, .len = 4 });	/* an end of options, too */
	assert_int_equal(pcapng_read(data, w.pos, &b), (int)w.pos);
	for (uint32_t more = 0; more < 4; more++) {
		put_u32(data + 20, UINT32_MAX - more);
		assert_int_equal(pcapng_read(data, w.pos, &b), -EBADMSG);
	}
}

/* ---- a frame in one line ---- */

#define ETH "02 00 00 00 00 02 02 00 00 00 00 01 "
#define IP4(proto) "08 00 45 00 00 30 00 00 40 00 40 " proto " 00 00 0a 00 00 02 0a 00 00 01 "
#define IP6(next) "86 dd 60 00 00 00 00 10 " next " 40 fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 02 fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 "

static const struct {
	const char *hex, *text;
} lines[] = {
	{ "", "0 bytes, cut short" },
	{ ETH "08 06 00 01 08 00 06 04 00 01 02 00 00 00 00 01 0a 00 00 02 00 00 00 00 00 00 0a 00 00 01", "arp who has 10.0.0.1, tell 10.0.0.2" },
	{ ETH "08 06 00 01 08 00 06 04 00 02 02 00 00 00 00 01 0a 00 00 02 00 00 00 00 00 00 0a 00 00 01", "arp 10.0.0.2 is at 02:00:00:00:00:01" },
	{ ETH IP4("06") "0f a0 00 50 00 00 00 07 00 00 00 00 50 02 fa f0 00 00 00 00", "10.0.0.2:4000 > 10.0.0.1:80 tcp syn seq 7 win 64240 data 8" },
	{ ETH IP4("11") "0f a0 00 51 00 1c 00 00", "10.0.0.2:4000 > 10.0.0.1:81 udp data 20" },
	{ ETH IP4("01") "08 00 00 00 00 05 00 06", "10.0.0.2 > 10.0.0.1 icmp echo request id 5 seq 6" },
	{ ETH IP4("01") "03 03 00 00", "10.0.0.2 > 10.0.0.1 icmp unreachable code 3" },
	{ ETH IP4("2f"), "10.0.0.2 > 10.0.0.1 protocol 47" },
	{ ETH "08 00 45 00 00 30 00 00 20 b9 40 11 00 00 0a 00 00 02 0a 00 00 01", "10.0.0.2 > 10.0.0.1 protocol 17, fragment at 1480" },
	{ ETH IP6("3a") "87 00 00 00 00 00 00 00 fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 09",
	  "fd00::2 > fd00::1 icmp6 neighbour solicitation of fd00::9" },
	{ ETH IP6("00") "11 00 00 00 00 00 00 00 00 35 0f a0 00 10 00 00 00 01 81 83 00 01 00 00 00 00 00 00 03 66 6f 1b 00 00 1c 00 01",
	  "[fd00::2]:53 > [fd00::1]:4000 udp dns answer fo?. AAAA error 3" },
	{ ETH IP4("11") "00 44 00 35 00 1c 00 00 00 01 01 00 00 01 00 00 00 00 00 00 02 61 62 01 63 00 00 01 00 01", "10.0.0.2:68 > 10.0.0.1:53 udp dns question ab.c. A" },
	{ ETH "81 00 20 0a 08 06 00 01", "vlan 10 arp 0.0.0.0 is at 00:00:00:00:00:00, cut short" },
	{ ETH "88 cc 01", "02:00:00:00:00:01 > 02:00:00:00:00:02 ethertype 88cc" },
	{ ETH "00 26 42", "02:00:00:00:00:01 > 02:00:00:00:00:02 llc" },
	{ ETH IP4("06") "0f a0", "10.0.0.2:4000 > 10.0.0.1:0 tcp seq 0 win 0 data 28, cut short" },
};

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char text[FRAME_TEXT];
		uint8_t bytes[200];
		size_t n = 0;

		for (const char *p = lines[i].hex; *p; p++)
			if (*p != ' ') {
				bytes[n++] = (uint8_t)strtoul((char[]){ p[0], p[1], 0 }, NULL, 16);
				p++;
			}
		assert_string_equal(frame_text(bytes, n, text), lines[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libpcap_reads_it), cmocka_unit_test(test_read_again), cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_nonsense), cmocka_unit_test(test_longer_than_all), cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
