// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/validator_wire.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/dns_message.h"

static struct writer begin(uint8_t *to, enum validator_kind kind, uint32_t number)
{
	struct writer w = writer_init(to, VALIDATOR_MESSAGE_MAX);

	write_u8(&w, (uint8_t)kind);
	write_u32(&w, number);
	return w;
}

static size_t finish(const struct writer *w)
{
	return w->overrun ? 0 : w->pos;
}

size_t validator_write(uint8_t *to, enum validator_kind kind, uint32_t number, const void *body, size_t size)
{
	struct writer w = begin(to, kind, number);

	write_bytes(&w, body, size);
	return finish(&w);
}

size_t validator_write_ask(uint8_t *to, uint32_t number, uint16_t type, const struct dns_name *name)
{
	struct writer w = begin(to, VALIDATOR_ASK, number);

	write_u16(&w, type);
	write_bytes(&w, name->wire, name->size);
	return finish(&w);
}

size_t validator_write_verdict(uint8_t *to, uint32_t number, const struct validator_verdict *verdict)
{
	struct writer w = begin(to, VALIDATOR_VERDICT, number);
	size_t why = strnlen(verdict->why, sizeof(verdict->why) - 1);

	write_u8(&w, (uint8_t)verdict->state);
	write_u8(&w, (uint8_t)why);
	write_bytes(&w, verdict->why, why);
	write_bytes(&w, verdict->answer, verdict->size);
	return verdict->size > DNS_TCP_MAX ? 0 : finish(&w);
}

int validator_read(struct validator_message *m, const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	uint8_t kind = read_u8(&r);

	*m = (struct validator_message){ .kind = kind, .number = read_u32(&r) };
	m->size = reader_left(&r);
	m->body = read_bytes(&r, m->size);
	return r.overrun || !kind || kind >= VALIDATOR_KINDS || size > VALIDATOR_MESSAGE_MAX ? -EPROTO : 0;
}

int validator_read_ask(const struct validator_message *m, uint16_t *type, struct dns_name *name)
{
	size_t pos = 2;

	if (m->kind != VALIDATOR_ASK || m->size < 3 || dns_name_read(name, m->body, m->size, &pos) < 0 || pos != m->size)
		return -EPROTO;
	*type = get_u16(m->body);
	return 0;
}

int validator_read_verdict(const struct validator_message *m, struct validator_verdict *verdict)
{
	struct reader r = reader_init(m->body, m->size);
	uint8_t state = read_u8(&r), why = read_u8(&r);
	const uint8_t *text = read_bytes(&r, why);

	if (r.overrun || m->kind != VALIDATOR_VERDICT || state >= VALIDATOR_STATES)
		return -EPROTO;
	*verdict = (struct validator_verdict){ .state = state, .size = reader_left(&r) };
	validator_text(verdict->why, text, why);
	verdict->answer = read_bytes(&r, verdict->size);
	if ((state == VALIDATOR_SECURE || state == VALIDATOR_INSECURE) != (verdict->size >= DNS_HEADER_SIZE))
		return -EPROTO;
	return 0;
}

void validator_text(char to[VALIDATOR_WHY], const void *text, size_t size)
{
	const uint8_t *from = text;
	size_t n = MIN_OF(size, (size_t)VALIDATOR_WHY - 1);

	for (size_t i = 0; i < n; i++)
		to[i] = from[i] < ' ' || from[i] > '~' || from[i] == '"' || from[i] == '\\' ? '.' : (char)from[i];
	to[n] = '\0';
}
