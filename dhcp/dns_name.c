// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dns_name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { POINTER = 0xc0, HEADER_SIZE = 12 };

int dns_name_from_text(struct dns_name *name, const char *text)
{
	struct dns_name n = { .size = 0 };

	if (!strcmp(text, "."))
		text = "";
	else if (!*text)
		return -EINVAL;
	while (*text) {
		size_t label = strcspn(text, ".");

		if (!label || label > DNS_LABEL_MAX || n.size + label + 2 > DNS_NAME_MAX)
			return -EINVAL;
		for (size_t i = 0; i < label; i++)
			if (text[i] <= ' ' || text[i] > '~' || text[i] == '\\')
				return -EINVAL;
		n.wire[n.size++] = (uint8_t)label;
		memcpy(n.wire + n.size, text, label);
		n.size = (uint8_t)(n.size + label);
		text += label;
		text += *text == '.';
	}
	n.wire[n.size++] = 0;
	*name = n;
	return 0;
}

/* A label of n bytes takes at most 4n bytes of text and a dot, so 255 bytes of wire always fit. */
const char *dns_name_to_text(const struct dns_name *name, char text[DNS_NAME_TEXT])
{
	char *to = text;

	for (size_t at = 0; name->wire[at]; at += 1u + name->wire[at]) {
		if (at)
			*to++ = '.';
		for (size_t i = 1; i <= name->wire[at]; i++) {
			uint8_t c = name->wire[at + i];

			if (c <= ' ' || c > '~' || c == '.' || c == '\\')
				to += snprintf(to, 5, "\\%03u", c);
			else
				*to++ = (char)c;
		}
	}
	*to = '\0';
	return text;
}

/* A name is read as a row of stretches, each but the first before the one that points to it; so there is an end
 * to them.
 */
int dns_name_read(struct dns_name *name, const uint8_t *message, size_t size, size_t *pos)
{
	size_t at = *pos, begin = *pos, after = 0, n = 0;

	for (;;) {
		uint8_t len;

		if (at >= size)
			return -EBADMSG;
		len = message[at];
		if ((len & POINTER) == POINTER) {
			size_t target;

			if (at + 2 > size)
				return -EBADMSG;
			target = get_u16(message + at) & 0x3fff;
			if (target >= begin || target < HEADER_SIZE)
				return -EBADMSG;
			after = after ? after : at + 2;
			at = begin = target;
			continue;
		}
		if (len > DNS_LABEL_MAX || n + 1 + len + (len != 0) > DNS_NAME_MAX || at + 1 + len > size)
			return -EBADMSG;
		memcpy(name->wire + n, message + at, 1u + len);
		n += 1u + len;
		at += 1u + len;
		if (!len)
			break;
	}
	name->size = (uint8_t)n;
	*pos = after ? after : at;
	return 0;
}

int dns_name_skip(const uint8_t *message, size_t size, size_t *pos)
{
	size_t at = *pos;

	while (at < size) {
		uint8_t len = message[at];

		if ((len & POINTER) == POINTER) {
			if (at + 2 > size || (get_u16(message + at) & 0x3fff) >= at)
				return -EBADMSG;
			*pos = at + 2;
			return 0;
		}
		if (len > DNS_LABEL_MAX || at + len - *pos >= DNS_NAME_MAX)
			return -EBADMSG;
		at += 1u + len;
		if (!len) {
			*pos = at;
			return 0;
		}
	}
	return -EBADMSG;
}

/* Length bytes are below 'A', so they may be treated as any other byte. */
void dns_name_lower(struct dns_name *name)
{
	for (size_t i = 0; i < name->size; i++)
		name->wire[i] = dns_lower(name->wire[i]);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	if (a->size != b->size)
		return false;
	for (size_t i = 0; i < a->size; i++)
		if (dns_lower(a->wire[i]) != dns_lower(b->wire[i]))
			return false;
	return true;
}

bool dns_name_below(const struct dns_name *name, const struct dns_name *zone)
{
	size_t at = 0;

	while (name->size - at > zone->size)
		at += 1u + name->wire[at];
	return name->size - at == zone->size && !memcmp(name->wire + at, zone->wire, zone->size);
}

unsigned dns_name_labels(const struct dns_name *name)
{
	unsigned n = 0;

	for (size_t at = 0; name->wire[at]; at += 1u + name->wire[at])
		n++;
	return n;
}

void dns_name_strip(struct dns_name *to, const struct dns_name *name, unsigned n)
{
	size_t at = 0;

	while (n--)
		at += 1u + name->wire[at];
	to->size = (uint8_t)(name->size - at);
	memmove(to->wire, name->wire + at, to->size);
}

int dns_name_join(struct dns_name *to, const struct dns_name *name, const struct dns_name *zone)
{
	size_t head = name->size - 1u;

	if (head + zone->size > DNS_NAME_MAX)
		return -EINVAL;
	memmove(to->wire, name->wire, head);
	memcpy(to->wire + head, zone->wire, zone->size);
	to->size = (uint8_t)(head + zone->size);
	return 0;
}

void dns_name_reverse4(struct dns_name *name, uint32_t ip)
{
	char text[32];

	snprintf(text, sizeof(text), "%u.%u.%u.%u.in-addr.arpa", ip & 255, ip >> 8 & 255, ip >> 16 & 255, ip >> 24);
	dns_name_from_text(name, text);
}

void dns_name_reverse(struct dns_name *name, struct addr a)
{
	static const char digits[] = "0123456789abcdef", top[] = "ip6.arpa";
	char text[4 * ADDR_SIZE + sizeof(top)];

	if (addr_is4(a)) {
		dns_name_reverse4(name, addr_4(a));
		return;
	}
	for (unsigned i = 0; i < ADDR_SIZE; i++) {
		uint8_t byte = a.bytes[ADDR_SIZE - 1 - i];

		text[4 * i] = digits[byte & 15];
		text[4 * i + 2] = digits[byte >> 4];
		text[4 * i + 1] = text[4 * i + 3] = '.';
	}
	memcpy(text + 4 * ADDR_SIZE, top, sizeof(top));
	dns_name_from_text(name, text);
}
