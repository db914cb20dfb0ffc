// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/array.h"
#include "ctl/api_client.h"
#include "ctl/api_show.h"

struct api_stream {
	TAILQ_ENTRY(api_stream) link;
	struct evhttp_request *req;
	struct api_client *client;
	struct who who;
	unsigned lost;		/* events since the last one sent */
	char net[NAME_MAX_SIZE];	/* the one network it wants to hear of, or "" */
};

struct api_waiter {
	TAILQ_ENTRY(api_waiter) link;
	struct call *call;
	struct event *timer;
	unsigned seconds;
	enum wait_for what;
	char net[NAME_MAX_SIZE], port[NAME_MAX_SIZE];
};

/* too_many() - refuse one more that stays */
static bool too_many(struct call *call)
{
	struct error err;

	if (api_busy_of(call->api, call->who.uid) <= BUSY_OF_UID_MAX)
		return false;
	error_set(&err, -EBUSY, "%d requests of yours wait already", BUSY_OF_UID_MAX);
	call_fail(call, &err);
	return true;
}

static void send_line(struct api_stream *stream, const char *text)
{
	struct evbuffer *chunk = evbuffer_new();

	if (!chunk)
		return;
	evbuffer_add_printf(chunk, "%s\n", text);
	evhttp_send_reply_chunk(stream->req, chunk);
	evbuffer_free(chunk);
}

/* tell_lost() - now that there is room */
static void tell_lost(struct api_stream *stream)
{
	char text[64];

	if (!stream->lost || client_unsent(stream->client) > STREAM_UNSENT_MAX / 2)
		return;
	snprintf(text, sizeof(text), "{\"event\":\"lost\",\"count\":%u}", stream->lost);
	stream->lost = 0;
	send_line(stream, text);
}

static void stream_send(struct api_stream *stream, const char *text)
{
	tell_lost(stream);
	if (stream->lost || client_unsent(stream->client) + strlen(text) > STREAM_UNSENT_MAX)
		stream->lost++;
	else
		send_line(stream, text);
}

static char *event_text(const char *net, const char *port, json_t *event)
{
	json_t *all = json_object();
	char now[32], *text;
	time_t t = time(NULL);
	struct tm tm;

	strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
	json_object_set_new(all, "time", json_string(now));
	if (json_object_get(event, "event"))
		json_object_set(all, "event", json_object_get(event, "event"));
	if (net)
		json_object_set_new(all, "network", json_string(net));
	if (port)
		json_object_set_new(all, "port", json_string(port));
	json_object_update_missing(all, event);
	text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

/* greet() - the first line: from here on nothing is missed that is not told as lost */
static void greet(struct api_stream *stream, struct api *api)
{
	json_t *daemon = live_daemon(api->conf.engine), *event = json_pack("{s:s}", "event", "listening");
	char *text;

	json_object_set(event, "engine_restarts", json_object_get(daemon, "engine_restarts"));
	text = event_text(NULL, NULL, event);
	if (text)
		stream_send(stream, text);
	free(text);
	json_decref(event);
	json_decref(daemon);
}

void stream_begin(struct call *call)
{
	const char *net = call_query(call, "network");
	struct api_stream *stream;
	struct error err;

	if (too_many(call))
		return;
	if (net && strlen(net) >= NAME_MAX_SIZE) {
		error_set(&err, -EINVAL, "%.100s: no name of a network", net);
		call_fail(call, &err);
		return;
	}
	stream = calloc(1, sizeof(*stream));
	if (!stream) {
		call_answer(call, 503, NULL);
		return;
	}
	stream->req = call->req;
	stream->client = call->client;
	stream->who = call->who;
	snprintf(stream->net, sizeof(stream->net), "%s", net ? net : "");
	TAILQ_INSERT_TAIL(&call->api->streams, stream, link);
	evhttp_add_header(evhttp_request_get_output_headers(stream->req), "Content-Type", "application/x-ndjson");
	evhttp_send_reply_start(stream->req, 200, "OK");
	bufferevent_set_timeouts(stream->client->bev, NULL, NULL);	/* days may pass without an event */
	greet(stream, call->api);
	call_leave(call);
}

void streams_forget(struct api *api, struct api_client *client)
{
	struct api_stream *stream, *next;

	for (stream = TAILQ_FIRST(&api->streams); stream; stream = next) {
		next = TAILQ_NEXT(stream, link);
		if (stream->client != client)
			continue;
		TAILQ_REMOVE(&api->streams, stream, link);
		if (!evhttp_request_get_connection(stream->req))
			evhttp_request_free(stream->req);	/* cut loose from its connection: ours to free */
		free(stream);
	}
}

void streams_end(struct api *api)
{
	struct api_stream *stream;

	while ((stream = TAILQ_FIRST(&api->streams))) {
		TAILQ_REMOVE(&api->streams, stream, link);
		free(stream);
	}
}

static void waiter_free(struct api *api, struct api_waiter *waiter)
{
	TAILQ_REMOVE(&api->waiters, waiter, link);
	event_free(waiter->timer);
	free(waiter);
}

void waiters_end(struct api *api)
{
	struct api_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&api->waiters))) {
		waiter->call->req = NULL;	/* goes with its connection */
		call_drop(waiter->call);
		waiter_free(api, waiter);
	}
}

