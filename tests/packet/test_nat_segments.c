// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* TCP segments one by one, as no well-behaved guest would send them: what each does, and what it must not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "nat/forward.h"
#include "tests/packet/conversation.h"

enum { URG = 32, FIRST_AT = ETH_HEADER + IP4_HEADER };

/* made - a segment of the guest with everything in the test's hand */
struct made {
	uint8_t flags;
	uint32_t seq, ack;
	uint16_t window;
	const uint8_t *options;
	uint8_t noptions;		/* a multiple of four */
	const void *data;
	uint32_t size;
	uint16_t spoil;			/* added to the checksum */
};

static enum verdict give(struct conversation *c, const struct made *m)
{
	static uint8_t frame[66000];
	uint32_t l4 = TCP_HEADER + m->noptions + m->size, saddr = BED_GUEST, daddr = BED_GATEWAY;
	uint8_t *ip = frame + ETH_HEADER, *t = ip + IP4_HEADER;

	memcpy(frame, bed_gateway_mac, 6);
	memcpy(frame + 6, bed_guest_mac, 6);
	put_u16(frame + 12, ETHERTYPE_IP4);
	memset(ip, 0, IP4_HEADER + TCP_HEADER);
	ip[0] = 0x45;
	put_u16(ip + 2, (uint16_t)(IP4_HEADER + l4));
	ip[8] = 64;
	ip[9] = PROTO_TCP;
	put_u32(ip + 12, saddr);
	put_u32(ip + 16, daddr);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP4_HEADER)));
	put_u16(t, c->g.sport);
	put_u16(t + 2, c->g.dport);
	put_u32(t + 4, m->seq);
	put_u32(t + 8, m->ack);
	t[12] = (uint8_t)((TCP_HEADER + m->noptions) / 4 << 4);
	t[13] = m->flags;
	put_u16(t + 14, m->window);
	if (m->noptions)
		memcpy(t + TCP_HEADER, m->options, m->noptions);
	if (m->size)
		memcpy(t + TCP_HEADER + m->noptions, m->data, m->size);
	put_u16(t + 16, (uint16_t)(checksum_finish(checksum_add(checksum_pseudo4(ip + 12, ip + 16, PROTO_TCP, l4), t, l4)) +
				   m->spoil));
	return bed_input(&c->bed, frame, FIRST_AT + l4);
}

/* data() - a segment of the open connection with text at the guest's stream offset @at */
static enum verdict data(struct conversation *c, uint32_t at, const char *text)
{
	return give(c, &(struct made){ .flags = TCP_ACK, .seq = c->g.iss + 1 + at, .ack = c->g.rcv_nxt, .window = 8000,
				       .data = text, .size = (uint32_t)strlen(text) });
}

/* answers() - let the NAT finish what it has to do; how many frames it sent, and the last one's numbers. answers_now(): a turn */
struct said {
	unsigned n;
	uint8_t flags;
	uint32_t seq, ack, size;
	uint16_t window;
};

static struct said answers_now(struct conversation *c)
{
	struct said s = { 0 };

	bed_turn(&c->bed, 0);
	remote_step(&c->r);
	bed_turn(&c->bed, 0);
	for (struct bed_frame *f = bed_next(&c->bed); f; f = bed_next(&c->bed)) {
		const uint8_t *t = f->data + FIRST_AT;

		if (f->data[ETH_HEADER + 9] == PROTO_TCP)
			s = (struct said){ s.n + 1, t[13], get_u32(t + 4), get_u32(t + 8), f->len - FIRST_AT - TCP_HEADER, get_u16(t + 14) };
		free(f);
	}
	return s;
}

static struct said answers(struct conversation *c)
{
	bed_settle(&c->bed);
	remote_step(&c->r);
	bed_settle(&c->bed);
	return answers_now(c);
}

static void begin(struct conversation *c)
{
	conversation_begin(c, &conversation_conf);
	conversation_connect(c);
	answers(c);
}

