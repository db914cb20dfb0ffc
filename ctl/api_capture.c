// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "base/array.h"
#include "ctl/api_client.h"
#include "ctl/api_judge.h"
#include "ctl/live_capture.h"
#include "ctl/live_recorder.h"
#include "switch/capture.h"

struct api_capture {
	TAILQ_ENTRY(api_capture) link;
	struct api *api;
	struct evhttp_request *req;
	struct api_client *client;
	struct live_capture *live;	/* NULL: it has not begun, or is over */
	struct evbuffer *before;	/* what comes before the answer has begun */
};

static const struct {
	const char *name;
	unsigned ways;
} directions[] = { { "in", CAPTURE_IN }, { "out", CAPTURE_OUT }, { "both", CAPTURE_IN | CAPTURE_OUT } };

/* ---- what is asked for ---- */

static int read_number(const struct call *call, const char *key, unsigned long max, unsigned long *value, struct error *err)
{
	const char *text = call_query(call, key);

	*value = 0;
	if (!text || number_parse(text, 1, max, value) == 0)
		return 0;
	return error_set(err, -EINVAL, "%s: not a number in 1..%lu", key, max);
}

static int read_direction(const struct call *call, unsigned *ways, struct error *err)
{
	const char *text = call_query(call, "direction");

	*ways = 0;
	for (size_t i = 0; text && i < ARRAY_SIZE(directions); i++)
		if (!strcmp(text, directions[i].name))
			*ways = directions[i].ways;
	return text && !*ways ? error_set(err, -EINVAL, "direction: not one of in, out and both") : 0;
}

/* read_place() - the network, which must be the caller's, and the port */
static int read_place(const struct call *call, struct capture_conf *conf, struct error *err)
{
	const char *net_name = call_query(call, "net"), *port = call_query(call, "port");
	const struct net_conf *net = net_name ? model_net(live_model(call->api->conf.engine), net_name) : NULL;
	int rc;

	if (!net_name)
		return error_set(err, -EINVAL, "net: is missing");
	if (!net)
		return error_set(err, -ENOENT, "there is no network %.100s", net_name);
	rc = judge_owner(call, net, err);
	if (rc < 0)
		return rc;
	if (port && *port && strcmp(port, GATEWAY_PORT) != 0 && !net_port(net, port))
		return error_set(err, -ENOENT, "network %s has no port %.100s", net->name, port);
	snprintf(conf->net, sizeof(conf->net), "%.63s", net->name);
	snprintf(conf->port, sizeof(conf->port), "%s", port ? port : "");
	return 0;
}

static int read_query(const struct call *call, struct capture_conf *conf, struct error *err)
{
	unsigned long snaplen, count;
	int rc = read_place(call, conf, err);

	if (rc == 0)
		rc = read_direction(call, &conf->ways, err);
	if (rc == 0)
		rc = read_number(call, "snaplen", CAPTURE_SNAPLEN_MAX, &snaplen, err);
	if (rc == 0)
		rc = read_number(call, "count", UINT32_MAX, &count, err);
	if (rc < 0)
		return rc;
	conf->snaplen = (uint32_t)snaplen;
	conf->count = count;
	conf->filter = call_query(call, "filter");
	conf->uid = call->who.uid;
	conf->admin = call->who.admin;
	return 0;
}

/* ---- what is past ---- */

static void append(void *arg, const void *data, size_t size)
{
	evbuffer_add(arg, data, size);
}

static void answer_past(struct call *call, const struct capture_conf *conf)
{
	struct evbuffer *file = evbuffer_new();
	struct error err = { 0 };

	if (!file)
		error_set(&err, -ENOMEM, "out of memory");
	else if (live_past(call->api->conf.engine, conf, &(struct capture_sink){ .write = append, .arg = file }, &err) == 0)
		call_bytes(call, "application/x-pcapng", file);
	if (err.rc)
		call_fail(call, &err);
	if (file)
		evbuffer_free(file);
}

/* ---- the answer ---- */

static void drop(struct api_capture *c)
{
	TAILQ_REMOVE(&c->api->captures, c, link);
	if (c->before)
		evbuffer_free(c->before);
	free(c);
}

static size_t room(void *arg)
{
	const struct api_capture *c = arg;
	size_t unsent = c->before ? evbuffer_get_length(c->before) : client_unsent(c->client);

	return unsent < CAPTURE_UNSENT_MAX ? CAPTURE_UNSENT_MAX - unsent : 0;
}

static void send_bytes(void *arg, const void *data, size_t size)
{
	struct api_capture *c = arg;
	struct evbuffer *chunk = c->before ? c->before : evbuffer_new();

	if (chunk)
		evbuffer_add(chunk, data, size);
	if (!chunk || c->before)
		return;
	evhttp_send_reply_chunk(c->req, chunk);
	evbuffer_free(chunk);
}

static void on_over(void *arg)
{
	struct api_capture *c = arg;
	struct evhttp_request *req = c->req;

	client_answering(c->client);
	drop(c);
	evhttp_send_reply_end(req);
}

/* answer() - the head of the answer, and what was written meanwhile */
static void answer(struct api_capture *c)
{
	struct evbuffer *first = c->before;

	c->before = NULL;
	evhttp_add_header(evhttp_request_get_output_headers(c->req), "Content-Type", "application/x-pcapng");
	evhttp_send_reply_start(c->req, 200, "OK");
	bufferevent_set_timeouts(c->client->bev, NULL, NULL);	/* days may pass without a frame */
	evhttp_send_reply_chunk(c->req, first);
	evbuffer_free(first);
}

static struct api_capture *new_capture(struct call *call)
{
	struct api_capture *c = calloc(1, sizeof(*c));

	if (c)
		c->before = evbuffer_new();
	if (!c || !c->before) {
		free(c);
		return NULL;
	}
	c->api = call->api;
	c->req = call->req;
	c->client = call->client;
	TAILQ_INSERT_TAIL(&call->api->captures, c, link);
	return c;
}

void capture_begin(struct call *call)
{
	struct capture_conf conf = { .net = "" };
	struct error err = { 0 };
	struct api_capture *c;

	if (read_query(call, &conf, &err) < 0) {
		call_fail(call, &err);
		return;
	}
	if (call_flag(call, "past")) {
		answer_past(call, &conf);
		return;
	}
	c = new_capture(call);
	if (!c) {
		call_answer(call, 503, NULL);
		return;
	}
	c->live = live_capture_new(call->api->conf.engine, &conf,
				   &(struct capture_sink){ .room = room, .write = send_bytes, .end = on_over, .arg = c }, &err);
	if (!c->live) {
		drop(c);
		call_fail(call, &err);
		return;
	}
	call_leave(call);
	answer(c);
}

void captures_forget(struct api *api, struct api_client *client)
{
	struct api_capture *c, *next;

	for (c = TAILQ_FIRST(&api->captures); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->client != client)
			continue;
		live_capture_free(c->live);
		if (!evhttp_request_get_connection(c->req))
			evhttp_request_free(c->req);	/* cut loose from its connection: ours to free */
		drop(c);
	}
}

void captures_end(struct api *api)
{
	struct api_capture *c;

	while ((c = TAILQ_FIRST(&api->captures))) {
		live_capture_free(c->live);
		drop(c);
	}
}
