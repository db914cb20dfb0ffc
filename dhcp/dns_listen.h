/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns_listen.h - DNS at an address of the host, for its own programs: what is known here is answered, and nothing is asked on
 *
 * So no query can come round in a circle, and whoever reaches the address learns what it could learn as a guest. A pair of sockets; over
 * TCP at most DNS_LISTEN_STREAMS conversations at once (dhcp/dns_stream.h). Where this process can have no more descriptors, who connects waits
 * DNS_LISTEN_PAUSE_MS for the next try. One libevent base, its thread.
 */
#ifndef DHCP_DNS_LISTEN_H
#define DHCP_DNS_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_listen;
struct event_base;

enum { DNS_LISTEN_STREAMS = 32, DNS_LISTEN_PAUSE_MS = 200 };

/* dns_listen_fn - as dns_answer(): bytes of the answer; 0: nothing is known, and that is said; negative: the query is dropped */
typedef int dns_listen_fn(void *arg, const uint8_t *query, size_t size, bool stream, uint8_t *reply, size_t room);

/* dns_listen_new() - serve two sockets that do not block, bound to one address
 * @udp, @tcp:	taken, also when it fails; @tcp listens
 *
 * Return: for dns_listen_free(), or NULL with ENOMEM.
 */
struct dns_listen *dns_listen_new(struct event_base *base, int udp, int tcp, dns_listen_fn *answer, void *arg);
void dns_listen_free(struct dns_listen *l);

/* dns_listen_pauses() - how often that was */
uint64_t dns_listen_pauses(const struct dns_listen *l);

#endif