static void assert_got(struct conversation *c, const char *text)
{
	CONVERSE_UNTIL(c, c->r.in_size >= strlen(text));
	answers(c);
	assert_int_equal(c->r.in_size, strlen(text));
	assert_memory_equal(c->r.in, text, strlen(text));
}

/* ---- opening ---- */

static void test_syn_again(void **state)
{
	static struct conversation c;
	uint32_t seq;

	(void)state;
	conversation_begin(&c, &conversation_conf);
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
	seq = answers(&c).seq;
	for (int i = 0; i < 3; i++) {
		struct said s;

		guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
		s = answers(&c);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.flags, TCP_SYN | TCP_ACK);
		assert_int_equal(s.seq, seq);
		assert_int_equal(s.ack, c.g.iss + 1);
	}
	assert_int_equal(conversation_flows(&c), 1);
	conversation_end(&c);
}

/* A guest that lost its state opens again with another number: it is asked, resets, and then gets through (RFC 9293 3.5.2). */
static void test_syn_of_a_new_life(void **state)
{
	static struct conversation c;
	struct said s;

	(void)state;
	conversation_begin(&c, &conversation_conf);
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
	answers(&c);
	guest_put(&c.g, TCP_SYN, c.g.iss + 123456, NULL, 0);
	s = answers(&c);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.flags, TCP_ACK);
	assert_int_equal(s.ack, c.g.iss + 1);
	guest_put(&c.g, TCP_RST, s.ack, NULL, 0);
	answers(&c);
	assert_int_equal(conversation_flows(&c), 0);
	close(c.r.fd);
	c.r.fd = -1;
	c.g.iss += 123456;
	c.g.snd_una = c.g.iss;
	conversation_connect(&c);
	conversation_end(&c);
}

/* RFC 9293 3.10.7.4: before our SYN is acknowledged, an acknowledgement of anything else is answered by a reset */
static void test_wrong_ack_before_open(void **state)
{
	static struct conversation c;
	struct said s;
	uint32_t seq;

	(void)state;
	conversation_begin(&c, &conversation_conf);
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);
	seq = answers(&c).seq;
	give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1, .ack = seq + 77, .window = 100 });
	s = answers(&c);
	assert_int_equal(s.flags, TCP_RST);
	assert_int_equal(s.seq, seq + 77);
	assert_int_equal(conversation_flows(&c), 1);
	conversation_end(&c);
}

