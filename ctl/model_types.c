// SPDX-License-Identifier: GPL-2.0-or-later
/* The types of fields that are written as text: addresses, durations, lists of VLANs. */
#include "ctl/model_fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *field_string(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value,
			 const char *wants)
{
	if (!json_is_string(value)) {
		ctx_fail(ctx, parent, field->name, -EINVAL, "is not %s (write it as text, in quotes)", wants);
		return NULL;
	}
	return json_string_value(value);
}

int field_not_a(struct model_ctx *ctx, const struct field *field, const json_t *parent, const char *text,
		const char *wants)
{
	return ctx_fail(ctx, parent, field->name, -EINVAL, "%s is not %s", shown(text), wants);
}

static int read_text(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	const char *wants = field->wants ? field->wants : "text";
	const char *text = field_string(ctx, field, parent, value, wants);

	if (!text)
		return -EINVAL;
	if (strlen(text) >= field->size)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is longer than %zu bytes", field->size - 1);
	if (field->valid && !field->valid(text))
		return field_not_a(ctx, field, parent, text, wants);
	strcpy(to, text);
	return 0;
}

static json_t *write_text(const struct field *field, const void *from)
{
	(void)field;
	return json_string(from);
}

static int read_mac(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	const char *text = field_string(ctx, field, parent, value, "a MAC address");
	static const uint8_t none[MAC_SIZE];
	uint8_t mac[MAC_SIZE];

	if (!text)
		return -EINVAL;
	if (mac_parse(text, mac) < 0)
		return field_not_a(ctx, field, parent, text, "a MAC address");
	if (mac_is_group(mac) || !memcmp(mac, none, MAC_SIZE))
		return field_not_a(ctx, field, parent, text, "the address of one station");
	memcpy(to, mac, MAC_SIZE);
	return 0;
}

static json_t *write_mac(const struct field *field, const void *from)
{
	char text[MAC_TEXT];

	(void)field;
	return json_string(mac_format(from, text));
}

static int read_ip4(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	const char *text = field_string(ctx, field, parent, value, "an IPv4 address");

	if (!text)
		return -EINVAL;
	return ip4_parse(text, to) < 0 ? field_not_a(ctx, field, parent, text, "an IPv4 address") : 0;
}

static json_t *write_ip4(const struct field *field, const void *from)
{
	char text[IP4_TEXT];

	(void)field;
	return json_string(ip4_format(*(const uint32_t *)from, text));
}

static int read_prefix4(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value,
			void *to)
{
	const char *text = field_string(ctx, field, parent, value, "a subnet like 10.77.0.0/24");

	if (!text)
		return -EINVAL;
	if (prefix4_parse(text, to) < 0)
		return field_not_a(ctx, field, parent, text, "a subnet like 10.77.0.0/24 (host bits zero)");
	return 0;
}

static json_t *write_prefix4(const struct field *field, const void *from)
{
	char text[PREFIX4_TEXT];

	(void)field;
	return json_string(prefix4_format(*(const struct prefix4 *)from, text));
}

/* prefix6 - "none" is the prefix of length 0, which no network can have */
static int read_prefix6(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	static const char wanted[] = "none, or an IPv6 subnet like fd00:1:2:3::/64";
	const char *text = field_string(ctx, field, parent, value, wanted);

	if (!text)
		return -EINVAL;
	if (!strcmp(text, "none"))
		*(struct prefix6 *)to = (struct prefix6){ .len = 0 };
	else if (prefix6_parse(text, to) < 0)
		return field_not_a(ctx, field, parent, text, "none, or an IPv6 subnet like fd00:1:2:3::/64 (host bits zero)");
	return 0;
}

static json_t *write_prefix6(const struct field *field, const void *from)
{
	const struct prefix6 *prefix = from;
	char text[PREFIX6_TEXT];

	(void)field;
	return json_string(prefix->len ? prefix6_format(*prefix, text) : "none");
}

