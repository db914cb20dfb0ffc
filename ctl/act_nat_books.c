// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_nat_books.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"

enum { FIRST_AT = 4096 };		/* behind the head */

struct books_head {
	uint32_t side;			/* 0 or 1: the one that counts */
	uint32_t unknown;
	struct books_side {
		uint64_t at, size;
		uint32_t in_force, lacks;
	} sides[2];
};

/* record - one network; the forwards follow */
struct record {
	char name[HOST_NAME_SIZE];
	struct nft_member member;
	uint64_t n;
};

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct host_forward, to_port));
}

/* ---- reading ---- */

/* open_head() - One that was killed may be in the kernel still: it has the lock until it is gone. */
static int open_head(struct nat_books *b)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	void *head;
	int rc;

	if (fcntl(b->fd, F_SETLKW, &all) < 0)
		return -errno;
	rc = posix_fallocate(b->fd, 0, FIRST_AT);
	if (rc)
		return -rc;
	head = mmap(NULL, sizeof(*b->head), PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	if (head == MAP_FAILED)
		return -errno;
	b->head = head;
	return 0;
}

static struct books_side *side(const struct nat_books *b, bool draft)
{
	return &b->head->sides[(b->head->side & 1) ^ draft];
}

/* read_net() - Return: how many of the @left bytes it takes, or negative errno */
static long read_net(struct nat_books *b, char *text, uint64_t left)
{
	struct nat_net *net;
	struct record r;

	if (left < sizeof(r))
		return -EIO;
	memcpy(&r, text, sizeof(r));
	if (r.n > (left - sizeof(r)) / sizeof(struct host_forward) || !memchr(r.name, '\0', sizeof(r.name)) ||
	    !memchr(r.member.ifname, '\0', HOST_IFNAME_SIZE) || !memchr(r.member.out, '\0', HOST_IFNAME_SIZE) ||
	    !memchr(r.member.way, '\0', HOST_IFNAME_SIZE))
		return -EIO;
	net = calloc(1, sizeof(*net));
	if (!net)
		return -ENOMEM;
	memcpy(net->name, r.name, sizeof(net->name));
	net->member = r.member;
	net->forwards = (struct forwards){ (struct host_forward *)(void *)(text + sizeof(r)), r.n };
	SLIST_INSERT_HEAD(&b->nets, net, link);
	return (long)(sizeof(r) + r.n * sizeof(struct host_forward));
}

int books_open(struct nat_books *b, int fd)
{
	const struct books_side *s;
	struct stat st;
	long n = 0;
	int rc;

	*b = (struct nat_books){ .fd = fd };
	rc = open_head(b);
	if (rc < 0 || fstat(fd, &st) < 0)
		return rc < 0 ? rc : -errno;
	s = side(b, false);
	b->in_force = s->in_force;
	b->lacks = s->lacks;
	b->unknown = b->head->unknown;
	if (s->at > (uint64_t)st.st_size || s->size > (uint64_t)st.st_size - s->at)
		return -EIO;
	b->text = malloc(s->size + 1);
	if (!b->text)
		return -ENOMEM;
	if (pread(fd, b->text, s->size, (off_t)s->at) != (ssize_t)s->size)
		return -EIO;
	for (uint64_t at = 0; n >= 0 && at < s->size; at += (uint64_t)n)
		n = read_net(b, b->text + at, s->size - at);
	return n < 0 ? (int)n : 0;
}

static bool forward_fits(const struct host_forward *f)
{
	static const uint8_t zero[16];

	return (f->family == 6 || (f->family == 4 && !memcmp(f->addr + 4, zero, 12) && !memcmp(f->to + 4, zero, 12))) &&
	       (f->proto == HOST_TCP || f->proto == HOST_UDP) && f->port && f->to_port && !f->zero;
}

/* It is looked at in a copy: whoever sent it can still write there. */
int books_stage(struct nat_books *b, int fd, size_t n)
{
	ssize_t size = (ssize_t)(n * sizeof(*b->staged.list));

	b->staged.list = malloc((size_t)size + 1);
	if (!b->staged.list)
		return -ENOMEM;
	if (pread(fd, b->staged.list, (size_t)size, 0) != size)
		return -EPROTO;
	for (size_t i = 0; i < n; i++)
		if (!forward_fits(&b->staged.list[i]))
			return -EPROTO;
	b->staged.n = n;
	qsort(b->staged.list, n, sizeof(*b->staged.list), by_key);
	return 0;
}

