// SPDX-License-Identifier: GPL-2.0-or-later
/* libpcap's own bpf_filter() is the judge, over random frames and over programs that it compiled. */
#include "switch/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"

enum { FRAMES = 20000, ROOM = 400 };

static uint64_t random_state = 88172645463325252ull;

static uint32_t rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 32) % below;
}

static const char *const texts[] = {
	"", "tcp port 80", "udp and dst port 53", "host 10.0.0.5", "ip6 and tcp", "vlan 10", "vlan 10 and udp", "arp", "less 60", "greater 200",
	"ether host 02:00:00:00:00:05", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "ip[8] < 5", "not (tcp or udp)", "net 10.0.0.0/29 and not port 22",
	"ip[2:2] > 100 and udp[8] = 1", "ether[20] % 3 = 1 and ether[21] / 2 > 4", "icmp or icmp6", "portrange 10-90", "ether multicast",
	"tcp[((tcp[12:1] & 0xf0) >> 2):1] = 1", "ether proto 0x88cc", "vlan and vlan", "len = 77", "ether[300] = 1",
};

static struct bpf_program compile(const char *text)
{
	pcap_t *p = pcap_open_dead(DLT_EN10MB, 65535);
	struct bpf_program program;

	assert_int_equal(pcap_compile(p, &program, text, rnd(2) != 0, PCAP_NETMASK_UNKNOWN), 0);
	pcap_close(p);
	return program;
}

/* random_frame() - something like a packet, few values in each field, so that they meet what is asked for */
static uint32_t random_frame(uint8_t *b)
{
	static const uint16_t types[] = { 0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x88cc };
	static const uint8_t protos[] = { 1, 6, 17, 58 };
	static const uint16_t ports[] = { 22, 53, 80, 443 };
	uint32_t len = rnd(8) ? 54 + rnd(ROOM - 54) : rnd(60), at = 12;
	uint16_t type = types[rnd(ARRAY_SIZE(types))];

	for (uint32_t i = 0; i < ROOM; i++)
		b[i] = (uint8_t)rnd(rnd(2) ? 2 : 256);
	memcpy(b + 6, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(4 + rnd(3)) }, 6);
	put_u16(b + at, type);
	if (type == 0x8100) {
		put_u16(b + at + 2, (uint16_t)(9 + rnd(3)));
		at += 4;
		put_u16(b + at, types[rnd(4)]);
	}
	b[at + 2] = rnd(4) ? 0x45 : (uint8_t)(0x45 + rnd(4));
	if (get_u16(b + at) == 0x86dd)
		b[at + 8] = protos[rnd(4)];
	else
		put_u16(b + at + 8, rnd(8) ? 0 : 1);
	b[at + 11] = protos[rnd(4)];
	memcpy(b + at + 14, (uint8_t[]){ 10, 0, 0, (uint8_t)(3 + rnd(4)), 10, 0, 0, (uint8_t)(3 + rnd(8)) }, 8);
	put_u16(b + at + 22, ports[rnd(4)]);
	put_u16(b + at + 24, ports[rnd(4)]);
	return len;
}

/* spread - the same bytes as a frame: a head, pieces of a body, and a tag that was taken out */
struct spread {
	uint8_t head[ROOM], body[ROOM];
	struct iovec pieces[4];
	struct frame frame;
	struct wire wire;
};

static void spread(struct spread *s, const uint8_t *bytes, uint32_t len)
{
	uint32_t tag = len >= 20 && rnd(3) == 0 ? 4 * (1 + rnd(len >= 26 ? 2 : 1)) : 0, rest = len - tag, head = rest, left;

	if (rest > 40 && rnd(2))
		head = 20 + rnd(rest - 20);
	memcpy(s->head, bytes, tag ? 12 : head);
	if (tag)
		memcpy(s->head + 12, bytes + 12 + tag, head - 12);
	memcpy(s->body, bytes + tag + head, left = rest - head);
	s->frame = (struct frame){ .head = s->head, .head_len = head, .len = rest, .body = s->pieces };
	for (uint32_t at = 0; at < left; at += (uint32_t)s->pieces[s->frame.nbody++].iov_len)
		s->pieces[s->frame.nbody] = (struct iovec){ s->body + at, s->frame.nbody == 3 ? left - at : 1 + rnd(left - at) };
	s->wire = (struct wire){ .frame = &s->frame, .len = len, .tag_size = (uint8_t)tag };
	memcpy(s->wire.tag, bytes + 12, tag);
}

