// SPDX-License-Identifier: GPL-2.0-or-later
/* tests/bench/nb.c - small loads: round trips and new connections per second; streams, where a peer has to be one that iperf3 is not
 *
 *	nb echo PORT				TCP and UDP: send back what comes; until killed
 *	nb sink PORT, nb source PORT		TCP: take what comes; send without end, byte n of a stream being n modulo 251
 *	nb check PORT				TCP: a sink that ends when something else comes
 *	nb rr tcp|udp ADDRESS PORT SECONDS	one byte there and back, one after another
 *	nb connect ADDRESS PORT SECONDS N	(0.05, for one) N at once: connect, a byte there and back, reset
 *	nb bulk up|down ADDRESS PORT SECONDS N	N streams to a sink, from a source; half a second of warming up
 *
 * rr, connect and bulk print one JSON object. IPv4.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 256, BUFFER = 65536, ROUNDS_MAX = 4 << 20, IN_FLIGHT_MAX = 4096,
	STREAM = 128 * 1024, FDS_MAX = 65536, PATTERN = 251, WARM_NS = 500000000,
};

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
		fprintf(stderr, "nb: %s: not a number of 1 to %u\n", text, max);
		exit(2);
	}
	return (unsigned)n;
}

static uint64_t nanoseconds(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*end || !(seconds >= 0.001 && seconds <= 600)) {
		fprintf(stderr, "nb: %s: not 0.001 to 600 seconds\n", text);
		exit(2);
	}
	return (uint64_t)(seconds * 1e9);
}

static struct sockaddr_in address(const char *text, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)number(port, 65535)) };

	if (text && inet_pton(AF_INET, text, &to.sin_addr) != 1) {
		fprintf(stderr, "nb: %s: not an IPv4 address\n", text);
		exit(2);
	}
	return to;
}

static void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void watch(int poll_fd, int op, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (epoll_ctl(poll_fd, op, fd, &event) < 0)
		die("epoll_ctl");
}

/* --- echo ----------------------------------------------------------------------------------------------- */

static int bound(int type, const struct sockaddr_in *at)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 || (type == SOCK_STREAM && listen(fd, 4096) < 0))
		die("listen");
	return fd;
}

static void accept_all(int poll_fd, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		no_delay(fd);
		watch(poll_fd, EPOLL_CTL_ADD, fd, EPOLLIN);
	}
}

static void echo_datagrams(int fd)
{
	char buffer[BUFFER];
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	ssize_t n;

	while ((n = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&peer, &size)) >= 0)
		(void)!sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&peer, size);
}

static void echo_stream(int fd)
{
	char buffer[BUFFER];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		if (send(fd, buffer, (size_t)n, MSG_NOSIGNAL) != n)
			break;
	if (n >= 0 || errno != EAGAIN)
		close(fd);
}

static _Noreturn void echo(const char *port)
{
	struct sockaddr_in at = address(NULL, port);
	int tcp = bound(SOCK_STREAM, &at), udp = bound(SOCK_DGRAM, &at), poll_fd = epoll_create1(0);
	struct epoll_event events[EVENTS];

	watch(poll_fd, EPOLL_CTL_ADD, tcp, EPOLLIN);
	watch(poll_fd, EPOLL_CTL_ADD, udp, EPOLLIN);
	for (;;) {
		int n = epoll_wait(poll_fd, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == tcp)
				accept_all(poll_fd, tcp);
			else if (events[i].data.fd == udp)
				echo_datagrams(udp);
			else
				echo_stream(events[i].data.fd);
		}
	}
}

/* --- streams --------------------------------------------------------------------------------------------- */

/* stream_in(), stream_out(), stream_check() - as much as there is, a buffer at most. Return: bytes; -1 when the stream has ended */
static ssize_t stream_in(int fd)
{
	static char buffer[STREAM];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
}

