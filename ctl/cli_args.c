// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/text.h"
#include "ctl/cli_words.h"

static int usage_error(struct error *err, const char *what, const char *why)
{
	error_set(err, -EINVAL, "%.200s: %s", what, why);
	error_code(err, "usage");
	return -EINVAL;
}

/* flag_find() - @text may go on with "=VALUE" */
static const struct flag *flag_find(const struct flag *table, const char *text)
{
	size_t n = strcspn(text, "=");

	for (const struct flag *f = table; f && f->name; f++) {
		if (strlen(f->name) == n && !strncmp(f->name, text, n))
			return f;
		if (f->letter && n == 2 && text[0] == '-' && text[1] == f->letter)
			return f;
	}
	return NULL;
}

static int unknown_flag(const struct flag *flags, const char *text, struct error *err)
{
	struct nearest near = nearest_start(text);

	usage_error(err, text, "unknown flag");
	error_hint(err, flags ? "--help lists the flags" : "it takes no flags but --help and those of every command");
	for (const struct flag *f = flags; f && f->name; f++) {
		nearest_try(&near, f->name);
		if (!strncmp(text, f->name, strlen(f->name)))
			error_hint(err, "did you mean %s?", f->name);
	}
	if (near.word)
		error_hint(err, "did you mean %s?", near.word);
	return -EINVAL;
}

static int check_value(const struct flag *flag, const char *value, struct error *err)
{
	unsigned long number;
	uint32_t seconds;

	switch (flag->kind) {
	case FLAG_BOOL:
		if (strcmp(value, "true") && strcmp(value, "false"))
			return usage_error(err, flag->name, "true or false");
		return 0;
	case FLAG_NUMBER:
		if (number_parse(value, 0, UINT32_MAX, &number) < 0)
			return usage_error(err, flag->name, "not a whole number");
		return 0;
	case FLAG_DURATION:
		if (duration_parse(value, &seconds) < 0)
			return usage_error(err, flag->name, "not a duration with its unit, such as 30s, 10m or 1h");
		return 0;
	default:
		return 0;
	}
}

static int give(struct args *args, const struct flag *flag, const char *value, struct error *err)
{
	if (flag->kind != FLAG_LIST && flag->kind != FLAG_SWITCH && args_has(args, flag->name))
		return usage_error(err, flag->name, "given twice");
	if (args->ngiven == ARGS_MAX)
		return usage_error(err, flag->name, "too many flags");
	args->given[args->ngiven].flag = flag;
	args->given[args->ngiven].value = value;
	args->ngiven++;
	return 0;
}

/* take_flag() - Return: words of argv used, 1 or 2, or -EINVAL */
static int take_flag(struct args *args, const struct flag *flag, char **argv, struct error *err)
{
	const char *equals = strchr(argv[0], '=');
	const char *value = equals ? equals + 1 : argv[1];
	int rc;

	if (flag->kind == FLAG_SWITCH) {
		if (equals)
			return usage_error(err, flag->name, "takes no value");
		return give(args, flag, NULL, err) < 0 ? -EINVAL : 1;
	}
	if (!value)
		return usage_error(err, flag->name, "needs a value");
	rc = check_value(flag, value, err);
	if (rc == 0)
		rc = give(args, flag, value, err);
	return rc < 0 ? rc : equals ? 1 : 2;
}

static int take_word(struct args *args, const char *word, struct error *err)
{
	if (args->nwords == ARGS_MAX)
		return usage_error(err, word, "too many words");
	args->words[args->nwords++] = word;
	return 1;
}

int args_parse(struct args *args, const struct flag *flags, const struct flag *general, char **argv, bool stop,
	       struct error *err)
{
	int i = 0;

	while (argv[i]) {
		const struct flag *flag;
		int n;

		if (!strcmp(argv[i], "--")) {
			args->rest = argv + i + 1;
			break;
		}
		if (argv[i][0] != '-' || argv[i][1] == '\0') {	/* a lone "-" is a word: standard input */
			if (stop)
				break;
			n = take_word(args, argv[i], err);
		} else {
			flag = flag_find(flags, argv[i]);
			if (!flag)
				flag = flag_find(general, argv[i]);
			n = flag ? take_flag(args, flag, argv + i, err) : unknown_flag(flags, argv[i], err);
		}
		if (n < 0)
			return n;
		i += n;
	}
	return i;
}

bool args_has(const struct args *args, const char *name)
{
	for (unsigned i = 0; i < args->ngiven; i++)
		if (!strcmp(args->given[i].flag->name, name))
			return true;
	return false;
}

const char *args_text(const struct args *args, const char *name)
{
	for (unsigned i = 0; i < args->ngiven; i++)
		if (!strcmp(args->given[i].flag->name, name))
			return args->given[i].value;
	return NULL;
}

uint32_t args_seconds(const struct args *args, const char *name, uint32_t otherwise)
{
	const char *text = args_text(args, name);
	uint32_t seconds;

	return text && duration_parse(text, &seconds) == 0 ? seconds : otherwise;
}

static json_t *value_json(const struct flag *flag, const char *value)
{
	switch (flag->kind) {
	case FLAG_SWITCH:	return json_true();
	case FLAG_BOOL:		return json_boolean(!strcmp(value, "true"));
	case FLAG_NUMBER:	return json_integer((json_int_t)strtoul(value, NULL, 10));
	default:		return json_string(value);	/* NULL when it is not UTF-8 */
	}
}

/* put() - "dhcp.pool" is the field "pool" of the object "dhcp"; takes @value; 0 or -1 */
static int put(json_t *object, const char *field, enum flag_kind kind, json_t *value)
{
	const char *dot = strchr(field, '.');

	if (dot) {
		char head[32] = "";
		json_t *inner;

		memcpy(head, field, MIN_OF((size_t)(dot - field), sizeof(head) - 1));
		inner = json_object_get(object, head);
		if (!inner) {
			inner = json_object();
			json_object_set_new(object, head, inner);
		}
		return put(inner, dot + 1, kind, value);
	}
	if (kind != FLAG_LIST)
		return json_object_set_new(object, field, value);
	if (!json_object_get(object, field))
		json_object_set_new(object, field, json_array());
	return json_array_append_new(json_object_get(object, field), value);
}

json_t *args_settings(const struct args *args, struct error *err)
{
	json_t *object = json_object();

	for (unsigned i = 0; object && i < args->ngiven; i++) {
		const struct flag *flag = args->given[i].flag;

		if (flag->field && put(object, flag->field, flag->kind, value_json(flag, args->given[i].value)) < 0) {
			json_decref(object);
			usage_error(err, flag->name, "the value is not UTF-8");
			return NULL;
		}
	}
	return object;
}
