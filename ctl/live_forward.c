// SPDX-License-Identifier: GPL-2.0-or-later
/* A configured forward at run time: its listening sockets (live_listen.c) are made by the keeper. Where somebody else has a port it
 * is tried again until it is free; the guest it leads to may come, go and change its address. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_kernel.h"
#include "nat/budget.h"
#include "nat/forward.h"

/* A range that nobody frees is asked for more rarely: that is thousands of sockets each time. */
enum { RETRY_MS = 500, RETRY_MANY_MS = 3000, MANY = 64, NO_PORT = UINT32_MAX - 1 };

struct live_forward *live_forward_new(struct live_net *net, const struct forward_conf *conf)
{
	struct live_forward *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	snprintf(f->id, sizeof(f->id), "%s", conf->id);
	f->net = net;
	f->conf = conf;
	f->as_before = !net->engine->generation;
	if (!live_listen_new(f)) {
		free(f);
		return NULL;
	}
	HASH_ADD_STR(net->forwards, id, f);
	return f;
}

struct forward_target live_forward_target(const struct live_forward *f)
{
	struct forward_target t = {
		.port = FORWARD_BY_IP, .to_port = f->conf->to_port, .first = f->conf->count > 1 ? f->conf->port : 0,
		.gateway = f->conf->source == FORWARD_SOURCE_GATEWAY,
	};
	struct live_port *p;

	if (f->conf->to_ip)
		t.ip = addr4(f->conf->to_ip);
	if (!f->conf->to[0])
		return t;
	HASH_FIND_STR(f->net->ports, f->conf->to, p);
	t.port = p ? p->id : NO_PORT;
	return t;
}

/* ---- listening ---- */

static const char *text_of(const char *text)
{
	return text ? text : "";
}

static void tell(const struct live_forward *f)
{
	const char *state = f->reason ? "pending" : "up", *reason = text_of(f->reason);
	struct live_net *net = f->net;

	log_info("net=%s forward=%s event=forward state=%s reason=\"%s\"", net->name, f->id, state, reason);
	if (net->engine->api)
		api_event(net->engine->api, net->name, NULL,
			  json_pack("{s:s s:s s:s s:s}", "event", "forward", "id", f->id, "state", state, "reason", reason));
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	live_forward_start(arg);
}

static void retry_later(struct live_forward *f)
{
	unsigned ms = f->conf->count < MANY ? RETRY_MS : RETRY_MANY_MS;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (!f->retry)
		f->retry = evtimer_new(f->net->engine->base, on_retry, f);
	if (f->retry)
		event_add(f->retry, &tv);
}

/* A host without IPv6 has no ::1: the default pair of addresses is then as good as complete. */
static bool may_lack(const struct live_forward *f, const struct live_listen *l, int rc)
{
	return f->conf->listen[l->at].v6 && !f->conf->listen_given && (rc == -EADDRNOTAVAIL || rc == -EAFNOSUPPORT);
}

/* open_all() - what is missing of its sockets. Return: the first reason in @err; were all there that must be? */
static bool open_all(struct live_forward *f, struct error *first)
{
	unsigned there = 0, wanted = 0;
	bool complete = true;

	for (unsigned i = 0; i < f->nlistens; i++) {
		struct live_listen *l = &f->listens[i];
		struct error err = { 0 };
		int rc = l->there < l->count ? live_listen_open(f, l, &err) : l->there;

		if (rc < 0 && may_lack(f, l, rc))
			continue;
		wanted += l->count;
		there += l->there;
		if (l->there < l->count && complete) {
			complete = false;
			*first = err;
		}
	}
	if (!complete && there)
		snprintf(first->message + strlen(first->message), sizeof(first->message) - strlen(first->message),
			 "; %u of %u sockets serve", there, wanted);
	return complete;
}

static void set_text(char **to, const char *text)
{
	free(*to);
	*to = text && *text ? strdup(text) : NULL;
}

void live_forward_start(struct live_forward *f)
{
	bool first = !f->retry, up, news;
	struct error err = { 0 };

	up = open_all(f, &err);
	if (!up && !err.message[0])
		snprintf(err.message, sizeof(err.message), "out of memory");
	news = first || strcmp(text_of(f->reason), up ? "" : err.message) != 0;
	set_text(&f->reason, up ? NULL : err.message);
	set_text(&f->hint, up ? NULL : err.hint);
	if (!up)
		retry_later(f);
	if (news)
		tell(f);
	live_kernel_later(f->net);
}

void live_forward_retarget(struct live_forward *f)
{
	struct forward_target target = live_forward_target(f);

	for (unsigned i = 0; i < f->nlistens; i++)
		for (unsigned k = 0; k < f->listens[i].nforwards; k++)
			if (forward_retarget(f->listens[i].forwards[k], &target) < 0)
				log_error("net=%s forward=%s event=retarget-failed reason=\"out of memory\"", f->net->name,
					  f->id);
}

void live_forward_remove(struct live_forward *f)
{
	if (f->retry)
		event_free(f->retry);
	for (unsigned i = 0; i < f->nlistens; i++)
		live_listen_close(f, &f->listens[i]);
	HASH_DEL(f->net->forwards, f);
	free(f->listens);
	free(f->reason);
	free(f->hint);
	free(f);
}

/* ---- what there is ---- */

bool live_forward_holds(struct engine *e, const char *name)
{
	char net_name[NAME_MAX_SIZE], id[NAME_MAX_SIZE], own[HOST_NAME_SIZE];
	struct live_forward *f = NULL;
	const char *end = strrchr(name, '/');
	struct live_net *net;
	int at = 0;

	if (sscanf(name, "forward:%63[^/]/%n", net_name, &at) != 1 || !at || !end || (size_t)(end - name) < (size_t)at ||
	    (size_t)(end - name - at) >= sizeof(id))
		return false;
	snprintf(id, sizeof(id), "%.*s", (int)(end - name - at), name + at);
	net = live_net_find(e, net_name);
	if (net)
		HASH_FIND_STR(net->forwards, id, f);
	for (unsigned i = 0; f && i < f->nlistens; i++)
		if (!strcmp(live_listen_name(f, &f->listens[i], own, sizeof(own)), name))
			return f->listens[i].there > 0;
	return false;
}

int live_forward_check(const struct model *next, struct error *err)
{
	unsigned long sockets = 0, most = budget_most(), all = most + budget_reserve();

	for (size_t i = 0; i < next->nnetworks; i++)
		for (size_t j = 0; j < next->networks[i].nforwards; j++)
			sockets += next->networks[i].forwards[j].count * next->networks[i].forwards[j].nlisten;
	if (sockets <= most)
		return 0;
	error_set(err, -EMFILE, "forwards of %lu sockets: the limit of %lu open files leaves %lu for them", sockets, all, most);
	error_hint(err, "LimitNOFILE=%lu or more for lanyardd (ulimit -n), or fewer ports and addresses (a range on 127.0.0.1 alone "
			"needs half of what it needs on 127.0.0.1 and ::1)", sockets + budget_reserve());
	return -EMFILE;
}