static void test_syn_flood(void **state)
{
	static struct conversation c;
	struct nat_conf conf = conversation_conf;
	unsigned descriptors;

	(void)state;
	conf.half_open_max = 32;
	conversation_begin(&c, &conf);
	descriptors = bed_descriptors();
	for (unsigned i = 0; i < 5000; i++) {
		c.g.sport = (uint16_t)(1024 + i);
		guest_put(&c.g, TCP_SYN, bed_random(&c.bed), NULL, 0);
		if (i % 500 == 0)
			answers(&c);
	}
	assert_int_equal(conversation_flows(&c), 32);
	assert_in_range(bed_descriptors(), descriptors, descriptors + 33);
	bed_skip(&c.bed, 60000, 500);
	assert_int_equal(conversation_flows(&c), 0);
	bed_flush(&c.bed);
	for (int fd; (fd = accept4(c.r.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
		close(fd);
	c.g.sport = 40000;
	conversation_connect(&c);	/* and all is well again */
	conversation_end(&c);
}

/* NAT-22: to the guest, opened by a forward while the guest opens the same connection itself, both SYNs cross */
static void test_nat_22_simultaneous_open(void **state)
{
	static struct conversation c;
	struct said s;
	uint16_t port;
	int listener, client;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct forward *forward;

	(void)state;
	conversation_begin(&c, &conversation_conf);
	bed_station(&c.bed, 1, BED_GUEST);
	listener = bed_listen(SOCK_STREAM, &port);
	forward = forward_new(c.bed.nat, IPPROTO_TCP, listener, &(struct forward_target){ .port = 1, .to_port = 80 }, c.bed.w);
	assert_non_null(forward);
	to.sin_port = htons(port);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	bed_settle(&c.bed);
	{
		struct bed_frame *f = bed_next(&c.bed);
		const uint8_t *t = f->data + FIRST_AT;

		assert_int_equal(t[13], TCP_SYN);
		c.g.dport = get_u16(t);
		c.g.sport = get_u16(t + 2);
		c.g.rcv_nxt = get_u32(t + 4) + 1;
		free(f);
	}
	guest_put(&c.g, TCP_SYN, c.g.iss, NULL, 0);		/* ours crosses theirs */
	s = answers(&c);
	assert_int_equal(s.flags, TCP_SYN | TCP_ACK);
	assert_int_equal(s.ack, c.g.iss + 1);
	assert_int_equal(s.seq + 1, c.g.rcv_nxt);
	guest_put(&c.g, TCP_SYN | TCP_ACK, c.g.iss, NULL, 0);
	c.g.connected = true;
	s = answers(&c);
	data(&c, 0, "crossed");
	answers(&c);
	{
		char got[8] = "";

		assert_int_equal(recv(client, got, sizeof(got), MSG_DONTWAIT), 7);
		assert_string_equal(got, "crossed");
	}
	close(client);
	assert_true(forward_stop(forward));
	answers(&c);
	conversation_end(&c);
}

/* ---- while open ---- */

/* NAT-24, RFC 5961: a reset, a SYN or data of somebody who does not know the numbers changes nothing */
static void test_nat_24_blind(void **state)
{
	static const struct {
		const char *what;
		uint8_t flags;
		uint32_t seq_off, ack_off;
		unsigned answers;
	} cases[] = {
		{ "RST one byte beyond what is next", TCP_RST, 1, 0, 1 },
		{ "RST inside the window", TCP_RST, 5000, 0, 1 },
		{ "RST just below", TCP_RST, (uint32_t)-1, 0, 0 },
		{ "RST far above", TCP_RST, 1u << 30, 0, 0 },
		{ "RST at the other side of the circle", TCP_RST, 1u << 31, 0, 0 },
		{ "SYN inside the window", TCP_SYN, 100, 0, 1 },
		{ "SYN of the first number", TCP_SYN, (uint32_t)-1, 0, 1 },
		{ "FIN far above", TCP_FIN | TCP_ACK, 1u << 29, 0, 1 },
		{ "FIN inside the window", TCP_FIN | TCP_ACK, 20000, 0, 1 },
		{ "ACK of what was never sent", TCP_ACK, 0, 1, 1 },
		{ "ACK of long ago", TCP_ACK, 0, 0x80000001, 1 },
		{ "no ACK at all", 0, 0, 0, 1 },
		{ "every flag", 0x3f, 0, 0, 0 },
		{ "FIN without ACK", TCP_FIN, 0, 0, 1 },
	};
	static struct conversation c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct said s;

		print_message("  %s\n", cases[i].what);
		begin(&c);
		if (cases[i].flags == 0x3f) {		/* holds RST: exactly at the next byte it would be believed */
			give(&c, &(struct made){ .flags = 0x3f, .seq = c.g.snd_nxt + 3, .ack = c.g.rcv_nxt, .window = 8000 });
			s = answers(&c);
			assert_int_equal(s.n, 1);
		} else {
			give(&c, &(struct made){ .flags = cases[i].flags, .seq = c.g.snd_nxt + cases[i].seq_off,
						 .ack = c.g.rcv_nxt + cases[i].ack_off, .window = 8000 });
			s = answers(&c);
			assert_int_equal(s.n, cases[i].answers);
		}
		if (s.n) {
			assert_int_equal(s.flags & (TCP_ACK | TCP_RST), TCP_ACK);
			assert_int_equal(s.ack, c.g.snd_nxt);
			assert_int_equal(s.seq, c.g.rcv_nxt);
		}
		assert_int_equal(conversation_flows(&c), 1);
		data(&c, 0, "still here");
		assert_got(&c, "still here");
		assert_false(c.r.error || c.r.eof);
		conversation_end(&c);
	}
}

/* Overlapping segments: each byte is passed once, and what was passed first stands. */
static void test_overlaps(void **state)
{
	static struct conversation c;

	(void)state;
	begin(&c);
	data(&c, 0, "abcdef");
	data(&c, 0, "XXXXXX");			/* all old */
	data(&c, 3, "XXXghi");			/* half old */
	data(&c, 15, "pqrstu");			/* beyond a gap */
	data(&c, 12, "mnoYYY");			/* and one that overlaps it */
	data(&c, 20, "uvw");
	data(&c, 9, "jklZZZ");			/* fills the gap and overlaps what waits */
	c.g.snd_una = c.g.snd_nxt = c.g.iss + 1 + 23;
	CONVERSE_UNTIL(&c, c.r.in_size >= 23);
	answers(&c);
	assert_int_equal(c.r.in_size, 23);
	assert_memory_equal(c.r.in, "abcdefghijkl", 12);
	assert_memory_equal(c.r.in + 18, "stuvw", 5);
	conversation_end(&c);
}

/* Segments at random places, each with the right bytes: all are passed in order, whatever overtakes what. */
static void test_wild_order(void **state)
{
	static struct conversation c;
	uint8_t *pattern = conversation_pattern(200000);
	uint32_t done = 0;

	(void)state;
	begin(&c);
	for (unsigned i = 0; i < 20000 && done < 200000; i++) {
		uint32_t at = done + bed_random(&c.bed) % 6000, size = 1 + bed_random(&c.bed) % 1400;
		struct said s;

		if (bed_random(&c.bed) % 4 == 0)
			at = done - (done < 700 ? done : bed_random(&c.bed) % 700);
		if (at + size > 200000)
			size = at < 200000 ? 200000 - at : 0;
		if (!size)
			continue;
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1 + at, .ack = c.g.rcv_nxt, .window = 8000,
					 .data = pattern + at, .size = size });
		s = answers_now(&c);
		if (s.n)
			done = s.ack - c.g.iss - 1;
		assert_true(done <= 200000);
	}
	c.g.snd_una = c.g.snd_nxt = c.g.iss + 1 + 200000;
	CONVERSE_UNTIL(&c, c.r.in_size == 200000);
	assert_memory_equal(c.r.in, pattern, 200000);
	free(pattern);
	conversation_end(&c);
}

