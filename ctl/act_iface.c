// SPDX-License-Identifier: GPL-2.0-or-later
/* An interface of the host's own as an end of a network: what it takes is planned as a list of changes, the list goes to the journal,
 * and then each is made. The keeper has what is in the journal undone when this fails. */
#include "ctl/act_iface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/act_journal.h"
#include "ctl/netns.h"
#include "ctl/netns_link.h"

enum { PLAN_MAX = 32 };

struct plan {
	const struct host_iface *m;
	struct host_change list[PLAN_MAX];
	unsigned n;
};

static void add(struct plan *p, enum host_change_kind kind, const char *before, const char *after, const char *target, ...)
	__attribute__((format(printf, 5, 6)));

static void add(struct plan *p, enum host_change_kind kind, const char *before, const char *after, const char *target, ...)
{
	struct host_change *c = &p->list[p->n];
	va_list ap;

	if (p->n == PLAN_MAX)
		return;			/* journal_add() is told nothing that is not done: see iface_open() */
	p->n++;
	*c = (struct host_change){ .kind = kind };
	va_start(ap, target);
	vsnprintf(c->target, sizeof(c->target), target, ap);
	va_end(ap);
	snprintf(c->before, sizeof(c->before), "%s", before);
	snprintf(c->after, sizeof(c->after), "%s", after);
}

/* has() - is there such a setting of the interface, or, before it is made, of those that are yet to come? */
static bool has(const char *family, const char *setting)
{
	char path[HOST_TARGET_SIZE], value[HOST_VALUE_SIZE];

	snprintf(path, sizeof(path), "net/%s/conf/default/%s", family, setting);
	return change_setting(path, value) == 0;
}

/* own() - a setting of our interface, which goes away with it */
static void own(struct plan *p, const char *family, const char *setting, const char *value)
{
	if (has(family, setting))
		add(p, HOST_CHANGE_SYSCTL, "", value, "net/%s/conf/%s/%s", family, p->m->ifname, setting);
}

/* foreign() - a setting of another interface: only where it is not so already, unless that was our doing */
static void foreign(struct plan *p, const char *family, const char *ifname, const char *setting, const char *value)
{
	char path[HOST_TARGET_SIZE], before[HOST_VALUE_SIZE];

	snprintf(path, sizeof(path), "net/%s/conf/%s/%s", family, ifname, setting);
	if (change_setting(path, before) == 0 && (strcmp(before, value) || journal_before(path, before)))
		add(p, HOST_CHANGE_SYSCTL, before, value, "%s", path);
}

static bool accepts_ra(const char *ifname)
{
	char path[HOST_TARGET_SIZE], value[HOST_VALUE_SIZE], before[HOST_VALUE_SIZE];

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra", ifname);
	return change_setting(path, value) == 0 && (!strcmp(value, "1") || journal_before(path, before));
}

/* route6() - a router takes no advertisements unless told so by 2, and would lose its own way out some time later */
static void route6(struct plan *p)
{
	const char *uplink = p->m->uplink;

	if (has("ipv6", "force_forwarding")) {		/* Linux 6.17: of one interface, which stays a host otherwise */
		own(p, "ipv6", "force_forwarding", "1");
		if (*uplink)
			foreign(p, "ipv6", uplink, "force_forwarding", "1");
	} else if (*uplink) {
		if (accepts_ra(uplink))
			foreign(p, "ipv6", uplink, "accept_ra", "2");
		foreign(p, "ipv6", "all", "forwarding", "1");
		foreign(p, "ipv6", uplink, "forwarding", "1");
	}
}

static void plan_route(struct plan *p)
{
	const char *value = p->m->routed ? "1" : "0";

	own(p, "ipv4", "forwarding", value);
	if (host_has_ip6())
		own(p, "ipv6", "forwarding", value);
	if (!p->m->routed)
		return;
	own(p, "ipv4", "route_localnet", p->m->localnet ? "1" : "0");
	if (p->m->uplink[0])
		foreign(p, "ipv4", p->m->uplink, "forwarding", "1");
	if (p->m->len6 && host_has_ip6())
		route6(p);
}

static void plan_addresses(struct plan *p)
{
	char ip[INET6_ADDRSTRLEN], text[HOST_VALUE_SIZE];

	inet_ntop(AF_INET, p->m->addr4, ip, sizeof(ip));
	snprintf(text, sizeof(text), "%s/%u", ip, p->m->len4);
	add(p, HOST_CHANGE_ADDRESS, "", text, "%s", p->m->ifname);
	if (!p->m->len6 || !host_has_ip6())
		return;
	inet_ntop(AF_INET6, p->m->addr6, ip, sizeof(ip));
	snprintf(text, sizeof(text), "%s/%u", ip, p->m->len6);
	add(p, HOST_CHANGE_ADDRESS, "", text, "%s", p->m->ifname);
}

