// SPDX-License-Identifier: GPL-2.0-or-later
/* tests/bench/udpload.c - datagrams per second
 *
 *	udpload sink PORT				take datagrams, and do what is asked below; until killed
 *	udpload up ADDRESS PORT SECONDS SIZE [N]	send datagrams of SIZE bytes to a sink
 *	udpload down ADDRESS PORT SECONDS SIZE [N]	have the sink send them
 *
 * With N, the sender's kernel is given N datagrams in one piece (UDP_SEGMENT), as a QUIC server does it. Both sides may be given
 * several in one piece (UDP_GRO), which are counted one by one. Prints one JSON object: what was sent, and what arrived between
 * the first and the last arrival. IPv4.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, PIECE = 65536, SIZE_MAX_UDP = 65507, TRIES = 50, BUFFER = 64 << 20 };
enum { DATA, TELL, ASK, TOLD };			/* first byte of a datagram */

struct order {
	uint8_t kind;
	uint8_t padding[3];
	uint32_t seconds, size, segments;
};

struct tally {
	uint8_t kind;
	uint8_t padding[7];
	uint64_t n, bytes, first_ns, last_ns;
};

static uint8_t pieces[BATCH][PIECE];

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned number(const char *text, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n || n > max) {
		fprintf(stderr, "udpload: %s: not a number of 1 to %u\n", text, max);
		exit(2);
	}
	return (unsigned)n;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = BUFFER, one = 1;
	struct timeval limit = { .tv_usec = 100000 };

	if (fd < 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	return fd;
}

/* --- sending -------------------------------------------------------------------------------------------- */

/* blast() - to where the socket is connected. Return: how many datagrams were sent */
static uint64_t blast(int fd, const struct order *o, double *seconds)
{
	int segment = o->segments > 1 ? (int)o->size : 0;
	struct iovec iov = { pieces[0], o->size * o->segments };
	struct mmsghdr msgs[BATCH];
	uint64_t start = now_ns(), end = start + o->seconds * UINT64_C(1000000000), n = 0;

	memset(pieces[0], DATA, sizeof(pieces[0]));
	setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	for (unsigned i = 0; i < BATCH; i++)
		msgs[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	while (now_ns() < end) {
		int sent = sendmmsg(fd, msgs, BATCH, 0);

		n += sent > 0 ? (uint64_t)sent * o->segments : 0;
	}
	*seconds = (double)(now_ns() - start) / 1e9;
	segment = 0;
	setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	return n;
}

/* --- receiving ------------------------------------------------------------------------------------------ */

static uint32_t segment_size(struct msghdr *msg, uint32_t size)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int each;

		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&each, CMSG_DATA(c), sizeof(each));
			return each > 0 ? (uint32_t)each : size;
		}
	}
	return size;
}

static void count(struct tally *t, struct msghdr *msg, uint32_t size)
{
	uint32_t each = segment_size(msg, size);

	t->n += size ? (size + each - 1) / each : 1;
	t->bytes += size;
}

/* take() - count what waits, at most a batch. Return: the first byte of the last datagram; -1 when none came
 * Orders are alone: who gives one has sent nothing else for a while. */
static int take(int fd, struct tally *t, struct sockaddr_in *from)
{
	static char control[BATCH][64];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	int n;

	for (unsigned i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ pieces[i], PIECE };
		msgs[i].msg_hdr = (struct msghdr){ .msg_name = from, .msg_namelen = sizeof(*from), .msg_iov = &iov[i], .msg_iovlen = 1,
						   .msg_control = control[i], .msg_controllen = sizeof(control[i]) };
	}
	n = recvmmsg(fd, msgs, BATCH, MSG_WAITFORONE, NULL);
	if (n <= 0)
		return -1;
	if (n == 1 && pieces[0][0] != DATA)
		return pieces[0][0];
	t->last_ns = now_ns();
	if (!t->first_ns)
		t->first_ns = t->last_ns;
	for (int i = 0; i < n; i++)
		count(t, &msgs[i].msg_hdr, msgs[i].msg_len);
	return DATA;
}

