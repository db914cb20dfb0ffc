// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/tftp_talk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/tftp_message.h"

static const struct {
	const char *name;
	uint64_t size;
} files[] = {
	{ "empty", 0 }, { "eight", 8 }, { "block", 512 }, { "more", 1300 }, { "many", 600000 }, { "broken", 4096 }, { "cold", 40 },
	{ "text", sizeof(TALK_TEXT) - 1 },
};

static int file_of(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		if (!strcmp(files[i].name, name))
			return (int)i;
	return -ENOENT;
}

int talk_file(const char *name, uint64_t at)
{
	int i = file_of(name);

	if (i < 0 || at >= files[i].size)
		return -1;
	return !strcmp(name, "text") ? TALK_TEXT[at] : (uint8_t)(at * 7 + at / 251);
}

/* ---- the server's world ---- */

static int open_file(void *arg, const struct tftp_peer *who, const char *name, uint64_t *size)
{
	struct talk *t = arg;
	int i = file_of(name);

	(void)who;
	if (!strcmp(name, "busy"))
		return -EAGAIN;
	if (!strcmp(name, "closed"))
		return -EACCES;
	if (i < 0)
		return i;
	*size = files[i].size;
	t->open++;
	return i;
}

static long read_file(void *arg, int file, uint64_t at, uint8_t *to, size_t size)
{
	const struct talk *t = arg;
	size_t n = 0;

	if (!strcmp(files[file].name, "cold") && at + size > t->warm)
		return -EAGAIN;
	if (!strcmp(files[file].name, "broken") && at >= 1024)
		return -EIO;
	for (int byte; n < size && (byte = talk_file(files[file].name, at + n)) >= 0; n++)
		to[n] = (uint8_t)byte;
	return (long)n;
}

static void close_file(void *arg, int file)
{
	struct talk *t = arg;

	(void)file;
	assert_true(t->open > 0);
	t->open--;
}

static void on_packet(void *arg, const struct tftp_peer *to, const uint8_t *data, size_t size)
{
	struct talk *t = arg;
	struct talk_packet *p = &t->queue[(t->head + t->n++) % TALK_QUEUE];

	assert_true(t->n <= TALK_QUEUE && size <= sizeof(p->data));
	p->to = *to;
	p->size = (uint32_t)size;
	memcpy(p->data, data, size);
}

static void on_ended(void *arg, const struct tftp_peer *who, const char *name, uint64_t bytes, int rc)
{
	struct talk *t = arg;

	(void)who, (void)name, (void)bytes;
	t->ended++;
	t->rc = rc;
}

/* ---- what the client sends ---- */

static size_t put_text(uint8_t *to, const char *text)
{
	memcpy(to, text, strlen(text) + 1);
	return strlen(text) + 1;
}

/* put_request() - "NAME MODE OPTION=VALUE ..." */
static size_t put_request(struct talk *t, uint8_t *to, uint16_t opcode, char *line)
{
	char *word = strtok(line, " "), *mode = strtok(NULL, " ");
	size_t n = 2;

	assert_true(word && mode);
	put_u16(to, opcode);
	snprintf(t->name, sizeof(t->name), "%s", word + strspn(word, "/"));
	t->netascii = !strcmp(mode, "netascii");
	t->block = TFTP_BLOCK;
	n += put_text(to + n, word);
	n += put_text(to + n, mode);
	while ((word = strtok(NULL, " "))) {
		char *value = strchr(word, '=');

		assert_non_null(value);
		*value++ = '\0';
		n += put_text(to + n, word);
		n += put_text(to + n, value);
	}
	return n;
}

static size_t put_hex(uint8_t *to, const char *hex)
{
	size_t n = 0;
	unsigned byte;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		to[n++] = (uint8_t)byte;
	return n;
}

static void on_say(struct talk *t, char *line)
{
	uint8_t data[1024] = { 0 };
	size_t n = 4;
	unsigned number;

	if (!strncmp(line, "rrq ", 4) || !strncmp(line, "wrq ", 4)) {
		n = put_request(t, data, line[0] == 'r' ? TFTP_RRQ : TFTP_WRQ, line + 4);
	} else if (!strncmp(line, "raw ", 4)) {
		n = put_hex(data, line + 4);
	} else if (sscanf(line, "ack %u", &number) == 1) {
		put_u16(data, TFTP_ACK);
		put_u16(data + 2, (uint16_t)number);
	} else if (sscanf(line, "data %u", &number) == 1) {
		put_u16(data, TFTP_DATA);
		put_u16(data + 2, (uint16_t)number);
	} else {
		assert_string_equal(line, "error");
		put_u16(data, TFTP_ERROR);
	}
	t->next_ms = tftp_input(t->tftp, &t->who, data, n, TALK_BLOCK_MAX, t->now_ms);
}

