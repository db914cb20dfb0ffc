// SPDX-License-Identifier: GPL-2.0-or-later
/* What a rule asks that nobody can know before it happens, in words. */
#include <stdio.h>
#include <string.h>

#include "ctl/firewall.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void limit_text(const json_t *limit, char text[FIREWALL_DOUBT])
{
	const char *unit = text_of(limit, "rate_unit");

	snprintf(text, FIREWALL_DOUBT, "a limit: %s%lld%s%.20s/%.20s", json_is_true(json_object_get(limit, "inv")) ? "over " : "",
		 (long long)json_integer_value(json_object_get(limit, "rate")), *unit ? " " : "", unit, text_of(limit, "per"));
}

/* left_text() - what a match looks at: "meta skuid", "ct mark" */
static void left_text(const json_t *left, char text[FIREWALL_DOUBT])
{
	void *first = json_object_iter((json_t *)left);
	const json_t *of = first ? json_object_iter_value(first) : NULL;

	while (json_is_array(of)) {		/* {"&": [{"meta": ...}, 255]} */
		first = json_object_iter(json_array_get(of, 0));
		of = first ? json_object_iter_value(first) : NULL;
	}
	snprintf(text, FIREWALL_DOUBT, "its %.20s %.30s", first ? json_object_iter_key(first) : "", *text_of(of, "key") ? text_of(of, "key") : text_of(of, "field"));
}

void firewall_doubt(const json_t *statement, char text[FIREWALL_DOUBT])
{
	const json_t *o;
	void *first = json_object_iter((json_t *)statement);

	if ((o = json_object_get(statement, "limit")))
		limit_text(o, text);
	else if ((o = json_object_get(statement, "match")))
		left_text(json_object_get(o, "left"), text);
	else if ((o = json_object_get(statement, "xt")))
		snprintf(text, FIREWALL_DOUBT, "what iptables' \"%.30s\" finds", text_of(o, "name"));
	else
		snprintf(text, FIREWALL_DOUBT, "\"%.30s\"", first ? json_object_iter_key(first) : "");
}