/* Wild numbers and flags by the thousand: nothing of it reaches the remote but what is next in order. */
static void test_wild_numbers(void **state)
{
	static struct conversation c;
	uint8_t junk[64];

	(void)state;
	memset(junk, 0xee, sizeof(junk));
	begin(&c);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t off = bed_random(&c.bed) << 8 ^ bed_random(&c.bed);
		uint8_t flags = (uint8_t)(bed_random(&c.bed) & 0x3f & ~TCP_RST);

		if (off < 1 << 20)
			off += 1 << 24;
		give(&c, &(struct made){ .flags = flags, .seq = c.g.snd_nxt + (i & 1 ? off : -off), .ack = bed_random(&c.bed) * 77777u,
					 .window = (uint16_t)bed_random(&c.bed), .data = junk, .size = i % 64 });
		if (i % 100 == 0)
			answers(&c);
	}
	answers(&c);
	assert_int_equal(conversation_flows(&c), 1);
	assert_int_equal(c.r.in_size, 0);
	assert_false(c.r.eof || c.r.error);
	data(&c, 0, "sane");
	assert_got(&c, "sane");
	conversation_end(&c);
}

/* Options: 40 bytes of any kind, and broken ones, are passed over; the segment counts as it is. */
static void test_options(void **state)
{
	static const struct {
		const char *what;
		uint8_t options[40], n;
	} cases[] = {
		{ "forty bytes of NOP", { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 40 },
		{ "length zero", { 8, 0, 8, 0 }, 4 },
		{ "length one", { 253, 1, 0, 0 }, 4 },
		{ "longer than the header", { 5, 40, 0, 0 }, 4 },
		{ "kind at the very end", { 1, 1, 1, 2 }, 4 },
		{ "MSS of the wrong size", { 2, 3, 5, 0 }, 4 },
		{ "end at once", { 0, 0xff, 0xff, 0xff }, 4 },
		{ "SACK of nonsense", { 5, 34, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 1, 1 }, 36 },
	};
	static struct conversation c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		conversation_begin(&c, &conversation_conf);
		give(&c, &(struct made){ .flags = TCP_SYN, .seq = c.g.iss, .window = 8000, .options = cases[i].options, .noptions = cases[i].n });
		CONVERSE_UNTIL(&c, c.g.connected && c.r.fd >= 0);
		answers(&c);
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1, .ack = c.g.rcv_nxt, .window = 8000, .options = cases[i].options,
					 .noptions = cases[i].n, .data = "through", .size = 7 });
		assert_got(&c, "through");
		conversation_end(&c);
	}
}