void books_forget(struct nat_books *b)
{
	struct nat_net *net;

	while ((net = SLIST_FIRST(&b->nets))) {
		SLIST_REMOVE_HEAD(&b->nets, link);
		free(net);
	}
}

void books_free(struct nat_books *b)
{
	books_forget(b);
	if (b->head) {
		munmap(b->head, sizeof(*b->head));
		fcntl(b->fd, F_SETLK, &(struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET });
	}
	free(b->text);
	free(b->staged.list);
	*b = (struct nat_books){ .fd = -1 };
}

struct nat_net *books_find(const struct nat_books *b, const char *name)
{
	struct nat_net *net;

	SLIST_FOREACH(net, &b->nets, link)
		if (!strcmp(net->name, name))
			return net;
	return NULL;
}

/* ---- writing ---- */

static void put(FILE *to, const char *name, const struct nft_member *member, const struct forwards *f)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	strcpy(r.name, name);
	r.member = *member;
	r.n = f->n;
	fwrite(&r, sizeof(r), 1, to);
	fwrite(f->list, sizeof(*f->list), f->n, to);
}

/* write_beside() - where what counts is not. Return: 0 or negative errno */
static int write_beside(struct nat_books *b, const char *text, size_t size)
{
	const struct books_side *old = side(b, false);
	uint64_t end = MAX_OF(old->at + old->size, (uint64_t)FIRST_AT);
	struct books_side *new = side(b, true);

	new->at = old->at >= FIRST_AT + size ? FIRST_AT : end;
	new->size = size;
	return pwrite(b->fd, text, size, (off_t)new->at) == (ssize_t)size ? 0 : -ENOSPC;
}

int books_draft(struct nat_books *b, const char *name, const struct nft_member *member)
{
	struct nat_net *net;
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int rc;

	b->head->unknown = 1;
	if (!to)
		return -ENOMEM;
	SLIST_FOREACH(net, &b->nets, link)
		if (strcmp(net->name, name) != 0)
			put(to, net->name, &net->member, &net->forwards);
	if (member)
		put(to, name, member, &b->staged);
	rc = fclose(to) ? -ENOMEM : write_beside(b, text, size);
	free(text);
	return rc;
}

void books_settle(struct nat_books *b, bool unknown)
{
	struct books_side *s = side(b, true);

	s->in_force = b->in_force;
	s->lacks = b->lacks;
	__atomic_store_n(&b->head->side, !(b->head->side & 1), __ATOMIC_RELEASE);
	__atomic_store_n(&b->head->unknown, unknown, __ATOMIC_RELEASE);
}

/* ---- what is different ---- */

bool forwards_have_twins(const struct forwards *f)
{
	for (size_t i = 1; i < f->n; i++)
		if (!by_key(&f->list[i - 1], &f->list[i]))
			return true;
	return false;
}

void forwards_resolve(struct forwards *to, const struct forwards *before)
{
	static const uint8_t unknown_guest[16];
	size_t n = 0;

	for (size_t i = 0; i < to->n; i++) {
		const struct host_forward *f = &to->list[i];

		if (!memcmp(f->to, unknown_guest, sizeof(unknown_guest)))
			f = before->n ? bsearch(f, before->list, before->n, sizeof(*f), by_key) : NULL;
		if (f)
			to->list[n++] = *f;
	}
	to->n = n;
}

long forwards_without(const struct forwards *a, const struct forwards *b, struct host_forward **list)
{
	size_t n = 0, j = 0;

	*list = malloc((a->n + 1) * sizeof(**list));
	if (!*list)
		return -ENOMEM;
	for (size_t i = 0; i < a->n; i++) {
		while (j < b->n && by_key(&b->list[j], &a->list[i]) < 0)
			j++;
		if (j == b->n || memcmp(&b->list[j], &a->list[i], sizeof(a->list[i])))
			(*list)[n++] = a->list[i];
	}
	return (long)n;
}
