// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/resolvers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"

enum { CHECK_MS = 1000, FRESH_MS = 2000, FILE_MAX = 65536 };

void resolvers_init(struct resolvers *r, const char *path)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->path, sizeof(r->path), "%s", path);
}

void resolvers_fini(struct resolvers *r)
{
	free(r->routes);
	free(r->given_routes);
	r->routes = r->given_routes = NULL;
	r->nroutes = r->ngiven = 0;
}

/* ---- who is asked ---- */

/* best_of() - the route to @name that says most of it, if it says more than @size bytes do; else @found */
static struct resolver_set *best_of(struct resolver_route *routes, unsigned n, const struct dns_name *name, uint8_t *size,
				    struct resolver_set *found)
{
	for (unsigned i = 0; i < n; i++)
		if (routes[i].domain.size > *size && dns_name_below(name, &routes[i].domain)) {
			*size = routes[i].domain.size;
			found = &routes[i].set;
		}
	return found;
}

static struct resolver_set *choose(struct resolvers *r, const struct dns_name *lower, uint8_t *size)
{
	struct resolver_set *found = best_of(r->given_routes, r->ngiven, lower, size, &r->set);

	return r->given ? found : best_of(r->routes, r->nroutes, lower, size, found);
}

struct resolver_set *resolvers_for(struct resolvers *r, const struct dns_name *lower)
{
	uint8_t size = 0;

	return choose(r, lower, &size);
}

size_t resolvers_domain(struct resolvers *r, const struct dns_name *lower)
{
	uint8_t size = 0;

	choose(r, lower, &size);
	return size ? size : 1;
}

void resolvers_each_domain(const struct resolvers *r, void (*fn)(void *arg, const struct dns_name *domain), void *arg)
{
	for (unsigned i = 0; i < r->ngiven; i++)
		fn(arg, &r->given_routes[i].domain);
	for (unsigned i = 0; !r->given && i < r->nroutes; i++)
		fn(arg, &r->routes[i].domain);
}

/* ---- what was given ---- */

int resolvers_set(struct resolvers *r, const char *const *texts, unsigned n)
{
	struct resolver_set set = { .n = n };

	if (n > RESOLVERS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		if (resolver_parse(&set.list[i], texts[i]) < 0)
			return -EINVAL;
	if (!n && !r->given)
		return 0;		/* it is the file's already */
	r->given = n != 0;
	r->read = false;		/* the file, when it is its turn again */
	r->set = set;
	r->generation++;
	return 0;
}

static bool same_set(const struct resolver_set *a, const struct resolver_set *b)
{
	return a->n == b->n && !memcmp(a->list, b->list, a->n * sizeof(*a->list));
}

static bool same_routes(const struct resolver_route *a, unsigned na, const struct resolver_route *b, unsigned nb)
{
	for (unsigned i = 0; na == nb && i < na; i++)
		if (!dns_name_equal(&a[i].domain, &b[i].domain) || !same_set(&a[i].set, &b[i].set))
			return false;
	return na == nb;
}

/* take_routes() - in the place of what is there, which stays if it is the same. Return: was it? */
static bool take_routes(struct resolver_route **is, unsigned *nis, struct resolver_route *routes, unsigned n)
{
	bool same = same_routes(*is, *nis, routes, n);

	free(same ? routes : *is);
	if (!same) {
		*is = routes;
		*nis = n;
	}
	return same;
}

int resolvers_set_routes(struct resolvers *r, const char *text)
{
	struct resolver_route *routes;
	struct resolver_set others;
	unsigned n;
	int rc = resolvers_text(text, &others, &routes, &n);

	if (rc == 0)
		r->generation += !take_routes(&r->given_routes, &r->ngiven, routes, n);
	return rc;
}

/* ---- the file ---- */

void resolvers_parse(struct resolvers *r, const char *text)
{
	struct resolver_route *routes;
	struct resolver_set set;
	unsigned n;
	bool same;

	if (resolvers_text(text, &set, &routes, &n) < 0)
		return;			/* as it was: better than nobody to ask */
	same = take_routes(&r->routes, &r->nroutes, routes, n);
	if (!same_set(&set, &r->set)) {
		r->set = set;
		same = false;
	}
	r->generation += !same;
}

static void read_file(struct resolvers *r)
{
	int fd = r->open ? r->open(r->open_arg, r->path) : open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = fd < 0 ? NULL : malloc(FILE_MAX + 1);
	ssize_t n = text ? read(fd, text, FILE_MAX) : -1;

	if (n < 0)
		n = 0;
	if (text) {
		text[n] = '\0';
		resolvers_parse(r, text);
	} else {
		resolvers_parse(r, "");
	}
	free(text);
	if (fd >= 0)
		close(fd);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* fresh() - changed so lately that it may change again within the same tick of the file system's clock, in which both states look
 * the same */
static bool fresh(const struct stat *st)
{
	return clock_wall_ms() < (uint64_t)st->st_mtim.tv_sec * 1000 + (uint64_t)st->st_mtim.tv_nsec / 1000000 + FRESH_MS;
}

static void look(const char *path, struct stat *st)
{
	if (!path || stat(path, st) < 0)
		memset(st, 0, sizeof(*st));
}

/* The state is taken before the file is read: what changes in between is seen as a change next time. */
void resolvers_update(struct resolvers *r, uint64_t now_ms)
{
	struct stat st[ARRAY_SIZE(r->seen)];

	if (r->given || (r->read && now_ms - r->checked_ms < CHECK_MS))
		return;
	r->checked_ms = now_ms;
	look(r->path, &st[0]);
	look(r->watched, &st[1]);
	if (r->read && !r->read_fresh && same_file(&st[0], &r->seen[0]) && same_file(&st[1], &r->seen[1]))
		return;
	memcpy(r->seen, st, sizeof(st));
	r->read = true;
	r->read_fresh = fresh(&st[0]) || fresh(&st[1]);
	read_file(r);
}
