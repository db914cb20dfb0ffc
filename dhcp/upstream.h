/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/upstream.h - relaying DNS queries to the host's resolvers
 *
 * Each query goes out from a socket of its own, so from a fresh random port, and with a fresh random id (RFC
 * 5452); a reply counts only if it comes from the resolver asked, with that id and the same question. Nothing
 * else of query and reply is touched (RFC 5625). Over UDP first; where the answer was cut and the asker wants the whole, over TCP then.
 *
 * Which resolvers a name is asked of, dhcp/resolvers.h decides. One that is silent for 0.4 s, refuses, fails or is unreachable is passed over
 * for the next one, and the one that answered is asked first for half a minute; when all have been asked, each gets a second once more. A
 * query ends with an answer or with SERVFAIL, after at most four seconds. One libevent base, its thread.
 */
#ifndef DHCP_UPSTREAM_H
#define DHCP_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_name;
struct event_base;
struct upstream;

enum { UPSTREAM_PENDING_MAX = 512, UPSTREAM_OWNER_MAX = 64, UPSTREAM_QUERY_MAX = 4096, UPSTREAM_REPLY_MAX = 65535 };

#define UPSTREAM_OWNER_SELF UINT64_MAX

/* upstream_fn - the answer to one query, with the guest's id, of whatever size it came in
 * @reply:	borrowed for the call; NULL and @size 0 when there is none because of upstream_cancel() or upstream_free()
 *
 * It may call upstream_query() but after upstream_free(), and neither upstream_free() nor upstream_cancel().
 */
typedef void upstream_fn(void *arg, const uint8_t *reply, size_t size);

/* upstream_new() - a relay to the resolvers in the file at @resolv_path ("/etc/resolv.conf"), which is followed
 * as it changes
 *
 * Return: for upstream_free(), or NULL with ENOMEM.
 */
struct upstream *upstream_new(struct event_base *base, const char *resolv_path);

/* upstream_set_open() - have the file opened by this from now on */
void upstream_set_open(struct upstream *u, int (*open)(void *arg, const char *path), void *arg);

/* upstream_set_watched() - another file (borrowed) that changes whenever what the first one says does, wherever it has it from */
void upstream_set_watched(struct upstream *u, const char *path);

/* upstream_free() - queries that wait are dropped: their callbacks are called without an answer */
void upstream_free(struct upstream *u);

/* upstream_set_resolvers() - ask these instead of the file's: "10.0.0.1", "fe80::1%eth0", "127.0.0.1#5353";
 * with none the file's again
 * Return: 0, or -EINVAL with nothing changed.
 */
int upstream_set_resolvers(struct upstream *u, const char *const *addresses, unsigned n);

/* upstream_set_routes() - and for names of some domains others, in any case: lines "route DOMAIN ADDRESS"; "" for none
 * Return: 0, or -ENOMEM with nothing changed.
 */
int upstream_set_routes(struct upstream *u, const char *text);

/* upstream_set_device() - have queries leave by this interface and no other, or with "" by any: from the next one on. While it
 * is not there a query is answered by SERVFAIL at once. Resolvers on loopback are not asked (dhcp/resolvers.h).
 */
void upstream_set_device(struct upstream *u, const char *ifname);

/* upstream_is_mute() - are all resolvers that there are on loopback, where they may not be asked? */
bool upstream_is_mute(struct upstream *u);

/* upstream_host_changed() - the host's addresses or routes did: look at the file, and ask again what is unanswered */
void upstream_host_changed(struct upstream *u);

/* upstream_set_patience() - give each try this long; one second unless set. A query ends after four. */
void upstream_set_patience(struct upstream *u, unsigned ms);

/* upstream_set_share() - how many queries of one owner wait at most: UPSTREAM_OWNER_MAX unless set, and never more than UPSTREAM_PENDING_MAX / 2
 * upstream_set_case_random() - ask in letters of random case, and believe only who repeats them: some twenty bits more that a forger has to
 * guess. A resolver that does not is asked again over TCP. */
void upstream_set_share(struct upstream *u, unsigned n);
void upstream_set_case_random(struct upstream *u, bool on);

/* upstream_query() - relay a query that dns_answer() left to be relayed
 * @owner:	whose share it counts against: a number for the port; UPSTREAM_OWNER_SELF may have half of all
 * @data:	copied
 * @whole:	an answer that its resolver cut is asked for again over TCP
 * @fn:		called exactly once, later or from within this call, if this returns 0
 *
 * Return: 0; -EDQUOT the owner's share is used up; -ENOBUFS too many wait; -EBADMSG no query; -ENOMEM. The
 * query is dropped then.
 */
int upstream_query(struct upstream *u, uint64_t owner, const uint8_t *data, size_t size, bool whole, upstream_fn *fn,
		   void *arg);

/* upstream_cancel() - drop what waits for this owner (its port goes): callbacks are called without an answer */
void upstream_cancel(struct upstream *u, uint64_t owner);

/* upstream_generation() - counts each change of whom queries go to, the resolvers of the host's file among them */
unsigned upstream_generation(struct upstream *u);

/* upstream_domain() - by which domain it is decided who is asked for @name, of any case: so many bytes at its end; 1: by none. All names of that
 * domain down to it are asked of the same. */
size_t upstream_domain(struct upstream *u, const struct dns_name *name);

/* upstream_describe() - who is asked for @name, as text with commas, in the order in which they are now; "" for nobody */
void upstream_describe(struct upstream *u, const struct dns_name *name, char *to, size_t room);

/* upstream_each_domain() - each domain for whose names others are asked, of the host's and of those that were set */
void upstream_each_domain(struct upstream *u, void (*fn)(void *arg, const struct dns_name *domain), void *arg);

/* upstream_pending() - queries that wait */
unsigned upstream_pending(const struct upstream *u);

/* How often what happened. */
struct upstream_stats {
	uint64_t queries;		/* taken */
	uint64_t answers;		/* relayed back */
	uint64_t failures;		/* SERVFAIL made here */
	uint64_t mismatches;		/* replies ignored: wrong id or question */
	uint64_t refused;		/* queries over a limit */
};

const struct upstream_stats *upstream_stats(const struct upstream *u);

#endif
