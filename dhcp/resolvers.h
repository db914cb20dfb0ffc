/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/resolvers.h - whom to ask for which names: the host's DNS resolvers, or those that were given
 *
 * The host's are what a text of lines says, read from a file (dhcp/resolver_text.c):
 *
 *	nameserver ADDRESS		asked for all names, as in resolv.conf(5)
 *	route DOMAIN ADDRESS		asked for names in DOMAIN, in the place of the others: split DNS
 *
 * ADDRESS may have a %scope, the interface that it is asked by, and a #port. The file is read again when it, or another one that tells of
 * changes, has changed, which is looked up at most once a second and only when asked for: so it is followed through renames and symbolic
 * links, whoever puts another in its place, and a host that asks nothing wakes nobody.
 *
 * The most specific domain decides, and of two alike the one that was given. No lock: one thread.
 */
#ifndef DHCP_RESOLVERS_H
#define DHCP_RESOLVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "dhcp/dns_name.h"

enum { RESOLVERS_MAX = 8, RESOLVER_ROUTES_MAX = 64 };

struct resolver {
	struct sockaddr_storage addr;
	socklen_t size;
	uint32_t ifindex;			/* the interface to ask it by; 0: as routes lead */
};

/* resolver_set - some that know the same */
struct resolver_set {
	unsigned n;
	struct resolver list[RESOLVERS_MAX];
	unsigned first;				/* the user's: whom to begin with, and until when */
	uint64_t first_until_ms;
};

struct resolver_route {
	struct dns_name domain;			/* lower-case; the root: all names */
	struct resolver_set set;
};

/* resolvers_open_fn - open @path to be read, for a process that may not do it itself. Return: descriptor or negative errno */
typedef int resolvers_open_fn(void *arg, const char *path);

struct resolvers {
	char path[4096];
	const char *watched;			/* another file that changes when the text does, or NULL */
	resolvers_open_fn *open;		/* NULL: open(2) */
	void *open_arg;
	bool given;				/* the resolvers were given: the file is not looked at */
	struct stat seen[2];			/* of the files when the text was read */
	bool read;
	bool read_fresh;			/* one had just been written then: look again even if it seems the same */
	uint64_t checked_ms;
	unsigned generation;			/* counts each change of what follows */
	struct resolver_set set;		/* for names without a route */
	struct resolver_route *routes;		/* the text's */
	unsigned nroutes;
	struct resolver_route *given_routes;
	unsigned ngiven;
};

/* resolvers_init() - follow the file at @path */
void resolvers_init(struct resolvers *r, const char *path);
void resolvers_fini(struct resolvers *r);

/* resolvers_set() - use these instead of the file's, routes included, or with none the file again: "ADDRESS" or "ADDRESS#PORT" each; with
 * a %scope
 *
 * Return: 0, or -EINVAL with nothing changed.
 */
int resolvers_set(struct resolvers *r, const char *const *texts, unsigned n);

/* resolvers_set_routes() - use these in any case, in the place of such as were given before
 * @text:	lines "route DOMAIN ADDRESS"; others are passed over
 *
 * Return: 0, or -ENOMEM with nothing changed.
 */
int resolvers_set_routes(struct resolvers *r, const char *text);

/* resolvers_for() - whom to ask for a name, made lower-case by dns_name_lower(); valid until the next change */
struct resolver_set *resolvers_for(struct resolvers *r, const struct dns_name *lower);

/* resolvers_domain() - because of which domain: the bytes at the name's end that are it; 1: it has no route */
size_t resolvers_domain(struct resolvers *r, const struct dns_name *lower);

/* resolvers_each_domain() - each that has a route; one that was given and is the text's, too, may be told twice */
void resolvers_each_domain(const struct resolvers *r, void (*fn)(void *arg, const struct dns_name *domain), void *arg);

/* resolvers_update() - look whether the file has changed. An unreadable file lists none.
 * resolvers_hurry() - next time look at once, and read it whether it seems changed or not */
void resolvers_update(struct resolvers *r, uint64_t now_ms);
static inline void resolvers_hurry(struct resolvers *r)
{
	r->checked_ms = 0;
	r->read_fresh = true;
}

/* resolver_may() - may it be asked, when everything is to go out by @device ("": by any)?
 * resolver_open() - a socket that hears only this resolver, from a random port that the kernel picks
 * @type:	SOCK_DGRAM, or SOCK_STREAM, which may still be connecting
 * @device:	the interface that it is to go out by, or "". A resolver on this host's loopback, or one to be asked by another
 *		interface, is not asked then (-ENETUNREACH): it would ask on by other ways.
 *
 * Return: a descriptor that does not block, or a negative errno.
 */
bool resolver_may(const struct resolver *r, const char *device);
int resolver_open(const struct resolver *r, const char *device, int type);

/* resolver_format() - as resolver_parse() reads it, without the port if that is 53 */
enum { RESOLVER_TEXT_MAX = 80 };
const char *resolver_format(const struct resolver *r, char text[RESOLVER_TEXT_MAX]);

/* resolver_parse() - one address as above, port 53 if none is said; 0.0.0.0 and :: are nobody's. Return: 0 or -EINVAL. */
int resolver_parse(struct resolver *r, const char *text);

/* resolvers_text() - what a text of lines says
 * @set, @routes:	filled in; of @routes @nroutes, an array to be freed, NULL if there are none. Both are of bounded size; what is
 *			beyond that, or makes no sense, is left out.
 *
 * Return: 0 or -ENOMEM.
 */
int resolvers_text(const char *text, struct resolver_set *set, struct resolver_route **routes, unsigned *nroutes);

/* resolvers_parse() - have the file say @text */
void resolvers_parse(struct resolvers *r, const char *text);

#endif
