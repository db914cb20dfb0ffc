// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/api.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_hostif.h"
#include "ctl/nft_notice.h"
#include "switch/station.h"

#define KEEPER "lanyardd"

enum { LATER_US = 20000, GRACE_S = 10, NOTICE_ROOM = 65536, RETRY_MIN_S = 1, RETRY_MAX_S = 60 };

/* forwards - those that the table leads */
struct forwards {
	struct host_forward *list;
	size_t n, room;
	bool failed;			/* out of memory */
};

struct live_kernel {
	struct host_nat conf;		/* as it was sent */
	struct forwards sent;
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

/* ---- what is to be led ---- */

static void add(struct forwards *to, const struct host_forward *f)
{
	if (to->n == to->room) {
		size_t room = to->room * 2 + 16;
		struct host_forward *more = realloc(to->list, room * sizeof(*more));

		if (!more) {
			to->failed = true;
			return;
		}
		to->list = more;
		to->room = room;
	}
	to->list[to->n++] = *f;
}

static bool is_loopback(const struct endpoint *at)
{
	static const uint8_t one[16] = { [15] = 1 };

	return at->v6 ? !memcmp(at->ip, one, sizeof(one)) : at->ip[0] == 127;
}

/* guest - whose address was asked last: of many forwards most lead to the same guest, and each look goes through all stations */
struct guest {
	const char *name;
	bool v6, known;
	struct addr ip;
};

static bool station_address(const struct live_net *net, const char *name, bool v6, struct addr *ip)
{
	struct live_port *p;
	struct station st;

	HASH_FIND_STR(net->ports, name, p);
	if (!p || !p->segment || !station_of_family(p->segment->stations, p->id, v6 ? AF_INET6 : AF_INET, &st))
		return false;
	*ip = st.ip;
	return true;
}

/* guest_address() - of the forward's guest, of the family that it is listened in; network order */
static bool guest_address(const struct live_forward *f, bool v6, struct guest *last, uint8_t to[16])
{
	struct addr ip = addr4(f->conf->to_ip);

	if (!f->conf->to_ip) {
		if (!last->name || last->v6 != v6 || strcmp(last->name, f->conf->to)) {
			*last = (struct guest){ .name = f->conf->to, .v6 = v6 };
			last->known = station_address(f->net, f->conf->to, v6, &last->ip);
		}
		if (!last->known)
			return false;
		ip = last->ip;
	}
	if (addr_is4(ip) == v6)
		return false;
	memset(to, 0, 16);
	memcpy(to, v6 ? ip.bytes : ip.bytes + 12, v6 ? 16 : 4);
	return true;
}

/* may_stay() - the guest is not known, but the table may know it: from before the engine was started again */
static bool may_stay(const struct live_forward *f)
{
	return f->as_before && f->net->kernel && f->net->kernel->grace && !f->conf->to_ip;
}

static void add_listen(struct forwards *to, const struct live_forward *f, const struct live_listen *l, struct guest *last)
{
	const struct endpoint *at = &f->conf->listen[l->at];
	struct host_forward one = { .family = at->v6 ? 6 : 4, .proto = f->conf->proto };
	bool known = guest_address(f, at->v6, last, one.to);

	if (is_loopback(at) || f->conf->source == FORWARD_SOURCE_GATEWAY || (!known && !may_stay(f)))
		return;
	memcpy(one.addr, at->ip, at->v6 ? 16 : 4);
	for (unsigned i = 0; i < l->count; i++) {
		if (!(l->have[i / 8] >> (i % 8) & 1))
			continue;		/* a program of the host has this port */
		one.port = (uint16_t)(l->first + i);
		one.to_port = (uint16_t)(f->conf->to_port + one.port - f->conf->port);
		add(to, &one);
	}
}

static struct forwards wanted(const struct live_net *net)
{
	struct forwards to = { 0 };
	struct guest last = { 0 };

	for (const struct live_forward *f = net->forwards; f; f = f->hh.next)
		for (unsigned i = 0; i < f->nlistens; i++)
			add_listen(&to, f, &f->listens[i], &last);
	return to;
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

/* ---- somebody else's doing ---- */

/* restore() - one network's turn makes the table anew for all */
static void restore(struct engine *e, const char *by)
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

/* read_notices() - Return: has the kernel told more than its socket holds? Then nobody knows what */
static bool read_notices(int fd, struct nft_notice *notice)
{
	static char room[NOTICE_ROOM];
	ssize_t n;

	while ((n = recv(fd, room, sizeof(room), 0)) > 0)
		nft_notice_read(notice, room, (size_t)n, KEEPER);
	return n < 0 && errno == ENOBUFS;
}

static void on_notice(evutil_socket_t fd, short what, void *arg)
{
	struct nft_notice notice = { 0 };
	bool lost = false;

	(void)what;
	while (read_notices(fd, &notice))
		lost = true;
	if (notice.changed || lost)
		restore(arg, notice.changed ? notice.by : "?");
}

/* forget_own() - what our own change has told, if it was too much for the socket: that is not for restoring it */
static void forget_own(struct engine *e)
{
	struct nft_notice notice = { 0 };

	if (!e->nft_watch)
		return;
	while (read_notices(event_get_fd(e->nft_watch), &notice))
		;
	if (notice.changed)
		restore(e, notice.by);
}

static void watch(struct engine *e)
{
	int fd = e->nft_watch ? -1 : host_nat_watch(e->host);

	if (e->nft_watch)
		return;
	if (fd >= 0)
		e->nft_watch = event_new(e->base, fd, EV_READ | EV_PERSIST, on_notice, e);
	if (e->nft_watch)
		event_add(e->nft_watch, NULL);
	else
		log_warn("event=nat-rules-not-watched reason=\"%s\"", strerror(fd < 0 ? -fd : ENOMEM));
}

/* ---- the table ---- */

static bool same(const struct live_kernel *k, const struct host_nat *m, const struct forwards *f)
{
	return k->is_sent && k->conf.access == m->access && k->conf.helpers == m->helpers && !strcmp(k->conf.out, m->out) && k->sent.n == f->n &&
	       (!f->n || !memcmp(k->sent.list, f->list, f->n * sizeof(*f->list)));
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

/* send() - Return: 0, and *@f is the kernel's, or negative errno */
static int send_all(struct live_net *net, const struct host_nat *conf, struct forwards *f)
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
	*f = (struct forwards){ 0 };
	return 0;
}

static void push(struct live_net *net, bool again)
{
	struct live_kernel *k = is_kernels(net->conf) ? kernel_of(net) : NULL;
	char held[HOST_NAME_SIZE];
	struct forwards f;
	struct host_nat m;

	if (!k)
		return;
	watch(net->engine);
	m = conf_of(net->conf, live_hostif_held(net->conf, held));
	m.again = again;
	f = wanted(net);
	if (again || !same(k, &m, &f)) {
		send_all(net, &m, &f);
		if (!again)
			forget_own(net->engine);
	}
	free(f.list);
}

void live_kernel_push(struct live_net *net)
{
	push(net, false);
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
			watch(e);
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
	struct forwards f = { 0 };
	int rc;

	if (e->generation == 0)
		return 0;
	if (net && is_kernels(net->conf))
		f = wanted(net);
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
