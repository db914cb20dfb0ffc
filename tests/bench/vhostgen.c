// SPDX-License-Identifier: GPL-2.0-or-later
/* tests/bench/vhostgen.c - virtio traffic for a switch with vhost-user ports: guests in pairs, all on one core
 *
 *	vhostgen [OPTION]... SOCKET SOCKET [SOCKET SOCKET]...
 *
 * SOCKET is a path where the switch listens, or listen:PATH where it dials. The first guest of a pair sends to the second, or
 * both to each other; all they do is to run their rings, so that the switch is the bottleneck. Frames are one size, their
 * addresses taken in turn. Half a second of warming up (or less), SECONDS of measuring, and what was sent since then is awaited.
 *
 *	--size N        bytes of a frame without its checksum (60)   --macs N        addresses of each guest (1)
 *	--gso           TCP segments of 64 KB instead                --buffer N      bytes of a receive buffer (2048)
 *	--both          both directions                              --no-mergeable  a frame must fit into one buffer
 *	--touch         guests write and read their frames           --verify        and check each byte; for tests, not for rates
 *	--addresses     guests write the addresses of their frames, as they do anyway when those are more than a ring has room for
 *	--ring N        descriptors of a ring (1024)                 --queues N      queue pairs of each guest (1)
 *	--packed, --in-order, --indirect, --event-idx                what the rings are to be like
 *	--latency N     N frames one by one, instead of throughput   --quiet MS      and nothing for so long before each
 *	--idle PRE:N    N guests more, at PRE0.., that do nothing    --hold          nobody does anything for SECONDS
 *	--beside N      the last pair is not measured: its first guest sends N frames a turn   --invent  each from an address of its own
 *	--pace N        so many frames a turn, and never more under way than fill half a ring: then none need be lost
 *	--again         guests whose connection ends plug in again  --leave N       and N times one of them goes and comes back
 *	--seconds N     (2)    --cpu N   where to run (1)            --gap NS        between turns: a guest collects batches (300)
 *	--pid N         the switch: what its threads took            --ordinary-pages  even where there are huge ones
 *	--ideal N       no sockets: a thread on core 0 plays a switch without checks: 1 rings only, 2 copying, 3 switching too
 *	--distance N    no guests: nanoseconds to core N and back
 *
 * SIGINT ends the measuring early. Prints one JSON object; `sent` and `received` are all frames since the guests came, `twice`
 * those that came again, `silence_ms` the longest time in which none came. Cycles per frame are those of the time stamp counter: the busiest thread's time on its core.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "tests/packet/core_distance.h"
#include "tests/packet/guest_life.h"
#include "tests/packet/guest_totals.h"
#include "tests/packet/ideal_switch.h"
#include "tests/packet/thread_time.h"
#include "tests/packet/ticks.h"
#include "tests/packet/virtio_guest.h"

enum { GUESTS_MAX = 16, IDLE_MAX = 4096, LEARN_BURST = 32, LEARN_ROUNDS = 3, WARM_MS = 500, DRAIN_MS = 100, PATIENCE_NS = 100000000 };

static struct {
	struct vguest_conf guest;
	unsigned pace, beside, cpu, gap_ns, latency, quiet_ms, nidle, ideal, far;
	double seconds;
	const char *idle;
	pid_t pid;
	bool both, hold, again, distance, invent;
} opt = {
	.guest = { .frames.size = GUEST_FRAME_MIN, .flows = 1, .pairs = 1, .ring = 1024, .buffer = 2048, .mergeable = true },
	.seconds = 2, .cpu = 1, .gap_ns = 300,
};
static struct vguest guests[GUESTS_MAX], *idle;
static const char *sockets[GUESTS_MAX];	/* of each guest, or NULL: */
static int listeners[GUESTS_MAX];	/* the switch dials here */
static struct guest_life life = { .guests = guests, .sockets = sockets, .listeners = listeners };
static unsigned nguests;
static double ticks_per_ns;
static volatile sig_atomic_t enough;	/* SIGINT: measure no longer */

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "vhostgen: %s: %s\n", what, why);
	exit(1);
}

