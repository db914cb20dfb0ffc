// SPDX-License-Identifier: GPL-2.0-or-later
/* tests/bench/vhosttcp.c - TCP from a virtual machine that is only its network device, to a server that nb plays
 *
 *	vhosttcp [OPTION]... SOCKET up|down|connect ADDRESS PORT
 *
 * SOCKET is a path where the switch listens, ADDRESS and PORT those of `nb sink` (or check), `nb source` or `nb echo`. The guest
 * acknowledges every second frame and does nothing with what comes: what is measured is the way to it. With nothing to do it
 * sleeps until it is called, as a guest does whose processors are needed elsewhere.
 *
 *	--ip A          the guest's address        --gateway A     the network's
 *	--flows N       connections (1)            --queues N      queue pairs of the guest (1)
 *	--seconds N     of measuring (2)           --warm-ms N     before that (500)
 *	--ring N        descriptors (1024)         --buffer N      bytes of a receive buffer (4096)
 *	--window N      bytes that each flow lets come; by default half of what the buffers of its ring hold, 4 MB at most
 *	--mtu N         of the guest (1500)        --cpu N         where to run; by default anywhere
 *	--spin N        microseconds to look again before sleeping (0)
 *	--packed, --in-order, --indirect, --event-idx, --no-mergeable    what the rings are to be like
 *	--verify        send what `nb check` checks, and check what `nb source` sends: 4 GB of each stream; for tests, not for rates
 *
 * Prints one JSON object. `strayed` are segments that came on another queue than that of their flow.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "tests/packet/ring_tcp.h"

enum { NS_PER_MS = 1000000, PATIENCE_MS = 5000, TICK_MS = 20, WINDOW_MAX = 4 << 20, HEADERS = 40 };

static struct {
	struct vguest_conf guest;
	struct ring_tcp_conf tcp;
	struct addr ip, gateway;
	double seconds;
	unsigned warm_ms, spin_us;
	int cpu;
} opt = {
	.guest = { .pairs = 1, .ring = 1024, .buffer = 4096, .mergeable = true },
	.tcp = { .flows = 1, .mss = 1500 - HEADERS }, .seconds = 2, .warm_ms = 500, .cpu = -1,
};
static struct ring_tcp peer;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "vhosttcp: %s: %s\n", what, why);
	exit(1);
}

/* ---- options ---- */

static unsigned number(const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < min || n > max) {
		fprintf(stderr, "vhosttcp: %s: not a number of %u to %u\n", text, min, max);
		exit(2);
	}
	return (unsigned)n;
}

static double duration(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (*end || end == text || !(s >= 0.1 && s <= 3600))
		die(text, "not a number of seconds, 0.1 to 3600");
	return s;
}

static struct addr address(const char *text)
{
	struct in_addr a;

	if (inet_pton(AF_INET, text, &a) != 1)
		die(text, "not an IPv4 address");
	return addr4(ntohl(a.s_addr));
}

static enum ring_load load(const char *name)
{
	static const char *const names[] = { [RING_UP] = "up", [RING_DOWN] = "down", [RING_CONNECT] = "connect" };

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return (enum ring_load)i;
	die(name, "not up, down or connect");
}

/* window() - what the flows of one ring let come is at most half of what its buffers hold */
static uint32_t window(void)
{
	unsigned each = (opt.tcp.flows + opt.guest.pairs - 1) / opt.guest.pairs;
	uint64_t room = (uint64_t)opt.guest.ring * opt.guest.buffer / 2 / each;

	return (uint32_t)MIN_OF(room, (uint64_t)WINDOW_MAX);
}

