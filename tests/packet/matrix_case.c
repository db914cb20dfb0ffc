// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/matrix_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "switch/port.h"

static void bad(const char *line)
{
	fprintf(stderr, "offload_matrix.txt: not understood: %.60s\n", line);
	abort();
}

/* next() - the next word of *text, which is cut up */
static char *next(char **text)
{
	char *word = strsep(text, " \n");

	if (!word || !*word)
		bad("a line that is too short");
	return word;
}

static uint32_t number(char **text)
{
	return (uint32_t)strtoul(next(text), NULL, 10);
}

static struct offload request(char **text)
{
	struct offload o = { .flags = (uint8_t)number(text) };

	o.gso_type = (uint8_t)number(text);
	o.hdr_len = (uint16_t)number(text);
	o.gso_size = (uint16_t)number(text);
	o.csum_start = (uint16_t)number(text);
	o.csum_offset = (uint16_t)number(text);
	return o;
}

/* bytes() - a frame: hexadecimal, then offset and size of the part of the pattern behind it */
static struct matrix_bytes bytes(char **text)
{
	const char *hex = next(text);
	uint32_t head = (uint32_t)strlen(hex) / 2, offset = number(text), size = number(text);
	struct matrix_bytes b = { .data = malloc(head + size), .len = head + size };

	if (!b.data)
		bad(hex);
	for (uint32_t i = 0; i < head; i++) {
		const char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		b.data[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	for (uint32_t i = 0; i < size; i++)
		b.data[head + i] = (uint8_t)((offset + i) * 167 + ((offset + i) >> 8) * 59);
	return b;
}

static uint32_t features(char *text)
{
	static const char *const names[] = { "csum", "tso4", "tso6", "ecn", "uso" };
	uint32_t set = 0;
	char *word;

	while ((word = strsep(&text, " \n")))
		for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
			if (!strcmp(word, names[i]))
				set |= 1u << i;
	return set;
}

_Static_assert(PORT_CSUM == 1 && PORT_TSO4 == 2 && PORT_TSO6 == 4 && PORT_ECN == 8 && PORT_USO == 16, "features()");

static void net(struct matrix_case *c, char *text)
{
	c->mtu = number(&text);
	c->from_trunk = !strcmp(next(&text), "trunk");
	c->to_trunk = !strcmp(next(&text), "trunk");
}

static void read_line(struct matrix_case *c, const char *word, char *text)
{
	if (!strcmp(word, "net")) {
		net(c, text);
	} else if (!strcmp(word, "in")) {
		c->asked = request(&text);
		c->in = bytes(&text);
	} else if (!strcmp(word, "whole")) {
		c->seen = request(&text);
		c->whole = bytes(&text);
	} else if (!strcmp(word, "needs")) {
		c->needs = text ? features(text) : 0;
	} else if (!strcmp(word, "out") && c->nout < MATRIX_PIECES) {
		c->out[c->nout++] = bytes(&text);
	} else {
		bad(word);
	}
}

unsigned matrix_load(const char *path, struct matrix_case *cases)
{
	FILE *f = fopen(path, "r");
	char *line = NULL, *text, *word;
	size_t room = 0;
	unsigned n = 0;

	if (!f)
		bad(path);
	while (getline(&line, &room, f) > 0) {
		text = line;
		word = strsep(&text, " \n");
		if (!*word || *word == '#')
			continue;
		if (strcmp(word, "case")) {
			read_line(&cases[n - 1], word, text);
			continue;
		}
		if (n == MATRIX_CASES)
			bad("too many cases");
		cases[n] = (struct matrix_case){ 0 };
		snprintf(cases[n++].name, sizeof(cases->name), "%s", strsep(&text, "\n"));
	}
	free(line);
	fclose(f);
	return n;
}