static void on_interrupt(int signal)
{
	(void)signal;
	enough = 1;
}

/* --- options -------------------------------------------------------------------------------------------- */

static unsigned number(const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < min || n > max) {
		fprintf(stderr, "vhostgen: %s: not a number of %u to %u\n", text, min, max);
		exit(2);
	}
	return (unsigned)n;
}

static double duration(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (*end || end == text || !(s >= 0.1 && s <= 3600)) {
		fprintf(stderr, "vhostgen: %s: not a number of seconds, 0.1 to 3600\n", text);
		exit(2);
	}
	return s;
}

static void idle_guests(char *text)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		die(text, "not PREFIX:N");
	*colon = '\0';
	opt.idle = text;
	opt.nidle = number(colon + 1, 1, IDLE_MAX);
}

static void options(int argc, char **argv)
{
	static int packed, in_order, indirect, event_idx, again, both, touch, verify, gso, hold, separate, ordinary, invent, addresses;
	static const struct option longs[] = {
		{ "packed", 0, &packed, 1 }, { "in-order", 0, &in_order, 1 }, { "indirect", 0, &indirect, 1 }, { "event-idx", 0, &event_idx, 1 },
		{ "both", 0, &both, 1 }, { "touch", 0, &touch, 1 }, { "verify", 0, &verify, 1 }, { "gso", 0, &gso, 1 }, { "hold", 0, &hold, 1 },
		{ "again", 0, &again, 1 }, { "pace", 1, NULL, 'P' }, { "beside", 1, NULL, 'B' }, { "invent", 0, &invent, 1 }, { "leave", 1, NULL, 'L' },
		{ "no-mergeable", 0, &separate, 1 }, { "addresses", 0, &addresses, 1 }, { "ordinary-pages", 0, &ordinary, 1 },
		{ "size", 1, NULL, 's' }, { "macs", 1, NULL, 'm' }, { "buffer", 1, NULL, 'b' }, { "ring", 1, NULL, 'r' }, { "queues", 1, NULL, 'q' },
		{ "latency", 1, NULL, 'l' }, { "quiet", 1, NULL, 'Q' }, { "idle", 1, NULL, 'i' }, { "seconds", 1, NULL, 't' },
		{ "cpu", 1, NULL, 'c' }, { "gap", 1, NULL, 'g' }, { "pid", 1, NULL, 'p' }, { "ideal", 1, NULL, 'I' }, { "distance", 1, NULL, 'd' }, { 0 },
	};
	struct vguest_conf *c = &opt.guest;

	for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) >= 0;) {
		switch (o) {
		case 0: break;
		case 's': c->frames.size = number(optarg, GUEST_FRAME_MIN, 65000); break;
		case 'm': c->flows = number(optarg, 1, GUEST_FLOWS_MAX); break;
		case 'b': c->buffer = number(optarg, 128, 1 << 17); break;
		case 'r': c->ring = (uint16_t)number(optarg, 2, GUEST_RING_MAX); break;
		case 'q': c->pairs = number(optarg, 1, VGUEST_PAIRS_MAX); break;
		case 'l': opt.latency = number(optarg, 1, 10000000); break;
		case 'Q': opt.quiet_ms = number(optarg, 1, 10000); break;
		case 'i': idle_guests(optarg); break;
		case 't': opt.seconds = duration(optarg); break;
		case 'c': opt.cpu = number(optarg, 0, CPU_SETSIZE - 1); break;
		case 'g': opt.gap_ns = number(optarg, 0, 1000000); break;
		case 'p': opt.pid = (pid_t)number(optarg, 1, 1 << 22); break;
		case 'I': opt.ideal = number(optarg, IDEAL_RINGS, IDEAL_SWITCH); break;
		case 'P': opt.pace = number(optarg, 1, GUEST_RING_MAX); break;
		case 'B': opt.beside = number(optarg, 1, GUEST_RING_MAX); break;
		case 'L': life.leaves = number(optarg, 1, 1000); break;
		case 'd': opt.distance = true; opt.far = number(optarg, 0, CPU_SETSIZE - 1); break;
		default: exit(2);
		}
	}
	c->packed = packed, c->in_order = in_order, c->indirect = indirect, c->event_idx = event_idx;
	c->mergeable = !separate, c->ordinary_pages = ordinary, c->addresses = addresses;
	c->look = verify ? VGUEST_VERIFY : touch ? VGUEST_TOUCH : VGUEST_BLIND;
	opt.both = both, opt.hold = hold, opt.invent = invent, opt.again = again || life.leaves, c->frames.gso = gso;
	if (gso)
		c->frames.size = GUEST_FRAME_GSO;
	if (separate && c->buffer < GUEST_HEADER + c->frames.size)
		die("--buffer", "frames do not fit, and are not to be merged");
	if (c->ring & (c->ring - 1))
		die("--ring", "not a power of two");
	nguests = opt.ideal ? 2 : (unsigned)(argc - optind);
	life.n = nguests;
	if (nguests % 2 || nguests > GUESTS_MAX || (!nguests && !opt.nidle && !opt.distance))
		die("sockets", "two for each pair of guests");
	if (opt.beside && nguests < 4)
		die("--beside", "beside whom?");
	if (opt.invent && !opt.beside)
		die("--invent", "whose addresses? give --beside, too");
}

