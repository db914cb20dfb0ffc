// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"

static int bad_word(struct error *err, const char *text, const char *why)
{
	error_set(err, -EINVAL, "%.120s: %s", text, why);
	error_code(err, "usage");
	return -EINVAL;
}

int net_name_parse(const char *text, struct error *err)
{
	if (strchr(text, '/'))
		return bad_word(err, text, "a network's name is wanted here, not NET/NAME");
	if (!name_valid(text))
		return bad_word(err, text, "not a network's name (a-z, 0-9 and -)");
	return 0;
}

int segment_words_parse(const char *text, struct segment_name *name, struct error *err)
{
	const char *colon = strchr(text, ':');
	bool own = colon && !strcmp(colon, ":1");	/* which settings and the API say by the network's name alone */
	size_t len = own ? (size_t)(colon - text) : strlen(text);
	char plain[SEGMENT_NAME_TEXT + 1] = "";

	if (strchr(text, '/'))
		return bad_word(err, text, "a network, or a VLAN of one (lab:20), is wanted here, not NET/NAME");
	if (len < sizeof(plain))
		memcpy(plain, text, len);	/* the zeros behind it end it */
	if (len >= sizeof(plain) || segment_name_parse(plain, name) < 0)
		return bad_word(err, text, "not a network's name (a-z, 0-9 and -), or with a VLAN of 1 to 4094: lab:20");
	return 0;
}

char *segment_words_format(const struct segment_name *name, char text[SEGMENT_NAME_TEXT])
{
	if (name->vid == 1)
		snprintf(text, SEGMENT_NAME_TEXT, "%s", name->net);
	else
		snprintf(text, SEGMENT_NAME_TEXT, "%s:%u", name->net, name->vid & 0xfffu);
	return text;
}

int port_name_parse(const char *text, struct port_name *name, struct error *err)
{
	struct port_name p;
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : 0;

	if (!slash)
		return bad_word(err, text, "a port is written NET/NAME");
	if (n >= sizeof(p.net) || strlen(slash + 1) >= sizeof(p.port))
		return bad_word(err, text, "a name has at most 63 letters");
	memcpy(p.net, text, n);
	p.net[n] = '\0';
	snprintf(p.port, sizeof(p.port), "%s", slash + 1);
	if (!name_valid(p.net) || !name_valid(p.port))
		return bad_word(err, text, "not NET/NAME (a-z, 0-9 and -)");
	*name = p;
	return 0;
}

/* part_end() - where the part at @p ends: at a colon outside brackets, or at the end */
static const char *part_end(const char *p)
{
	if (*p == '[' && strchr(p, ']'))
		p = strchr(p, ']');
	return p + strcspn(p, ":");
}

/* split() - the parts between colons; Return: how many there are, or -1 when they are more or longer than can be */
static int split(const char *text, char parts[4][64])
{
	int n = 0;

	for (;;) {
		const char *end = part_end(text);
		size_t size = (size_t)(end - text);

		if (n == 4 || size >= sizeof(parts[0]))
			return -1;
		memcpy(parts[n], text, size);
		parts[n++][size] = '\0';
		if (!*end)
			return n;
		text = end + 1;
	}
}

/* unbracket() - "[fd00::5]" becomes "fd00::5" */
static void unbracket(const char *part, char to[64])
{
	size_t n = strlen(part);

	if (n > 2 && part[0] == '[' && part[n - 1] == ']')
		snprintf(to, 64, "%.*s", (int)(n - 2), part + 1);
	else
		snprintf(to, 64, "%s", part);
}

static const char *take_proto(char *text)
{
	char *slash = strrchr(text, '/');

	if (!slash)
		return "tcp";
	*slash = '\0';
	return !strcmp(slash + 1, "tcp") ? "tcp" : !strcmp(slash + 1, "udp") ? "udp" : NULL;
}

int forward_parse(const char *text, struct forward_words *forward, struct error *err)
{
	static const char shape[] = "a forward is written [LISTEN:]PORT:GUEST[:GUEST-PORT][/udp]";
	struct forward_words f = { .to_port = 0 };
	struct port_range to;
	char copy[256], parts[4][64];
	struct port_range ignored;
	int first, n;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return bad_word(err, text, shape);
	f.proto = take_proto(copy);
	if (!f.proto)
		return bad_word(err, text, "the protocol is /tcp or /udp");
	n = split(copy, parts);
	first = n == 4 || (n == 3 && port_range_parse(parts[0], &ignored) < 0);		/* LISTEN stands in front */
	if (n - first < 2)
		return bad_word(err, text, shape);
	if (port_range_parse(parts[first], &f.ports) < 0)
		return bad_word(err, text, "the port on the host is a number of 1 to 65535, or a range like 8000-8099");
	to = f.ports;
	if (n - first == 3 && port_range_parse(parts[first + 2], &to) < 0)
		return bad_word(err, text, "the guest's port is a number of 1 to 65535, or a range like 9000-9099");
	if (to.count != 1 && to.count != f.ports.count)
		return bad_word(err, text, "the guest has another number of ports there than the host");
	f.to_port = to.first;
	if (first)
		unbracket(parts[0], f.listen);
	unbracket(parts[first + 1], f.to);
	if (!f.to[0] || (first && !f.listen[0]))
		return bad_word(err, text, shape);
	*forward = f;
	return 0;
}

void forward_id(const char *text, char id[FORWARD_ID_TEXT])
{
	struct port_range ignored;

	snprintf(id, FORWARD_ID_TEXT, "%s%s", text, port_range_parse(text, &ignored) == 0 ? "-tcp" : "");
	for (char *p = id; *p; p++)
		if (*p == '/')
			*p = '-';
}
