// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest sends with requests, as a kernel's own stack behind a TAP takes it: its counters know of no wrong checksum, and its sockets
 * get every byte. Once the TAP takes requests as they are, once all is completed and cut before. In a namespace of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "switch/packet.h"
#include "tests/packet/matrix_bed.h"
#include "tests/packet/matrix_case.h"
#include "tests/packet/matrix_end_parts.h"
#include "tests/unit/far_end.h"

enum { PATIENCE_MS = 5000, PORT = 9, TCP_ALL = PORT_CSUM | PORT_TSO4 | PORT_TSO6 | PORT_ECN, ALL = TCP_ALL | PORT_USO };

static struct matrix_case cases[MATRIX_CASES];
static unsigned ncases;

/* ---- the kernel's counters ---- */

/* column() - of the line "Proto: 1 2 3", the number that stands where @name stands in the line before it */
static bool column(const char *text, const char *proto, const char *name, uint64_t *value)
{
	const char *names = strstr(text, proto), *numbers = names ? strstr(names + 1, proto) : NULL;
	char word[32];
	int skip, at = 0;

	if (!numbers)
		return false;
	names += strlen(proto);
	numbers += strlen(proto);
	while (sscanf(names += at, " %31s%n", word, &at) == 1) {
		if (sscanf(numbers, "%lu%n", value, &skip) != 1)
			return false;
		numbers += skip;
		if (!strcmp(word, name))
			return true;
	}
	return false;
}

static void read_all(const char *path, char *to, size_t room)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(to, 1, room - 1, f) : 0;

	matrix_must(n > 0);
	to[n] = 0;
	fclose(f);
}

/* counter_of() - of IPv4 from /proc/net/snmp, of IPv6 from /proc/net/snmp6 */
static uint64_t counter_of(const char *proto, const char *name, bool v6)
{
	char text[16384], key[64], *at;
	uint64_t value = 0;

	read_all(v6 ? "/proc/net/snmp6" : "/proc/net/snmp", text, sizeof(text));
	snprintf(key, sizeof(key), v6 ? "\n%s6%s" : "\n%s:", proto, name);
	if (!v6) {
		matrix_must(column(text, key, name, &value));
		return value;
	}
	at = strstr(text, key);
	return at ? strtoul(at + strlen(key), NULL, 10) : 0;	/* Linux counts no wrong sums of TCP over IPv6 apart */
}

struct counts {
	uint64_t in, errors, sums;
};

static struct counts counts_of(uint8_t proto, bool v6)
{
	struct counts c;

	switch (proto) {
	case PROTO_TCP:		/* one counter for both */
		c = (struct counts){ counter_of("Tcp", "InSegs", false), counter_of("Tcp", "InErrs", false), 0 };
		c.sums = counter_of("Tcp", "InCsumErrors", false);
		break;
	case PROTO_UDP:
		c = (struct counts){ counter_of("Udp", "InDatagrams", v6), counter_of("Udp", "InErrors", v6), 0 };
		c.sums = counter_of("Udp", "InCsumErrors", v6);
		break;
	default:
		c = (struct counts){ counter_of("Icmp", "InMsgs", v6), counter_of("Icmp", "InErrors", v6), 0 };
		c.sums = counter_of("Icmp", "InCsumErrors", v6);
	}
	return c;
}

/* ---- one case ---- */

/* proto_of() - what the kernel is to count it as, or 0 for what it does not count */
static uint8_t proto_of(const struct matrix_case *c, bool *v6)
{
	uint16_t type = get_u16(c->in.data + 12);
	uint8_t proto = type == ETHERTYPE_IP4 ? c->in.data[23] : type == ETHERTYPE_IP6 ? c->in.data[20] : 0;

	*v6 = type == ETHERTYPE_IP6;
	if (c->mtu != 1500 || c->from_trunk || c->to_trunk || strstr(c->name, "inside"))
		return 0;
	return proto == PROTO_TCP || proto == PROTO_UDP || proto == PROTO_ICMP || proto == PROTO_ICMP6 ? proto : 0;
}

