/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/made_segment.h - TCP segments of a guest with everything in the test's hand, and what the NAT says to them
 *
 * To be included by one file of a test.
 */
#ifndef TESTS_MADE_SEGMENT_H
#define TESTS_MADE_SEGMENT_H

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
static MAYBE_UNUSED enum verdict data(struct conversation *c, uint32_t at, const char *text)
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

static MAYBE_UNUSED void begin(struct conversation *c)
{
	conversation_begin(c, &conversation_conf);
	conversation_connect(c);
	answers(c);
}

static MAYBE_UNUSED void assert_got(struct conversation *c, const char *text)
{
	CONVERSE_UNTIL(c, c->r.in_size >= strlen(text));
	answers(c);
	assert_int_equal(c->r.in_size, strlen(text));
	assert_memory_equal(c->r.in, text, strlen(text));
}

#endif
