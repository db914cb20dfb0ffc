// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_host.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/host_watch.h"
#include "ctl/live_clash.h"
#include "ctl/live_delegated.h"
#include "ctl/live_dns_host.h"
#include "ctl/live_dns_validate.h"
#include "ctl/live_dns_listen.h"
#include "ctl/live_hostif.h"
#include "ctl/live_kernel.h"
#include "ctl/live_nat.h"
#include "ctl/live_wire.h"
#include "dhcp/upstream.h"

enum { SETTLE_MS = 1000 };

/* On a host whose routes never rest this waits for no end: the first change sets the time. */
static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct engine *e = arg;

	(void)fd, (void)what;
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		live_nat_host_changed(net, true);
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		live_clash_look(net);
}

static void follow(struct live_net *net)
{
	live_nat_host_changed(net, false);
	live_hostif_follow(net);
	live_wire_host_changed(net);
	if (net->upstream)
		upstream_host_changed(net->upstream);
	for (struct live_forward *f = net->forwards, *next; f; f = next) {
		next = f->hh.next;
		if (f->reason)
			live_forward_start(f);
	}
}

static void on_changed(void *arg)
{
	static struct log_limit limit;
	struct engine *e = arg;
	struct timeval tv = { .tv_sec = SETTLE_MS / 1000 };

	if (log_allowed(&limit, clock_now_ms()))
		log_info("event=host-changed");
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		follow(net);
	if (!evtimer_pending(e->settle_timer, NULL))
		event_add(e->settle_timer, &tv);
}

int live_host_start(struct engine *e)
{
	e->settle_timer = evtimer_new(e->base, on_settled, e);
	if (!e->settle_timer)
		return -ENOMEM;
	e->host_watch = host_watch_new(e->base, on_changed, e);
	if (!e->host_watch)
		log_warn("event=host-not-watched reason=\"%s\"", strerror(errno));
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		live_clash_look(net);
	return 0;
}

/* is_deaf() - is it an interface of which nothing is forwarded? One that is not there is another matter. */
static bool is_deaf(const char *ifname)
{
	char path[80], value = '1';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding", ifname);
	f = fopen(path, "re");
	if (f && fread(&value, 1, 1, f) != 1)
		value = '1';
	if (f)
		fclose(f);
	return value == '0';
}

json_t *live_host_warnings(const struct live_net *net)
{
	const struct net_conf *conf = net->conf;
	json_t *list = json_array(), *more;

	if (list && net->wire)
		live_wire_warnings(net, list);
	if (!list || !conf->has_subnet)
		return list;
	if (conf->uplink[0] && !if_nametoindex(conf->uplink))
		json_array_append_new(list, json_sprintf(conf->has_nat ? "uplink %s is not there: until it is, nothing leaves this host" :
							 "uplink %s is not there, and so not made to forward", conf->uplink));
	if (conf->uplink[0] && net->upstream && upstream_is_mute(net->upstream))
		json_array_append_new(list, json_sprintf("the host's resolver is on its loopback and asks by any uplink, so it is not asked; "
							 "name one: lanyard net set %s --dns-upstream ADDRESS", conf->name));
	live_dns_listen_warnings(net, list);
	live_dns_host_warnings(net, list);
	live_dns_validate_warnings(net, list);
	live_delegated_warnings(net, list);
	if (conf->mode == NET_ROUTED && conf->uplink[0] && is_deaf(conf->uplink))
		json_array_append_new(list, json_sprintf("uplink %s was set anew, and forwards nothing: sysctl -w net.ipv4.conf.%s.forwarding=1",
							 conf->uplink, conf->uplink));
	more = live_clash_warning(net);
	if (more)
		json_array_append_new(list, more);
	more = live_kernel_warning(net);
	if (more)
		json_array_append_new(list, more);
	return list;
}
