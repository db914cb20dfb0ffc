/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api.h - HTTP/1.1 and JSON on a unix socket, as docs/api.md promises
 *
 * Everything runs on the control thread's event base. Clients are strangers: connections, header, body, nesting, time to
 * send a request and bytes waiting for a slow reader are bounded. The caller's uid and groups come from the socket
 * (SO_PEERCRED, SO_PEERGROUPS); a network belongs to the uid that made it.
 */
#ifndef CTL_API_H
#define CTL_API_H

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/error.h"

struct api;
struct engine;
struct event_base;

struct api_conf {
	struct event_base *base;
	struct engine *engine;	/* for ctl/live.h */
	int fd;			/* listening, non-blocking; taken: api_free() closes it */
	uid_t uid;		/* the daemon's: administrates, as uid 0 does */
	bool has_admin_gid;
	gid_t admin_gid;	/* members administrate too: the group `lanyard` */
};

/* api_new() - serve; Return: an api for api_free(), or NULL with @err (conf->fd is closed then, too) */
struct api *api_new(const struct api_conf *conf, struct error *err);

/* api_free() - close every connection; requests whose change is not done yet get no answer */
void api_free(struct api *api);

/* api_event() - something happened: tell those who listen to /v1/events and those who wait for a port
 * @net, @port:	what it is about, or NULL; who may not see the network is not told
 * @event:	an object, taken; "time", "network" and "port" are added
 */
void api_event(struct api *api, const char *net, const char *port, json_t *event);

/* api_listened() - is there anybody whom api_event() would tell? What happens ten thousand times a second is put into words for them alone. */
bool api_listened(const struct api *api);

#endif
