// SPDX-License-Identifier: GPL-2.0-or-later
/* A configured forward at run time: a listening socket for each of its addresses, made by the keeper. An address whose port
 * somebody else has is tried again until it is free; the guest it leads to may come, go and change its address. */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "nat/forward.h"

enum { RETRY_MS = 500, NO_PORT = UINT32_MAX - 1 };

struct live_forward *live_forward_new(struct live_net *net, const struct forward_conf *conf)
{
	struct live_forward *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	snprintf(f->id, sizeof(f->id), "%s", conf->id);
	f->net = net;
	f->conf = conf;
	HASH_ADD_STR(net->forwards, id, f);
	return f;
}

static struct forward_target target_of(const struct live_forward *f)
{
	struct forward_target t = { .port = FORWARD_BY_IP, .to_port = f->conf->to_port };
	struct live_port *p;

	if (f->conf->to_ip)
		t.ip = addr4(f->conf->to_ip);
	if (!f->conf->to[0])
		return t;
	HASH_FIND_STR(f->net->ports, f->conf->to, p);
	t.port = p ? p->id : NO_PORT;
	return t;
}

static struct worker *worker_for(const struct live_forward *f, const struct forward_target *t)
{
	struct engine *e = f->net->engine;
	uint32_t id = t->port < NO_PORT ? t->port : 0;

	return e->workers[id % e->nworkers];
}

/* listen_on() - one of its addresses. Return: 0 or negative errno with @err */
static int listen_on(struct live_forward *f, unsigned i, struct error *err)
{
	struct live_net *net = f->net;
	const struct endpoint *at = &f->conf->listen[i];
	struct forward_target target = target_of(f);
	char text[ENDPOINT_TEXT], name[sizeof(f->held[i])];
	int fd;

	snprintf(name, sizeof(name), "forward:%s/%s/%s", net->name, f->id, endpoint_format(at, text));
	memcpy(f->held[i], name, sizeof(name));
	fd = host_listen(net->engine->host, f->held[i], at->v6 ? 6 : 4,
			 f->conf->proto == IPPROTO_TCP ? HOST_TCP : HOST_UDP, at->ip, f->conf->port, net->conf->owner, NULL,
			 err);
	if (fd < 0) {
		f->held[i][0] = '\0';
		return fd;
	}
	f->listeners[i] = forward_new(net->nat_state, f->conf->proto, fd, &target, worker_for(f, &target));
	if (f->listeners[i])
		return 0;
	close(fd);
	return error_set(err, -errno, "%s", strerror(errno));
}

static void tell(const struct live_forward *f)
{
	struct live_net *net = f->net;

	log_info("net=%s forward=%s event=forward state=%s reason=\"%s\"", net->name, f->id, f->reason[0] ? "pending" : "up",
		 f->reason);
	if (net->engine->api)
		api_event(net->engine->api, net->name, NULL,
			  json_pack("{s:s s:s s:s s:s}", "event", "forward", "id", f->id, "state",
				    f->reason[0] ? "pending" : "up", "reason", f->reason));
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	live_forward_start(arg);
}

static void retry_later(struct live_forward *f)
{
	struct timeval tv = { .tv_usec = RETRY_MS * 1000 };

	if (!f->retry)
		f->retry = evtimer_new(f->net->engine->base, on_retry, f);
	if (f->retry)
		event_add(f->retry, &tv);
}

/* A host without IPv6 has no ::1: the default pair of addresses is then as good as complete. */
static bool may_lack(const struct live_forward *f, unsigned i, int rc)
{
	return f->conf->listen[i].v6 && !f->conf->listen_given && (rc == -EADDRNOTAVAIL || rc == -EAFNOSUPPORT);
}

void live_forward_start(struct live_forward *f)
{
	char before[sizeof(f->reason)];
	bool first = !f->retry;

	memcpy(before, f->reason, sizeof(before));
	f->reason[0] = f->hint[0] = '\0';
	for (unsigned i = 0; i < f->conf->nlisten; i++) {
		struct error err = { 0 };
		int rc = f->listeners[i] ? 0 : listen_on(f, i, &err);

		if (rc < 0 && !may_lack(f, i, rc) && !f->reason[0]) {
			snprintf(f->reason, sizeof(f->reason), "%s", err.message);
			snprintf(f->hint, sizeof(f->hint), "%s", err.hint);
		}
	}
	if (f->reason[0])
		retry_later(f);
	if (first || strcmp(before, f->reason) != 0)
		tell(f);
}

void live_forward_retarget(struct live_forward *f)
{
	struct forward_target target = target_of(f);

	for (unsigned i = 0; i < FORWARD_LISTEN_MAX; i++)
		if (f->listeners[i] && forward_retarget(f->listeners[i], &target) < 0)
			log_error("net=%s forward=%s event=retarget-failed reason=\"out of memory\"", f->net->name, f->id);
}

void live_forward_remove(struct live_forward *f)
{
	struct live_net *net = f->net;

	if (f->retry)
		event_free(f->retry);
	for (unsigned i = 0; i < FORWARD_LISTEN_MAX; i++) {
		while (f->listeners[i] && !forward_stop(f->listeners[i]))
			sched_yield();	/* a worker's inbox was full; it empties it every turn */
		if (f->held[i][0])
			host_drop(net->engine->host, f->held[i]);
	}
	HASH_DEL(net->forwards, f);
	free(f);
}
