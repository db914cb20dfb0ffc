// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/pcapng.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/array.h"

/* Numbers of the format; "4.1" and the like are its sections. */
enum {
	MAGIC = 0x1a2b3c4d, MAJOR = 1, MINOR = 0, ETHERNET = 1, BLOCK_ENDS = 12,
	OPTION_END = 0, OPTION_COMMENT = 1,
	SECTION_APPLICATION = 4,			/* 4.1 */
	IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9,	/* 4.2 */
	PACKET_FLAGS = 2, PACKET_LOST = 4,		/* 4.3 */
	ISB_BEGIN = 2, ISB_END = 3, ISB_RECEIVED = 4, ISB_LOST = 5,	/* 4.6 */
	WAY_BITS = 3,
	NANOSECONDS = 9,
};

/* ---- writing ---- */

/* block - where one begins, and how to take it back */
struct block {
	struct writer before;
	uint8_t *size_at;
};

static struct block begin(struct writer *w, uint32_t type)
{
	struct block b = { .before = *w };

	write_u32(w, type);
	b.size_at = write_space(w, 4);
	return b;
}

static void end(struct writer *w, const struct block *b)
{
	uint32_t size = (uint32_t)(w->pos - b->before.pos) + 4;

	write_u32(w, size);
	if (w->overrun) {
		*w = b->before;
		w->overrun = true;
		return;
	}
	put_u32(b->size_at, size);
}

static void write_padded(struct writer *w, const void *from, size_t n)
{
	write_bytes(w, from, n);
	write_zeros(w, -n & 3);
}

static void option(struct writer *w, uint16_t code, const void *value, size_t n)
{
	write_u16(w, code);
	write_u16(w, (uint16_t)n);
	write_padded(w, value, n);
}

static void option_text(struct writer *w, uint16_t code, const char *text)
{
	if (*text)
		option(w, code, text, strlen(text));
}

static void option_u64(struct writer *w, uint16_t code, uint64_t value)
{
	write_u16(w, code);
	write_u16(w, 8);
	write_u32(w, (uint32_t)(value >> 32));
	write_u32(w, (uint32_t)value);
}

static void option_end(struct writer *w)
{
	option(w, OPTION_END, NULL, 0);
}

void pcapng_section(struct writer *w, const char *application)
{
	struct block b = begin(w, PCAPNG_SECTION);

	write_u32(w, MAGIC);
	write_u16(w, MAJOR);
	write_u16(w, MINOR);
	write_u32(w, UINT32_MAX);	/* its length is not known: it goes on as long as somebody reads */
	write_u32(w, UINT32_MAX);
	option_text(w, SECTION_APPLICATION, application);
	option_end(w);
	end(w, &b);
}

void pcapng_interface(struct writer *w, const struct pcapng_interface *i)
{
	struct block b = begin(w, PCAPNG_INTERFACE);
	uint8_t resolution = NANOSECONDS;

	write_u16(w, ETHERNET);
	write_u16(w, 0);
	write_u32(w, i->snaplen);
	option_text(w, IF_NAME, i->name);
	option_text(w, IF_DESCRIPTION, i->about);
	option(w, IF_TSRESOL, &resolution, 1);
	option_end(w);
	end(w, &b);
}

void pcapng_packet(struct writer *w, const struct pcapng_packet *p)
{
	struct block b = begin(w, PCAPNG_PACKET);
	uint8_t flags[4];

	write_u32(w, p->interface);
	write_u32(w, (uint32_t)(p->wall_ns >> 32));
	write_u32(w, (uint32_t)p->wall_ns);
	write_u32(w, p->kept);
	write_u32(w, p->len);
	write_padded(w, p->bytes, p->kept);
	for (unsigned i = 0; i < p->ncomments; i++)
		option_text(w, OPTION_COMMENT, p->comments[i]);
	put_u32(flags, p->way);
	option(w, PACKET_FLAGS, flags, sizeof(flags));
	if (p->lost)
		option_u64(w, PACKET_LOST, p->lost);
	option_end(w);
	end(w, &b);
}

void pcapng_statistics(struct writer *w, const struct pcapng_statistics *s)
{
	struct block b = begin(w, PCAPNG_STATISTICS);

	write_u32(w, s->interface);
	write_u32(w, (uint32_t)(s->end_ns >> 32));
	write_u32(w, (uint32_t)s->end_ns);
	option_u64(w, ISB_BEGIN, s->begin_ns);
	option_u64(w, ISB_END, s->end_ns);
	option_u64(w, ISB_RECEIVED, s->received);
	option_u64(w, ISB_LOST, s->lost);
	option_end(w);
	end(w, &b);
}