/* ---- what it is sent ---- */

static void check_data(const struct talk *t, const uint8_t *data, uint32_t size, unsigned number)
{
	uint64_t at = (uint64_t)(number - 1) * t->block;

	for (uint32_t i = 0; i < size; i++)
		assert_int_equal(data[i], t->netascii ? (uint8_t)TALK_TEXT_SENT[at + i] : talk_file(t->name, at + i));
}

/* check_oack() - the options of the packet, in order, as the line has them */
static void check_oack(struct talk *t, const struct talk_packet *p, char *line)
{
	size_t at = 2;

	assert_int_equal(get_u16(p->data), TFTP_OACK);
	for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
		char *value = strchr(word, '=');

		assert_non_null(value);
		*value++ = '\0';
		assert_string_equal((const char *)p->data + at, word);
		at += strlen(word) + 1;
		assert_string_equal((const char *)p->data + at, value);
		at += strlen(value) + 1;
		if (!strcmp(word, "blksize"))
			t->block = (uint32_t)atoi(value);
	}
	assert_int_equal(at, p->size);
}

static void on_hear(struct talk *t, char *line)
{
	struct talk_packet *p = &t->queue[t->head];
	unsigned number, size;

	if (!strcmp(line, "-")) {
		assert_int_equal(t->n, 0);
		return;
	}
	assert_true(t->n > 0);
	t->head = (t->head + 1) % TALK_QUEUE;
	t->n--;
	assert_int_equal(p->to.sport, t->who.sport);
	assert_int_equal(p->to.port, t->who.port);
	if (sscanf(line, "data %u %u", &number, &size) == 2) {
		assert_int_equal(get_u16(p->data), TFTP_DATA);
		assert_int_equal(get_u16(p->data + 2), number & 0xffff);
		assert_int_equal(p->size, TFTP_HEADER + size);
		check_data(t, p->data + TFTP_HEADER, size, number);
	} else if (sscanf(line, "error %u", &number) == 1) {
		assert_int_equal(get_u16(p->data), TFTP_ERROR);
		assert_int_equal(get_u16(p->data + 2), number);
		assert_int_equal(p->data[p->size - 1], 0);
	} else {
		assert_int_equal(strncmp(line, "oack", 4), 0);
		check_oack(t, p, line + 4);
	}
}

/* ---- */

static void be(struct talk *t, unsigned client)
{
	t->who = (struct tftp_peer){ .port = client / 10, .sport = (uint16_t)(1000 + client), .src = addr4(0x0a000000 + client), .dst = addr4(0x0a000001) };
}

void talk_begin(struct talk *t)
{
	static const struct tftp_ops ops = { .open = open_file, .read = read_file, .close = close_file, .send = on_packet, .ended = on_ended };

	memset(t, 0, sizeof(*t));
	t->tftp = tftp_new(&ops, t);
	t->now_ms = 1000;
	assert_non_null(t->tftp);
	be(t, 11);
}

static void check_ended(struct talk *t, const char *line)
{
	unsigned n;
	int rc;

	assert_int_equal(sscanf(line, "%d %u", &rc, &n), 2);
	assert_int_equal(t->ended, n);
	if (n && rc >= 0)
		assert_int_equal(t->rc, -rc);
	t->ended = 0;
}

void talk_line(struct talk *t, const char *line)
{
	char copy[600];

	snprintf(copy, sizeof(copy), "%s", line + 2);
	if (line[0] == '>')
		on_say(t, copy);
	else if (line[0] == '<')
		on_hear(t, copy);
	else if (line[0] == '@')
		be(t, (unsigned)atoi(copy));
	else if (line[0] == '!')
		check_ended(t, copy);
	else if (line[0] == '~')
		t->warm = (uint64_t)atoi(copy);
	else if (line[0] == '+') {
		t->now_ms += (uint64_t)atoi(copy);
		if (t->now_ms >= t->next_ms)
			t->next_ms = tftp_tick(t->tftp, t->now_ms);
	}
}

void talk_end(struct talk *t)
{
	tftp_free(t->tftp);
	assert_int_equal(t->open, 0);
}
