// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dns_record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/text.h"

enum { TXT_PIECE_MAX = 255 };		/* RFC 1035 3.3: a character-string */

static const struct {
	uint16_t type;
	const char *name;
} types[] = {
	{ DNS_A, "A" }, { DNS_AAAA, "AAAA" }, { DNS_CNAME, "CNAME" }, { DNS_MX, "MX" },
	{ DNS_PTR, "PTR" }, { DNS_SRV, "SRV" }, { DNS_TXT, "TXT" },
};

int dns_type_parse(const char *text, uint16_t *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!strcasecmp(types[i].name, text)) {
			*type = types[i].type;
			return 0;
		}
	}
	return -EINVAL;
}

const char *dns_type_name(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

int dns_owner_parse(struct dns_name *name, const char *text, const struct dns_name *origin)
{
	const char *last = strrchr(text, '.');
	bool whole = last && last[1] != '_' && !(last == text + 1 && *text == '*');	/* "*.web" is a name below ours */

	if (!strcmp(text, "@")) {
		*name = *origin;
		return 0;
	}
	if (dns_name_from_text(name, text) < 0)
		return -EINVAL;
	return whole ? 0 : dns_name_join(name, name, origin);
}

static int write_address(struct writer *w, int family, const char *value)
{
	uint8_t a[16];

	if (inet_pton(family, value, a) != 1)
		return -EINVAL;
	write_bytes(w, a, family == AF_INET ? 4 : 16);
	return 0;
}

static int write_name(struct writer *w, const char *value, const struct dns_name *origin)
{
	struct dns_name name;

	if (dns_owner_parse(&name, value, origin) < 0)
		return -EINVAL;
	write_bytes(w, name.wire, name.size);
	return 0;
}

/* write_numbers() - @n numbers of sixteen bits, each with a space behind it. Return: what follows, or NULL. */
static const char *write_numbers(struct writer *w, const char *value, unsigned n)
{
	while (n--) {
		size_t digits = strspn(value, "0123456789");
		char text[6];
		unsigned long number;

		if (!digits || digits >= sizeof(text) || value[digits] != ' ')
			return NULL;
		memcpy(text, value, digits);
		text[digits] = '\0';
		if (number_parse(text, 0, UINT16_MAX, &number) < 0)
			return NULL;
		write_u16(w, (uint16_t)number);
		value += digits;
		value += strspn(value, " ");
	}
	return value;
}

static int write_text(struct writer *w, const char *value)
{
	size_t size = strlen(value);

	do {
		size_t n = MIN_OF(size, (size_t)TXT_PIECE_MAX);

		write_u8(w, (uint8_t)n);
		write_bytes(w, value, n);
		value += n;
		size -= n;
	} while (size);
	return 0;
}

static int write_value(struct writer *w, uint16_t type, const char *value, const struct dns_name *origin)
{
	switch (type) {
	case DNS_A:
		return write_address(w, AF_INET, value);
	case DNS_AAAA:
		return write_address(w, AF_INET6, value);
	case DNS_TXT:
		return write_text(w, value);
	case DNS_MX:
		value = write_numbers(w, value, 1);
		break;
	case DNS_SRV:
		value = write_numbers(w, value, 3);
		break;
	case DNS_CNAME:
	case DNS_PTR:
		break;
	default:
		return -EINVAL;
	}
	return value ? write_name(w, value, origin) : -EINVAL;
}

int dns_record_parse(struct dns_record *record, uint16_t type, const char *value, const struct dns_name *origin)
{
	struct writer w = writer_init(record->rdata, sizeof(record->rdata));

	if (write_value(&w, type, value, origin) < 0 || w.overrun)
		return -EINVAL;
	record->type = type;
	record->size = (uint16_t)w.pos;
	return 0;
}
