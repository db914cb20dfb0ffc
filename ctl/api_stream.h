/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_stream.h - clients that stay: listeners to /v1/events, and a GET of a port with ?wait=
 *
 * A listener that reads too slowly loses events and is told how many. Who waits has a timer, and is looked at again on
 * each event that names its port.
 */
#ifndef CTL_API_STREAM_H
#define CTL_API_STREAM_H

#include "ctl/api_call.h"

enum {
	BUSY_OF_UID_MAX = 128,		/* clients of one uid that listen or wait */
	STREAM_UNSENT_MAX = 256 << 10,	/* bytes kept for a slow listener */
	WAIT_MAX_S = 600,
};

/* stream_begin() - answer with events until the client goes; takes the call */
void stream_begin(struct call *call);

/* wait_begin() - answer when the port has an address (IPv4, or IPv6 where @six), or with timed-out; takes the call */
void wait_begin(struct call *call, const char *net, const char *port, unsigned seconds, bool six);

void streams_forget(struct api *api, struct api_client *client);
void streams_end(struct api *api);
void waiters_end(struct api *api);

#endif
