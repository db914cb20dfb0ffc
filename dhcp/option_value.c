// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/option_value.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/array.h"
#include "base/bytes.h"
#include "base/text.h"
#include "dhcp/dns_name.h"

enum { WORD_MAX = 256, NTP_ADDRESS = 1, NTP_GROUP, NTP_NAME };		/* RFC 5908 4 */

/* ---- words of a list ---- */

/* next_word() - the next word of @text, which moves behind it. Return: 1, 0 at the end, -EINVAL for one that is too long. */
static int next_word(const char **text, char word[WORD_MAX])
{
	size_t n;

	*text += strspn(*text, " ,\t");
	n = strcspn(*text, " ,\t");
	if (n >= WORD_MAX)
		return -EINVAL;
	memcpy(word, *text, n);
	word[n] = '\0';
	*text += n;
	return n > 0;
}

/* one - how one element of a list is read from words and written back
 * parse():	from the first word, and what follows it in @text
 * format():	the element at @r as text; -EINVAL when there is none
 */
struct one {
	int (*parse)(const char *word, const char **text, struct writer *w);
	int (*format)(struct reader *r, char *text, size_t room);
};

static int parse_number(const char *word, unsigned long max, unsigned bytes, struct writer *w)
{
	unsigned long v;

	if (number_parse(word, 0, max, &v) < 0)
		return -EINVAL;
	while (bytes--)
		write_u8(w, (uint8_t)(v >> 8 * bytes));
	return 0;
}

static int parse_u8(const char *word, const char **text, struct writer *w)
{
	(void)text;
	return parse_number(word, 0xff, 1, w);
}

static int parse_u16(const char *word, const char **text, struct writer *w)
{
	(void)text;
	return parse_number(word, 0xffff, 2, w);
}

static int parse_u32(const char *word, const char **text, struct writer *w)
{
	(void)text;
	return parse_number(word, 0xffffffff, 4, w);
}

static int parse_s32(const char *word, const char **text, struct writer *w)
{
	unsigned long v;

	if (word[0] != '-')
		return parse_u32(word, text, w);
	if (number_parse(word + 1, 0, 0x80000000ul, &v) < 0)
		return -EINVAL;
	write_u32(w, (uint32_t)-v);
	return 0;
}

static int parse_flag(const char *word, const char **text, struct writer *w)
{
	bool yes = !strcmp(word, "true");

	(void)text;
	write_u8(w, yes);
	return yes || !strcmp(word, "false") ? 0 : -EINVAL;
}

static int parse_ip(const char *word, const char **text, struct writer *w)
{
	uint32_t ip;

	(void)text;
	if (ip4_parse(word, &ip) < 0)
		return -EINVAL;
	write_u32(w, ip);
	return 0;
}

static int parse_domain(const char *word, const char **text, struct writer *w)
{
	struct dns_name name;

	(void)text;
	if (dns_name_from_text(&name, word) < 0)
		return -EINVAL;
	write_bytes(w, name.wire, name.size);
	return 0;
}

/* parse_route() - RFC 3442: of a destination only the octets that its length reaches are written */
static int parse_route(const char *word, const char **text, struct writer *w)
{
	char router[WORD_MAX];
	struct prefix4 to;

	if (prefix4_parse(word, &to) < 0 || next_word(text, router) <= 0)
		return -EINVAL;
	write_u8(w, to.len);
	for (unsigned bit = 0; bit < to.len; bit += 8)
		write_u8(w, (uint8_t)(to.addr >> (24 - bit)));
	return parse_ip(router, text, w);
}

static int parse_ip6(const char *word, const char **text, struct writer *w)
{
	struct addr a;

	(void)text;
	if (addr_parse(word, &a) < 0 || addr_is4(a))
		return -EINVAL;
	write_bytes(w, a.bytes, ADDR_SIZE);
	return 0;
}

static int parse_string(const char *word, const char **text, struct writer *w)
{
	(void)text;
	for (const char *c = word; *c; c++)
		if (*c <= ' ' || *c > '~')
			return -EINVAL;
	write_u16(w, (uint16_t)strlen(word));
	write_bytes(w, word, strlen(word));
	return 0;
}

/* parse_ntp() - with colons it is an address */
static int parse_ntp(const char *word, const char **text, struct writer *w)
{
	bool name = !strchr(word, ':');
	size_t at = w->pos;
	int rc;

	write_u32(w, 0);		/* code and length, when they are known */
	rc = name ? parse_domain(word, text, w) : parse_ip6(word, text, w);
	if (rc < 0 || w->overrun)
		return rc;
	put_u16(w->data + at, name ? NTP_NAME : w->data[at + 4] == 0xff ? NTP_GROUP : NTP_ADDRESS);
	put_u16(w->data + at + 2, (uint16_t)(w->pos - at - 4));
	return 0;
}

static int format_u8(struct reader *r, char *text, size_t room)
{
	return snprintf(text, room, "%u", read_u8(r));
}

static int format_u16(struct reader *r, char *text, size_t room)
{
	return snprintf(text, room, "%u", read_u16(r));
}