/* A data offset that points out of the segment, or into the header. */
static void test_bad_checksum_and_offset(void **state)
{
	static struct conversation c;

	(void)state;
	begin(&c);
	for (uint16_t spoil = 1; spoil; spoil = (uint16_t)(spoil << 1))
		assert_int_equal(give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 1,
							  .data = "spoilt", .size = 6, .spoil = spoil }), VERDICT_DROP_CHECKSUM);
	assert_int_equal(answers(&c).n, 0);
	assert_int_equal(c.r.in_size, 0);
	data(&c, 0, "whole");
	assert_got(&c, "whole");
	conversation_end(&c);
}

/* Keepalives: with one byte of garbage or none, below what is next; answered, and nothing is passed (RFC 9293 3.8.4) */
static void test_keepalive(void **state)
{
	static struct conversation c;

	(void)state;
	begin(&c);
	data(&c, 0, "x");
	assert_got(&c, "x");
	for (uint32_t size = 0; size < 2; size++) {
		struct said s;

		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1, .ack = c.g.rcv_nxt, .window = 8000, .data = "?", .size = size });
		s = answers(&c);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.ack, c.g.iss + 2);
		assert_int_equal(c.r.in_size, 1);
	}
	for (int i = 0; i < 20; i++) {	/* and they keep the connection beyond its idle time (RFC 5382 REQ-5) */
		bed_skip(&c.bed, 3600000, 3600000);
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1, .ack = c.g.rcv_nxt, .window = 8000 });
	}
	answers(&c);
	assert_int_equal(conversation_flows(&c), 1);
	conversation_end(&c);
}

/* The ACK of a short segment waits for the answer, a few milliseconds and not longer; then ACKs do not wait for a while. */
static void test_ack_waits(void **state)
{
	static struct conversation c;
	struct said s;

	(void)state;
	begin(&c);
	for (int slow = 0; slow < 2; slow++) {
		data(&c, (uint32_t)slow, "x");
		s = answers_now(&c);
		assert_int_equal(s.n, slow);
		bed_skip(&c.bed, 10, 1);
		s = slow ? s : answers_now(&c);
		assert_int_equal(s.n, 1);
		assert_int_equal(s.ack, c.g.iss + 2 + (uint32_t)slow);
		bed_skip(&c.bed, 100, 1);
		assert_int_equal(answers_now(&c).n, 0);
	}
	assert_got(&c, "xx");
	conversation_end(&c);
}

