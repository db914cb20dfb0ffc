// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/keeper.h"

struct held *held_find(const struct held_table *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->entries[i].name, name))
			return &t->entries[i];
	return NULL;
}

static int make_room(struct held_table *t)
{
	size_t room = t->room ? t->room * 2 : 16;
	struct held *entries;

	if (t->n >= HOST_HELD_MAX)
		return -ENOSPC;
	if (t->n < t->room)
		return 0;
	entries = realloc(t->entries, room * sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	t->entries = entries;
	t->room = room;
	return 0;
}

/* Requests are compared and kept without their serial, which differs every time. */
static void without_serial(void *to, const void *request, size_t size)
{
	memcpy(to, request, size);
	memset((char *)to + offsetof(struct host_header, serial), 0, sizeof(uint32_t));
}

int held_add(struct held_table *t, const char *name, int fd, uint32_t value, const void *request, size_t size)
{
	struct held *h;
	int rc;

	if (held_find(t, name))
		return -EEXIST;
	rc = make_room(t);
	if (rc < 0)
		return rc;
	h = &t->entries[t->n];
	*h = (struct held){ .fd = fd, .value = value, .size = size };
	memcpy(h->name, name, strlen(name) + 1);
	if (request) {
		h->request = malloc(size);
		if (!h->request)
			return -ENOMEM;
		without_serial(h->request, request, size);
	}
	t->n++;
	return 0;
}

void held_remove(struct held_table *t, struct held *h)
{
	size_t i = (size_t)(h - t->entries);

	close(h->fd);
	free(h->request);
	t->n--;
	memmove(h, h + 1, (t->n - i) * sizeof(*h));
}

void held_fini(struct held_table *t)
{
	while (t->n)
		held_remove(t, &t->entries[t->n - 1]);
	free(t->entries);
	*t = (struct held_table){ .n = 0 };
}

bool held_same(const struct held *h, const void *request, size_t size)
{
	char plain[HOST_MESSAGE_MAX];

	if (!h->request || h->size != size)
		return false;
	without_serial(plain, request, size);
	return !memcmp(plain, h->request, size);
}

bool held_leaves_trace(const struct held *h)
{
	struct host_header head;

	if (!h->request)
		return false;
	memcpy(&head, h->request, sizeof(head));
	return head.type == HOST_UNIX_LISTEN || (head.type == HOST_OPEN_NETNS && h->value == HOST_MEDIUM_PACKET);
}
