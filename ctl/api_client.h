/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_client.h - the clients of the API and what each may take: connections, bytes, time
 *
 * evhttp owns a connection's life; we count what comes in, and are told when it ends. A client is reading (a request, or
 * nothing, is coming), busy (its request is being worked on or waits) or answered. Who reads or takes an answer for too long
 * is hung up on; when there are too many, or they hold too many bytes, those who have kept a request incomplete the
 * longest, or hold the most, make room. So whoever sends a whole request at once is served.
 */
#ifndef CTL_API_CLIENT_H
#define CTL_API_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "ctl/api_call.h"

struct bufferevent;

enum {
	CLIENTS_MAX = 1024,
	CLIENTS_OF_UID_MAX = 256,
	BUFFERED_MAX = 4 << 20,		/* bytes of incomplete requests, all clients together */
	AHEAD_MAX = 64 << 10,		/* bytes a client may send before it has its answer */
	READ_S = 30,			/* for a whole request to come */
	IDLE_S = 60,			/* for an answer to be taken, and the next request to come */
};

struct api_client {
	TAILQ_ENTRY(api_client) link;
	struct api *api;
	struct bufferevent *bev;	/* evhttp's */
	struct evbuffer_cb_entry *counter;	/* on its input */
	struct who who;
	bool known;			/* it was greeted: who is filled in, and its end will be told */
	bool busy;
	bool ending;			/* was hung up on */
	uint64_t deadline_ms;		/* monotonic; UINT64_MAX: none */
	size_t buffered;		/* bytes that came since the last whole request */
};

/* clients_init() - let @api's evhttp make its connections through us; 0 or -ENOMEM */
int clients_init(struct api *api);
void clients_fini(struct api *api);

/* client_of() - whose request is this? NULL when the connection is being closed */
struct api_client *client_of(struct api *api, struct evhttp_request *req);

void client_request(struct api_client *client);		/* a whole request came: work begins */
void client_answering(struct api_client *client);	/* its answer is being sent; NULL is fine */
void client_hang_up(struct api_client *client);		/* NULL is fine */

/* client_fd() - the socket, or -1 */
int client_fd(const struct api_client *client);

/* client_unsent() - bytes that wait for the client to read */
size_t client_unsent(const struct api_client *client);

#endif