static void options(int argc, char **argv)
{
	static int packed, in_order, indirect, event_idx, separate, verify;
	static const struct option longs[] = {
		{ "packed", 0, &packed, 1 }, { "in-order", 0, &in_order, 1 }, { "indirect", 0, &indirect, 1 }, { "event-idx", 0, &event_idx, 1 },
		{ "no-mergeable", 0, &separate, 1 }, { "verify", 0, &verify, 1 },
		{ "ip", 1, NULL, 'i' }, { "gateway", 1, NULL, 'g' }, { "flows", 1, NULL, 'f' }, { "queues", 1, NULL, 'q' },
		{ "seconds", 1, NULL, 't' }, { "warm-ms", 1, NULL, 'W' }, { "ring", 1, NULL, 'r' }, { "buffer", 1, NULL, 'b' },
		{ "window", 1, NULL, 'w' }, { "mtu", 1, NULL, 'm' }, { "cpu", 1, NULL, 'c' }, { "spin", 1, NULL, 's' }, { 0 },
	};

	for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) >= 0;) {
		switch (o) {
		case 0: break;
		case 'i': opt.ip = address(optarg); break;
		case 'g': opt.gateway = address(optarg); break;
		case 'f': opt.tcp.flows = number(optarg, 1, RING_FLOWS_MAX); break;
		case 'q': opt.guest.pairs = number(optarg, 1, VGUEST_PAIRS_MAX); break;
		case 't': opt.seconds = duration(optarg); break;
		case 'W': opt.warm_ms = number(optarg, 0, 60000); break;
		case 'r': opt.guest.ring = (uint16_t)number(optarg, 2, GUEST_RING_MAX); break;
		case 'b': opt.guest.buffer = number(optarg, 256, 1 << 17); break;
		case 'w': opt.tcp.window = number(optarg, 1 << 14, 1 << 28); break;
		case 'm': opt.tcp.mss = (uint16_t)(number(optarg, 576, 65535) - HEADERS); break;
		case 'c': opt.cpu = (int)number(optarg, 0, CPU_SETSIZE - 1); break;
		case 's': opt.spin_us = number(optarg, 0, 1000000); break;
		default: exit(2);
		}
	}
	opt.guest.packed = packed, opt.guest.in_order = in_order, opt.guest.indirect = indirect, opt.guest.event_idx = event_idx;
	opt.guest.mergeable = !separate, opt.tcp.verify = verify;
	opt.guest.look = verify ? VGUEST_VERIFY : VGUEST_BLIND;
	if (argc - optind != 4 || !addr_is4(opt.ip) || !addr_is4(opt.gateway))
		die("usage", "vhosttcp --ip A --gateway A [OPTION]... SOCKET up|down|connect ADDRESS PORT");
	opt.tcp.load = load(argv[optind + 1]);
	opt.tcp.remote = address(argv[optind + 2]);
	opt.tcp.port = (uint16_t)number(argv[optind + 3], 1, 65535);
	if (!opt.tcp.window)
		opt.tcp.window = window();
}

/* ---- measuring ---- */

/* run_until() - turns, and sleep between them, until @end_ns or @enough() */
static void run_until(uint64_t end_ns, bool (*enough)(void))
{
	uint64_t now = clock_now_ns(), busy = now;

	while (now < end_ns && !(enough && enough())) {
		if (ring_tcp_turn(&peer, now))
			busy = now;
		else if (now - busy >= opt.spin_us * 1000ull)
			ring_link_wait(&peer.link, TICK_MS);
		now = clock_now_ns();
	}
}

static bool all_connected(void)
{
	return opt.tcp.load == RING_CONNECT ? peer.link.resolved : ring_tcp_connected(&peer) == opt.tcp.flows;
}

static const char *fault(void)
{
	return vguest_unplugged(&peer.link.guest) ? "the switch has gone" : vguest_fault(&peer.link.guest);
}

static void measure(void)
{
	struct ring_tcp a, b;
	double s;

	run_until(clock_now_ns() + PATIENCE_MS * (uint64_t)NS_PER_MS, all_connected);
	if (!all_connected())
		die("connections", peer.link.resolved ? "not all are there" : "the gateway does not answer");
	run_until(clock_now_ns() + opt.warm_ms * (uint64_t)NS_PER_MS, NULL);
	a = peer;
	run_until(clock_now_ns() + (uint64_t)(opt.seconds * 1e9), NULL);
	b = peer;
	s = (double)(b.now_ns - a.now_ns) / 1e9;
	if (fault())
		die("guest", fault());
	printf("{\"flows\":%u,\"queues\":%u,\"seconds\":%.3f,\"bytes\":%llu,\"gbit_per_s\":%.3f,\"connections_per_s\":%.0f,\"frames_received\":%llu,"
	       "\"resent\":%llu,\"reset\":%llu,\"strayed\":%llu,\"bad\":%llu}\n", opt.tcp.flows, opt.guest.pairs, s,
	       (unsigned long long)(b.bytes - a.bytes), (double)(b.bytes - a.bytes) * 8 / s / 1e9, (double)(b.connections - a.connections) / s,
	       (unsigned long long)(b.link.frames - a.link.frames), (unsigned long long)b.resent, (unsigned long long)b.reset,
	       (unsigned long long)b.strayed, (unsigned long long)b.bad);
}

int main(int argc, char **argv)
{
	const char *why = NULL;
	int rc;

	options(argc, argv);
	if (opt.cpu >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((unsigned)opt.cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set) < 0)
			die("--cpu", "no such processor for us");
	}
	rc = ring_tcp_open(&peer, &opt.tcp, &opt.guest, argv[optind], opt.ip, opt.gateway, &why);
	if (rc < 0) {
		fprintf(stderr, "vhosttcp: %s: %s: %s\n", argv[optind], why, strerror(-rc));
		return 1;
	}
	measure();
	ring_tcp_close(&peer);
	return 0;
}