void pcapng_comment(struct pcapng_packet *p, const char *fmt, ...)
{
	va_list ap;

	if (p->ncomments == PCAPNG_COMMENTS)
		return;
	va_start(ap, fmt);
	vsnprintf(p->comments[p->ncomments++], PCAPNG_COMMENT_TEXT, fmt, ap);
	va_end(ap);
}

/* ---- reading ---- */

static uint64_t read_u64(struct reader *r)
{
	uint64_t high = read_u32(r);

	return high << 32 | read_u32(r);
}

/* next_option() - Return: false at the end; what is in it is left to @value */
static bool next_option(struct reader *r, uint16_t *code, struct reader *value)
{
	uint16_t size;
	const uint8_t *p;

	*code = read_u16(r);
	size = read_u16(r);
	p = read_bytes(r, (size + 3u) & ~3u);
	if (!p || *code == OPTION_END)
		return false;
	*value = reader_init(p, size);
	return true;
}

static void take_text(struct reader *value, char *to, size_t room)
{
	size_t n = MIN_OF(value->size, room - 1);

	memcpy(to, value->data, n);
	to[n] = '\0';
}

static void read_interface(struct reader *r, struct pcapng_interface *i)
{
	struct reader value;
	uint16_t code;

	*i = (struct pcapng_interface){ 0 };
	read_u32(r);
	i->snaplen = read_u32(r);
	while (next_option(r, &code, &value)) {
		if (code == IF_NAME)
			take_text(&value, i->name, sizeof(i->name));
		else if (code == IF_DESCRIPTION)
			take_text(&value, i->about, sizeof(i->about));
	}
}

static void read_packet(struct reader *r, struct pcapng_packet *p)
{
	struct reader value;
	uint16_t code;

	*p = (struct pcapng_packet){ .interface = read_u32(r) };
	p->wall_ns = read_u64(r);
	p->kept = read_u32(r);
	p->len = read_u32(r);
	p->bytes = read_bytes(r, (size_t)p->kept + (-p->kept & 3));
	if (!p->bytes)
		return;
	while (next_option(r, &code, &value)) {
		if (code == OPTION_COMMENT && p->ncomments < PCAPNG_COMMENTS)
			take_text(&value, p->comments[p->ncomments++], PCAPNG_COMMENT_TEXT);
		else if (code == PACKET_FLAGS)
			p->way = (enum pcapng_way)(read_u32(&value) & WAY_BITS);
		else if (code == PACKET_LOST)
			p->lost = read_u64(&value);
	}
}

static void read_statistics(struct reader *r, struct pcapng_statistics *s)
{
	struct reader value;
	uint16_t code;

	*s = (struct pcapng_statistics){ .interface = read_u32(r) };
	read_u64(r);
	while (next_option(r, &code, &value)) {
		if (code == ISB_BEGIN)
			s->begin_ns = read_u64(&value);
		else if (code == ISB_END)
			s->end_ns = read_u64(&value);
		else if (code == ISB_RECEIVED)
			s->received = read_u64(&value);
		else if (code == ISB_LOST)
			s->lost = read_u64(&value);
	}
}

int pcapng_read(const uint8_t *data, size_t size, struct pcapng_block *block)
{
	struct reader r = reader_init(data, size);

	if (size < BLOCK_ENDS)
		return 0;
	block->type = read_u32(&r);
	block->size = read_u32(&r);
	if (block->size < BLOCK_ENDS || block->size > PCAPNG_BLOCK_MAX || block->size % 4)
		return -EBADMSG;
	if (size < block->size)
		return 0;
	if (get_u32(data + block->size - 4) != block->size)
		return -EBADMSG;
	r.size = block->size - 4;
	if (block->type == PCAPNG_SECTION && read_u32(&r) != MAGIC)
		return -EBADMSG;
	else if (block->type == PCAPNG_INTERFACE)
		read_interface(&r, &block->interface);
	else if (block->type == PCAPNG_PACKET)
		read_packet(&r, &block->packet);
	else if (block->type == PCAPNG_STATISTICS)
		read_statistics(&r, &block->statistics);
	return r.overrun ? -EBADMSG : (int)block->size;
}
