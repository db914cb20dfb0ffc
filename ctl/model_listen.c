// SPDX-License-Identifier: GPL-2.0-or-later
/* Which of two objects came second, and the ports of the host that two forwards would both listen on. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

bool written_after(const json_t *networks, struct claimant a, struct claimant b, const char *group)
{
	const json_t *objects = json_object_get(json_object_get(networks, b.net->name), group);
	bool same = a.net == b.net;
	const char *key, *wanted = same ? b.object : b.net->name, *other = same ? a.object : a.net->name;
	json_t *value;

	json_object_foreach((json_t *)(same ? objects : networks), key, value)
		if (!strcmp(key, wanted) || !strcmp(key, other))
			return !strcmp(key, wanted);
	return false;
}

int clash(struct model_ctx *ctx, const json_t *networks, struct claimant a, struct claimant b, const char *group, const char *what,
	  const char *key, const char *text, int rc)
{
	const json_t *objects = json_object_get(json_object_get(networks, b.net->name), group);
	struct ctx_mark net = ctx_enter(ctx, networks, b.net->name, "network", b.net->name);
	struct ctx_mark object = ctx_enter(ctx, objects, b.object, what, b.object);

	if (a.net == b.net)
		ctx_fail(ctx, json_object_get(objects, b.object), key, rc, "%s is used by %s %s already", text,
			 what, a.object);
	else if (a.net->owner == b.net->owner)
		ctx_fail(ctx, json_object_get(objects, b.object), key, rc, "%s is used by %s %s/%s already", text,
			 what, a.net->name, a.object);
	else
		ctx_fail(ctx, json_object_get(objects, b.object), key, rc, "%s is used by another network already", text);
	ctx_leave(ctx, object);
	ctx_leave(ctx, net);
	return rc;
}

/* span - the ports that one forward has at one address */
struct span {
	uint32_t first, last;
	uint8_t proto, v6;
	bool any;			/* the wildcard address, which meets every other of its family */
	const struct endpoint *at;
	const struct net_conf *net;
	const char *id;
};

/* Spans of one protocol and family lie together, wildcards first, then address by address, each by its first port. */
static int by_place(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int order = (x->proto << 1 | x->v6) - (y->proto << 1 | y->v6);

	if (!order)
		order = y->any - x->any;
	if (!order)
		order = memcmp(x->at->ip, y->at->ip, sizeof(x->at->ip));
	if (!order)
		order = x->first < y->first ? -1 : x->first > y->first;
	if (!order)
		order = x->net != y->net ? (x->net < y->net ? -1 : 1) : strcmp(x->id, y->id);
	return order;
}

static bool same_kind(const struct span *a, const struct span *b)
{
	return a->proto == b->proto && a->v6 == b->v6;
}

static int overlap_fails(struct model_ctx *ctx, const json_t *networks, const struct span *a, const struct span *b)
{
	const struct claimant x = { a->net, a->id }, y = { b->net, b->id };
	char text[ENDPOINT_TEXT + 16], address[ENDPOINT_TEXT];

	if (written_after(networks, x, y, "forwards"))
		return overlap_fails(ctx, networks, b, a);
	snprintf(text, sizeof(text), "%s %u at %s", proto_name(a->proto), MAX_OF(a->first, b->first),
		 endpoint_format(a->any ? b->at : a->at, address));
	return clash(ctx, networks, x, y, "forwards", "forward", "listen", text, -EADDRINUSE);
}

/* meets_wildcard() - that of its kind which has a port of @s; @list: @n spans at the wildcard address, none overlapping */
static const struct span *meets_wildcard(const struct span *list, size_t n, const struct span *s)
{
	size_t low = 0;

	while (n) {			/* the first that ends at s->first or behind it */
		size_t half = n / 2;

		if (list[low + half].last < s->first) {
			low += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return &list[low];
}

static int check_spans(struct model_ctx *ctx, const json_t *networks, const struct span *list, size_t n)
{
	size_t kind = 0, wild = 0;	/* where this kind begins, and how many wildcards stand there */

	for (size_t i = 0; i < n; i++) {
		const struct span *s = &list[i], *before = s - 1;
		size_t in_kind = i > 0 && same_kind(before, s);

		if (!in_kind) {
			kind = i;
			wild = 0;
		} else if (before->any == s->any && !memcmp(before->at->ip, s->at->ip, sizeof(s->at->ip)) &&
			   s->first <= before->last) {
			return overlap_fails(ctx, networks, before, s);
		}
		if (s->any) {
			wild++;
		} else if (wild) {
			const struct span *w = meets_wildcard(list + kind, wild, s);

			if (w < list + kind + wild && w->first <= s->last)
				return overlap_fails(ctx, networks, w, s);
		}
	}
	return 0;
}

static size_t fill(struct span *to, const struct net_conf *net)
{
	static const uint8_t any[16];
	size_t n = 0;

	for (size_t i = 0; i < net->nforwards; i++) {
		const struct forward_conf *f = &net->forwards[i];

		for (unsigned k = 0; k < f->nlisten; k++)
			to[n++] = (struct span){
				.first = f->port, .last = f->port + f->count - 1u, .proto = f->proto,
				.v6 = (uint8_t)f->listen[k].v6, .any = !memcmp(f->listen[k].ip, any, sizeof(any)),
				.at = &f->listen[k], .net = net, .id = f->id,
			};
	}
	return n;
}

int check_listeners(struct model_ctx *ctx, const struct model *model, const json_t *networks)
{
	size_t room = 1, n = 0;
	struct span *list;
	int rc;

	for (size_t i = 0; i < model->nnetworks; i++)
		room += model->networks[i].nforwards * FORWARD_LISTEN_MAX;
	list = calloc(room, sizeof(*list));
	if (!list)
		return error_set(ctx->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < model->nnetworks; i++)
		n += fill(list + n, &model->networks[i]);
	qsort(list, n, sizeof(*list), by_place);
	rc = check_spans(ctx, networks, list, n);
	free(list);
	return rc;
}
