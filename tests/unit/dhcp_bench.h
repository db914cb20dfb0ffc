/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/dhcp_bench.h - a DHCPv4 server on a fake clock, and guests that talk to it
 *
 * bench_setup() and bench_teardown() are for cmocka: 10.77.0.0/24 with ten addresses from .100 on, a lease of an hour, and nothing set.
 */
#ifndef TESTS_UNIT_DHCP_BENCH_H
#define TESTS_UNIT_DHCP_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dhcp/message_build.h"
#include "dhcp/server.h"

#define NET 0x0a4d0000u			/* 10.77.0.0/24 */

enum { SERVER = NET + 1, FIRST = NET + 100, HOUR = 3600, NOW = 1000000 };

struct bench {
	struct dhcp_server s;
	struct lease_conf leases;
	struct dhcp_reservation reserved[4];
	struct reservations *index;
	int64_t now;
	bool store_broken;
	uint32_t named_as;		/* what the server shall call itself; 0: SERVER */
	struct dhcp_result r;
	struct dhcp_message answer;	/* valid while size */
	size_t size;
	uint8_t reply[1500];
};

/* What a test's guest sends; zero fields are left out. */
struct say {
	enum dhcp_type type;
	const char *port;
	uint8_t mac;			/* last byte */
	uint32_t ciaddr, want, server, giaddr;
	uint16_t flags;
	uint32_t lease_s;
	uint32_t src_ip;
	const char *client_id, *parameters, *relay, *vendor, *user;
	uint16_t arch;			/* plus one; 0: left out */
	bool rapid, auto_config;
	uint16_t max_size;
	uint8_t op, hops, htype, hlen;
};

int bench_setup(void **state);
int bench_teardown(void **state);

/* reserve() - the first @n of b->reserved are reserved from now on */
void reserve(struct bench *b, size_t n);

/* write_say() - the message of it. Return: its size. */
size_t write_say(const struct say *say, uint8_t *data, size_t room);

/* tell() - send, check what holds for every answer, and store what has to be. Return: the outcome. */
enum dhcp_outcome tell(struct bench *b, const struct say say);
#define TELL(b, ...) tell(b, (struct say){ __VA_ARGS__ })

/* lease() - a whole exchange of a guest; its address */
uint32_t lease(struct bench *b, const char *port, uint8_t mac);

/* has() - is the option in the last answer? */
bool has(const struct bench *b, uint8_t code);

/* text_of() - an option of the last answer as text, or "-"; put() - one more option of a set */
const char *text_of(const struct bench *b, uint8_t code);
void put(struct option_set *set, const char *line);

#endif
