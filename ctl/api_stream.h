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

/* stream_begin() - answer with events until the client goes, of ?network= alone if it says so; takes the call */
void stream_begin(struct call *call);

/* wait_for - what a port may be waited for to have: an IPv4 address or an IPv6 one wherever it is from, a lease, its link up, a name
 * that resolves */
enum wait_for { WAIT_ADDRESS, WAIT_ADDRESS6, WAIT_LEASE, WAIT_LINK, WAIT_DNS };

/* wait_parse() - "address", "address6", "lease", "link", "dns"; or -EINVAL
 * wait_begin() - answer when the port has @what, or with timed-out; takes the call */
int wait_parse(const char *word);
void wait_begin(struct call *call, const char *net, const char *port, unsigned seconds, enum wait_for what);

void streams_forget(struct api *api, struct api_client *client);
void streams_end(struct api *api);
void waiters_end(struct api *api);

#endif