static int format_u32(struct reader *r, char *text, size_t room)
{
	return snprintf(text, room, "%u", read_u32(r));
}

static int format_s32(struct reader *r, char *text, size_t room)
{
	return snprintf(text, room, "%d", (int32_t)read_u32(r));
}

static int format_flag(struct reader *r, char *text, size_t room)
{
	uint8_t v = read_u8(r);

	return v > 1 ? -EINVAL : snprintf(text, room, "%s", v ? "true" : "false");
}

static int format_ip(struct reader *r, char *text, size_t room)
{
	char ip[IP4_TEXT];

	return snprintf(text, room, "%s", ip4_format(read_u32(r), ip));
}

/* plain() - has the name nothing in it but what next_word() and dns_name_from_text() take? */
static bool plain(const char *text)
{
	return text[0] && !strpbrk(text, "\\, \t") && strlen(text) < WORD_MAX;
}

static int format_domain(struct reader *r, char *text, size_t room)
{
	struct dns_name name;
	char written[DNS_NAME_TEXT];
	size_t pos = r->pos, end = r->pos;

	if (dns_name_skip(r->data, r->size, &end) < 0 || end - pos > sizeof(name.wire))
		return -EINVAL;
	name.size = (uint8_t)(end - pos);
	memcpy(name.wire, r->data + pos, name.size);
	for (size_t at = 0; at < name.size; at += name.wire[at] + 1u)
		if (name.wire[at] > DNS_LABEL_MAX)
			return -EINVAL;		/* compressed: what it leads to is not ours to write out */
	r->pos = end;
	dns_name_to_text(&name, written);
	return plain(written) ? snprintf(text, room, "%s", written) : -EINVAL;
}

static int format_route(struct reader *r, char *text, size_t room)
{
	struct prefix4 to = { .len = read_u8(r) };
	char prefix[PREFIX4_TEXT], router[IP4_TEXT];

	if (to.len > 32)
		return -EINVAL;
	for (unsigned bit = 0; bit < to.len; bit += 8)
		to.addr |= (uint32_t)read_u8(r) << (24 - bit);
	if (to.addr & ~prefix4_mask(to))
		return -EINVAL;
	return snprintf(text, room, "%s %s", prefix4_format(to, prefix), ip4_format(read_u32(r), router));
}

static int format_ip6(struct reader *r, char *text, size_t room)
{
	char ip[ADDR_TEXT];
	struct addr a;

	read_copy(r, a.bytes, ADDR_SIZE);
	return addr_is4(a) ? -EINVAL : snprintf(text, room, "%s", addr_format(a, ip));
}

static int format_string(struct reader *r, char *text, size_t room)
{
	size_t n = read_u16(r);
	const uint8_t *p = read_bytes(r, n);

	for (size_t i = 0; p && i < n; i++)
		if (p[i] <= ' ' || p[i] > '~' || p[i] == ',')
			return -EINVAL;
	return !p || !n || n >= WORD_MAX ? -EINVAL : snprintf(text, room, "%.*s", (int)n, p);
}

/* format_ntp() - what would be read back as the same */
static int format_ntp(struct reader *r, char *text, size_t room)
{
	uint16_t kind = read_u16(r), size = read_u16(r);
	size_t end = r->pos + size;
	int n;

	if (kind < NTP_ADDRESS || kind > NTP_NAME || (kind != NTP_NAME && reader_left(r) && (kind == NTP_GROUP) != (r->data[r->pos] == 0xff)))
		return -EINVAL;
	n = kind == NTP_NAME ? format_domain(r, text, room) : format_ip6(r, text, room);
	return r->pos != end ? -EINVAL : n;
}

/* ---- types ---- */

static const struct type {
	const char *name, *wants;
	struct one one;
	unsigned min, multiple, max;	/* elements: at least, a multiple of, at most (0: any number) */
} types[VALUE_TYPE_COUNT] = {
	[VALUE_HEX] = { .name = "hex", .wants = "bytes in hex like 01:02:ff" },
	[VALUE_TEXT] = { .name = "text", .wants = "a text" },
	[VALUE_FLAG] = { "flag", "true or false", { parse_flag, format_flag }, 1, 1, 1 },
	[VALUE_U8] = { "u8", "a number in 0..255", { parse_u8, format_u8 }, 1, 1, 1 },
	[VALUE_U16] = { "u16", "a number in 0..65535", { parse_u16, format_u16 }, 1, 1, 1 },
	[VALUE_U32] = { "u32", "a number in 0..4294967295", { parse_u32, format_u32 }, 1, 1, 1 },
	[VALUE_S32] = { "s32", "a number of seconds", { parse_s32, format_s32 }, 1, 1, 1 },
	[VALUE_U8S] = { "u8s", "numbers in 0..255", { parse_u8, format_u8 }, 1, 1, 0 },
	[VALUE_U16S] = { "u16s", "numbers in 0..65535", { parse_u16, format_u16 }, 1, 1, 0 },
	[VALUE_IP] = { "ip", "an IPv4 address", { parse_ip, format_ip }, 1, 1, 1 },
	[VALUE_IPS] = { "ips", "IPv4 addresses", { parse_ip, format_ip }, 1, 1, 0 },
	[VALUE_PAIRS] = { "pairs", "pairs of IPv4 addresses", { parse_ip, format_ip }, 2, 2, 0 },
	[VALUE_DOMAINS] = { "domains", "domain names", { parse_domain, format_domain }, 1, 1, 0 },
	[VALUE_ROUTES] = { "routes", "destinations, each with its router: 10.8.0.0/16 10.0.0.1", { parse_route, format_route }, 1, 1, 0 },
	[VALUE_IP6] = { "ip6", "an IPv6 address", { parse_ip6, format_ip6 }, 1, 1, 1 },
	[VALUE_IP6S] = { "ip6s", "IPv6 addresses", { parse_ip6, format_ip6 }, 1, 1, 0 },
	[VALUE_STRINGS] = { "strings", "words", { parse_string, format_string }, 1, 1, 0 },
	[VALUE_NTP] = { "ntp", "IPv6 addresses or names of clocks", { parse_ntp, format_ntp }, 1, 1, 0 },
};