/* --- guests --------------------------------------------------------------------------------------------- */

static void open_guest(struct vguest *g, const struct vguest_conf *conf, unsigned id, const char *path, int listener)
{
	const char *why;
	int rc = vguest_open(g, conf, id, path, listener, &why);

	if (rc < 0) {
		fprintf(stderr, "vhostgen: %s: %s: %s\n", path, why, strerror(-rc));
		exit(1);
	}
}

/* open_all() - listeners first, so that the switch may dial them in any order */
static void open_all(char **paths)
{
	static const char listen_at[] = "listen:";
	struct vguest_conf small = opt.guest;
	struct rlimit files = { .rlim_cur = 8 * IDLE_MAX, .rlim_max = 8 * IDLE_MAX };
	char path[108];

	setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned i = 0; i < nguests; i++) {
		bool listens = !opt.ideal && strncmp(paths[i], listen_at, strlen(listen_at)) == 0;

		sockets[i] = listens || opt.ideal ? NULL : paths[i];
		listeners[i] = listens ? vhost_front_listen(paths[i] + strlen(listen_at)) : -1;
		if (listens && listeners[i] < 0)
			die(paths[i], strerror(-listeners[i]));
	}
	for (unsigned i = 0; i < nguests; i++)
		open_guest(&guests[i], &opt.guest, i, sockets[i], listeners[i]);
	small.ring = 64;
	small.flows = small.pairs = 1;
	small.frames = (struct guest_frames){ .size = GUEST_FRAME_MIN };
	small.ordinary_pages = true;
	idle = calloc(opt.nidle + 1, sizeof(*idle));
	for (unsigned i = 0; i < opt.nidle; i++) {
		snprintf(path, sizeof(path), "%s%u", opt.idle, i);
		open_guest(&idle[i], &small, 0, path, -1);
	}
}

static unsigned receive_all(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nguests; i++)
		for (unsigned q = 0; q < opt.guest.pairs; q++) {
			n += vguest_receive(&guests[i], q);
			n += vguest_send(&guests[i], q, 0);	/* nothing: only takes back what went */
		}
	return n;
}

static void settle(unsigned ms)
{
	uint64_t end = clock_now_ns() + ms * 1000000ull;

	while (clock_now_ns() < end)
		receive_all();
}

/* learn() - every address sends a few frames, slowly enough for a switch that learns on a slow path */
static void learn(void)
{
	unsigned turns = (opt.guest.flows + LEARN_BURST - 1) / LEARN_BURST;

	for (unsigned round = 0; round < LEARN_ROUNDS; round++)
		for (unsigned turn = 0; turn < turns; turn++) {
			for (unsigned i = nguests; i-- > 0;)
				for (unsigned q = 0; q < opt.guest.pairs; q++)
					vguest_send(&guests[i], q, LEARN_BURST);
			receive_all();
			poll(NULL, 0, 1);
		}
	settle(200);
}