static bool has_address(const json_t *port, bool six, bool leased)
{
	json_t *address;
	size_t i;

	json_array_foreach(json_object_get(port, "addresses"), i, address)
		if ((strchr(json_string_value(json_object_get(address, "ip")), ':') != NULL) == six &&
		    (!leased || !strcmp(json_string_value(json_object_get(address, "source")), "dhcp")))
			return true;
	return false;
}

static const struct {
	const char *word, *lack;
} waits[] = {
	[WAIT_ADDRESS] = { "address", "has no address" },	[WAIT_ADDRESS6] = { "address6", "has no address" },
	[WAIT_LEASE] = { "lease", "has no lease" },		[WAIT_LINK] = { "link", "has no link" },
	[WAIT_DNS] = { "dns", "has no name that resolves" },
};

int wait_parse(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++)
		if (!strcmp(waits[i].word, word))
			return (int)i;
	return -EINVAL;
}

static bool has_what(const json_t *port, enum wait_for what)
{
	switch (what) {
	case WAIT_LINK:
		return !strcmp(json_string_value(json_object_get(port, "state")), "up");
	case WAIT_DNS:
		return json_is_string(json_object_get(port, "dns_name"));
	default:
		return has_address(port, what == WAIT_ADDRESS6, what == WAIT_LEASE);
	}
}

/* look() - does the port have what is waited for, or is it gone? Then answer and end. */
static bool look(struct api *api, struct api_waiter *waiter)
{
	const struct net_conf *net = model_net(live_model(api->conf.engine), waiter->net);
	const struct port_conf *port = net_port(net, waiter->port);
	json_t *shown = port ? show_port(api, net, port) : NULL;
	struct error err;

	if (port && shown && !has_what(shown, waiter->what)) {
		json_decref(shown);
		return false;
	}
	if (port) {
		call_answer(waiter->call, 200, shown);
	} else {
		error_set(&err, -ENOENT, "network %s has no port %s", waiter->net, waiter->port);
		call_fail(waiter->call, &err);
	}
	waiter_free(api, waiter);
	return true;
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct api_waiter *waiter = arg;
	struct api *api = waiter->call->api;
	struct error err;

	(void)fd, (void)what;
	if (look(api, waiter))
		return;
	error_set(&err, -ETIMEDOUT, "port %s/%s %s after %u s", waiter->net, waiter->port, waits[waiter->what].lack,
		  waiter->seconds);
	call_fail(waiter->call, &err);
	waiter_free(api, waiter);
}

void wait_begin(struct call *call, const char *net, const char *port, unsigned seconds, enum wait_for what)
{
	struct api *api = call->api;
	struct api_waiter *waiter;

	if (too_many(call))
		return;
	waiter = calloc(1, sizeof(*waiter));
	if (waiter)
		waiter->timer = evtimer_new(api->conf.base, on_timeout, waiter);
	if (!waiter || !waiter->timer) {
		free(waiter);
		call_answer(call, 503, NULL);
		return;
	}
	waiter->call = call;
	waiter->seconds = seconds;
	waiter->what = what;
	snprintf(waiter->net, sizeof(waiter->net), "%s", net);
	snprintf(waiter->port, sizeof(waiter->port), "%s", port);
	TAILQ_INSERT_TAIL(&api->waiters, waiter, link);
	if (!look(api, waiter))
		event_add(waiter->timer, &(struct timeval){ .tv_sec = seconds });
}

void api_tick(struct api *api)
{
	struct api_waiter *waiter, *next;
	struct api_stream *stream;

	for (waiter = TAILQ_FIRST(&api->waiters); waiter; waiter = next) {
		next = TAILQ_NEXT(waiter, link);
		if (!call_gone(waiter->call))
			continue;
		call_drop(waiter->call);
		waiter_free(api, waiter);
	}
	if (!TAILQ_EMPTY(&api->streams))
		live_tell_counts(api->conf.engine, !api->counting);
	api->counting = !TAILQ_EMPTY(&api->streams);
	TAILQ_FOREACH(stream, &api->streams, link)
		tell_lost(stream);
}

/* hears() - may this listener know of the event? Of a network that is gone, the event itself names the owner. */
static bool hears(const struct api_stream *stream, const struct net_conf *net, const json_t *event, const char *name)
{
	const json_t *owner = json_object_get(event, "owner");

	if (stream->net[0] && (!name || strcmp(stream->net, name)))
		return false;
	if (stream->who.admin || !name)
		return true;
	if (net)
		return may_see(&stream->who, net->owner);
	return json_is_integer(owner) && may_see(&stream->who, (uid_t)json_integer_value(owner));
}

bool api_listened(const struct api *api)
{
	return api && (!TAILQ_EMPTY(&api->streams) || !TAILQ_EMPTY(&api->waiters));
}

void api_event(struct api *api, const char *net, const char *port, json_t *event)
{
	struct api_waiter *waiter, *next_waiter;
	struct api_stream *stream;
	char *text;

	for (waiter = api ? TAILQ_FIRST(&api->waiters) : NULL; waiter; waiter = next_waiter) {
		next_waiter = TAILQ_NEXT(waiter, link);
		if (net && port && !strcmp(waiter->net, net) && !strcmp(waiter->port, port))
			look(api, waiter);
	}
	text = api && !TAILQ_EMPTY(&api->streams) ? event_text(net, port, event) : NULL;
	if (text)
		TAILQ_FOREACH(stream, &api->streams, link)
			if (hears(stream, model_net(live_model(api->conf.engine), net ? net : ""), event, net))
				stream_send(stream, text);
	free(text);
	json_decref(event);
}