static uint32_t answer(const struct filter *f, const struct spread *s, struct filter_memo *memo)
{
	if (!s->wire.tag_size) {
		assert_int_equal(filter_run_of(memo, &s->frame, 1), filter_recalls(memo, &s->frame));
		if (filter_recalls(memo, &s->frame))
			return memo->answer;
	}
	return filter_run(f, &s->wire, memo);
}

static void test_as_libpcap(void **state)
{
	static struct spread s;
	uint8_t bytes[ROOM], again[ROOM];

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(texts); t++) {
		struct bpf_program program = compile(texts[t]);
		struct filter *f = filter_new(program.bf_insns, program.bf_len);
		struct filter_memo memo = { 0 };
		unsigned meant = 0;

		print_message("  %s\n", texts[t]);
		assert_non_null(f);
		for (unsigned i = 0; i < FRAMES / ARRAY_SIZE(texts) * 5; i++) {
			uint32_t len = random_frame(bytes), want = bpf_filter(program.bf_insns, bytes, len, len), got;

			spread(&s, bytes, len);
			got = answer(f, &s, &memo);
			if (got != want)
				fail_msg("%s: %u, libpcap says %u", texts[t], got, want);
			wire_copy(&s.wire, 0, len, again);
			assert_memory_equal(again, bytes, len);
			meant += got != 0;
		}
		assert_true(meant > 0);
		filter_free(f);
		pcap_freecode(&program);
	}
}

/* remembered() - the share of frames of a conversation that is answered from memory, in percent */
static void test_memory(void **state)
{
	static const struct {
		const char *text;
		bool remembered;
	} cases[] = { { "tcp port 9", true }, { "host 192.0.2.9", true }, { "arp", true }, { "", true }, { "len = 9", false }, { "ether[200] = 1", false } };
	uint8_t bytes[300] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, [23] = 17, [26] = 10, [30] = 10, [34] = 1, [36] = 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bpf_program program = compile(cases[i].text);
		struct filter *f = filter_new(program.bf_insns, program.bf_len);
		struct filter_memo memo = { 0 };
		struct frame frame;
		struct wire wire = { .frame = &frame, .len = sizeof(bytes) };

		frame_init(&frame, bytes, sizeof(bytes));
		filter_run(f, &wire, &memo);
		bytes[100]++;
		bytes[18]++;
		print_message("  %s\n", cases[i].text);
		assert_int_equal(filter_recalls(&memo, &frame), cases[i].remembered);
		frame.head_len = 13;		/* shorter than what was looked at */
		assert_false(cases[i].text[0] && filter_recalls(&memo, &frame));
		filter_free(f);
		pcap_freecode(&program);
	}
}

static void test_refused(void **state)
{
	static const struct bpf_insn ret = BPF_STMT(BPF_RET | BPF_K, 1);
	static const struct {
		const char *what;
		struct bpf_insn insn;
	} cases[] = {
		{ "a jump back", BPF_STMT(BPF_JMP | BPF_JA, UINT32_MAX) },	{ "a jump beyond", BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1) },
		{ "memory beyond", BPF_STMT(BPF_ST, BPF_MEMWORDS) },		{ "no such memory", BPF_STMT(BPF_LD | BPF_MEM, BPF_MEMWORDS) },
		{ "division by zero", BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0) },	{ "rest of zero", BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0) },
		{ "an unknown load", BPF_STMT(BPF_LD | 0xc0, 0) },		{ "a load of no size", BPF_STMT(BPF_LD | BPF_ABS | 0x18, 0) },
		{ "an unknown sum", BPF_STMT(BPF_ALU | 0xf0, 0) },		{ "an unknown jump", BPF_STMT(BPF_JMP | 0x50, 0) },
		{ "returning X", BPF_STMT(BPF_RET | BPF_X, 0) },		{ "a code of 16 bits", BPF_STMT(0x100 | BPF_LD | BPF_IMM, 0) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct bpf_insn program[2] = { cases[i].insn, ret };

		print_message("  %s\n", cases[i].what);
		assert_null(filter_new(program, 2));
		assert_int_equal(errno, EINVAL);
	}
	assert_null(filter_new(&ret, 0));
	assert_null(filter_new(&(struct bpf_insn)BPF_STMT(BPF_LD | BPF_IMM, 1), 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_libpcap), cmocka_unit_test(test_memory), cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