/* allowed() - frames that @g may send now */
static inline unsigned allowed(const struct vguest *g, unsigned q)
{
	unsigned half = opt.guest.ring / 2, under_way = opt.guest.ring - guest_ring_room(&g->pairs[q].tx);

	if (opt.beside && g == &guests[nguests - 2])
		return opt.beside;
	if (!opt.pace)
		return opt.guest.ring;
	return under_way >= half ? 0 : MIN_OF(opt.pace, half - under_way);
}

/* step() - one turn of all guests; then rings are left alone for a moment, as a guest that has other work does */
static inline void step(void)
{
	const struct vguest_conf *c = &opt.guest;

	for (unsigned i = 0; i < nguests; i += 2)
		for (unsigned q = 0; q < c->pairs; q++) {
			vguest_send(&guests[i], q, allowed(&guests[i], q));
			vguest_receive(&guests[i + 1], q);
			vguest_send(&guests[i + 1], q, opt.both ? allowed(&guests[i + 1], q) : 0);
			vguest_receive(&guests[i], q);
		}
	if (opt.gap_ns)
		for (uint64_t end = ticks() + (uint64_t)(opt.gap_ns * ticks_per_ns); ticks() < end;) {
#ifdef __x86_64__
			__builtin_ia32_pause();
#endif
		}
}

static void run_for(uint64_t ns)
{
	unsigned turns = opt.again ? 1 : opt.guest.look == VGUEST_VERIFY ? 1 : 64;	/* between two looks at the clock */
	uint64_t end = clock_now_ns() + ns;

	while ((clock_now_ns() < end || life.left < life.leaves) && !enough)
		for (unsigned i = 0; i < turns; i++) {
			step();
			if (opt.again)
				guest_life_look(&life);
		}
}

/* --- measuring ------------------------------------------------------------------------------------------ */

static struct guest_totals totals(void)
{
	return guest_totals(guests, nguests - (opt.beside ? 2 : 0));
}

static void print_setting(const char *what)
{
	const struct vguest_conf *c = &opt.guest;

	printf("{\"what\":\"%s\",\"frame_bytes\":%u,\"macs\":%u,\"ring\":%u,\"queues\":%u,\"pairs\":%u,\"idle\":%u,\"packed\":%s,\"huge_pages\":%s",
	       what, c->frames.size + 4, c->flows, c->ring, c->pairs, nguests / 2, opt.nidle, c->packed ? "true" : "false",
	       guests[0].huge ? "true" : "false");
}

static void print_threads(struct thread_time *before, uint64_t ns, double ticks_gone, uint64_t frames)
{
	struct thread_usage used;

	if (!before)
		return;
	used = thread_time_since(before);
	printf(",\"switch_cpu\":%.5f,\"busiest_thread_cpu\":%.5f", (double)used.all_ns / (double)ns, (double)used.busiest_ns / (double)ns);
	if (frames)
		printf(",\"cycles_per_frame\":%.1f", ticks_gone * (double)used.busiest_ns / (double)ns / (double)frames);
}

