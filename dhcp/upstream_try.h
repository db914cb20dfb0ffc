/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/upstream_try.h - one query sent to one resolver (of dhcp/upstream.c; its thread)
 *
 * By a datagram from a socket of its own, so from a fresh random port, with a fresh random id. Where the asker wants all of an answer that
 * the resolver cut, or where it did not repeat the letters' case (case_random), the same question goes to it over TCP (RFC 7766). The sockets stay open until try_close(): a late answer is an
 * answer. What does not answer the question is counted and otherwise ignored.
 */
#ifndef DHCP_UPSTREAM_TRY_H
#define DHCP_UPSTREAM_TRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhcp/dns_message.h"
#include "dhcp/resolvers.h"
#include "dhcp/upstream.h"

struct bufferevent;
struct event;
struct event_base;
struct try;

/* try_question - what is asked; outlives the tries */
struct try_question {
	struct event_base *base;
	const uint8_t *data;		/* the guest's query, through dns_query_parse() into @q */
	size_t size;			/* at most UPSTREAM_QUERY_MAX */
	const struct dns_query *q;
	bool whole;			/* a cut answer is asked for again over TCP */
	bool case_random;		/* the name goes out in letters of random case, which an answer by datagram repeats */
	const char *device;		/* what to go out by, or "" */
	uint64_t *mismatches;		/* replies ignored: wrong id or question */

	/* answered() - @reply has the guest's id and its question's case; borrowed. It may close the try. */
	void (*answered)(struct try *t, const uint8_t *reply, size_t size);
	/* failed() - nobody is there, or what came over TCP made no sense; likewise */
	void (*failed)(struct try *t);
};

struct try {
	const struct try_question *question;
	void *arg;			/* the user's */
	struct event *event;
	struct bufferevent *tcp;	/* once the answer was cut */
	struct resolver to;
	int fd;				/* -1 when closed */
	uint16_t id;
	uint8_t flips[DNS_NAME_MAX / 8 + 1];	/* a bit per byte of the name: is this letter's case turned? */
	unsigned resolver;		/* the user's: its place in the list */
};

/* try_send() - ask t->to
 * @t:	arg, resolver and to set by the user
 *
 * Return: 0; or a negative errno, and the try is closed.
 */
int try_send(struct try *t, const struct try_question *question);

/* try_close() - twice does nothing */
void try_close(struct try *t);

#endif
