// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_dns_validate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "dhcp/relay.h"
#include "dhcp/validation.h"

enum { FILE_MAX = 65536, TYPES = 2 };

struct live_dns_validate {
	struct validation *validation;
	struct error why;		/* there are no keys */
	struct log_limit log_limit;
};

/* ---- keys ---- */

/* is_key() - a DS or DNSKEY record; what follows ';' is a comment */
static bool is_key(const char *line)
{
	char word[4][64];
	int n = sscanf(line, "%63s %63s %63s %63s", word[0], word[1], word[2], word[3]);

	for (int i = 1; i < n; i++)
		if (!strcmp(word[i], "DS") || !strcmp(word[i], "DNSKEY"))
			return true;
	return false;
}

/* anchors_of() - the file's records as lines for the validator, to be freed, or NULL without memory; empty: there are none */
static char *anchors_of(char *text)
{
	static const char word[] = "anchor ";
	char *lines = malloc(strlen(text) * 2 + sizeof(word)), *line;
	size_t size = 0;

	if (!lines)
		return NULL;
	lines[0] = '\0';
	while ((line = strsep(&text, "\n"))) {
		line[strcspn(line, ";\r")] = '\0';
		if (is_key(line))
			size += (size_t)sprintf(lines + size, "%s%s\n", word, line);	/* a record is longer than the word */
	}
	return lines;
}

static char *read_keys(int fd, const char *path, struct error *err)
{
	char *text = malloc(FILE_MAX + 1), *lines;
	ssize_t n = text ? pread(fd, text, FILE_MAX, 0) : -1;

	if (n < 0) {
		error_set(err, text ? -errno : -ENOMEM, "%s: %s", path, text ? strerror(errno) : "out of memory");
		free(text);
		return NULL;
	}
	text[n] = '\0';
	lines = anchors_of(text);
	free(text);
	if (lines && lines[0])
		return lines;
	error_set(err, -EINVAL, "%s: there is no DS or DNSKEY record in it", path);
	free(lines);
	return NULL;
}

/* open_keys() - Return: lines, to be freed, or NULL with the reason in @err */
static char *open_keys(const struct live_net *net, struct error *err)
{
	const char *path = net->conf->relay.trust_anchor[0] ? net->conf->relay.trust_anchor : TRUST_ANCHOR, *slash = strrchr(path, '/');
	char dir[sizeof(net->conf->relay.trust_anchor)], *lines;
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	fd = host_open_file(net->engine->host, dir, slash + 1, net->conf->owner, err);
	if (fd < 0) {
		if (!net->conf->relay.trust_anchor[0])
			error_hint(err, "apt install dns-root-data, or name a file: lanyard net set %.60s --dns-trust-anchor FILE", net->name);
		return NULL;
	}
	lines = read_keys(fd, path, err);
	close(fd);
	return lines;
}

/* ---- life ---- */

static int start_validator(void *arg)
{
	const struct live_net *net = arg;

	return host_validator(net->engine->host, NULL);
}

static void on_bogus(void *arg, const struct dns_name *name, const char *why)
{
	struct live_net *net = arg;
	char text[DNS_NAME_TEXT];

	dns_name_to_text(name, text);
	if (!log_allowed(&net->dns_validate->log_limit, clock_now_ms()))
		return;
	log_warn("net=%s event=dnssec-bogus name=\"%s\" reason=\"%s\"", net->name, text, why);
	api_event(net->engine->api, net->name, NULL, json_pack("{s:s s:s s:s}", "event", "dnssec-bogus", "name", text, "reason", why));
}

static struct live_dns_validate *begin(struct live_net *net)
{
	struct live_dns_validate *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->validation = validation_new(net->engine->base, net->upstream, start_validator, net);
	if (d->validation)
		return d;
	free(d);
	return NULL;
}

static void set_keys(struct live_net *net, struct live_dns_validate *d)
{
	struct error err = { 0 };
	char *keys = open_keys(net, &err);

	if (validation_configure(d->validation, keys) < 0)
		error_set(&err, -ENOMEM, "out of memory");
	if (err.message[0] && strcmp(err.message, d->why.message) != 0)
		log_warn("net=%s event=dnssec-no-keys reason=\"%s\" hint=\"%s\"", net->name, err.message, err.hint);
	d->why = err;
	free(keys);
}

void live_dns_validate_configure(struct live_net *net, struct relay_conf *relay)
{
	if (!net->conf->relay.validate)
		return;
	if (!net->dns_validate)
		net->dns_validate = begin(net);
	relay->validate = true;
	if (!net->dns_validate) {
		log_warn("net=%s event=dnssec-unusable reason=\"out of memory\"", net->name);
		return;
	}
	set_keys(net, net->dns_validate);
	relay->validation = net->dns_validate->validation;
	relay->on_bogus = on_bogus;
	relay->arg = net;
}

static void end(struct live_net *net)
{
	if (!net->dns_validate)
		return;
	validation_free(net->dns_validate->validation);
	free(net->dns_validate);
	net->dns_validate = NULL;
}

void live_dns_validate_end(struct live_net *net)
{
	if (!net->conf->relay.validate)
		end(net);
}

void live_dns_validate_stop(struct live_net *net)
{
	end(net);
}

const struct validation_stats *live_dns_validate_stats(const struct live_net *net)
{
	return net->dns_validate ? validation_stats(net->dns_validate->validation) : NULL;
}

void live_dns_validate_warnings(const struct live_net *net, json_t *list)
{
	const struct live_dns_validate *d = net->dns_validate;
	const char *trouble = d ? validation_trouble(d->validation) : NULL;

	if (d && d->why.message[0])
		json_array_append_new(list, json_sprintf("DNSSEC: no keys to trust, and so no names of others: %s%s%s", d->why.message,
							 d->why.hint[0] ? "; " : "", d->why.hint));
	else if (trouble)
		json_array_append_new(list, json_sprintf("DNSSEC: nothing can be validated, and so names of others fail: %s", trouble));
}