/* stream - where in the pattern each one is */
static uint8_t at_byte[FDS_MAX];
static char pattern[STREAM + PATTERN];

static ssize_t moved(int fd, ssize_t n)
{
	at_byte[fd] = n > 0 ? (uint8_t)((at_byte[fd] + n) % PATTERN) : n < 0 && errno == EAGAIN ? at_byte[fd] : 0;
	return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
}

static ssize_t stream_out(int fd)
{
	return moved(fd, send(fd, pattern + at_byte[fd], STREAM, MSG_NOSIGNAL));
}

static ssize_t stream_check(int fd)
{
	static char buffer[STREAM];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	if (n > 0 && memcmp(buffer, pattern + at_byte[fd], (size_t)n) != 0) {
		fputs("nb: a stream is not what it should be\n", stderr);
		exit(1);
	}
	return moved(fd, n);
}

static int streams(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i % PATTERN);
	return epoll_create1(0);
}

static _Noreturn void serve(const char *port, ssize_t (*stream)(int fd))
{
	struct sockaddr_in at = address(NULL, port);
	int listener = bound(SOCK_STREAM, &at), poll_fd = streams(), fd;
	struct epoll_event events[EVENTS];

	watch(poll_fd, EPOLL_CTL_ADD, listener, EPOLLIN);
	for (;;) {
		int n = epoll_wait(poll_fd, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener) {
				while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
					watch(poll_fd, EPOLL_CTL_ADD, fd, stream == stream_out ? EPOLLOUT : EPOLLIN);
			} else if (stream(events[i].data.fd) < 0) {
				close(events[i].data.fd);
			}
		}
	}
}

/* stream_for() - Return: bytes that went through within about @ns; @took says how long it was */
static uint64_t stream_for(int poll_fd, bool up, uint64_t ns, uint64_t *took)
{
	struct epoll_event events[EVENTS];
	uint64_t start = now_ns(), bytes = 0;

	while ((*took = now_ns() - start) < ns) {
		int n = epoll_wait(poll_fd, events, EVENTS, 100);

		for (int i = 0; i < n; i++) {
			ssize_t part = (up ? stream_out : stream_in)(events[i].data.fd);

			if (part < 0) {
				fputs("nb: a stream has ended\n", stderr);
				exit(1);
			}
			bytes += (uint64_t)part;
		}
	}
	return bytes;
}

static void bulk(bool up, const struct sockaddr_in *to, unsigned seconds, unsigned n)
{
	int poll_fd = streams();
	uint64_t took, bytes;

	for (unsigned i = 0; i < n; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
			die("connect");
		watch(poll_fd, EPOLL_CTL_ADD, fd, up ? EPOLLOUT : EPOLLIN);
	}
	stream_for(poll_fd, up, WARM_NS, &took);
	bytes = stream_for(poll_fd, up, seconds * UINT64_C(1000000000), &took);
	printf("{\"streams\": %u, \"bytes\": %llu, \"gbit_per_s\": %.3f}\n", n, (unsigned long long)bytes, (double)bytes * 8 / (double)took);
}

/* --- round trips ---------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void rr(const char *proto, const struct sockaddr_in *to, unsigned seconds)
{
	int fd = socket(AF_INET, strcmp(proto, "udp") ? SOCK_STREAM : SOCK_DGRAM, 0);
	struct timeval limit = { .tv_sec = 1 };
	uint32_t *took = malloc(ROUNDS_MAX * sizeof(*took));
	uint64_t start, end, sent;
	unsigned n = 0, lost = 0;
	char byte = 'x';

	if (fd < 0 || !took || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		die("connect");
	no_delay(fd);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	start = now_ns();
	end = start + seconds * UINT64_C(1000000000);
	while ((sent = now_ns()) < end && n < ROUNDS_MAX && lost < 5) {
		if (send(fd, &byte, 1, 0) == 1 && recv(fd, &byte, 1, 0) == 1)
			took[n++] = (uint32_t)(now_ns() - sent);
		else
			lost++;
	}
	if (!n)
		die("nothing came back");
	qsort(took, n, sizeof(*took), by_size);
	printf("{\"per_second\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"lost\": %u}\n",
	       n / ((double)(now_ns() - start) / 1e9), took[n / 2] / 1e3, took[(uint64_t)n * 99 / 100] / 1e3, lost);
	free(took);
	close(fd);
}

/* --- new connections ------------------------------------------------------------------------------------ */

