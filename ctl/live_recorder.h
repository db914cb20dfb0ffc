/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_recorder.h - the flight recorders of ports (switch/recorder.h): made, shown after the fault, kept for a while after their port
 *
 * A port's recorder goes with its name: a device that is plugged in again goes on with it, and that of a port which was removed can be
 * asked for another minute. An engine that is started again begins with empty ones, and shows for a day what its predecessor had kept
 * when it ended (ctl/recorder_file.h); where that had nothing, what the one before it had. Control thread.
 */
#ifndef CTL_LIVE_RECORDER_H
#define CTL_LIVE_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ctl/recorder_file.h"

struct capture_conf;
struct capture_sink;
struct engine;
struct error;
struct live_port;
struct snapshot;

enum {
	RECORDS_SHOWN_MAX = 65536,	/* frames in one answer */
	RECORDER_KEPT_MS = 60000,	/* of a port that was removed */
	RECORDERS_KEPT_MAX = 256,	/* of such ports, all together */
	RECORDERS_PAST_MS = 86400000,	/* of an engine that ended */
};

/* kept_recorder - of a port that was removed, or (until 0) one that may still be in the old snapshot */
struct kept_recorder {
	LIST_ENTRY(kept_recorder) link;
	struct recorder *recorder;
	struct recorder_owner of;
	uint64_t until_ms;
	bool past;			/* another engine's: nobody writes to it, and nothing in it is certain */
};

/* live_recorders_start() - find what the predecessor has left, and have the keeper hold what is kept from now on; before any port is there
 * live_recorders_hold() - is what the keeper has under this name theirs?
 */
void live_recorders_start(struct engine *e);
bool live_recorders_hold(const char *name);

/* live_recorders_fill() - those of all ports in @s, as configured; without memory a port goes on without one
 * live_recorders_settle() - @s is published: what is in no snapshot any more goes
 */
void live_recorders_fill(struct engine *e, struct snapshot *s);
void live_recorders_settle(struct engine *e);

/* live_recorder_keep() - the port leaves: keep what it has for a while; live_recorders_sweep() - a while is over; now and then */
void live_recorder_keep(struct live_port *p);
void live_recorders_sweep(struct engine *e);

/* live_past() - of ctl/live_past.c: what was kept of the frames that @conf asks about, in order, as one capture file, the last @conf->count where that is not 0
 * Waits for a turn of the workers. Return: 0, -EFBIG or -ENOMEM, or what capture_filter() says, with @err
 */
int live_past(struct engine *e, const struct capture_conf *conf, const struct capture_sink *sink, struct error *err);

#endif
