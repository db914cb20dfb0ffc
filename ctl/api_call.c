// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* asprintf() */
#include "ctl/api_call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>

#include "base/array.h"
#include "ctl/api_client.h"

enum { JSON_NESTING_MAX = 16 };

static const struct {
	int errnum, status;
	const char *reason;
} statuses[] = {
	{ EINVAL, 400, "Bad Request" },		{ ENOTSUP, 400, "Bad Request" },
	{ EACCES, 403, "Forbidden" },		{ EPERM, 403, "Forbidden" },
	{ ENOENT, 404, "Not Found" },		{ ENOSYS, 405, "Method Not Allowed" },
	{ EEXIST, 409, "Conflict" },		{ EBUSY, 409, "Conflict" },
	{ EADDRINUSE, 409, "Conflict" },	{ EFBIG, 413, "Payload Too Large" },
	{ ETIMEDOUT, 504, "Gateway Timeout" },	{ ENOSPC, 507, "Insufficient Storage" },
	{ ENOMEM, 503, "Service Unavailable" },	{ EMFILE, 503, "Service Unavailable" },
};

static void call_free(struct call *call)
{
	if (call->api)
		TAILQ_REMOVE(&call->api->calls, call, link);
	evhttp_clear_headers(&call->query);
	free(call);
}

/* reply() - @text is copied; the call is gone afterwards */
static void reply(struct call *call, int status, const char *reason, const char *type, const char *text)
{
	struct evbuffer *body = call->req ? evbuffer_new() : NULL;

	if (body) {
		evhttp_add_header(evhttp_request_get_output_headers(call->req), "Content-Type", type);
		evbuffer_add(body, text, strlen(text));
		client_answering(call->client);
		evhttp_send_reply(call->req, status, reason, body);
		evbuffer_free(body);
	} else if (call->req) {
		client_hang_up(call->client);
		evhttp_send_reply(call->req, 503, "Service Unavailable", NULL);
	}
	call_free(call);
}

void call_answer(struct call *call, int status, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL, *line = NULL;
	struct error err;

	json_decref(answer);
	if (text && asprintf(&line, "%s\n", text) >= 0) {
		reply(call, status, status == 201 ? "Created" : "OK", "application/json", line);
		free(line);
	} else {
		error_set(&err, -ENOMEM, "out of memory");
		call_fail(call, &err);
	}
	free(text);
}

void call_text(struct call *call, const char *type, const char *text)
{
	reply(call, 200, "OK", type, text);
}

void call_bytes(struct call *call, const char *type, struct evbuffer *body)
{
	if (call->req) {
		evhttp_add_header(evhttp_request_get_output_headers(call->req), "Content-Type", type);
		client_answering(call->client);
		evhttp_send_reply(call->req, 200, "OK", body);
	}
	call_free(call);
}

void call_fail(struct call *call, const struct error *err)
{
	json_t *shape = json_pack("{s:{s:s, s:s, s:s}}", "error", "code", err->code, "message", err->message, "hint",
				  err->hint);
	char *text = shape ? json_dumps(shape, JSON_COMPACT) : NULL;
	int status = 500;
	const char *reason = "Internal Server Error";

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].errnum == -err->rc) {
			status = statuses[i].status;
			reason = statuses[i].reason;
		}
	reply(call, status, reason, "application/json",
	      text ? text : "{\"error\":{\"code\":\"failed\",\"message\":\"the message cannot be shown\",\"hint\":\"\"}}");
	free(text);
	json_decref(shape);
}

/* call_drop() - the answer of a client that is hung up on goes nowhere, and ends its connection */
void call_drop(struct call *call)
{
	client_hang_up(call->client);
	reply(call, 503, "Service Unavailable", "application/json", "");
}

void call_leave(struct call *call)
{
	call_free(call);
}

bool call_gone(const struct call *call)
{
	char byte;

	return !call->client || call->client->ending ||
	       recv(client_fd(call->client), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* nesting() - how deep brackets outside strings go; the parser recurses, so this is asked first */
static unsigned nesting(const char *text, size_t size)
{
	unsigned depth = 0, deepest = 0;
	bool string = false;

	for (size_t i = 0; i < size; i++) {
		if (string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			string = !string;
		else if (!string && (text[i] == '[' || text[i] == '{') && ++depth > deepest)
			deepest = depth;
		else if (!string && (text[i] == ']' || text[i] == '}') && depth)
			depth--;
	}
	return deepest;
}

json_t *json_read(const char *text, size_t size, struct error *err)
{
	json_error_t where;
	json_t *tree;

	if (size > API_BODY_MAX) {
		error_set(err, -EFBIG, "the body is larger than 1 MiB");
		error_code(err, "too-large");
		return NULL;
	}
	if (nesting(text, size) > JSON_NESTING_MAX) {
		error_set(err, -EINVAL, "the body is nested deeper than %d levels", JSON_NESTING_MAX);
		return NULL;
	}
	tree = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (!tree)
		error_set(err, -EINVAL, "the body is not JSON: line %d: %.150s", where.line, where.text);
	return tree;
}

const char *call_raw(struct call *call, size_t *size)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(call->req);
	const char *text;

	*size = evbuffer_get_length(body);
	text = (const char *)evbuffer_pullup(body, -1);
	return text ? text : "";
}

json_t *call_body(struct call *call, struct error *err)
{
	size_t size;
	const char *text = call_raw(call, &size);
	json_t *body = json_read(text, size, err);

	if (!body || json_is_object(body))
		return body;
	json_decref(body);
	error_set(err, -EINVAL, "the body is not a JSON object");
	return NULL;
}

const char *call_query(const struct call *call, const char *key)
{
	return evhttp_find_header(&call->query, key);
}

bool call_flag(const struct call *call, const char *key)
{
	const char *text = call_query(call, key);

	return text && (!strcmp(text, "true") || !strcmp(text, "1") || !*text);
}

const char *call_header(const struct call *call, const char *name)
{
	return call->req ? evhttp_find_header(evhttp_request_get_input_headers(call->req), name) : NULL;
}
