/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/model_fields.h - objects of the model as tables: name, type, range and default of each field in a row
 *
 * One table per kind of object reads it from a tree (fields_read()) and writes it back (fields_write()), so that the two
 * cannot differ. What one row cannot say (this field only with that one) is checked beside the table.
 * Only ctl/model*.c includes this.
 */
#ifndef CTL_MODEL_FIELDS_H
#define CTL_MODEL_FIELDS_H

#include "ctl/model.h"

/* model_ctx - one run of model_parse() */
struct model_ctx {
	const struct line_map *lines;
	const struct model_env *env;
	struct error *err;
	char where[192];	/* the object being read: "network lab: port web1" */
	unsigned line;		/* where it stands in its file; 0: unknown */
	const json_t *network;	/* the tree of the network that is being read */
};

/* word - one value of an enumeration; the first of equal values is the canonical one, the others are aliases */
struct word {
	const char *text;
	int value;
};

struct field;

/* field_type - how values of one type are read and written
 * read():	0, or a negative errno after ctx_fail(); @value is never NULL
 * write():	a new reference, or NULL when out of memory
 */
struct field_type {
	int (*read)(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value, void *to);
	json_t *(*write)(const struct field *field, const void *from);
};

struct field {
	const char *name;
	const struct field_type *type;
	size_t offset, size;		/* of the member; FIELD_AT() */
	int64_t min, max;		/* numbers and durations: range */
	int64_t fallback;		/* numbers, booleans and words: the default */
	const struct word *words;	/* ends with a NULL text */
	bool (*valid)(const char *text);	/* text: a check, and what the check wants to see: */
	const char *wants;		/* "an interface name" */
	uint32_t kinds;			/* bits of the kinds (of port, mode) that have this field; 0: all */
};

#define FIELDS_ALL (~(field_set)0)
#define FIELD_AT(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

extern const struct field_type field_bool, field_number, field_word, field_text, field_mac, field_ip4, field_prefix4, field_prefix6,
	field_duration, field_vlans, field_endpoints, field_domains,
	field_names,	/* a list of domain names, or with .max of single labels, in one text: model_list_next() */
	field_words,	/* a list of words, each a bit of a byte */
	field_tree,	/* keeps the borrowed node: const json_t *; looked at by the code beside the table */
	field_members;	/* known here, read elsewhere */

/* fields_read() - read @object by @rows into @to, defaults first; unknown fields are errors that guess what was meant
 * @set:	receives a bit for each row that was given
 */
int fields_read(struct model_ctx *ctx, const struct field *rows, size_t nrows, const json_t *object, void *to, field_set *set);

/* layers - what holds for an object, said in several places: the later wins, and the last is the object's own; NULL: nothing said
 * layers_own() - that last one
 * layers_read() - as fields_read(), with the rows given in any layer; @set: those of the last
 */
struct layers {
	const json_t *of[3];
	unsigned n;
};

static inline const json_t *layers_own(const struct layers *layers)
{
	return layers->n ? layers->of[layers->n - 1] : NULL;
}

int layers_read(struct model_ctx *ctx, const struct field *rows, size_t nrows, const struct layers *layers, void *to, field_set *set);

/* fields_given() - a bit for each row that @object has */
field_set fields_given(const struct field *rows, size_t nrows, const json_t *object);

/* fields_of_kind() - is every field given one that @kind (0..31) has? @what: "a tap port" */
int fields_of_kind(struct model_ctx *ctx, const struct field *rows, size_t nrows, const json_t *object, field_set set,
		   unsigned kind, const char *what);

/* fields_write() - the rows in @set, of those that @kind has, as an object; new reference or NULL */
json_t *fields_write(const struct field *rows, size_t nrows, const void *from, field_set set, unsigned kind);

/* fields_missing() - append to @list the names of the rows that @kind has and that are not in @set */
int fields_missing(const struct field *rows, size_t nrows, field_set set, unsigned kind, const char *prefix, json_t *list);

/* field_bit() - the bit of the row @name */
field_set field_bit(const struct field *rows, size_t nrows, const char *name);

const char *word_of(const struct word *words, int value);

/* field_string() - the value's text, or NULL after an error that says what was wanted
 * field_not_a() - "X is not WANTS"; Return: -EINVAL
 */
const char *field_string(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value,
			 const char *wants);
int field_not_a(struct model_ctx *ctx, const struct field *field, const json_t *parent, const char *text,
		const char *wants);

/* ctx_fail() - note an error about @key of @parent, or (NULL) about the object being read; Return: @rc */
int ctx_fail(struct model_ctx *ctx, const json_t *parent, const char *key, int rc, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* ctx_enter() - go into an object: "port", "web1", or "dhcp", "" for one without a name
 * @parent, @key: where it stands
 *
 * Return: a mark for ctx_leave().
 */
struct ctx_mark {
	size_t where;
	unsigned line;
};
struct ctx_mark ctx_enter(struct model_ctx *ctx, const json_t *parent, const char *key, const char *what, const char *name);
void ctx_leave(struct model_ctx *ctx, struct ctx_mark mark);

/* shown() - a client's text made fit for a message, in one of a few buffers of the calling thread */
const char *shown(const char *text);

#endif