/* plan_own6() - the link-local address is the one that the MAC makes, which the network's advertisements come from; ours are not for us */
static void plan_own6(struct plan *p)
{
	if (!host_has_ip6())
		return;
	own(p, "ipv6", "addr_gen_mode", "0");
	own(p, "ipv6", "accept_ra", "0");
	own(p, "ipv6", "accept_dad", "0");
}

static void plan_all(struct plan *p, bool is_new)
{
	p->n = managers_plan(p->m->ifname, p->list, PLAN_MAX);
	if (is_new)
		add(p, HOST_CHANGE_INTERFACE, "", "", "%s", p->m->ifname);
	if (p->m->bridged) {
		if (is_new && host_has_ip6())
			own(p, "ipv6", "disable_ipv6", "1");
	} else {
		plan_own6(p);
		plan_addresses(p);
		plan_route(p);
	}
	for (unsigned i = 0; i < p->n; i++)
		snprintf(p->list[i].name, sizeof(p->list[i].name), "%s", p->m->name);
}

static int no_right(const struct host_iface *m, struct error *err)
{
	error_set(err, -EPERM, "the host's end of the network is an interface, and lanyardd has no right (CAP_NET_ADMIN) to make one");
	rights_hint(err, 1 << CAP_NET_ADMIN | (m->bridged ? 1 << CAP_NET_RAW : 0));
	return -EPERM;
}

static int make_tap(const struct host_iface *m, struct error *err)
{
	int fd = netns_tap_make(m->ifname, m->queues, err);
	int rc = fd < 0 ? fd : netns_set_link(m->ifname, m->mac, m->mtu, false, err);

	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

/* make_all() - @fd becomes the interface's, if it is negative */
static int make_all(const struct plan *p, int *fd, struct error *err)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < p->n; i++) {
		if (p->list[i].kind == HOST_CHANGE_INTERFACE)
			rc = *fd = make_tap(p->m, err);
		else
			rc = change_make(&p->list[i], err);
		rc = rc > 0 ? 0 : rc;
	}
	return rc < 0 ? rc : netns_set_link(p->m->ifname, NULL, p->m->mtu, true, err);
}

int iface_open(const struct host_iface *m, const struct act_about *h, struct host_reply *r)
{
	struct error err = { .rc = 0 };
	struct plan p = { .m = m };
	int fd = h->fd >= 0 ? fcntl(h->fd, F_DUPFD_CLOEXEC, 0) : -1, rc = 0;
	bool is_new = fd < 0;

	if (!rights_have(CAP_NET_ADMIN))
		rc = no_right(m, &err);
	else if (m->uplink[0] && !if_nametoindex(m->uplink))
		rc = error_set(&err, -ENODEV, "uplink %s: this host has no such interface", m->uplink);
	else if (is_new && if_nametoindex(m->ifname))
		rc = error_set(&err, -EEXIST, "interface %s: this host has one of that name already", m->ifname);
	if (rc == 0) {
		journal_undo(&journal_links, m->name, fd, fd >= 0);	/* its other settings, or what an engine did not stay to hear of */
		plan_all(&p, is_new);
		rc = journal_add(p.list, p.n);
		if (rc < 0)
			error_set(&err, rc, "cannot write to the journal of host changes: %s", strerror(-rc));
	}
	if (rc == 0)
		rc = make_all(&p, &fd, &err);
	if (rc == -EPERM || rc == -EACCES)
		no_right(m, &err);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? act_refuse(r, rc, &err) : fd;
}

/* ---- the program ---- */

static int run(const struct act_call *call, const struct act_about *about, struct host_reply *r)
{
	const struct host_header *head = (const void *)call->request;

	return head->type == HOST_OPEN_IFACE ? iface_open((const void *)head, about, r) : -EPROTO;
}

/* undo() - with an interface that stays its settings alone go: something is to be made of it that failed half way */
static int undo(const struct act_call *call, const struct act_about *about)
{
	return journal_undo(&journal_links, about->name, about->fd, call->value == IFACE_STAYS);
}

static void undo_all(void)
{
	journal_undo(&journal_links, NULL, -1, false);
}

const struct act_program act_iface = { .name = "lanyard-iface", .run = run, .undo = undo, .undo_all = undo_all, .use_journal = journal_use };
