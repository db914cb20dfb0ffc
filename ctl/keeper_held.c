// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/keeper.h"

struct held *held_find(const struct held_table *t, const char *name)
{
	struct held *h;

	HASH_FIND_STR(t->by_name, name, h);
	return h;
}

/* Requests are compared and kept without their serial, which differs every time. */
static void without_serial(void *to, const void *request, size_t size)
{
	memcpy(to, request, size);
	memset((char *)to + offsetof(struct host_header, serial), 0, sizeof(uint32_t));
}

static void held_free(struct held *h)
{
	if (h->fds != &h->fd)
		free(h->fds);
	free(h->request);
	free(h);
}

static struct held *held_new(const char *name, const int *fds, unsigned n, const struct host_reply *r, const void *request, size_t size)
{
	struct held *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	memcpy(h->name, name, strlen(name) + 1);
	memcpy(h->missing, r->missing, sizeof(h->missing));
	h->fd = fds[0];
	h->fds = n > 1 ? malloc(n * sizeof(*fds)) : &h->fd;
	h->nfds = n;
	h->value = r->value;
	h->request = request ? malloc(size) : NULL;
	h->size = size;
	if (!h->fds || (request && !h->request)) {
		held_free(h);
		return NULL;
	}
	memcpy(h->fds, fds, n * sizeof(*fds));
	if (request)
		without_serial(h->request, request, size);
	return h;
}

int held_add(struct held_table *t, const char *name, int fd, uint32_t value, const void *request, size_t size)
{
	struct host_reply r = { .value = value };

	return held_add_many(t, name, &fd, 1, &r, request, size);
}

int held_add_many(struct held_table *t, const char *name, const int *fds, unsigned n, const struct host_reply *r, const void *request, size_t size)
{
	struct held *h;

	if (held_find(t, name))
		return -EEXIST;
	if (HASH_COUNT(t->by_name) >= HOST_HELD_MAX)
		return -ENOSPC;
	h = held_new(name, fds, n, r, request, size);
	if (!h)
		return -ENOMEM;
	HASH_ADD_STR(t->by_name, name, h);
	if (!h->hh.tbl) {		/* HASH_NONFATAL_OOM: it was not added */
		held_free(h);
		return -ENOMEM;
	}
	return 0;
}

static bool bit(const uint8_t *bits, unsigned i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

bool held_lacks(const struct held *h)
{
	static const uint8_t none[sizeof(h->missing)];

	return memcmp(h->missing, none, sizeof(none)) != 0;
}

/* held_more() - the old and the new, by their ports */
int held_more(struct held *h, const int *fds, unsigned n, const struct host_reply *r)
{
	unsigned most = h->nfds + n, old = 0, new = 0;
	int *all = malloc(most * sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (unsigned i = 0; i < HOST_LISTEN_MAX; i++) {
		if (bit(h->missing, i) && !bit(r->missing, i) && new < n)
			all[old + new] = fds[new], new++;
		else if (!bit(h->missing, i) && old < h->nfds)
			all[old + new] = h->fds[old], old++;
	}
	if (old + new != most) {
		free(all);
		return -EPROTO;
	}
	if (h->fds != &h->fd)
		free(h->fds);
	h->fd = all[0];
	h->fds = all;
	h->nfds = most;
	for (unsigned i = 0; i < sizeof(h->missing); i++)
		h->missing[i] &= r->missing[i];
	return 0;
}

static void close_all(const struct held *h)
{
	for (unsigned i = 0; i < h->nfds; i++)
		close(h->fds[i]);
}

void held_remove(struct held_table *t, struct held *h)
{
	HASH_DEL(t->by_name, h);
	close_all(h);
	held_free(h);
}

int held_replace(struct held *h, int fd)
{
	if (h->request)
		return -EEXIST;
	close(h->fd);
	h->fd = fd;
	return 0;
}

void held_changed(struct held *h, const struct host_iface *request)
{
	if (request)
		without_serial(h->request, request, h->size);
	h->unsettled = !request;
}

void held_fini(struct held_table *t)
{
	while (t->by_name)
		held_remove(t, t->by_name);
}

bool held_same(const struct held *h, const void *request, size_t size)
{
	char plain[HOST_MESSAGE_MAX];

	if (!h->request || h->size != size || h->unsettled)
		return false;
	without_serial(plain, request, size);
	return !memcmp(plain, h->request, size);
}

bool held_leaves_trace(const struct held *h)
{
	const struct host_header *head = h->request;

	return head && acts_kind(head->type)->leaves && (head->type != HOST_OPEN_NETNS || h->value == HOST_MEDIUM_PACKET);
}

bool held_shares_trace(const struct held_table *t, const struct held *h)
{
	const struct host_link *a = h->request, *b;

	if (h->size != sizeof(*a) || (a->head.type != HOST_OPEN_VMM_TAP && a->head.type != HOST_OPEN_NETNS))
		return false;
	for (const struct held *other = t->by_name; other; other = other->hh.next) {
		b = other->request;
		if (b && other != h && b->head.type == a->head.type && !strcmp(b->ifname, a->ifname) &&
		    !strcmp(b->netns, a->netns))
			return true;
	}
	return false;
}
