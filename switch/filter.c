// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/filter.h"

#include <errno.h>
#include <pcap/bpf.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/bytes.h"

enum { ADDRESSES = 12, TRACED = 128 };	/* bytes of the head that are kept account of */

struct filter {
	unsigned n;
	struct bpf_insn insns[];
};

/* ---- what is taken ---- */

static bool memory_fits(const struct bpf_insn *p)
{
	return p->k < BPF_MEMWORDS;
}

static bool load_fits(const struct bpf_insn *p)
{
	switch (BPF_MODE(p->code)) {
	case BPF_IMM: case BPF_LEN:
		return true;
	case BPF_MEM:
		return memory_fits(p);
	case BPF_ABS: case BPF_IND:
		return BPF_CLASS(p->code) == BPF_LD && BPF_SIZE(p->code) != (BPF_W | BPF_H | BPF_B);
	case BPF_MSH:
		return p->code == (BPF_LDX | BPF_MSH | BPF_B);
	default:
		return false;
	}
}

static bool alu_fits(const struct bpf_insn *p)
{
	switch (BPF_OP(p->code)) {
	case BPF_ADD: case BPF_SUB: case BPF_MUL: case BPF_OR: case BPF_AND: case BPF_XOR: case BPF_NEG: case BPF_LSH: case BPF_RSH:
		return true;
	case BPF_DIV: case BPF_MOD:
		return BPF_SRC(p->code) == BPF_X || p->k;
	default:
		return false;
	}
}

/* jump_fits() - forward, and to an instruction; @left: how many follow this one */
static bool jump_fits(const struct bpf_insn *p, unsigned left)
{
	switch (BPF_OP(p->code)) {
	case BPF_JA:
		return p->k < left;
	case BPF_JEQ: case BPF_JGT: case BPF_JGE: case BPF_JSET:
		return p->jt < left && p->jf < left;
	default:
		return false;
	}
}

static bool fits(const struct bpf_insn *p, unsigned left)
{
	switch (BPF_CLASS(p->code)) {
	case BPF_LD: case BPF_LDX:
		return load_fits(p);
	case BPF_ST: case BPF_STX:
		return memory_fits(p);
	case BPF_ALU:
		return alu_fits(p);
	case BPF_JMP:
		return jump_fits(p, left);
	case BPF_RET:
		return BPF_RVAL(p->code) == BPF_K || BPF_RVAL(p->code) == BPF_A;
	default:
		return BPF_MISCOP(p->code) == BPF_TAX || BPF_MISCOP(p->code) == BPF_TXA;
	}
}

struct filter *filter_new(const struct bpf_insn *insns, unsigned n)
{
	struct filter *f;

	errno = EINVAL;
	if (!n || n > FILTER_INSNS_MAX || BPF_CLASS(insns[n - 1].code) != BPF_RET)
		return NULL;
	for (unsigned i = 0; i < n; i++)
		if (insns[i].code > UINT8_MAX || !fits(&insns[i], n - 1 - i))
			return NULL;
	f = malloc(sizeof(*f) + n * sizeof(*insns));
	if (!f)
		return NULL;
	f->n = n;
	memcpy(f->insns, insns, n * sizeof(*insns));
	return f;
}

void filter_free(struct filter *f)
{
	free(f);
}

/* ---- bytes ---- */

/* copy_piece() - what of [*from, *from + *n) lies in this piece, which begins at @at */
static void copy_piece(const void *piece, uint32_t at, uint32_t size, uint32_t *from, uint32_t *n, uint8_t **to)
{
	uint32_t skip = *from - at, some;

	if (!*n || skip >= size)
		return;
	some = MIN_OF(*n, size - skip);
	memcpy(*to, (const uint8_t *)piece + skip, some);
	*from += some;
	*n -= some;
	*to += some;
}

