// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/explain_target.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"

static const struct {
	const char *word;
	uint8_t proto;
} protos[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "icmp", IPPROTO_ICMP } };

/* take_proto() - what stands behind the last slash, if it is a protocol's name; it is cut off. 0: none */
static uint8_t take_proto(char *text)
{
	char *slash = strrchr(text, '/');

	for (size_t i = 0; slash && i < ARRAY_SIZE(protos); i++)
		if (!strcmp(slash + 1, protos[i].word)) {
			*slash = '\0';
			return protos[i].proto;
		}
	return 0;
}

/* take_port() - what stands behind the one colon, or behind brackets; *port stays when there is none. Return: 0 or -EINVAL */
static int take_port(char *text, uint16_t *port)
{
	char *colon = strrchr(text, ':');
	unsigned long number;

	if (!colon || (text[0] != '[' && colon != strchr(text, ':')) || (text[0] == '[' && colon[-1] != ']'))
		return 0;
	if (number_parse(colon + 1, 1, 65535, &number) < 0)
		return -EINVAL;
	*colon = '\0';
	*port = (uint16_t)number;
	return 0;
}

/* take_brackets() - Return: were there any? */
static bool take_brackets(char *text)
{
	size_t n = strlen(text);

	if (n < 2 || text[0] != '[' || text[n - 1] != ']')
		return false;
	memmove(text, text + 1, n - 2);
	text[n - 2] = '\0';
	return true;
}

static int take_host(struct explain_target *t, struct error *err)
{
	bool brackets = take_brackets(t->host);
	char *slash = strchr(t->host, '/');

	t->is_addr = addr_parse(t->host, &t->addr) == 0;
	if (t->is_addr || brackets || strpbrk(t->host, ":[]"))
		return t->is_addr ? 0 : error_set(err, -EINVAL, "%.100s: no address", t->host);
	if (!slash)
		return t->host[0] ? 0 : error_set(err, -EINVAL, "the destination is missing");
	if ((size_t)(slash - t->host) >= NAME_MAX_SIZE || strlen(slash + 1) >= NAME_MAX_SIZE)
		return error_set(err, -EINVAL, "%.100s: no NET/NAME", t->host);
	snprintf(t->net, sizeof(t->net), "%.*s", (int)(slash - t->host), t->host);
	snprintf(t->guest, sizeof(t->guest), "%s", slash + 1);
	if (!name_valid(t->net) || !name_valid(t->guest))
		return error_set(err, -EINVAL, "%.100s: neither NET/NAME nor a protocol that is known: tcp, udp, icmp", t->host);
	return 0;
}

int explain_target_parse(const char *text, struct explain_target *target, struct error *err)
{
	struct explain_target t = { .port = 0 };

	if (strlen(text) >= sizeof(t.host))
		return error_set(err, -EINVAL, "%.100s...: too long for a destination", text);
	strcpy(t.host, text);
	t.proto = take_proto(t.host);
	if (take_port(t.host, &t.port) < 0)
		return error_set(err, -EINVAL, strchr(t.host, '/') ? "%.100s: no protocol that is known: tcp, udp, icmp" :
				 "%.100s: the port is not in 1..65535", text);
	if (!t.proto)
		t.proto = t.port ? IPPROTO_TCP : IPPROTO_ICMP;
	if ((t.proto == IPPROTO_ICMP) != !t.port)
		return error_set(err, -EINVAL, t.port ? "%.100s: a ping has no port" : "%.100s: which port? DESTINATION:PORT/PROTO", text);
	if (take_host(&t, err) < 0)
		return -EINVAL;
	*target = t;
	return 0;
}
