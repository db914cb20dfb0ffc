// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_hostif.h"
#include "ctl/live_kernel_forwards.h"
#include "ctl/live_kernel_watch.h"

enum { LATER_US = 20000, GRACE_S = 10, RETRY_MIN_S = 1, RETRY_MAX_S = 60 };

struct live_kernel {
	struct host_nat conf;		/* as it was sent */
	struct kernel_forwards sent;
	bool is_sent;
	char warning[HOST_TEXT_SIZE];
	unsigned retry_s;		/* the table could not be made as it is wanted: until the next try; 0: it could */
	struct event *later, *grace_ends, *retry;
	bool grace;			/* the engine was started again a moment ago: forwards to guests not heard of yet stay as they were */
};

static bool is_kernels(const struct net_conf *conf)
{
	return conf->has_nat && conf->has_host;
}

static struct host_nat conf_of(const struct net_conf *net, const char *held)
{
	static const uint8_t access[] = {
		[HOST_ACCESS_NONE] = HOST_NAT_NONE, [HOST_ACCESS_OWN] = HOST_NAT_OWN, [HOST_ACCESS_LOOPBACK] = HOST_NAT_LOOPBACK,
	};
	struct host_nat m = { .access = access[net->host_access], .helpers = net->nat_helpers };

	snprintf(m.out, sizeof(m.out), "%s", net->uplink);
	snprintf(m.name, sizeof(m.name), "%s", held);
	return m;
}

static void push(struct live_net *net, bool again);

static struct live_kernel *kernel_of(struct live_net *net)
{
	if (!net->kernel)
		net->kernel = calloc(1, sizeof(*net->kernel));
	return net->kernel;
}

static void tell(struct live_net *net, json_t *event)
{
	if (net->engine->api)
		api_event(net->engine->api, net->name, NULL, event);
	else
		json_decref(event);
}

/* ---- what failed is tried again, by and by ---- */

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	push(arg, false);
}

/* put_off() - told once for each reason; between the tries the time grows. The keeper makes the whole table anew after one that failed. */
static void put_off(struct live_net *net, const struct error *err)
{
	struct live_kernel *k = net->kernel;
	struct timeval wait;

	k->retry_s = !k->retry_s ? RETRY_MIN_S : MIN_OF(2 * k->retry_s, (unsigned)RETRY_MAX_S);
	if (!k->retry)
		k->retry = evtimer_new(net->engine->base, on_retry, net);
	wait = (struct timeval){ .tv_sec = k->retry_s };
	if (k->retry)
		event_add(k->retry, &wait);
	if (k->warning[0] && !strncmp(k->warning, err->message, strlen(k->warning)))
		return;
	snprintf(k->warning, sizeof(k->warning), "%.*s", (int)sizeof(k->warning) - 1, err->message);
	log_error("net=%s event=nat-not-configured reason=\"%s\"", net->name, err->message);
	tell(net, json_pack("{s:s s:s s:s}", "event", "nat-rules", "state", "failed", "reason", err->message));
}

static void succeeded(struct live_net *net)
{
	struct live_kernel *k = net->kernel;

	if (!k->retry_s)
		return;
	k->retry_s = 0;
	if (k->retry)
		event_del(k->retry);
	log_info("net=%s event=nat-configured", net->name);
	tell(net, json_pack("{s:s s:s}", "event", "nat-rules", "state", "made"));
}

/* hand_over() - the network goes whose turn it was to make the table for all: now it is another's */
static void hand_over(const struct live_net *from)
{
	for (struct live_net *net = from->engine->nets; net; net = net->hh.next)
		if (net != from && net->kernel && net->kernel->is_sent) {
			net->kernel->is_sent = false;
			live_kernel_later(net);
			return;
		}
}

/* ---- the table ---- */

static bool same(const struct live_kernel *k, const struct host_nat *m, const struct kernel_forwards *f)
{
	return k->is_sent && k->conf.access == m->access && k->conf.helpers == m->helpers && !strcmp(k->conf.out, m->out) &&
	       kernel_forwards_same(&k->sent, f);
}

/* send_all() - Return: 0, and *@f is the kernel's, or negative errno */
static int send_all(struct live_net *net, const struct host_nat *conf, struct kernel_forwards *f)
{
	struct live_kernel *k = net->kernel;
	struct host_nat m = *conf;
	struct error err = { 0 };
	char warning[HOST_TEXT_SIZE];
	int rc = f->failed ? error_set(&err, -ENOMEM, "out of memory") : host_nat(net->engine->host, &m, f->list, f->n, warning, &err);

	k->is_sent = rc == 0;
	if (rc < 0) {
		put_off(net, &err);
		return rc;
	}
	succeeded(net);
	memcpy(k->warning, warning, sizeof(k->warning));
	k->conf = *conf;
	free(k->sent.list);
	k->sent = *f;
	*f = (struct kernel_forwards){ 0 };
	return 0;
}