void wire_copy(const struct wire *wire, uint32_t from, uint32_t n, uint8_t *to)
{
	const struct frame *f = wire->frame;
	uint32_t front = wire->tag_size ? ADDRESSES : 0, at = front + wire->tag_size;

	copy_piece(f->head, 0, front, &from, &n, &to);
	copy_piece(wire->tag, front, wire->tag_size, &from, &n, &to);
	copy_piece(f->head + front, at, f->head_len - front, &from, &n, &to);
	at += f->head_len - front;
	for (uint32_t i = 0; i < f->nbody && n; i++) {
		copy_piece(f->body[i].iov_base, at, (uint32_t)f->body[i].iov_len, &from, &n, &to);
		at += (uint32_t)f->body[i].iov_len;
	}
}

/* trace - bytes of the head that were loaded */
struct trace {
	uint64_t touched[TRACED / 64];	/* a bit each */
	bool lost;			/* the answer depends on more */
};

static void touch(struct trace *t, uint32_t at, uint32_t size)
{
	for (uint32_t i = at; i < at + size; i++)
		t->touched[i / 64] |= 1ull << i % 64;
}

/* load() - @size bytes (1, 2 or 4) at @at. Return: false where the frame is shorter */
static bool load(const struct wire *wire, uint64_t at, unsigned size, uint32_t *value, struct trace *t)
{
	uint8_t bytes[4] = { 0 };
	const uint8_t *p = bytes;

	if (at + size > wire->len) {
		t->lost = true;
		return false;
	}
	if (!wire->tag_size && at + size <= MIN_OF(wire->frame->head_len, (uint32_t)TRACED)) {
		touch(t, (uint32_t)at, size);
		p = wire->frame->head + at;
	} else {
		t->lost = true;
		wire_copy(wire, (uint32_t)at, size, bytes);
	}
	*value = size == 4 ? get_u32(p) : size == 2 ? get_u16(p) : *p;
	return true;
}

static void remember(struct filter_memo *memo, const struct wire *wire, const struct trace *t, uint32_t answer)
{
	*memo = (struct filter_memo){ .answer = answer };
	if (t->lost)
		return;
	for (unsigned at = 0; at < TRACED; at += 8) {
		uint8_t bits = (uint8_t)(t->touched[at / 64] >> at % 64), mask[8];
		uint64_t m, word;

		if (!bits)
			continue;
		if (memo->nwords == FILTER_WORDS || at + 8 > wire->frame->head_len)
			return;		/* reach is 0 */
		for (unsigned i = 0; i < 8; i++)
			mask[i] = bits >> i & 1 ? 0xff : 0;
		memcpy(&m, mask, sizeof(m));
		memcpy(&word, wire->frame->head + at, sizeof(word));
		memo->words[memo->nwords].at = at;
		memo->words[memo->nwords].mask = m;
		memo->words[memo->nwords++].value = word & m;
	}
	memo->reach = memo->nwords ? (uint16_t)(memo->words[memo->nwords - 1].at + 8) : 1;
}

/* run_of() - with the number of words known to the compiler, so that a frame takes a few instructions and one branch */
static inline __attribute__((always_inline)) unsigned run_of(const struct filter_memo *memo, const struct frame *frames, unsigned n,
							     unsigned nwords)
{
	const struct filter_memo m = *memo;

	for (unsigned i = 0; i < n; i++) {
		uint64_t other = 0, word;

		if (frames[i].head_len < m.reach)
			return i;
		for (unsigned k = 0; k < nwords; k++) {
			memcpy(&word, frames[i].head + m.words[k].at, sizeof(word));
			other |= (word & m.words[k].mask) ^ m.words[k].value;
		}
		if (other)
			return i;
	}
	return n;
}

unsigned filter_run_of(const struct filter_memo *memo, const struct frame *frames, unsigned n)
{
	if (!memo->reach)
		return 0;
	switch (memo->nwords) {
	case 1: return run_of(memo, frames, n, 1);
	case 2: return run_of(memo, frames, n, 2);
	case 3: return run_of(memo, frames, n, 3);
	case 4: return run_of(memo, frames, n, 4);
	default: return run_of(memo, frames, n, memo->nwords);
	}
}

