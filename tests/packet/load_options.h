/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/load_options.h - the command line of tests/bench/vhostgen.c, which says what each option is */
#ifndef TESTS_PACKET_LOAD_OPTIONS_H
#define TESTS_PACKET_LOAD_OPTIONS_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/packet/virtio_guest.h"

enum { LOAD_GUESTS_MAX = 16, LOAD_IDLE_MAX = 4096 };

struct load_options {
	struct vguest_conf guest;
	unsigned nguests, pace, beside, turns, cpu, gap_ns, latency, quiet_ms, nidle, ideal, far, leaves;
	double seconds;
	const char *idle;		/* prefix of the idle guests' sockets */
	pid_t pid;
	bool both, hold, again, distance, invent, versus;
};

/* load_options() - what was asked for, into *@o; the sockets begin at argv[optind]. What makes no sense is said, and the program ends. */
void load_options(struct load_options *o, int argc, char **argv);

#endif