/* The guest's window is closed: it is asked, less and less often, and one that opens is used at once. */
static void test_probes_to_guest(void **state)
{
	static struct conversation c;
	unsigned probes = 0;
	struct said s;

	(void)state;
	begin(&c);
	give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 0 });
	answers(&c);
	c.r.out = (const uint8_t *)"waiting";
	c.r.out_size = 7;
	for (unsigned i = 0; i < 600; i++) {	/* ten minutes */
		bed_skip(&c.bed, 1000, 100);
		s = answers_now(&c);
		assert_int_equal(s.size, 0);
		probes += s.n;
		if (s.n) {
			assert_int_equal(s.seq, c.g.rcv_nxt - 1);
			give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 0 });
		}
	}
	assert_in_range(probes, 10, 40);
	assert_int_equal(conversation_flows(&c), 1);
	give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 5 << 4 });
	s = answers(&c);
	assert_true(s.size > 0);
	conversation_end(&c);
}

/* The remote does not read: the guest's probes are answered with a window of nothing, and bytes are not lost. */
static void test_probes_of_guest(void **state)
{
	static struct conversation c;
	uint8_t *pattern = conversation_pattern(8 << 20);
	struct said s = { 0 };
	uint32_t at = 0;

	(void)state;
	begin(&c);
	c.r.hold = true;
	while (at < 8 << 20) {
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1 + at, .ack = c.g.rcv_nxt, .window = 8000, .data = pattern + at, .size = 1400 });
		s = answers_now(&c);
		at = s.n ? s.ack - c.g.iss - 1 : at;
		if (s.n && !s.window)
			break;
	}
	assert_true(s.n && !s.window && at < 8 << 20);
	for (int i = 0; i < 100; i++) {
		bed_skip(&c.bed, 5000, 1000);
		give(&c, &(struct made){ .flags = TCP_ACK, .seq = c.g.iss + 1 + at, .ack = c.g.rcv_nxt, .window = 8000, .data = pattern + at, .size = 1 });
		s = answers(&c);
		assert_true(s.n >= 1);
		at = s.ack - c.g.iss - 1;
	}
	c.r.hold = false;
	for (int i = 0; i < 1000 && c.r.in_size < at; i++)
		answers(&c);
	assert_int_equal(c.r.in_size, at);
	assert_memory_equal(c.r.in, pattern, at);
	free(pattern);
	conversation_end(&c);
}

/* Urgent data stays in the stream, both ways (RFC 6093 6: as with SO_OOBINLINE). */
static void test_urgent(void **state)
{
	static struct conversation c;

	(void)state;
	begin(&c);
	give(&c, &(struct made){ .flags = TCP_ACK | URG, .seq = c.g.snd_nxt, .ack = c.g.rcv_nxt, .window = 8000, .data = "urgent", .size = 6 });
	c.g.snd_una = c.g.snd_nxt = c.g.snd_nxt + 6;
	assert_got(&c, "urgent");
	assert_int_equal(send(c.r.fd, "before", 6, 0), 6);
	assert_int_equal(send(c.r.fd, "!", 1, MSG_OOB), 1);
	assert_int_equal(send(c.r.fd, "after", 5, 0), 5);
	CONVERSE_UNTIL(&c, c.g.in_size == 12);
	assert_memory_equal(c.g.in, "before!after", 12);
	conversation_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syn_again),
		cmocka_unit_test(test_syn_of_a_new_life),
		cmocka_unit_test(test_wrong_ack_before_open),
		cmocka_unit_test(test_syn_flood),
		cmocka_unit_test(test_nat_22_simultaneous_open),
		cmocka_unit_test(test_nat_24_blind),
		cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_wild_order),
		cmocka_unit_test(test_wild_numbers),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_checksum_and_offset),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_ack_waits),
		cmocka_unit_test(test_probes_to_guest),
		cmocka_unit_test(test_probes_of_guest),
		cmocka_unit_test(test_urgent),
	};

	urcu_qsbr_register_thread();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