/* ---- the machine ---- */

struct machine {
	const struct wire *wire;
	struct trace trace;
	uint32_t a, x, memory[BPF_MEMWORDS];
};

/* run_load() - Return: false when the frame is too short, which ends the program */
static bool run_load(struct machine *m, const struct bpf_insn *p)
{
	static const uint8_t sizes[] = { [BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1 };
	uint32_t *to = BPF_CLASS(p->code) == BPF_LD ? &m->a : &m->x;

	switch (BPF_MODE(p->code)) {
	case BPF_IMM:
		*to = p->k;
		return true;
	case BPF_MEM:
		*to = m->memory[p->k];
		return true;
	case BPF_LEN:
		m->trace.lost = true;
		*to = m->wire->len;
		return true;
	case BPF_MSH:
		if (!load(m->wire, p->k, 1, &m->x, &m->trace))
			return false;
		m->x = (m->x & 0xf) << 2;
		return true;
	default:
		return load(m->wire, (BPF_MODE(p->code) == BPF_IND ? (uint64_t)m->x : 0) + p->k, sizes[BPF_SIZE(p->code) >> 3], to,
			    &m->trace);
	}
}

/* run_alu() - Return: false for a division by zero, which ends the program */
static bool run_alu(struct machine *m, const struct bpf_insn *p)
{
	uint32_t v = BPF_SRC(p->code) == BPF_X ? m->x : p->k;

	switch (BPF_OP(p->code)) {
	case BPF_ADD: m->a += v; return true;
	case BPF_SUB: m->a -= v; return true;
	case BPF_MUL: m->a *= v; return true;
	case BPF_OR: m->a |= v; return true;
	case BPF_AND: m->a &= v; return true;
	case BPF_XOR: m->a ^= v; return true;
	case BPF_LSH: m->a = v < 32 ? m->a << v : 0; return true;
	case BPF_RSH: m->a = v < 32 ? m->a >> v : 0; return true;
	case BPF_NEG: m->a = 0u - m->a; return true;
	case BPF_DIV: m->a = v ? m->a / v : 0; return v;
	default: m->a = v ? m->a % v : 0; return v;
	}
}

static uint32_t run_jump(const struct machine *m, const struct bpf_insn *p)
{
	uint32_t v = BPF_SRC(p->code) == BPF_X ? m->x : p->k;

	switch (BPF_OP(p->code)) {
	case BPF_JEQ: return m->a == v ? p->jt : p->jf;
	case BPF_JGT: return m->a > v ? p->jt : p->jf;
	case BPF_JGE: return m->a >= v ? p->jt : p->jf;
	case BPF_JSET: return m->a & v ? p->jt : p->jf;
	default: return p->k;
	}
}

static uint32_t run(const struct filter *f, struct machine *m)
{
	for (const struct bpf_insn *p = f->insns;; p++) {
		switch (BPF_CLASS(p->code)) {
		case BPF_LD: case BPF_LDX:
			if (!run_load(m, p))
				return 0;
			break;
		case BPF_ST:
			m->memory[p->k] = m->a;
			break;
		case BPF_STX:
			m->memory[p->k] = m->x;
			break;
		case BPF_ALU:
			if (!run_alu(m, p))
				return 0;
			break;
		case BPF_JMP:
			p += run_jump(m, p);
			break;
		case BPF_RET:
			return BPF_RVAL(p->code) == BPF_A ? m->a : p->k;
		default:
			*(BPF_MISCOP(p->code) == BPF_TAX ? &m->x : &m->a) = BPF_MISCOP(p->code) == BPF_TAX ? m->a : m->x;
		}
	}
}

uint32_t filter_run(const struct filter *f, const struct wire *wire, struct filter_memo *memo)
{
	struct machine m = { .wire = wire };
	uint32_t answer = run(f, &m);

	remember(memo, wire, &m.trace, answer);
	return answer;
}