static void throughput(void)
{
	struct guest_totals start = totals(), a, b, end;
	struct thread_time *threads;
	double s;

	if (opt.invent)			/* from here on: its peer is known where it is */
		guests[nguests - 2].inventive = true;
	run_for((uint64_t)(MIN_OF(opt.seconds * 1000, (double)WARM_MS) * 1e6));
	threads = opt.pid ? thread_time_now(opt.pid) : NULL;
	a = totals();
	run_for((uint64_t)(opt.seconds * 1e9));
	b = totals();
	s = (double)(b.ns - a.ns) / 1e9;
	print_setting("throughput");
	printf(",\"seconds\":%.3f,\"sent_per_s\":%.0f,\"frames_per_s\":%.0f,\"gbit_per_s\":%.3f,\"kicks_per_s\":%.0f,\"calls_per_s\":%.0f", s,
	       (double)(b.sent - a.sent) / s, (double)(b.received - a.received) / s, (double)(b.bytes - a.bytes) * 8 / s / 1e9,
	       (double)(b.kicks - a.kicks) / s, (double)b.calls / s);
	print_threads(threads, b.ns - a.ns, (double)(b.ticks - a.ticks), b.received - a.received);
	free(threads);
	settle(DRAIN_MS);
	end = totals();
	if (opt.again)
		printf(",\"returned\":%u,\"silence_ms\":%llu", life.returned, (unsigned long long)life.silence_ms);
	printf(",\"lost\":%lld,\"bad\":%llu,\"twice\":%llu,\"foreign\":%llu,\"sent\":%llu,\"received\":%llu}\n",
	       (long long)(end.sent - start.sent) - (long long)(end.received - start.received), (unsigned long long)(end.bad - start.bad),
	       (unsigned long long)(end.twice - start.twice),
	       (unsigned long long)(end.foreign - start.foreign), (unsigned long long)end.sent, (unsigned long long)end.received);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* latency() - from the first guest to the second: given, kicked if need be, seen; one at a time */
static void latency(void)
{
	uint32_t *took = calloc(opt.latency, sizeof(*took));
	unsigned n = 0, lost = 0;

	if (!took)
		die("latency", "no memory");
	for (unsigned i = 0; i < opt.latency; i++) {
		uint64_t before = guests[1].received, t, now;

		if (opt.quiet_ms)
			poll(NULL, 0, (int)opt.quiet_ms);
		t = clock_now_ns();
		vguest_send(&guests[0], 0, 1);
		do {
			for (unsigned q = 0; q < opt.guest.pairs; q++)
				vguest_receive(&guests[1], q);
			now = clock_now_ns();
		} while (guests[1].received == before && now - t < PATIENCE_NS);
		if (guests[1].received == before)
			lost++;
		else
			took[n++] = (uint32_t)(now - t);
		vguest_send(&guests[0], 0, 0);
	}
	if (!n)
		die("latency", "no frame arrived");
	qsort(took, n, sizeof(*took), compare);
	print_setting("latency");
	printf(",\"quiet_ms\":%u,\"frames\":%u,\"p50_ns\":%u,\"p90_ns\":%u,\"p99_ns\":%u,\"p999_ns\":%u,\"max_ns\":%u,\"lost\":%u}\n", opt.quiet_ms, n,
	       took[n / 2], took[(size_t)n * 9 / 10], took[(size_t)n * 99 / 100], took[(size_t)n * 999 / 1000], took[n - 1], lost);
	free(took);
}

static void hold(void)
{
	struct thread_time *threads;
	uint64_t start;

	poll(NULL, 0, WARM_MS);
	threads = opt.pid ? thread_time_now(opt.pid) : NULL;
	start = clock_now_ns();
	poll(NULL, 0, (int)(opt.seconds * 1000));
	print_setting("hold");
	print_threads(threads, clock_now_ns() - start, 0, 0);
	printf("}\n");
	free(threads);
}

int main(int argc, char **argv)
{
	cpu_set_t cpus;

	options(argc, argv);
	CPU_ZERO(&cpus);
	CPU_SET(opt.cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		die("--cpu", strerror(errno));
	if (opt.distance) {
		printf("{\"what\":\"distance\",\"round_trip_ns\":%.0f}\n", core_distance_ns(opt.cpu, opt.far));
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, on_interrupt);
	ticks_per_ns = ticks_measure();
	open_all(argv + optind);
	if (opt.ideal && ideal_switch_start(guests, nguests, opt.ideal, 0) < 0)
		die("--ideal", "no thread");
	if (nguests) {
		poll(NULL, 0, 300);	/* some switches say yes before they mean it */
		learn();
	}
	if (opt.hold)
		hold();
	else if (opt.latency)
		latency();
	else
		throughput();
	for (unsigned i = 0; i < nguests; i++) {
		if (vguest_fault(&guests[i]))
			die("ring", vguest_fault(&guests[i]));
		if (!opt.ideal)
			vguest_close(&guests[i]);
	}
	for (unsigned i = 0; i < opt.nidle; i++)
		vguest_close(&idle[i]);
	return 0;
}
