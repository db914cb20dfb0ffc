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
 *	--turns N       N times, for SECONDS each: the pair beside with one address, and with new ones (--invent); or, with --versus, the one pair alone and
 *	                the other alone, which may be plugged into two switches
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
#include "tests/packet/load_options.h"
#include "tests/packet/thread_time.h"
#include "tests/packet/ticks.h"
#include "tests/packet/turns.h"
#include "tests/packet/virtio_guest.h"

enum { GUESTS_MAX = LOAD_GUESTS_MAX, LEARN_BURST = 32, LEARN_ROUNDS = 3, WARM_MS = 500, DRAIN_MS = 100, PATIENCE_NS = 100000000 };

static struct load_options opt;
static struct vguest guests[GUESTS_MAX], *idle;
static const char *sockets[GUESTS_MAX];	/* of each guest, or NULL: */
static int listeners[GUESTS_MAX];	/* the switch dials here */
static struct guest_life life = { .guests = guests, .sockets = sockets, .listeners = listeners };
static unsigned nguests, playing_from, playing_to;	/* who runs its rings */
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
	struct rlimit files = { .rlim_cur = 8 * LOAD_IDLE_MAX, .rlim_max = 8 * LOAD_IDLE_MAX };
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

	for (unsigned i = playing_from; i < playing_to; i += 2)
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

/* change() - turn of the first (0) or the second (1) */
static void change(unsigned whose)
{
	settle(1);
	if (opt.versus) {
		playing_from = 2 * whose;
		playing_to = playing_from + 2;
	} else {
		guests[nguests - 2].inventive = whose;
	}
}

/* one_turn() - Return: frames per second; of the time that the switch's busiest thread had on its core, where that is known */
static double one_turn(void)
{
	struct thread_time *threads = opt.pid ? thread_time_now(opt.pid) : NULL;
	struct guest_totals a = totals(), b;
	uint64_t ns;

	run_for((uint64_t)(opt.seconds * 1e9));
	b = totals();
	ns = threads ? thread_time_since(threads).busiest_ns : b.ns - a.ns;
	free(threads);
	return ns ? (double)(b.received - a.received) * 1e9 / (double)ns : 0;
}

/* in_turns() - frames per second of the guests that are measured, and how the second thing's compare with the first's */
static void in_turns(void)
{
	struct turns *t = turns_new(opt.turns);
	struct turns_result r;

	if (!t)
		die("turns", "no memory");
	run_for(WARM_MS * 1000000ull);
	for (unsigned i = 0; i < 2 * opt.turns && !enough; i++) {
		change(turns_whose(i));
		turns_note(t, i, one_turn());
	}
	settle(DRAIN_MS);
	r = turns_result(t);
	free(t);
	print_setting("turns");
	printf(",\"turns\":%u,\"seconds\":%.3f,\"first_per_s\":%.0f,\"second_per_s\":%.0f,\"ratio\":%.4f,\"lower_quartile\":%.4f,\"upper_quartile\":%.4f}\n",
	       opt.turns, opt.seconds, r.first, r.second, r.ratio, r.lower, r.upper);
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

	load_options(&opt, argc, argv);
	nguests = life.n = playing_to = opt.nguests;
	life.leaves = opt.leaves;
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
	else if (opt.turns)
		in_turns();
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
