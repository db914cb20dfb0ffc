// SPDX-License-Identifier: GPL-2.0-or-later
/* Classes of guests: whom they match, and what these are told. */
#include "ctl/model_dhcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/class.h"

/* ---- whom a class matches ---- */

static int read_mac_pattern(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	const char *text = field_string(ctx, field, parent, value, "a MAC address like 52:54:00:*");
	struct dhcp_match *match = to;

	if (!text)
		return -EINVAL;
	if (mac_pattern_parse(text, match->mac, match->mac_mask) < 0)
		return field_not_a(ctx, field, parent, text, "a MAC address like 52:54:00:*");
	match->by_mac = true;
	return 0;
}

static json_t *write_mac_pattern(const struct field *field, const void *from)
{
	const struct dhcp_match *match = from;
	char text[MAC_TEXT];

	(void)field;
	return json_string(mac_pattern_format(match->mac, match->mac_mask, text));
}

static int read_archs(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	size_t n = json_is_array(value) ? json_array_size(value) : 1;
	struct dhcp_match *match = to;

	if (!n || n > DHCP_ARCHS_MAX)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is not a list of 1 to %d numbers", DHCP_ARCHS_MAX);
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		json_int_t v = json_integer_value(one);

		if (!json_is_integer(one) || v < 0 || v > UINT16_MAX)
			return ctx_fail(ctx, parent, field->name, -EINVAL, "is not a number of an architecture, 0..65535");
		match->arch[i] = (uint16_t)v;
	}
	match->narch = (unsigned)n;
	return 0;
}

static json_t *write_archs(const struct field *field, const void *from)
{
	const struct dhcp_match *match = from;
	json_t *list = json_array();

	(void)field;
	for (unsigned i = 0; list && i < match->narch; i++)
		json_array_append_new(list, json_integer(match->arch[i]));
	return list;
}

static const struct field_type field_mac_pattern = { read_mac_pattern, write_mac_pattern };
static const struct field_type field_archs = { read_archs, write_archs };

#define PATTERN(key, member) \
	{ key, &field_text, FIELD_AT(struct class_conf, class.match.member), .valid = pattern_valid, .wants = "a pattern like PXEClient*" }

static const struct field rows[] = {
	{ "mac", &field_mac_pattern, FIELD_AT(struct class_conf, class.match) },
	PATTERN("vendor", vendor),
	PATTERN("user", user),
	PATTERN("circuit", circuit),
	PATTERN("port", port),
	{ "arch", &field_archs, FIELD_AT(struct class_conf, class.match) },
	{ "pool", &field_pool, FIELD_AT(struct class_conf, pool) },
	SAYS_ROWS(struct class_conf, class.says),
};

/* ---- all of them ---- */

static int read_class(struct model_ctx *ctx, const char *name, const json_t *object, struct class_conf *to)
{
	int rc;

	if (!name_valid(name))
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "not a name: use a-z, 0-9 and - inside, at most 63 letters");
	if (!json_is_object(object))
		return ctx_fail(ctx, NULL, NULL, -EINVAL, "is not a mapping");
	strcpy(to->class.name, name);
	rc = fields_read(ctx, rows, ARRAY_SIZE(rows), object, to, &to->set);
	if (rc == 0 && !(to->set & (field_bit(rows, ARRAY_SIZE(rows), "pool") - 1)))
		rc = ctx_fail(ctx, NULL, NULL, -EINVAL, "says of no guest that it belongs to it: by mac, vendor, user, circuit, port or arch");
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int read_classes(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to)
{
	struct class_list *list = to;
	json_t *object;
	const char *name;

	if (!json_is_object(value) || json_object_size(value) > DHCP_CLASSES_MAX)
		return ctx_fail(ctx, parent, field->name, -EINVAL, "is not a mapping of at most %d classes", DHCP_CLASSES_MAX);
	list->of = calloc(json_object_size(value) + 1, sizeof(*list->of));
	if (!list->of)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	json_object_foreach((json_t *)value, name, object) {
		struct ctx_mark mark = ctx_enter(ctx, value, name, "class", name);
		int rc = read_class(ctx, name, object, &list->of[list->n++]);

		ctx_leave(ctx, mark);
		if (rc < 0)
			return rc;
	}
	qsort(list->of, list->n, sizeof(*list->of), by_name);
	return 0;
}

static json_t *write_classes(const struct field *field, const void *from)
{
	const struct class_list *list = from;
	json_t *object = json_object();

	(void)field;
	for (size_t i = 0; object && i < list->n; i++)
		json_object_set_new(object, list->of[i].class.name, fields_write(rows, ARRAY_SIZE(rows), &list->of[i], list->of[i].set, 0));
	return object;
}

const struct field_type field_classes = { read_classes, write_classes };

void classes_free(struct class_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		settings_free(&list->of[i].class.says);
	free(list->of);
	*list = (struct class_list){ .n = 0 };
}
