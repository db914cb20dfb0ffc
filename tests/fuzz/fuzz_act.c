// SPDX-License-Identifier: GPL-2.0-or-later
/* What a program that acts on the host is given: a call, which is taken only whole, and the file that says what the kernel translates.
 * covers: ctl/act_call.c ctl/act_nat_books.c */
#define _GNU_SOURCE	/* memfd_create() */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "ctl/act.h"
#include "ctl/act_nat_books.h"

enum { CHANGES_MAX = 6, FORWARDS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- a call ---- */

/* read_request() - a request of the input's type, name and bytes, with a header that fits it. Return: its size */
static uint32_t read_request(struct reader *r, char to[HOST_MESSAGE_MAX])
{
	struct host_header head = { .type = read_u8(r) };
	uint32_t n = read_u16(r) % (HOST_MESSAGE_MAX + 1);

	if (!head.type || n < sizeof(head))
		return 0;
	head.size = n;
	memcpy(to, &head, sizeof(head));
	for (size_t at = sizeof(head), i = read_u8(r); i && at < n; i--)
		to[at++] = (char)read_u8(r);
	return n;
}

/* A call that passes has texts that end and sizes that fit, whatever its other bytes. */
static void check(const struct act_call *c, size_t size)
{
	if (act_call_check(c, size) < 0)
		return;
	if (size != sizeof(*c) || strnlen(c->name, sizeof(c->name)) == sizeof(c->name) || strnlen(c->program, sizeof(c->program)) == sizeof(c->program) ||
	    strnlen(c->domains, sizeof(c->domains)) == sizeof(c->domains) || c->ngiven > START_GIVEN_MAX ||
	    c->request_size > HOST_MESSAGE_MAX || c->about_size > HOST_MESSAGE_MAX)
		abort();
}

static void try_call(struct reader *r)
{
	static struct act_call c;
	uint8_t odd = read_u8(r);

	memset(&c, 0, sizeof(c));
	c.size = sizeof(c);
	c.what = read_u8(r);
	c.has = read_u8(r);
	c.own_rights = odd & 1 ? 7 : 0;
	c.ngiven = odd & 2 ? START_GIVEN_MAX + 1 : 0;
	c.request_size = read_request(r, c.request);
	c.about_size = read_request(r, c.about);
	if (odd & 4)
		memset(c.name, 'n', sizeof(c.name));
	if (odd & 8)
		memset(c.program, 'p', sizeof(c.program));
	if (odd & 64)
		memset(c.domains, 'd', sizeof(c.domains));
	if (odd & 16)
		c.request_size = read_u32(r);
	check(&c, odd & 32 ? sizeof(c) - 1 : sizeof(c));
}

static void try_bytes(struct reader *r)
{
	static struct act_call c;
	size_t n = MIN_OF(reader_left(r), sizeof(c));

	memset(&c, 0xa5, sizeof(c));
	read_copy(r, (uint8_t *)&c, n);
	check(&c, n);
	check(&c, sizeof(c));
}

/* ---- the books ---- */

static struct forwards read_forwards(struct reader *r, struct host_forward room[FORWARDS_MAX])
{
	struct forwards f = { room, read_u8(r) % FORWARDS_MAX };

	for (size_t i = 0; i < f.n; i++) {
		uint8_t bits = read_u8(r);

		room[i] = (struct host_forward){ .family = bits & 1 ? 6 : 4, .proto = bits & 2 ? HOST_UDP : HOST_TCP, .port = read_u8(r), .to_port = bits };
		room[i].to[0] = read_u8(r);
	}
	return f;
}

/* damage() - cut a file, or write over a piece of it, as the input says */
static void damage(struct reader *r, int fd)
{
	uint8_t how = read_u8(r), bytes[256];
	off_t size = lseek(fd, 0, SEEK_END);

	memset(bytes, 'x', sizeof(bytes));
	if (how & 1)
		(void)!ftruncate(fd, MAX_OF(size - read_u8(r), 0));
	if (how & 2)
		(void)!pwrite(fd, bytes, read_u8(r), read_u16(r) % 512);
}

static int make_staged(struct reader *r)
{
	struct host_forward room[FORWARDS_MAX];
	struct forwards f = read_forwards(r, room);
	int fd = memfd_create("staged", MFD_CLOEXEC);

	if (fd < 0 || write(fd, room, f.n * sizeof(*room)) < 0)
		abort();
	damage(r, fd);
	return fd;
}

/* write_books() - one more network is in them, or one goes, as lanyard-nat does it; or it is killed before the last word */
static void write_books(struct reader *r, int fd)
{
	static const char *const names[] = { "host:a", "host:b", "" };
	const char *name = names[read_u8(r) % ARRAY_SIZE(names)];
	struct nft_member member = { .ifname = "ly-a", .out = "", .way = "eth0" };
	struct nat_books b;
	uint8_t how = read_u8(r);
	int staged = make_staged(r);

	if (books_open(&b, fd) == 0) {
		books_stage(&b, staged, how % FORWARDS_MAX);
		if (books_draft(&b, name, how & 32 ? NULL : &member) == 0 && !(how & 64))
			books_settle(&b, how & 128);
		else if (!b.head)
			abort();
	}
	books_free(&b);
	close(staged);
}

/* compare() - what is different is a part of each; nothing is different from itself */
static void compare(const struct forwards *a, const struct forwards *b)
{
	struct host_forward *list;
	long n = forwards_without(a, b, &list);

	if (n < 0 || (size_t)n > a->n || (a == b && n && !forwards_have_twins(a)))
		abort();
	free(list);
}

static void use(struct nat_books *b)
{
	struct nat_net *net;

	forwards_have_twins(&b->staged);
	compare(&b->staged, &b->staged);
	SLIST_FOREACH(net, &b->nets, link) {
		if (!memchr(net->name, '\0', sizeof(net->name)) || !books_find(b, net->name))
			abort();
		compare(&b->staged, &net->forwards);
		compare(&net->forwards, &b->staged);
		forwards_resolve(&b->staged, &net->forwards);
	}
}

static void try_books(struct reader *r)
{
	int staged = make_staged(r), fd = memfd_create("books", MFD_CLOEXEC);
	struct nat_books b;

	if (fd < 0)
		abort();
	for (unsigned n = read_u8(r) % (CHANGES_MAX + 1); n; n--)
		write_books(r, fd);
	damage(r, fd);
	if (books_open(&b, fd) == 0 && books_stage(&b, staged, read_u8(r) % FORWARDS_MAX) == 0)
		use(&b);
	books_free(&b);
	close(fd);
	close(staged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct reader *) = { try_call, try_bytes, try_books };
	struct reader r = reader_init(data, size);

	tries[read_u8(&r) % ARRAY_SIZE(tries)](&r);
	return 0;
}
