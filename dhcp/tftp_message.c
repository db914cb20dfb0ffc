// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/tftp_message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

/* text() - the next string with its end, or NULL (and the reader has overrun) */
static const char *text(struct reader *r)
{
	const uint8_t *from = r->data + r->pos, *end = reader_left(r) ? memchr(from, '\0', reader_left(r)) : NULL;

	return (const char *)read_bytes(r, end ? (size_t)(end - from) + 1 : reader_left(r) + 1);
}

/* number() - decimal digits alone; 0 when it is none, or outside @min..@max */
static uint32_t number(const char *value, uint32_t min, uint32_t max)
{
	uint64_t n = 0;

	if (!*value)
		return 0;
	for (; *value; value++) {
		if (*value < '0' || *value > '9' || n > max)
			return 0;
		n = n * 10 + (uint64_t)(*value - '0');
	}
	return n >= min && n <= max ? (uint32_t)n : 0;
}

/* RFC 2347: options that are not known are passed over, and so is what an option may not be */
static void take_option(struct tftp_request *r, const char *name, const char *value)
{
	if (!strcasecmp(name, "blksize"))
		r->block = number(value, TFTP_BLOCK_MIN, TFTP_BLOCK_MAX);
	else if (!strcasecmp(name, "timeout"))
		r->timeout_s = number(value, 1, 255);
	else if (!strcasecmp(name, "windowsize"))
		r->window = number(value, 1, 65535);
	else if (!strcasecmp(name, "tsize"))
		r->size = !strcmp(value, "0");
}

/* take_name() - clients write names from the root of what is lent, or with the separators of another system */
static int take_name(struct tftp_request *r, const char *name)
{
	size_t n;

	name += strspn(name, "/\\");
	n = strlen(name);
	if (!n || n >= sizeof(r->name))
		return -EINVAL;
	for (size_t i = 0; i <= n; i++) {
		r->name[i] = name[i] == '\\' ? '/' : name[i];
		if (i < n && ((uint8_t)name[i] < ' ' || name[i] == 0x7f))
			return -EINVAL;
	}
	return 0;
}

int tftp_request_parse(struct tftp_request *r, const uint8_t *data, size_t size)
{
	struct reader in = reader_init(data, size);
	const char *name, *mode;

	memset(r, 0, sizeof(*r));
	read_u16(&in);
	name = text(&in);
	mode = text(&in);
	if (in.overrun || (strcasecmp(mode, "octet") && strcasecmp(mode, "netascii")))
		return -EBADMSG;
	r->netascii = !strcasecmp(mode, "netascii");
	while (reader_left(&in)) {
		const char *option = text(&in), *value = text(&in);

		if (in.overrun)
			break;		/* some firmware pads its requests */
		take_option(r, option, value);
	}
	return take_name(r, name);
}

size_t tftp_write_error(uint8_t *to, enum tftp_error code, const char *message)
{
	struct writer w = writer_init(to, TFTP_HEADER + TFTP_TEXT_MAX);

	write_u16(&w, TFTP_ERROR);
	write_u16(&w, (uint16_t)code);
	write_bytes(&w, message, strlen(message) + 1);
	return w.pos;
}

static void write_option(struct writer *w, const char *name, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	write_bytes(w, name, strlen(name) + 1);
	write_bytes(w, digits, strlen(digits) + 1);
}

size_t tftp_write_oack(uint8_t *to, const struct tftp_request *agreed, uint64_t size)
{
	struct writer w = writer_init(to, TFTP_HEADER + TFTP_TEXT_MAX);

	write_u16(&w, TFTP_OACK);
	if (agreed->size)
		write_option(&w, "tsize", size);
	if (agreed->block)
		write_option(&w, "blksize", agreed->block);
	if (agreed->timeout_s)
		write_option(&w, "timeout", agreed->timeout_s);
	if (agreed->window)
		write_option(&w, "windowsize", agreed->window);
	return w.pos > 2 ? w.pos : 0;
}
