/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/dhcp6_client.h - what a DHCPv6 client says, built, and what it is answered, taken apart; for one file of a test */
#ifndef TESTS_DHCP6_CLIENT_H
#define TESTS_DHCP6_CLIENT_H

#include "base/bytes.h"
#include "dhcp/dhcp6_server.h"

/* said_ia - an IA of a message; the address is one of fd00:77::/64 by its lower half, or a prefix by its upper */
struct said_ia {
	uint16_t type;			/* 0: none */
	uint32_t iaid, t1, t2;
	uint32_t preferred, valid;	/* 0: preferred longer than valid: nobody minds */
	struct prefix6 item[2];
};

struct said {
	uint8_t type;
	uint8_t duid[DHCP6_DUID_MAX + 4], duid_size;	/* size 0: none */
	uint8_t server[10], server_size;
	bool rapid, name;
	uint16_t ask[8];		/* ended by 0 */
	struct said_ia ia[3];
};

static inline size_t open6(struct writer *w, uint16_t code)
{
	write_u16(w, code);
	write_u16(w, 0);
	return w->pos;
}

static inline void close6(struct writer *w, size_t at)
{
	put_u16(w->data + at - 2, (uint16_t)(w->pos - at));
}

static inline void option6(struct writer *w, uint16_t code, const void *data, size_t size)
{
	size_t at = open6(w, code);

	write_bytes(w, data, size);
	close6(w, at);
}

static inline void write_said_ia(struct writer *w, const struct said_ia *ia)
{
	size_t at = open6(w, ia->type);

	write_u32(w, ia->iaid);
	if (ia->type != OPTION6_IA_TA) {
		write_u32(w, ia->t1);
		write_u32(w, ia->t2);
	}
	for (unsigned i = 0; i < 2 && ia->item[i].len; i++) {
		size_t in = open6(w, ia->type == OPTION6_IA_PD ? OPTION6_IA_PREFIX : OPTION6_IA_ADDRESS);

		if (ia->type != OPTION6_IA_PD)
			write_bytes(w, ia->item[i].addr.bytes, ADDR_SIZE);
		write_u32(w, ia->valid ? ia->preferred : 7200);
		write_u32(w, ia->valid ? ia->valid : 10);
		if (ia->type == OPTION6_IA_PD) {
			write_u8(w, ia->item[i].len);
			write_bytes(w, ia->item[i].addr.bytes, ADDR_SIZE);
		}
		close6(w, in);
	}
	close6(w, at);
}

static inline size_t write_said(const struct said *s, uint8_t *to, size_t room)
{
	struct writer w = writer_init(to, room);
	size_t at;

	write_u32(&w, (uint32_t)s->type << 24 | 0xabcdef);
	if (s->duid_size)
		option6(&w, OPTION6_CLIENT_ID, s->duid, s->duid_size);
	if (s->server_size)
		option6(&w, OPTION6_SERVER_ID, s->server, s->server_size);
	if (s->rapid)
		option6(&w, OPTION6_RAPID_COMMIT, "", 0);
	if (s->name)
		option6(&w, OPTION6_NAME, "\1\3Box", 5);
	if (s->ask[0]) {
		at = open6(&w, OPTION6_REQUEST);
		for (unsigned i = 0; i < 8 && s->ask[i]; i++)
			write_u16(&w, s->ask[i]);
		close6(&w, at);
	}
	for (unsigned i = 0; i < 3 && s->ia[i].type; i++)
		write_said_ia(&w, &s->ia[i]);
	return w.pos;
}

/* heard - an answer; -1: no status option */
struct heard {
	uint8_t type;
	int status;
	bool rapid, has_server, has_client;
	uint8_t preference;
	uint16_t codes[16];		/* of the other options, as they come */
	unsigned ncodes, nias;
	struct heard_ia {
		uint16_t type;
		uint32_t iaid, t1, t2;
		int status;
		unsigned n;
		struct { struct prefix6 place; uint32_t preferred, valid; } item[4];
	} ia[4];
};

static inline void hear_item(struct heard_ia *ia, uint16_t code, struct reader *r)
{
	unsigned i = ia->n++;

	if (code == OPTION6_IA_ADDRESS)
		read_copy(r, ia->item[i].place.addr.bytes, ADDR_SIZE);
	ia->item[i].preferred = read_u32(r);
	ia->item[i].valid = read_u32(r);
	ia->item[i].place.len = 128;
	if (code == OPTION6_IA_PREFIX) {
		ia->item[i].place.len = read_u8(r);
		read_copy(r, ia->item[i].place.addr.bytes, ADDR_SIZE);
	}
}

static inline bool hear_ia(struct heard *h, uint16_t code, const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	struct heard_ia *ia;

	if (h->nias == 4)
		return false;
	ia = &h->ia[h->nias++];
	*ia = (struct heard_ia){ .type = code, .iaid = read_u32(&r), .status = -1 };
	if (code != OPTION6_IA_TA) {
		ia->t1 = read_u32(&r);
		ia->t2 = read_u32(&r);
	}
	while (reader_left(&r)) {
		uint16_t in = read_u16(&r), n = read_u16(&r);
		const uint8_t *p = read_bytes(&r, n);
		struct reader sub = reader_init(p, p ? n : 0);

		if (!p || ia->n == 4)
			return false;
		if (in == OPTION6_STATUS)
			ia->status = read_u16(&sub);
		else
			hear_item(ia, in, &sub);
		if (sub.overrun)
			return false;
	}
	return !r.overrun;
}

/* hear() - Return: is it a message that a client could read? */
static inline bool hear(struct heard *h, const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);

	*h = (struct heard){ .type = read_u8(&r), .status = -1 };
	if ((read_u8(&r) << 16 | read_u16(&r)) != 0xabcdef)
		return false;
	while (reader_left(&r)) {
		uint16_t code = read_u16(&r), n = read_u16(&r);
		const uint8_t *p = read_bytes(&r, n);

		if (!p)
			return false;
		if (code == OPTION6_IA_NA || code == OPTION6_IA_TA || code == OPTION6_IA_PD) {
			if (!hear_ia(h, code, p, n))
				return false;
			continue;
		}
		if (code == OPTION6_STATUS)
			h->status = get_u16(p);
		else if (code == OPTION6_RAPID_COMMIT)
			h->rapid = true;
		else if (code == OPTION6_SERVER_ID)
			h->has_server = true;
		else if (code == OPTION6_CLIENT_ID)
			h->has_client = true;
		else if (code == OPTION6_PREFERENCE)
			h->preference = p[0];
		else if (h->ncodes < 16)
			h->codes[h->ncodes++] = code;
	}
	return !r.overrun;
}

#endif
