// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses of either family, with or without a port: as text, as a field, and as sockets want them. */
#include "ctl/model_fields.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

int endpoint_parse(const char *text, struct endpoint *endpoint)
{
	struct endpoint e = { 0 };
	char host[48];
	const char *port = NULL;
	unsigned long number = 0;
	size_t n = strlen(text);

	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		port = end[1] ? end + 2 : NULL;
		text++;
		n = (size_t)(end - text);
	} else if (strchr(text, ':') && strchr(text, ':') == strrchr(text, ':')) {
		n = (size_t)(strchr(text, ':') - text);
		port = text + n + 1;
	}
	if (n >= sizeof(host) || (port && number_parse(port, 1, 65535, &number) < 0))
		return -EINVAL;
	memcpy(host, text, n);
	host[n] = '\0';
	e.v6 = strchr(host, ':') != NULL;
	e.port = (uint16_t)number;
	if (inet_pton(e.v6 ? AF_INET6 : AF_INET, host, e.ip) != 1)
		return -EINVAL;
	*endpoint = e;
	return 0;
}

char *endpoint_format(const struct endpoint *endpoint, char text[ENDPOINT_TEXT])
{
	char host[INET6_ADDRSTRLEN];

	inet_ntop(endpoint->v6 ? AF_INET6 : AF_INET, endpoint->ip, host, sizeof(host));
	if (endpoint->port)
		snprintf(text, ENDPOINT_TEXT, endpoint->v6 ? "[%s]:%u" : "%s:%u", host, endpoint->port);
	else
		snprintf(text, ENDPOINT_TEXT, "%s", host);
	return text;
}

socklen_t endpoint_sockaddr(const struct endpoint *endpoint, uint16_t port, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *in = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (endpoint->v6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, endpoint->ip, 16);
		return sizeof(*in6);
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	memcpy(&in->sin_addr, endpoint->ip, 4);
	return sizeof(*in);
}

/* A list of endpoints is an array of UPSTREAMS_MAX, ended by the first whose address is unspecified. */
static int read_endpoints(struct model_ctx *ctx, const struct field *field, const json_t *parent, const json_t *value,
			  void *to)
{
	size_t n = json_is_array(value) ? json_array_size(value) : 1;
	struct endpoint *list = to;

	if (n > field->size / sizeof(*list))
		return ctx_fail(ctx, parent, field->name, -EINVAL, "has more than %zu entries", field->size / sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
		const char *text = field_string(ctx, field, parent, item, "an address like 192.0.2.53");
		static const uint8_t none[16];

		if (!text)
			return -EINVAL;
		if (!*text && n == 1)	/* none, said by who has only words to say it */
			return 0;
		if (endpoint_parse(text, &list[i]) < 0 || !memcmp(list[i].ip, none, sizeof(none)))
			return field_not_a(ctx, field, parent, text, "an address like 192.0.2.53 or [2001:db8::53]:53");
	}
	return 0;
}

static json_t *write_endpoints(const struct field *field, const void *from)
{
	static const struct endpoint none;
	const struct endpoint *list = from;
	json_t *array = json_array();
	char text[ENDPOINT_TEXT];

	for (size_t i = 0; array && i < field->size / sizeof(*list) && memcmp(list[i].ip, none.ip, 16); i++)
		json_array_append_new(array, json_string(endpoint_format(&list[i], text)));
	return array;
}

const struct field_type field_endpoints = { read_endpoints, write_endpoints };