static void push(struct live_net *net, bool again)
{
	struct live_kernel *k = is_kernels(net->conf) ? kernel_of(net) : NULL;
	char held[HOST_NAME_SIZE];
	struct kernel_forwards f;
	struct host_nat m;

	if (!k)
		return;
	kernel_watch(net->engine);
	m = conf_of(net->conf, live_hostif_held(net->conf, held));
	m.again = again;
	f = kernel_forwards_of(net, k->grace);
	if (again || !same(k, &m, &f)) {
		send_all(net, &m, &f);
		if (!again)
			kernel_watch_own(net->engine);
	}
	free(f.list);
}

void live_kernel_leave(struct live_net *net)
{
	struct host_nat m = { .leave = 1 };
	char warning[HOST_TEXT_SIZE];
	struct error err = { 0 };

	live_hostif_held(net->conf, m.name);
	if (host_nat(net->engine->host, &m, NULL, 0, warning, &err) < 0)
		log_error("net=%s event=nat-stays reason=\"%s\"", net->name, err.message);
	kernel_watch_own(net->engine);
}

void live_kernel_push(struct live_net *net)
{
	push(net, false);
}

/* One network's turn makes the table anew for all. */
void live_kernel_restore(struct engine *e, const char *by)
{
	const struct live_net *first = NULL;

	for (struct live_net *net = e->nets; net; net = net->hh.next) {
		bool failed;

		if (!is_kernels(net->conf) || !kernel_of(net))
			continue;
		push(net, !first);
		first = first ? first : net;
		failed = first->kernel->retry_s || net->kernel->retry_s;
		log_warn("net=%s event=nat-rules-changed by=\"%s\" state=%s", net->name, by, failed ? "failed" : "restored");
		if (!failed)
			tell(net, json_pack("{s:s s:s s:s}", "event", "nat-rules", "state", "restored", "by", by));
	}
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct live_net *net = arg;

	(void)fd, (void)what;
	push(net, false);
}

void live_kernel_later(struct live_net *net)
{
	static const struct timeval soon = { .tv_usec = LATER_US };
	struct live_kernel *k = is_kernels(net->conf) ? kernel_of(net) : NULL;

	if (!k || !net->engine->generation)	/* before that, see live_kernel_start() */
		return;
	if (!k->later)
		k->later = evtimer_new(net->engine->base, on_later, net);
	if (k->later && !evtimer_pending(k->later, NULL))
		event_add(k->later, &soon);
}

static void on_grace_ends(evutil_socket_t fd, short what, void *arg)
{
	struct live_net *net = arg;

	(void)fd, (void)what;
	net->kernel->grace = false;
	push(net, false);
}

static void give_grace(struct live_net *net)
{
	static const struct timeval while_silent = { .tv_sec = GRACE_S };
	struct live_kernel *k = is_kernels(net->conf) ? kernel_of(net) : NULL;

	if (!k)
		return;
	k->grace_ends = evtimer_new(net->engine->base, on_grace_ends, net);
	k->grace = k->grace_ends && event_add(k->grace_ends, &while_silent) == 0;
}

void live_kernel_start(struct engine *e)
{
	for (struct live_net *net = e->nets; net; net = net->hh.next) {
		if (is_kernels(net->conf))
			kernel_watch(e);
		else if (e->restarts > 0 && net->conf->has_host)
			live_kernel_leave(net);		/* what the engine before this one may not have come to */
		if (e->restarts > 0)
			give_grace(net);
		push(net, false);
	}
}

/* An engine that was started again finds the table as it was, and sends what is different when it knows its forwards (live_kernel_start()). */
int live_kernel_open(struct engine *e, const struct net_conf *conf, const char *held, struct error *err)
{
	struct live_net *net = live_net_find(e, conf->name);
	struct host_nat m = conf_of(conf, held);
	char warning[HOST_TEXT_SIZE];
	struct kernel_forwards f = { 0 };
	int rc;

	if (e->generation == 0)
		return 0;
	if (net && is_kernels(net->conf))
		f = kernel_forwards_of(net, net->kernel && net->kernel->grace);
	rc = host_nat(e->host, &m, f.list, f.n, warning, err);
	free(f.list);
	if (net && net->kernel)
		net->kernel->is_sent = false;	/* the model that this is of may yet be refused */
	return rc;
}

/* in_trouble() - the network whose try failed, with the one table that all of them have; or NULL */
static const struct live_net *in_trouble(const struct engine *e)
{
	const struct live_net *net = e->nets;

	while (net && !(net->kernel && net->kernel->retry_s))
		net = net->hh.next;
	return net;
}

json_t *live_kernel_warning(const struct live_net *net)
{
	const struct live_net *trouble = net->kernel ? in_trouble(net->engine) : NULL;
	const struct live_kernel *k = trouble ? trouble->kernel : net->kernel;

	if (!k || !k->warning[0])
		return NULL;
	return k->retry_s ? json_sprintf("NAT is not as it should be: %s; it is tried again, every %u s by now", k->warning, k->retry_s) :
			    json_string(k->warning);
}

void live_kernel_free(struct live_net *net)
{
	struct live_kernel *k = net->kernel;

	if (!k)
		return;
	if (k->later)
		event_free(k->later);
	if (k->grace_ends)
		event_free(k->grace_ends);
	if (k->retry)
		event_free(k->retry);
	if (k->retry_s)
		hand_over(net);
	free(k->sent.list);
	free(k);
}
