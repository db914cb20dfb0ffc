// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tests/packet/load_options.h"

#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/packet/ideal_switch.h"

enum { TURNS_MAX = 10000 };

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "vhostgen: %s: %s\n", what, why);
	exit(1);
}

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

static void idle_guests(struct load_options *o, char *text)
{
	char *colon = strrchr(text, ':');

	if (!colon)
		die(text, "not PREFIX:N");
	*colon = '\0';
	o->idle = text;
	o->nidle = number(colon + 1, 1, LOAD_IDLE_MAX);
}

void load_options(struct load_options *o, int argc, char **argv)
{
	static int packed, in_order, indirect, event_idx, again, both, touch, verify, gso, hold, separate, ordinary, invent, versus, addresses;
	static const struct option longs[] = {
		{ "packed", 0, &packed, 1 }, { "in-order", 0, &in_order, 1 }, { "indirect", 0, &indirect, 1 }, { "event-idx", 0, &event_idx, 1 },
		{ "both", 0, &both, 1 }, { "touch", 0, &touch, 1 }, { "verify", 0, &verify, 1 }, { "gso", 0, &gso, 1 }, { "hold", 0, &hold, 1 },
		{ "again", 0, &again, 1 }, { "pace", 1, NULL, 'P' }, { "beside", 1, NULL, 'B' }, { "invent", 0, &invent, 1 },
		{ "turns", 1, NULL, 'T' }, { "versus", 0, &versus, 1 }, { "leave", 1, NULL, 'L' },
		{ "no-mergeable", 0, &separate, 1 }, { "addresses", 0, &addresses, 1 }, { "ordinary-pages", 0, &ordinary, 1 },
		{ "size", 1, NULL, 's' }, { "macs", 1, NULL, 'm' }, { "buffer", 1, NULL, 'b' }, { "ring", 1, NULL, 'r' }, { "queues", 1, NULL, 'q' },
		{ "latency", 1, NULL, 'l' }, { "quiet", 1, NULL, 'Q' }, { "idle", 1, NULL, 'i' }, { "seconds", 1, NULL, 't' },
		{ "cpu", 1, NULL, 'c' }, { "gap", 1, NULL, 'g' }, { "pid", 1, NULL, 'p' }, { "ideal", 1, NULL, 'I' }, { "distance", 1, NULL, 'd' }, { 0 },
	};
	struct vguest_conf *c = &o->guest;

	*o = (struct load_options){
		.guest = { .frames.size = GUEST_FRAME_MIN, .flows = 1, .pairs = 1, .ring = 1024, .buffer = 2048, .mergeable = true },
		.seconds = 2, .cpu = 1, .gap_ns = 300,
	};
	for (int opt; (opt = getopt_long(argc, argv, "", longs, NULL)) >= 0;) {
		switch (opt) {
		case 0: break;
		case 's': c->frames.size = number(optarg, GUEST_FRAME_MIN, 65000); break;
		case 'm': c->flows = number(optarg, 1, GUEST_FLOWS_MAX); break;
		case 'b': c->buffer = number(optarg, 128, 1 << 17); break;
		case 'r': c->ring = (uint16_t)number(optarg, 2, GUEST_RING_MAX); break;
		case 'q': c->pairs = number(optarg, 1, VGUEST_PAIRS_MAX); break;
		case 'l': o->latency = number(optarg, 1, 10000000); break;
		case 'Q': o->quiet_ms = number(optarg, 1, 10000); break;
		case 'i': idle_guests(o, optarg); break;
		case 't': o->seconds = duration(optarg); break;
		case 'c': o->cpu = number(optarg, 0, CPU_SETSIZE - 1); break;
		case 'g': o->gap_ns = number(optarg, 0, 1000000); break;
		case 'p': o->pid = (pid_t)number(optarg, 1, 1 << 22); break;
		case 'I': o->ideal = number(optarg, IDEAL_RINGS, IDEAL_SWITCH); break;
		case 'P': o->pace = number(optarg, 1, GUEST_RING_MAX); break;
		case 'B': o->beside = number(optarg, 1, GUEST_RING_MAX); break;
		case 'T': o->turns = number(optarg, 1, TURNS_MAX); break;
		case 'L': o->leaves = number(optarg, 1, 1000); break;
		case 'd': o->distance = true; o->far = number(optarg, 0, CPU_SETSIZE - 1); break;
		default: exit(2);
		}
	}
	c->packed = packed, c->in_order = in_order, c->indirect = indirect, c->event_idx = event_idx;
	c->mergeable = !separate, c->ordinary_pages = ordinary, c->addresses = addresses;
	c->look = verify ? VGUEST_VERIFY : touch ? VGUEST_TOUCH : VGUEST_BLIND;
	o->both = both, o->hold = hold, o->invent = invent, o->versus = versus, o->again = again || o->leaves, c->frames.gso = gso;
	if (gso)
		c->frames.size = GUEST_FRAME_GSO;
	if (separate && c->buffer < GUEST_HEADER + c->frames.size)
		die("--buffer", "frames do not fit, and are not to be merged");
	if (c->ring & (c->ring - 1))
		die("--ring", "not a power of two");
	o->nguests = o->ideal ? 2 : (unsigned)(argc - optind);
	if (o->nguests % 2 || o->nguests > LOAD_GUESTS_MAX || (!o->nguests && !o->nidle && !o->distance))
		die("sockets", "two for each pair of guests");
	if (o->beside && o->nguests < 4)
		die("--beside", "beside whom?");
	if (o->turns && o->versus ? o->nguests != 4 : o->turns && !o->invent)
		die("--turns", "of whom? give --invent, or --versus and two pairs");
	if (o->invent && !o->beside)
		die("--invent", "whose addresses? give --beside, too");
}