/* check_datagrams() - the socket gets the payload of each of @c's pieces */
static void check_datagrams(const struct matrix_case *c, int fd, bool v6)
{
	static uint8_t got[MATRIX_ROOM];
	uint32_t headers = ETH_HEADER + (v6 ? 40 : 20) + UDP_HEADER;

	for (unsigned i = 0; i < c->nout; i++) {
		uint32_t len = c->out[i].len - headers;
		ssize_t n = wire_wait(fd) ? recv(fd, got, sizeof(got), MSG_DONTWAIT) : -1;

		if (n != (ssize_t)len || memcmp(got, c->out[i].data + headers, len))
			fail_msg("%s: datagram %u of %u: %zd bytes", c->name, i + 1, c->nout, n);
	}
}

static void check_case(struct matrix_bed *b, const struct matrix_case *c, const int sockets[2])
{
	static struct matrix_seen seen;
	bool v6;
	uint8_t proto = proto_of(c, &v6);
	struct counts before, after;
	uint64_t received = matrix_bed_received(&b->ends[0]), end = clock_now_ms() + PATIENCE_MS;

	if (!proto)
		return;
	before = counts_of(proto, v6);
	assert_true(b->ends[0].send(&b->ends[0], c->in.data, c->in.len, c->asked.flags ? &c->asked : NULL));
	assert_true(matrix_bed_settle(b, &b->ends[0], received, 1));
	if (proto == PROTO_UDP)
		check_datagrams(c, sockets[v6], v6);
	do
		after = counts_of(proto, v6);
	while (after.in == before.in && clock_now_ms() < end);
	if (after.in == before.in || after.errors != before.errors || after.sums != before.sums)
		fail_msg("%s: the kernel counts %lu in, %lu errors, %lu wrong sums", c->name, after.in - before.in,
			 after.errors - before.errors, after.sums - before.sums);
	while (b->ends[0].recv(&b->ends[0], &seen))
		;		/* its resets, echoes and questions of who is there */
}

static int udp_socket(bool v6)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1, size = 1 << 20;

	matrix_must(!v6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	matrix_must(bind(fd, v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in, v6 ? sizeof(in6) : sizeof(in)) == 0);
	return fd;
}

static void with_offloads(uint32_t offloads)
{
	static const struct matrix_vhost all = { .guest = ALL, .host = ALL };
	struct matrix_bed *b = matrix_bed_new();
	struct matrix_end *ends[2] = { &b->ends[0], &b->ends[1] };
	static const bool access[2];
	int sockets[2];

	matrix_vhost(&b->ends[b->n], &all);
	matrix_bed_add(b);
	matrix_tap(&b->ends[b->n], "kt0", offloads);
	matrix_bed_add(b);
	matrix_must(matrix_sh("ip link set kt0 address 02:00:00:00:00:02 && echo 0 >/proc/sys/net/ipv6/conf/kt0/disable_ipv6 &&"
			      "ip addr add 10.9.0.2/24 dev kt0 && ip addr add fd00:9::2/64 dev kt0 nodad"));
	for (unsigned i = 0; i < 2; i++)
		sockets[i] = udp_socket(i);
	matrix_bed_join(b, 1500, ends, access, 2);
	matrix_must(matrix_sh("timeout 9 sh -c 'until ip -6 route show table local dev kt0 | grep -q local.fd00:9::2; do sleep 0.01; done'"));
	for (unsigned i = 0; i < ncases; i++)
		check_case(b, &cases[i], sockets);
	close(sockets[0]);
	close(sockets[1]);
	matrix_bed_free(b);
}

static void test_as_it_is(void **state)
{
	(void)state;
	with_offloads(ALL);
}

static void test_completed_and_cut(void **state)
{
	(void)state;
	with_offloads(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_as_it_is), cmocka_unit_test(test_completed_and_cut) };
	const char *why = wire_namespace();

	if (!why && access("/dev/net/tun", R_OK | W_OK) < 0)
		why = "/dev/net/tun is closed to this user";
	if (why) {
		printf("%s\n", why);
		return WIRE_SKIP;
	}
	ncases = matrix_load("tests/packet/offload_matrix.txt", cases);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
