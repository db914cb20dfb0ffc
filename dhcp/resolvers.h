/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/resolvers.h - the host's DNS resolvers: as resolv.conf(5) lists them, or as they were given
 *
 * The file is read again when it has changed, which is looked up at most once a second and only when asked for: so it is followed
 * through renames and symbolic links, whoever puts another in its place, and a host that asks nothing wakes nobody.
 * No lock: one thread.
 */
#ifndef DHCP_RESOLVERS_H
#define DHCP_RESOLVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { RESOLVERS_MAX = 8 };

struct resolver {
	struct sockaddr_storage addr;
	socklen_t size;
};

/* resolvers_open_fn - open @path to be read, for a process that may not do it itself. Return: descriptor or negative errno */
typedef int resolvers_open_fn(void *arg, const char *path);

struct resolvers {
	char path[4096];
	resolvers_open_fn *open;		/* NULL: open(2) */
	void *open_arg;
	bool given;				/* the list was given: the file is not looked at */
	struct stat seen;			/* of the file when it was read */
	bool read;
	bool read_fresh;			/* it had just been written then: look again even if it seems the same */
	uint64_t checked_ms;
	unsigned generation;			/* counts each change of the list */
	unsigned n;
	struct resolver list[RESOLVERS_MAX];
};

/* resolvers_init() - follow the file at @path */
void resolvers_init(struct resolvers *r, const char *path);

/* resolvers_set() - use these instead, or with none the file again: "ADDRESS" or "ADDRESS#PORT" each; IPv6 may
 * have a %scope
 *
 * Return: 0, or -EINVAL with nothing changed.
 */
int resolvers_set(struct resolvers *r, const char *const *texts, unsigned n);

/* resolvers_update() - look whether the file has changed. An unreadable file lists none.
 * resolvers_hurry() - next time look at once */
void resolvers_update(struct resolvers *r, uint64_t now_ms);
static inline void resolvers_hurry(struct resolvers *r)
{
	r->checked_ms = 0;
}

/* resolver_may() - may it be asked, when everything is to go out by @device ("": by any)?
 * resolver_open() - a socket that hears only this resolver, from a random port that the kernel picks
 * @type:	SOCK_DGRAM, or SOCK_STREAM, which may still be connecting
 * @device:	the interface that it is to go out by, or "". A resolver on this host's loopback is not asked then (-ENETUNREACH):
 *		it would ask on by other ways.
 *
 * Return: a descriptor that does not block, or a negative errno.
 */
bool resolver_may(const struct resolver *r, const char *device);
int resolver_open(const struct resolver *r, const char *device, int type);

/* resolver_parse() - one address as above, port 53 if none is said. Return: 0 or -EINVAL. */
int resolver_parse(struct resolver *r, const char *text);

/* resolvers_parse() - take the `nameserver` lines of @text, the first RESOLVERS_MAX; 0.0.0.0, :: and what is no
 * address are left out
 */
void resolvers_parse(struct resolvers *r, const char *text);

#endif
