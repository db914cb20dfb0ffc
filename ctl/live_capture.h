/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_capture.h - captures that run: frames of a port or of a network on their way to a client, as a capture file
 *
 * A capture sees ports by name: one that is plugged in later, or again, is seen, too. It ends when its network or its port is removed, or
 * gets another owner. Control thread.
 */
#ifndef CTL_LIVE_CAPTURE_H
#define CTL_LIVE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/text.h"

struct engine;
struct filter;
struct live_capture;
struct snapshot;

enum {
	CAPTURES_MAX = 32,		/* each has up to 4 MiB of rings, which are memory only as far as they were filled */
	CAPTURES_OF_UID_MAX = 16,
};

#define GATEWAY_PORT "@gateway"		/* the gateway and the services, as a port to look at */

struct capture_conf {
	char net[NAME_MAX_SIZE], port[NAME_MAX_SIZE];	/* no port: all of them */
	unsigned ways;			/* enum capture_way; 0: of a port both, of a network in, so that each frame is there once */
	const char *filter;		/* borrowed; NULL or empty: every frame */
	uint32_t snaplen;		/* 0: whole frames */
	uint64_t count;			/* frames, then it ends; 0: no end */
	uid_t uid;			/* who asks */
	bool admin;			/* not limited to CAPTURES_OF_UID_MAX */
};

/* capture_sink - who gets the file
 * room(): bytes that would be taken now; write(): take them; end(): no more comes, and the capture is gone when this returns
 */
struct capture_sink {
	size_t (*room)(void *arg);
	void (*write)(void *arg, const void *data, size_t size);
	void (*end)(void *arg);
	void *arg;
};

/* live_capture_new() - begin; the file's first blocks come in the loop's next turn. Return: NULL with @err */
struct live_capture *live_capture_new(struct engine *e, const struct capture_conf *conf, const struct capture_sink *sink, struct error *err);

/* live_capture_filter() - what conf->filter asks for, names of its network's guests replaced; as capture_filter() */
int live_capture_filter(struct engine *e, const struct capture_conf *conf, struct filter **out, struct error *err);

/* live_capture_free() - nobody wants it any more; end() is not called */
void live_capture_free(struct live_capture *c);

/* live_observers_fill() - who looks at which port, for a snapshot that is being made; Return: was there memory? */
bool live_observers_fill(struct engine *e, struct snapshot *s);

/* live_captures_settle() - the snapshot is published: let go of what is not in it, and look whether all have still something to look at */
void live_captures_settle(struct engine *e);

#endif