struct tally {
	unsigned done, failed;
};

static void begin(int poll_fd, const struct sockaddr_in *to, struct tally *tally)
{
	struct linger reset = { .l_onoff = 1 };		/* no TIME_WAIT, or ports run out within a second */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		die("socket");
	no_delay(fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 && errno != EINPROGRESS) {
		tally->failed++;
		close(fd);
		return;
	}
	watch(poll_fd, EPOLL_CTL_ADD, fd, EPOLLOUT);
}

/* go_on() - connected: send; answered: done. Return: true when the connection has ended */
static bool go_on(int poll_fd, const struct epoll_event *event, struct tally *tally)
{
	int fd = event->data.fd;
	char byte = 'x';

	if (event->events & EPOLLOUT && send(fd, &byte, 1, MSG_NOSIGNAL) == 1) {
		watch(poll_fd, EPOLL_CTL_MOD, fd, EPOLLIN);
		return false;
	}
	if (!(event->events & EPOLLOUT) && recv(fd, &byte, 1, 0) == 1)
		tally->done++;
	else
		tally->failed++;
	close(fd);
	return true;
}

static void connections(const struct sockaddr_in *to, uint64_t nanoseconds, unsigned in_flight)
{
	int poll_fd = epoll_create1(0);
	struct epoll_event events[EVENTS];
	struct tally tally = { 0 };
	uint64_t start = now_ns(), end = start + nanoseconds;

	for (unsigned i = 0; i < in_flight; i++)
		begin(poll_fd, to, &tally);
	while (now_ns() < end) {
		int n = epoll_wait(poll_fd, events, EVENTS, 100);

		for (int i = 0; i < n; i++)
			if (go_on(poll_fd, &events[i], &tally))
				begin(poll_fd, to, &tally);
	}
	printf("{\"per_second\": %.0f, \"failed\": %u}\n", tally.done / ((double)(now_ns() - start) / 1e9), tally.failed);
	close(poll_fd);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "echo")) {
		echo(argv[2]);
	} else if (argc == 6 && !strcmp(argv[1], "rr")) {
		struct sockaddr_in to = address(argv[3], argv[4]);

		rr(argv[2], &to, number(argv[5], 600));
	} else if (argc == 6 && !strcmp(argv[1], "connect")) {
		struct sockaddr_in to = address(argv[2], argv[3]);

		connections(&to, nanoseconds(argv[4]), number(argv[5], IN_FLIGHT_MAX));
	} else if (argc == 3 && !strcmp(argv[1], "sink")) {
		serve(argv[2], stream_in);
	} else if (argc == 3 && !strcmp(argv[1], "source")) {
		serve(argv[2], stream_out);
	} else if (argc == 3 && !strcmp(argv[1], "check")) {
		serve(argv[2], stream_check);
	} else if (argc == 7 && !strcmp(argv[1], "bulk")) {
		struct sockaddr_in to = address(argv[3], argv[4]);

		bulk(!strcmp(argv[2], "up"), &to, number(argv[5], 600), number(argv[6], IN_FLIGHT_MAX));
	} else {
		fputs("usage: nb echo|sink|source|check PORT | rr tcp|udp ADDRESS PORT SECONDS | connect ADDRESS PORT SECONDS N |\n"
		      "       bulk up|down ADDRESS PORT SECONDS N\n", stderr);
		return 2;
	}
	return 0;
}
