// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "ctl/api_call.h"
#include "ctl/api_capture.h"
#include "ctl/api_client.h"
#include "ctl/api_stream.h"

enum {
	HEADERS_MAX = 16 << 10,
	BODY_SLACK = 64 << 10,	/* so that a body just too large gets an answer of ours, not evhttp's page */
	METHODS = EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE,
};

/* split_path() - "/v1/networks/lab" to its decoded parts behind v1; -ENOENT for what cannot be one of ours
 * /metrics is where scrapers look for it, and the one path without v1. */
static int split_path(struct call *call, const char *path)
{
	if (path && !strcmp(path, "/metrics"))
		path = "/v1/metrics";
	if (!path || strncmp(path, "/v1/", 4))
		return -ENOENT;
	path += 4;
	while (*path) {
		size_t raw = strcspn(path, "/"), size;
		char part[3 * API_SEGMENT_TEXT], *decoded;

		if (raw == 0 || raw >= sizeof(part) || call->nsegments == API_SEGMENTS_MAX)
			return -ENOENT;
		memcpy(part, path, raw);
		part[raw] = '\0';
		decoded = evhttp_uridecode(part, 0, &size);
		if (!decoded || size >= API_SEGMENT_TEXT || strlen(decoded) != size) {
			free(decoded);
			return -ENOENT;
		}
		strcpy(call->segments[call->nsegments++], decoded);
		free(decoded);
		path += raw + (path[raw] == '/');
	}
	return call->nsegments ? 0 : -ENOENT;
}

static void not_found(struct call *call, const char *path)
{
	struct error err;

	error_set(&err, -ENOENT, "there is nothing at %.150s", path ? path : "such a path");
	call_fail(call, &err);
}

static void on_request(struct evhttp_request *req, void *arg)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL, *query = uri ? evhttp_uri_get_query(uri) : NULL;
	struct api *api = arg;
	struct api_client *client = client_of(api, req);
	struct call *call = client ? calloc(1, sizeof(*call)) : NULL;

	if (!call) {
		evhttp_send_error(req, 503, "Service Unavailable");
		return;
	}
	client_request(client);
	call->api = api;
	call->req = req;
	call->client = client;
	call->who = client->who;
	call->method = evhttp_request_get_command(req);
	TAILQ_INIT(&call->query);
	TAILQ_INSERT_TAIL(&api->calls, call, link);
	if (query && evhttp_parse_query_str(query, &call->query) < 0)
		TAILQ_INIT(&call->query);
	if (split_path(call, path) < 0)
		not_found(call, path);
	else
		api_route(call);
}

void api_forget(struct api *api, struct api_client *client)
{
	struct call *call;

	TAILQ_FOREACH(call, &api->calls, link) {
		if (call->client != client)
			continue;
		call->client = NULL;
		/* A request that waited was cut loose and is ours to end; one still in its connection goes with it. */
		if (call->req && evhttp_request_get_connection(call->req))
			call->req = NULL;
	}
	streams_forget(api, client);
	captures_forget(api, client);
}

static int listen_on(struct api *api)
{
	api->listener = evconnlistener_new(api->conf.base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0,
					   api->conf.fd);
	if (!api->listener)
		return -ENOMEM;
	if (evhttp_bind_listener(api->http, api->listener))
		return 0;
	evconnlistener_free(api->listener);
	api->listener = NULL;
	api->conf.fd = -1;
	return -ENOMEM;
}

struct api *api_new(const struct api_conf *conf, struct error *err)
{
	struct api *api = calloc(1, sizeof(*api));

	if (!api || !(api->http = evhttp_new(conf->base))) {
		free(api);
		close(conf->fd);
		error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	api->conf = *conf;
	TAILQ_INIT(&api->calls);
	TAILQ_INIT(&api->streams);
	TAILQ_INIT(&api->waiters);
	TAILQ_INIT(&api->captures);
	evhttp_set_allowed_methods(api->http, METHODS);
	evhttp_set_max_headers_size(api->http, HEADERS_MAX);
	evhttp_set_max_body_size(api->http, API_BODY_MAX + BODY_SLACK);
	evhttp_set_default_content_type(api->http, "application/json");
	evhttp_set_gencb(api->http, on_request, api);
	if (clients_init(api) == 0 && listen_on(api) == 0)
		return api;
	error_set(err, -ENOMEM, "out of memory");
	api_free(api);
	return NULL;
}

void api_free(struct api *api)
{
	struct call *call, *next;
	bool listening;

	if (!api)
		return;
	listening = api->listener != NULL;
	waiters_end(api);
	for (call = TAILQ_FIRST(&api->calls); call; call = next) {
		next = TAILQ_NEXT(call, link);
		call->req = NULL;	/* goes with its connection */
		call->client = NULL;
		call->api = NULL;	/* whoever holds the call ends it */
	}
	TAILQ_INIT(&api->calls);
	streams_end(api);
	captures_end(api);
	api->listener = NULL;
	evhttp_free(api->http);
	clients_fini(api);
	if (!listening && api->conf.fd >= 0)
		close(api->conf.fd);
	free(api);
}