/* serve() - @fd is bound; what answers is a socket of its own, connected, at the same port */
static _Noreturn void serve(int fd)
{
	struct tally t = { .kind = TOLD };
	struct sockaddr_in from;

	for (;;) {
		int kind = take(fd, &t, &from);
		struct order o;
		double seconds;

		memcpy(&o, pieces[0], sizeof(o));
		if (kind == TELL) {
			sendto(fd, &t, sizeof(t), 0, (struct sockaddr *)&from, sizeof(from));
		} else if (kind == ASK && o.segments && (uint64_t)o.size * o.segments <= SIZE_MAX_UDP) {
			if (connect(fd, (struct sockaddr *)&from, sizeof(from)) == 0)
				blast(fd, &o, &seconds);
			from.sin_family = AF_UNSPEC;
			connect(fd, (struct sockaddr *)&from, sizeof(from));
		} else if (kind == TOLD) {
			t = (struct tally){ .kind = TOLD };	/* begin anew */
		}
	}
}

/* --- the client ----------------------------------------------------------------------------------------- */

static void print(double offered, const struct tally *t)
{
	double seconds = (double)(t->last_ns - t->first_ns) / 1e9;

	printf("{\"sent_per_s\": %.0f, \"datagrams_per_s\": %.0f, \"gbit_per_s\": %.3f, \"arrived\": %llu}\n", offered,
	       seconds > 0 ? (double)t->n / seconds : 0, seconds > 0 ? (double)t->bytes * 8 / seconds / 1e9 : 0, (unsigned long long)t->n);
}

static void up(int fd, const struct order *o)
{
	struct tally t = { .kind = TOLD };
	struct order tell = { .kind = TELL };
	uint64_t sent;
	double seconds;

	if (send(fd, &t, sizeof(t), 0) < 0)
		die("send");
	usleep(10000);
	sent = blast(fd, o, &seconds);
	for (unsigned i = 0; i < TRIES; i++) {		/* what is under way comes first */
		usleep(100000);
		if (send(fd, &tell, sizeof(tell), 0) > 0 && recv(fd, &t, sizeof(t), 0) == sizeof(t)) {
			print((double)sent / seconds, &t);
			return;
		}
	}
	die("no answer");
}

static void down(int fd, const struct order *o)
{
	uint64_t end = now_ns() + (o->seconds + 1) * UINT64_C(1000000000);
	struct tally t = { 0 };
	struct sockaddr_in from;

	if (send(fd, o, sizeof(*o), 0) < 0)
		die("send");
	while (now_ns() < end)
		take(fd, &t, &from);
	print((double)t.n / o->seconds, &t);
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	bool sink = argc == 3 && !strcmp(argv[1], "sink"), sends = argc > 1 && !strcmp(argv[1], "up");
	struct order o = { .kind = ASK, .segments = 1 };
	int fd = open_socket();

	if (!sink && ((argc != 6 && argc != 7) || (!sends && strcmp(argv[1], "down")) || inet_pton(AF_INET, argv[2], &at.sin_addr) != 1)) {
		fputs("usage: udpload sink PORT | up|down ADDRESS PORT SECONDS SIZE [N]\n", stderr);
		return 2;
	}
	at.sin_port = htons((uint16_t)number(argv[sink ? 2 : 3], 65535));
	if (sink) {
		if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
			die("bind");
		serve(fd);
	}
	o.seconds = number(argv[4], 600);
	o.size = number(argv[5], SIZE_MAX_UDP);
	o.segments = argc == 7 ? number(argv[6], SIZE_MAX_UDP / o.size) : 1;
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("connect");
	if (sends)
		up(fd, &o);
	else
		down(fd, &o);
	return 0;
}
