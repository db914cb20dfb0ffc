// SPDX-License-Identifier: GPL-2.0-or-later
/* A capture's filter, as text and as a program, on frames in pieces; capture files, written and read; frames in one line.
 * covers: ctl/capture_filter.c switch/filter.c ctl/pcapng.c ctl/cli_frame.c
 * Input: a byte that says which; the text of a filter and a line feed, or instructions; the bytes of a frame or of a file. */
#include <sys/types.h>

#include <pcap/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "ctl/capture_filter.h"
#include "ctl/cli_frame.h"
#include "ctl/pcapng.h"
#include "switch/filter.h"

enum { TEXT, PROGRAM, FILE_READ, FRAME, WAYS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

static bool guest(void *arg, const char *name, char text[ADDR_TEXT])
{
	(void)arg;
	strcpy(text, name[0] == 'v' ? "fd00::7" : "10.0.0.7");
	return strlen(name) == 4;
}

/* on_wire() - the same bytes with a tag taken out, the rest in two pieces */
static void on_wire(const uint8_t *bytes, uint32_t size, uint8_t *head, struct iovec *body, struct frame *f, struct wire *w)
{
	uint32_t tag = size >= 22 ? 4 + size % 2 * 4 : 0, at = tag ? 14 + size % 7 : 0;

	at = MIN_OF(at, size - tag);
	memcpy(head, bytes, MIN_OF(at, 12u));
	if (at > 12)
		memcpy(head + 12, bytes + 12 + tag, at - 12);
	body[0] = (struct iovec){ (void *)(uintptr_t)(bytes + tag + at), (size - tag - at) / 2 };
	body[1] = (struct iovec){ (uint8_t *)body[0].iov_base + body[0].iov_len, size - tag - at - body[0].iov_len };
	*f = (struct frame){ .head = head, .head_len = at, .len = size - tag, .body = body, .nbody = 2 };
	*w = (struct wire){ .frame = f, .len = size, .tag_size = (uint8_t)tag };
	memcpy(w->tag, bytes + 12, tag);
}

/* run() - the answer is the same for a frame in pieces, and for one that has what the last one had */
static void run(const struct filter *f, const uint8_t *bytes, uint32_t size)
{
	uint8_t *copy = malloc(size + 1), head[32];
	struct frame whole, split;
	struct wire w = { .frame = &whole, .len = size }, pieces;
	struct filter_memo memo = { 0 }, other = { 0 };
	struct iovec body[2];
	uint32_t answer;

	memcpy(copy, bytes, size);
	frame_init(&whole, copy, size);
	answer = filter_run(f, &w, &memo);
	must(!filter_recalls(&memo, &whole) || memo.answer == answer);
	must(filter_run_of(&memo, &whole, 1) == filter_recalls(&memo, &whole));
	on_wire(bytes, size, head, body, &split, &pieces);
	must(filter_run(f, &pieces, &other) == answer);
	for (uint32_t i = 0; i < size; i += 1 + size / 16) {	/* what it remembers holds for whatever it recalls */
		copy[i] ^= 0x55;
		if (filter_recalls(&memo, &whole))
			must(filter_run(f, &w, &other) == memo.answer);
		copy[i] ^= 0x55;
	}
	free(copy);
}

static void fuzz_text(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	size_t n = end ? (size_t)(end - data) : size;
	char *text = calloc(1, n + 1);
	struct filter *f = NULL;
	struct error err = { 0 };

	memcpy(text, data, n);
	if (capture_filter(text, n % 3 ? guest : NULL, NULL, &f, &err) == 0 && f && end)
		run(f, end + 1, (uint32_t)(size - n - 1));
	must(!f || !err.rc);
	filter_free(f);
	free(text);
}

static void fuzz_program(const uint8_t *data, size_t size)
{
	struct bpf_insn *insns = malloc(size + 1);
	unsigned n = size ? data[0] % 32 : 0;
	struct filter *f;

	if (!size || (size - 1) / sizeof(*insns) < n) {
		free(insns);
		return;
	}
	memcpy(insns, data + 1, n * sizeof(*insns));
	f = filter_new(insns, n);
	if (f)
		run(f, data + 1 + n * sizeof(*insns), (uint32_t)(size - 1 - n * sizeof(*insns)));
	filter_free(f);
	free(insns);
}

/* write_again() - a packet that was read is written as it was understood */
static void write_again(struct pcapng_block *b)
{
	static uint8_t room[PCAPNG_BLOCK_MAX + 4 * PCAPNG_COMMENTS * PCAPNG_COMMENT_TEXT];
	struct writer w = writer_init(room, sizeof(room));
	struct pcapng_block again;

	if (b->type == PCAPNG_PACKET)
		pcapng_packet(&w, &b->packet);
	else if (b->type == PCAPNG_INTERFACE)
		pcapng_interface(&w, &b->interface);
	else if (b->type == PCAPNG_STATISTICS)
		pcapng_statistics(&w, &b->statistics);
	else
		pcapng_section(&w, "fuzz");
	must(!w.overrun);
	if (w.pos > PCAPNG_BLOCK_MAX)
		return;			/* options that are always there */
	must(pcapng_read(room, w.pos, &again) == (int)w.pos);
	must(again.type != PCAPNG_PACKET || (again.packet.kept == b->packet.kept && again.packet.lost == b->packet.lost &&
					     !memcmp(again.packet.bytes, b->packet.bytes, b->packet.kept)));
}

static void fuzz_file(const uint8_t *data, size_t size)
{
	static struct pcapng_block b;
	int n;

	while (size && (n = pcapng_read(data, size, &b)) > 0) {
		must((size_t)n <= size);
		if (b.type == PCAPNG_PACKET)
			for (unsigned i = 0; i < b.packet.ncomments; i++)
				must(strlen(b.packet.comments[i]) < PCAPNG_COMMENT_TEXT);
		if (b.type == PCAPNG_PACKET || b.type == PCAPNG_INTERFACE || b.type == PCAPNG_STATISTICS || b.type == PCAPNG_SECTION)
			write_again(&b);
		data += n;
		size -= (size_t)n;
	}
}

static void fuzz_frame(const uint8_t *data, size_t size)
{
	struct pcapng_packet p = { .bytes = data, .kept = (uint32_t)size };
	char text[FRAME_TEXT];

	frame_text(data, size, text);
	must(strlen(text) < FRAME_TEXT);
	for (const char *c = text; *c; c++)
		must(*c >= ' ' && *c < 0x7f);
	pcapng_comment(&p, "%s", text);
	must(p.ncomments == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const ways[WAYS])(const uint8_t *data, size_t size) = { fuzz_text, fuzz_program, fuzz_file, fuzz_frame };

	if (size)
		ways[data[0] % WAYS](data + 1, size - 1);
	return 0;
}