static int read_duration(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value,
			 void *to)
{
	const char *text = field_string(ctx, field, parent, value, "a duration like 90s or 1h");
	uint32_t s;

	if (!text)
		return -EINVAL;
	if (duration_parse(text, &s) < 0)
		return field_not_a(ctx, field, parent, text, "a duration like 90s, 10m, 1h, 7d or infinite");
	if (s < field->min || s > field->max)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "%s is shorter than %llds", shown(text),
				(long long)field->min);
	*(uint32_t *)to = s;
	return 0;
}

static json_t *write_duration(const struct field *field, const void *from)
{
	char text[16];

	(void)field;
	return json_string(duration_format(*(const uint32_t *)from, text));
}

/* vlans_parse() - "10,20-29" to bits; the list may repeat itself */
static int vlans_parse(const char *text, uint64_t bits[MODEL_VLANS / 64])
{
	const char *p = text;

	memset(bits, 0, MODEL_VLANS / 8);
	do {
		char *end;
		unsigned long first, last;

		if (*p < '0' || *p > '9')
			return -EINVAL;
		first = last = strtoul(p, &end, 10);
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			last = strtoul(end + 1, &end, 10);
		if (first < 1 || last > 4094 || first > last || (*end && *end != ','))
			return -EINVAL;
		for (; first <= last; first++)
			bits[first / 64] |= 1ull << (first % 64);
		p = *end ? end + 1 : NULL;
	} while (p);
	return 0;
}

static int read_vlans(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	const char *text;
	char number[24];

	if (json_is_integer(value))	/* `trunk: 10` means the list of one */
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
	text = number;
	if (!json_is_integer(value))
		text = field_string(ctx, field, parent, value, "a list of VLANs like 10,20-29");
	if (!text)
		return -EINVAL;
	if (vlans_parse(text, to) < 0)
		return field_not_a(ctx, field, parent, text, "a list of VLANs in 1..4094 like 10,20-29");
	return 0;
}

static json_t *write_vlans(const struct field *field, const void *from)
{
	const uint64_t *bits = from;
	char text[16384] = "";	/* at most 2047 single numbers of four digits, and commas */
	size_t n = 0;

	(void)field;
	for (unsigned first = 1, last; first < MODEL_VLANS; first = last + 1) {
		last = first;
		if (!(bits[first / 64] >> (first % 64) & 1))
			continue;
		while (last + 1 < MODEL_VLANS && bits[(last + 1) / 64] >> ((last + 1) % 64) & 1)
			last++;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u", n ? "," : "", first);
		if (last > first)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "-%u", last);
	}
	return json_string(text);
}

static int read_tree(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	(void)ctx, (void)field, (void)parent;
	*(const json_t **)to = value;
	return 0;
}

static int read_members(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value,
			void *to)
{
	(void)ctx, (void)field, (void)parent, (void)value, (void)to;
	return 0;
}

const struct field_type field_text = { read_text, write_text };
const struct field_type field_mac = { read_mac, write_mac };
const struct field_type field_ip4 = { read_ip4, write_ip4 };
const struct field_type field_prefix4 = { read_prefix4, write_prefix4 };
const struct field_type field_prefix6 = { read_prefix6, write_prefix6 };
const struct field_type field_duration = { read_duration, write_duration };
static int read_words(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	size_t n = json_is_array(value) ? json_array_size(value) : 1;
	uint8_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		const char *text = field_string(ctx, field, parent, one, field->wants);
		const struct word *word = field->words;

		if (text && !*text)		/* takes the setting back */
			continue;
		while (text && word->text && strcmp(word->text, text))
			word++;
		if (!text || !word->text)
			return text ? field_not_a(ctx, field, parent, text, field->wants) : -EINVAL;
		bits |= (uint8_t)word->value;
	}
	*(uint8_t *)to = bits;
	return 0;
}

static json_t *write_words(const struct field *field, const void *from)
{
	json_t *list = json_array();

	for (const struct word *word = field->words; word->text; word++)
		if (*(const uint8_t *)from & word->value)
			json_array_append_new(list, json_string(word->text));
	return list;
}

const struct field_type field_words = { read_words, write_words };
const struct field_type field_vlans = { read_vlans, write_vlans };
const struct field_type field_tree = { read_tree, NULL };
const struct field_type field_members = { read_members, NULL };
