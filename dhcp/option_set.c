// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/option_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/text.h"

enum { WORD_MAX = 64, WHY = OPTION_WHY };

static const char *const sends[] = { [OPTION_ASKED] = "", [OPTION_FORCED] = "force ", [OPTION_NEVER] = "never " };

/* take_word() - the first word of *@line, which moves behind it and the spaces after it */
static int take_word(const char **line, char word[WORD_MAX])
{
	size_t n = strcspn(*line, " \t");

	if (n == 0 || n >= WORD_MAX)
		return -EINVAL;
	memcpy(word, *line, n);
	word[n] = '\0';
	*line += n;
	*line += strspn(*line, " \t");
	return 0;
}

static void take_send(const char **line, struct option_item *item)
{
	*line += strspn(*line, " \t");
	for (uint8_t send = OPTION_FORCED; send <= OPTION_NEVER; send++)
		if (!strncmp(*line, sends[send], strlen(sends[send]))) {
			item->send = send;
			*line += strlen(sends[send]);
			*line += strspn(*line, " \t");
		}
}

/* no_option() - and which was meant, perhaps. Return: -EINVAL */
static int no_option(enum option_family family, const char *word, char why[WHY])
{
	struct nearest near = nearest_start(word);
	const struct option_kind *kinds;
	size_t n;

	kinds = option_kinds(family, &n);
	for (size_t i = 0; i < n; i++)
		nearest_try(&near, kinds[i].name);
	if (near.word)
		snprintf(why, WHY, "there is no option %.60s; did you mean %s?", word, near.word);
	else
		snprintf(why, WHY, "there is no option %.60s; its number, 1..%u, would do", word, option_last(family));
	return -EINVAL;
}

/* take_option() - "ntp-servers", "42", "224:ip" */
static int take_option(enum option_family family, const char **line, struct option_item *item, char why[WHY])
{
	char word[WORD_MAX] = "", *colon;
	const struct option_kind *kind;
	enum option_type type = VALUE_HEX;
	unsigned long code = 0;

	if (take_word(line, word) < 0)
		return snprintf(why, WHY, "no option is named"), -EINVAL;
	colon = strchr(word, ':');
	if (colon)
		*colon++ = '\0';
	kind = option_named(family, word);
	if (!kind && number_parse(word, 1, option_last(family), &code) < 0)
		return no_option(family, word, why);
	if (!kind)
		kind = option_coded(family, (uint16_t)code);
	if (colon ? option_type_parse(colon, &type) < 0 : false)
		return snprintf(why, WHY, "%.40s is no type of a value", colon), -EINVAL;
	item->code = kind ? kind->code : (uint16_t)code;
	item->type = (uint8_t)(colon ? type : kind ? kind->type : VALUE_HEX);
	if (!option_settable(family, item->code))
		return snprintf(why, WHY, "option %u is the server's own to say", item->code), -EINVAL;
	return 0;
}

static int take_value(const char *line, struct option_item *item, char why[WHY])
{
	uint8_t data[OPTION_VALUE_MAX];
	int n;

	if (item->send == OPTION_NEVER && line[0])
		return snprintf(why, WHY, "an option that is never sent has no value"), -EINVAL;
	if (item->send == OPTION_NEVER)
		return 0;
	n = option_value_parse((enum option_type)item->type, line, data, sizeof(data));
	if (n < 0)
		return snprintf(why, WHY, "%.40s is not %s", line[0] ? line : "nothing", option_type_wants((enum option_type)item->type)), -EINVAL;
	item->size = (uint16_t)n;
	item->data = n ? malloc((size_t)n) : NULL;
	if (n && !item->data)
		return -ENOMEM;
	if (n)
		memcpy(item->data, data, (size_t)n);
	return 0;
}

static int insert(struct option_set *set, const struct option_item *item, char why[WHY])
{
	struct option_item *of;
	unsigned at = 0;

	while (at < set->n && set->of[at].code < item->code)
		at++;
	if (at < set->n && set->of[at].code == item->code)
		return snprintf(why, WHY, "option %u is there twice", item->code), -EEXIST;
	if (set->n == OPTION_SET_MAX)
		return snprintf(why, WHY, "more than %d options", OPTION_SET_MAX), -ENOSPC;
	of = realloc(set->of, (set->n + 1) * sizeof(*of));
	if (!of)
		return snprintf(why, WHY, "out of memory"), -ENOMEM;
	set->of = of;
	memmove(of + at + 1, of + at, (set->n - at) * sizeof(*of));
	of[at] = *item;
	set->n++;
	return 0;
}

int option_set_add(struct option_set *set, const char *line, char why[WHY])
{
	struct option_item item = { .send = OPTION_ASKED };
	int rc;

	take_send(&line, &item);
	rc = take_option((enum option_family)set->family, &line, &item, why);
	if (rc == 0)
		rc = take_value(line, &item, why);
	if (rc == 0)
		rc = insert(set, &item, why);
	if (rc < 0)
		free(item.data);
	return rc;
}

const char *option_set_text(const struct option_set *set, const struct option_item *item, char text[OPTION_LINE_TEXT])
{
	const struct option_kind *kind = option_coded((enum option_family)set->family, item->code);
	enum option_type usual = kind ? kind->type : VALUE_HEX, type = (enum option_type)item->type;
	char value[OPTION_VALUE_TEXT] = "", number[8], *colon;

	if (item->send != OPTION_NEVER)
		type = option_value_format(type, item->data, item->size, value);
	snprintf(number, sizeof(number), "%u", item->code);
	snprintf(text, OPTION_LINE_TEXT, "%s%s", sends[item->send], kind ? kind->name : number);
	colon = text + strlen(text);
	if (item->send != OPTION_NEVER)
		snprintf(colon, OPTION_LINE_TEXT - (size_t)(colon - text), "%s%s %s", type == usual ? "" : ":",
			 type == usual ? "" : option_type_name(type), value);
	return text;
}

static int by_code(const void *key, const void *item)
{
	return *(const uint16_t *)key - ((const struct option_item *)item)->code;
}

const struct option_item *option_set_find(const struct option_set *set, uint16_t code)
{
	return set->n ? bsearch(&code, set->of, set->n, sizeof(*set->of), by_code) : NULL;
}

bool option_set_equal(const struct option_set *a, const struct option_set *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		const struct option_item *x = &a->of[i], *y = &b->of[i];

		if (x->code != y->code || x->send != y->send || x->type != y->type || x->size != y->size ||
		    (x->size && memcmp(x->data, y->data, x->size)))
			return false;
	}
	return true;
}

void option_set_fini(struct option_set *set)
{
	for (unsigned i = 0; i < set->n; i++)
		free(set->of[i].data);
	free(set->of);
	*set = (struct option_set){ .family = set->family };
}
