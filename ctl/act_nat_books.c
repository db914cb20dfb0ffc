// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_nat_books.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ctl/act_look.h"

/* note - how such a file begins; the forwards follow */
struct note {
	char name[HOST_NAME_SIZE];
	struct nft_member member;
};

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct host_forward, to_port));
}

static void sort(struct forwards *f)
{
	if (f->n)
		qsort(f->list, f->n, sizeof(*f->list), by_key);
}

/* ---- files ---- */

/* read_forwards() - from @at to the end of the file */
static int read_forwards(int fd, off_t at, struct forwards *to)
{
	struct stat st;
	size_t size;

	if (fstat(fd, &st) < 0)
		return -errno;
	size = st.st_size > at ? (size_t)(st.st_size - at) : 0;
	if (size % sizeof(*to->list) || size / sizeof(*to->list) > HOST_FORWARDS_ALL)
		return -EIO;
	to->list = malloc(size + 1);
	if (!to->list)
		return -ENOMEM;
	if (pread(fd, to->list, size, at) != (ssize_t)size)
		return -EIO;
	to->n = size / sizeof(*to->list);
	return 0;
}

static int read_note(struct nat_books *b, int fd)
{
	struct nat_net *net = calloc(1, sizeof(*net));
	struct note n;

	if (!net)
		return -ENOMEM;
	SLIST_INSERT_HEAD(&b->nets, net, link);
	if (pread(fd, &n, sizeof(n), 0) != sizeof(n) || !memchr(n.name, '\0', sizeof(n.name)) || !memchr(n.member.ifname, '\0', HOST_IFNAME_SIZE) ||
	    !memchr(n.member.out, '\0', HOST_IFNAME_SIZE) || !memchr(n.member.way, '\0', HOST_IFNAME_SIZE))
		return -EIO;
	memcpy(net->name, n.name, sizeof(net->name));
	net->member = n.member;
	return read_forwards(fd, sizeof(n), &net->forwards);
}

int books_read(struct nat_books *b, int staged, const int *notes, unsigned n)
{
	int rc = 0;

	SLIST_INIT(&b->nets);
	b->staged = (struct forwards){ .n = 0 };
	if (staged >= 0)
		rc = read_forwards(staged, 0, &b->staged);
	sort(&b->staged);
	for (unsigned i = 0; rc == 0 && i < n; i++)
		rc = read_note(b, notes[i]);
	return rc;
}

void books_free(struct nat_books *b)
{
	struct nat_net *net;

	while ((net = SLIST_FIRST(&b->nets))) {
		SLIST_REMOVE_HEAD(&b->nets, link);
		free(net->forwards.list);
		free(net);
	}
	free(b->staged.list);
	b->staged = (struct forwards){ .n = 0 };
}

int books_note(const char *name, const struct nft_member *member, const struct forwards *forwards)
{
	struct note n = { .member = *member };
	size_t size = forwards->n * sizeof(*forwards->list);
	char *text = malloc(sizeof(n) + size);
	int fd;

	if (!text)
		return -ENOMEM;
	strcpy(n.name, name);
	memcpy(text, &n, sizeof(n));
	if (size)
		memcpy(text + sizeof(n), forwards->list, size);
	fd = look_file(text, sizeof(n) + size);
	free(text);
	return fd;
}

struct nat_net *books_find(const struct nat_books *b, const char *name)
{
	struct nat_net *net;

	SLIST_FOREACH(net, &b->nets, link)
		if (!strcmp(net->name, name))
			return net;
	return NULL;
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
