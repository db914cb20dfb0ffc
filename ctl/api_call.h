/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_call.h - one request of one client, from its arrival to its answer
 *
 * ctl/api.c accepts clients and hands each request to api_route(); a handler answers with call_answer(), call_fail() or
 * call_text(), now or later, and the call is gone then. Whatever waits holds a call and finds call->req NULL when the
 * client or the API went away meanwhile. Control thread. Only ctl/api*.c includes this.
 */
#ifndef CTL_API_CALL_H
#define CTL_API_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>

#include "ctl/api.h"
#include "ctl/live.h"
#include "ctl/model.h"

enum {
	API_BODY_MAX = 1 << 20,
	API_SEGMENTS_MAX = 5,		/* v1 networks NET ports PORT */
	API_SEGMENT_TEXT = 320,		/* a record's id is the longest: a domain name and a type */
	API_GROUPS_MAX = 256,		/* supplementary groups looked at */
};

struct api_capture;
struct evbuffer;
struct api_client;
struct api_stream;
struct api_waiter;

struct api {
	struct api_conf conf;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct event *tick;		/* once a second while there are clients */
	struct event *greet;		/* soon after clients were accepted */
	TAILQ_HEAD(, api_client) clients;	/* oldest first */
	size_t nclients, buffered;	/* bytes of requests not complete yet, of all clients */
	TAILQ_HEAD(, call) calls;
	TAILQ_HEAD(, api_stream) streams;
	bool counting;			/* there were some a second ago, and live_tell_counts() knows where counters stood */
	TAILQ_HEAD(, api_waiter) waiters;
	TAILQ_HEAD(, api_capture) captures;
};

/* who - a client's identity, from the socket */
struct who {
	uid_t uid;
	bool admin;
};

struct call {
	struct api *api;		/* NULL after api_free() */
	struct evhttp_request *req;	/* NULL when nobody waits for the answer any more */
	struct api_client *client;	/* NULL then, too */
	struct who who;
	enum evhttp_cmd_type method;
	char segments[API_SEGMENTS_MAX][API_SEGMENT_TEXT];	/* of the path, decoded, without "v1" */
	unsigned nsegments;
	struct evkeyvalq query;
	TAILQ_ENTRY(call) link;
};

/* api_forget() - the client is gone: nothing of it waits any more; api_tick() - once a second while there are clients */
void api_forget(struct api *api, struct api_client *client);
void api_tick(struct api *api);

/* api_route() - find the handler and run it; takes the call */
void api_route(struct call *call);

/* Answers; each ends the call. @answer is taken; NULL means out of memory. */
void call_answer(struct call *call, int status, json_t *answer);
void call_text(struct call *call, const char *type, const char *text);
void call_bytes(struct call *call, const char *type, struct evbuffer *body);	/* @body is emptied */
void call_fail(struct call *call, const struct error *err);
void call_drop(struct call *call);	/* without an answer */

/* call_body() - the body as a JSON object of bounded depth; new reference, or NULL with @err */
json_t *call_body(struct call *call, struct error *err);

/* call_raw() - the body's bytes, in place; valid as long as the call */
const char *call_raw(struct call *call, size_t *size);

const char *call_query(const struct call *call, const char *key);	/* or NULL */
bool call_flag(const struct call *call, const char *key);		/* ?force=true; false when it is not there */
const char *call_header(const struct call *call, const char *name);	/* or NULL */

/* call_leave() - the call ends without an answer of its own: something else goes on with the request */
void call_leave(struct call *call);

/* call_gone() - has the client hung up while it waits? */
bool call_gone(const struct call *call);

/* api_busy_of() - how many clients of @uid wait for something; bounded by what waits */
unsigned api_busy_of(const struct api *api, uid_t uid);

/* may_see() - is this the owner, or does the caller administrate? */
static inline bool may_see(const struct who *who, uid_t owner)
{
	return who->admin || who->uid == owner;
}

/* json_read() - text as a tree: nesting counted before anything is built (SEC-07), duplicate keys refused */
json_t *json_read(const char *text, size_t size, struct error *err);

#endif
