/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns_stream.h - DNS over one TCP connection of a guest (RFC 7766)
 *
 * Messages have their length before them. Several may be asked at once and are answered as answers come, in any order (RFC 7766 6.2.1.1);
 * with DNS_STREAM_WAITING of them unanswered nothing more is read. A connection on which nothing is asked for DNS_STREAM_IDLE_S is closed, as
 * is one that sends what is no query. Answers are as long as they are.
 *
 * The connection is a stream socket; who made it counts how many there are. One libevent base, its thread.
 */
#ifndef DHCP_DNS_STREAM_H
#define DHCP_DNS_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "dhcp/upstream.h"

struct dns_stream;
struct event_base;

enum { DNS_STREAM_WAITING = 32, DNS_STREAM_IDLE_S = 10, DNS_STREAM_MESSAGE_MAX = 65535 };

struct dns_stream_ops {
	/* answer() - as dns_answer(), with room for DNS_STREAM_MESSAGE_MAX bytes */
	int (*answer)(void *arg, const uint8_t *query, size_t size, uint8_t *reply);

	/* relay() - as relay_query(); negative: there is no answer */
	int (*relay)(void *arg, const uint8_t *query, size_t size, upstream_fn *fn, void *fn_arg);

	/* closed() - by the guest or for idleness; @arg is not used again. Not called for dns_stream_close(). */
	void (*closed)(void *arg);
};

/* dns_stream_new() - serve the connection @fd, which is taken
 * @ops:	borrowed; outlives it
 * @arg:	of the functions
 *
 * Return: a connection that ends itself, or by dns_stream_close(); NULL without memory, and @fd is closed.
 */
struct dns_stream *dns_stream_new(struct event_base *base, int fd, const struct dns_stream_ops *ops, void *arg);

/* dns_stream_close() - now; answers that still come are for nobody */
void dns_stream_close(struct dns_stream *s);

#endif
