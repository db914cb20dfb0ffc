// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/yaml_scalar.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static const struct {
	const char *text;
	enum { IS_NULL, IS_TRUE, IS_FALSE, IS_BAD } meaning;
} words[] = {
	{ "", IS_NULL }, { "~", IS_NULL }, { "null", IS_NULL }, { "Null", IS_NULL }, { "NULL", IS_NULL },
	{ "true", IS_TRUE }, { "True", IS_TRUE }, { "TRUE", IS_TRUE },
	{ "false", IS_FALSE }, { "False", IS_FALSE }, { "FALSE", IS_FALSE },
	{ ".inf", IS_BAD }, { ".Inf", IS_BAD }, { ".INF", IS_BAD }, { "+.inf", IS_BAD }, { "-.inf", IS_BAD },
	{ "-.Inf", IS_BAD }, { "-.INF", IS_BAD }, { ".nan", IS_BAD }, { ".NaN", IS_BAD }, { ".NAN", IS_BAD },
};

static bool all_of(const char *text, const char *letters)
{
	return *text && text[strspn(text, letters)] == '\0';
}

/* integer() - [-+]?[0-9]+, 0o[0-7]+ or 0x[0-9a-fA-F]+ */
static json_t *integer(const char *text, const char **why)
{
	const char *digits = text + (*text == '-' || *text == '+');
	int base = 10;
	long long v;

	if (!strncmp(text, "0o", 2) || !strncmp(text, "0x", 2)) {
		base = text[1] == 'o' ? 8 : 16;
		digits = text + 2;
	}
	if (!all_of(digits, base == 10 ? "0123456789" : base == 8 ? "01234567" : "0123456789abcdefABCDEF"))
		return NULL;
	errno = 0;
	v = strtoll(base == 10 ? text : digits, NULL, base);
	if (errno == 0)
		return json_integer(v);
	*why = "a number too large";
	return NULL;
}

/* real() - [-+]? ( \.[0-9]+ | [0-9]+ ( \.[0-9]* )? ) ( [eE][-+]?[0-9]+ )? */
static json_t *real(const char *text, const char **why)
{
	const char *p = text + (*text == '-' || *text == '+');
	size_t before = strspn(p, "0123456789"), after = 0;
	double v;

	p += before;
	if (*p == '.') {
		after = strspn(++p, "0123456789");
		p += after;
	}
	if (before + after == 0)
		return NULL;
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '-' || p[1] == '+');
		if (!all_of(p, "0123456789"))
			return NULL;
		p += strlen(p);
	}
	if (*p)
		return NULL;
	errno = 0;
	v = strtod(text, NULL);
	if (errno == 0)
		return json_real(v);
	*why = "a number too large or too small";
	return NULL;
}

static json_t *plain_scalar(const char *text, const char **why)
{
	json_t *node;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].text, text))
			continue;
		if (words[i].meaning == IS_BAD)
			*why = "not a number that can be used";
		return words[i].meaning == IS_NULL ? json_null() : words[i].meaning == IS_BAD ? NULL :
		       json_boolean(words[i].meaning == IS_TRUE);
	}
	node = integer(text, why);
	if (!node && !*why)
		node = real(text, why);
	return node;
}

json_t *yaml_scalar(const char *text, size_t size, bool plain, const char **why)
{
	json_t *node = NULL;

	*why = NULL;
	if (strlen(text) != size) {
		*why = "text with a NUL inside";
		return NULL;
	}
	if (plain)
		node = plain_scalar(text, why);
	if (node || *why)
		return node;
	node = json_stringn(text, size);
	if (!node)
		*why = "text that is not UTF-8";
	return node;
}
