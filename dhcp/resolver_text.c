// SPDX-License-Identifier: GPL-2.0-or-later
/* Resolvers as text: addresses, and the lines that say who is asked for what. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dhcp/resolvers.h"

enum { PORT = 53, ADDRESS_TEXT = INET6_ADDRSTRLEN + IF_NAMESIZE + 8, DOMAIN_TEXT = 256 };

static int parse_port(const char *text, uint16_t *port)
{
	unsigned long v;

	if (number_parse(text, 1, UINT16_MAX, &v) < 0)
		return -EINVAL;
	*port = (uint16_t)v;
	return 0;
}

/* parse_scope() - an interface by number or name. Return: its number, 0: there is none */
static uint32_t parse_scope(const char *text)
{
	unsigned long v;

	return number_parse(text, 1, UINT32_MAX, &v) == 0 ? (uint32_t)v : if_nametoindex(text);
}

static int parse4(struct resolver *r, const char *address, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1 || a.sin_addr.s_addr == INADDR_ANY)
		return -EINVAL;
	memcpy(&r->addr, &a, sizeof(a));
	r->size = sizeof(a);
	return 0;
}

/* parse6() - only a link-local address has a scope of its own; another one is just asked by that interface */
static int parse6(struct resolver *r, const char *address, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET6, address, &a.sin6_addr) != 1 || IN6_IS_ADDR_UNSPECIFIED(&a.sin6_addr))
		return -EINVAL;
	if (IN6_IS_ADDR_LINKLOCAL(&a.sin6_addr))
		a.sin6_scope_id = r->ifindex;
	memcpy(&r->addr, &a, sizeof(a));
	r->size = sizeof(a);
	return 0;
}

int resolver_parse(struct resolver *r, const char *text)
{
	struct resolver parsed = { .size = 0 };
	char address[ADDRESS_TEXT];
	uint16_t port = PORT;
	char *hash, *scope;
	int rc;

	if (strlen(text) >= sizeof(address))
		return -EINVAL;
	strcpy(address, text);
	hash = strchr(address, '#');
	if (hash) {
		*hash = '\0';
		if (parse_port(hash + 1, &port) < 0)
			return -EINVAL;
	}
	scope = strchr(address, '%');
	if (scope) {
		*scope++ = '\0';
		parsed.ifindex = parse_scope(scope);
		if (!parsed.ifindex)
			return -EINVAL;
	}
	rc = strchr(address, ':') ? parse6(&parsed, address, port) : parse4(&parsed, address, port);
	if (!rc)
		*r = parsed;
	return rc;
}

const char *resolver_format(const struct resolver *r, char text[RESOLVER_TEXT_MAX])
{
	char ip[INET6_ADDRSTRLEN], scope[16] = "", at[8] = "";
	struct sockaddr_in a4;
	struct sockaddr_in6 a6;
	uint16_t port;

	memcpy(&a4, &r->addr, sizeof(a4));
	memcpy(&a6, &r->addr, sizeof(a6));
	if (r->addr.ss_family == AF_INET)
		inet_ntop(AF_INET, &a4.sin_addr, ip, sizeof(ip));
	else
		inet_ntop(AF_INET6, &a6.sin6_addr, ip, sizeof(ip));
	port = ntohs(r->addr.ss_family == AF_INET ? a4.sin_port : a6.sin6_port);
	if (r->ifindex)
		snprintf(scope, sizeof(scope), "%%%u", r->ifindex);
	if (port != PORT)
		snprintf(at, sizeof(at), "#%u", port);
	snprintf(text, RESOLVER_TEXT_MAX, "%s%s%s", ip, scope, at);
	return text;
}

/* ---- lines ---- */

/* words - what is left of a line */
struct words {
	const char *at;
	size_t size;
};

/* next_word() - as resolv.conf(5) has them: between blanks; what begins like a comment is one. Return: is there one that fits @room? */
static bool next_word(struct words *w, char *to, size_t room)
{
	size_t n = 0;

	while (w->size && (*w->at == ' ' || *w->at == '\t'))
		w->at++, w->size--;
	while (n < w->size && !strchr(" \t\r", w->at[n]))
		n++;
	if (!n || n >= room || *w->at == '#' || *w->at == ';')
		return false;
	memcpy(to, w->at, n);
	to[n] = '\0';
	w->at += n;
	w->size -= n;
	return true;
}

static void add(struct resolver_set *set, struct words *w)
{
	char address[ADDRESS_TEXT];

	if (set && set->n < RESOLVERS_MAX && next_word(w, address, sizeof(address)) && resolver_parse(&set->list[set->n], address) == 0)
		set->n++;
}

/* building - what the lines so far say */
struct building {
	struct resolver_set *set;
	struct resolver_route *routes;
	unsigned n;
	bool no_memory;
};

/* route_to() - the resolvers of that domain; a new one has none yet */
static struct resolver_set *route_to(struct building *b, const struct dns_name *domain)
{
	struct resolver_route *more;

	for (unsigned i = 0; i < b->n; i++)
		if (dns_name_equal(&b->routes[i].domain, domain))
			return &b->routes[i].set;
	if (b->n == RESOLVER_ROUTES_MAX)
		return NULL;
	more = realloc(b->routes, (b->n + 1) * sizeof(*more));
	if (!more) {
		b->no_memory = true;
		return NULL;
	}
	b->routes = more;
	memset(&more[b->n], 0, sizeof(*more));
	more[b->n].domain = *domain;
	return &more[b->n++].set;
}

static void add_route(struct building *b, struct words *w)
{
	char text[DOMAIN_TEXT];
	struct dns_name domain;

	if (!next_word(w, text, sizeof(text)) || dns_name_from_text(&domain, text) < 0)
		return;
	dns_name_lower(&domain);
	add(route_to(b, &domain), w);
}

/* A word stands at the beginning of its line, and a blank behind it. */
static void add_line(struct building *b, struct words w)
{
	char word[16];

	if (!w.size || *w.at == ' ' || *w.at == '\t' || !next_word(&w, word, sizeof(word)))
		return;
	if (!strcmp(word, "nameserver"))
		add(b->set, &w);
	else if (!strcmp(word, "route"))
		add_route(b, &w);
}

/* drop_empty() - of a route without a resolver nothing is known: its names are others' like all others */
static void drop_empty(struct building *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->n; i++)
		if (b->routes[i].set.n)
			b->routes[n++] = b->routes[i];
	b->n = n;
}

int resolvers_text(const char *text, struct resolver_set *set, struct resolver_route **routes, unsigned *nroutes)
{
	struct building b = { .set = set };

	memset(set, 0, sizeof(*set));
	while (*text) {
		size_t size = strcspn(text, "\n");

		add_line(&b, (struct words){ text, size });
		text += size;
		text += *text == '\n';
	}
	if (b.no_memory) {
		free(b.routes);
		return -ENOMEM;
	}
	drop_empty(&b);
	if (!b.n) {
		free(b.routes);
		b.routes = NULL;
	}
	*routes = b.routes;
	*nroutes = b.n;
	return 0;
}