const char *option_type_name(enum option_type type)
{
	return types[type].name;
}

int option_type_parse(const char *text, enum option_type *type)
{
	for (unsigned i = 0; i < VALUE_TYPE_COUNT; i++)
		if (!strcmp(types[i].name, text)) {
			*type = (enum option_type)i;
			return 0;
		}
	return -EINVAL;
}

const char *option_type_wants(enum option_type type)
{
	return types[type].wants;
}

/* fits_type() - may a value of this type have @n elements? */
static bool fits_type(const struct type *t, unsigned n)
{
	return n >= t->min && n % t->multiple == 0 && (!t->max || n <= t->max);
}

/* ---- parsing ---- */

static int nibble(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* parse_hex() - pairs of digits, with ':', '-' or a space between two pairs or none */
static int parse_hex(const char *text, struct writer *w)
{
	while (*text) {
		int high = nibble(text[0]), low = high < 0 ? -1 : nibble(text[1]);

		if (low < 0)
			return -EINVAL;
		write_u8(w, (uint8_t)(high << 4 | low));
		text += 2;
		if (*text && strchr(":- ", *text) && text[1])
			text++;
	}
	return 0;
}

static int parse_list(const struct type *t, const char *text, struct writer *w)
{
	char word[WORD_MAX];
	unsigned n = 0;
	int rc;

	while ((rc = next_word(&text, word)) > 0) {
		rc = t->one.parse(word, &text, w);
		if (rc < 0)
			return rc;
		n++;
	}
	return rc < 0 || !fits_type(t, n) ? -EINVAL : 0;
}

/* parse_text() - without the spaces around it; bytes that are not visible ASCII are for hex */
static int parse_text(const char *text, struct writer *w)
{
	size_t n;

	text += strspn(text, " ");
	n = strlen(text);
	while (n && text[n - 1] == ' ')
		n--;
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return -EINVAL;
	write_bytes(w, text, n);
	return n ? 0 : -EINVAL;
}

int option_value_parse(enum option_type type, const char *text, uint8_t *data, size_t room)
{
	struct writer w = writer_init(data, room);
	int rc = type == VALUE_HEX ? parse_hex(text, &w) : type == VALUE_TEXT ? parse_text(text, &w) : parse_list(&types[type], text, &w);

	return rc < 0 || w.overrun || !w.pos ? -EINVAL : (int)w.pos;
}

/* ---- formatting ---- */

static void format_hex(const uint8_t *data, size_t size, char *text)
{
	text[0] = '\0';
	for (size_t i = 0; i < size; i++)
		sprintf(text + (i ? 3 * i - 1 : 0), "%s%02x", i ? ":" : "", data[i]);
}

static int format_list(const struct type *t, const uint8_t *data, size_t size, char *text)
{
	struct reader r = reader_init(data, size);
	size_t at = 0;
	unsigned n = 0;

	while (reader_left(&r)) {
		size_t room = OPTION_VALUE_TEXT - at;
		int used = snprintf(text + at, room, "%s", n++ ? ", " : ""), more;

		more = t->one.format(&r, text + at + used, room - (size_t)used);
		if (more < 0 || (size_t)(used + more) >= room || r.overrun)
			return -EINVAL;
		at += (size_t)(used + more);
	}
	return !fits_type(t, n) ? -EINVAL : 0;
}

static int format_text(const uint8_t *data, size_t size, char *text)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] < ' ' || data[i] >= 0x7f)
			return -EINVAL;
	memcpy(text, data, size);
	text[size] = '\0';
	return !size || data[0] == ' ' || data[size - 1] == ' ' ? -EINVAL : 0;
}

enum option_type option_value_format(enum option_type type, const uint8_t *data, size_t size, char text[OPTION_VALUE_TEXT])
{
	size_t n = MIN_OF(size, (size_t)OPTION_VALUE_MAX);
	int rc = type == VALUE_HEX ? -EINVAL : type == VALUE_TEXT ? format_text(data, n, text) : format_list(&types[type], data, n, text);

	if (rc == 0)
		return type;
	format_hex(data, n, text);
	return VALUE_HEX;
}
