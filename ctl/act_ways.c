// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_ways.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ctl/act_delegated.h"
#include "ctl/act_journal.h"
#include "ctl/act_wire.h"

/* ---- filters of a NIC ---- */

/* plan_wire() - taking hooks that were there for ours, we would take somebody else's away at the end */
static int plan_wire(const struct host_iface *m, struct host_change *c, struct error *err)
{
	int nic = (int)if_nametoindex(m->uplink), hooks = nic ? wire_hooks_are(nic) : -ENODEV;

	if (hooks < 0)
		return error_set(err, hooks, "cannot list the filters (tc) of %s: %s", m->uplink, strerror(-hooks));
	*c = (struct host_change){ .kind = HOST_CHANGE_FILTER };
	snprintf(c->target, sizeof(c->target), "%s", m->uplink);
	snprintf(c->before, sizeof(c->before), "%s", hooks ? "clsact" : "");
	snprintf(c->after, sizeof(c->after), "%d %s", nic, m->ifname);
	return 1;
}

/* end_wire() - the NIC may have been renamed since, or be another one of that name */
static int end_wire(const struct host_change *c)
{
	int nic = (int)strtol(c->after, NULL, 10), named = (int)if_nametoindex(c->target);
	int rc = wire_end(nic, c->before[0]);

	return rc == 0 && named && named != nic ? wire_end(named, c->before[0]) : rc;
}

static int wire_failed(int rc, struct error *err, struct host_reply *r)
{
	if (rc == -EPERM || rc == -EACCES)
		rights_hint(err, 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW);
	return act_refuse(r, rc, err);
}

int ways_wire(const struct host_wire *m, const struct act_about *about, struct host_reply *r)
{
	const struct host_iface *is = about->request;
	struct error err = { .rc = 0 };
	int rc = wire_set(is->ifname, (int)m->nic, m->slot, m->macs, m->count, &err);

	return rc < 0 ? wire_failed(rc, &err, r) : 0;
}

/* ---- both ---- */

/* plan_pool() - what is nobody's of a prefix that guests are delegated parts of does not go out again to who sent it here (RFC 7084 4.3, WPD-5) */
static int plan_pool(const struct host_iface *m, struct host_change *c)
{
	char ip[INET6_ADDRSTRLEN];

	if (!host_has_ip6())
		return 0;
	*c = (struct host_change){ .kind = HOST_CHANGE_ROUTES };
	snprintf(c->target, sizeof(c->target), "%s", m->ifname);
	snprintf(c->after, sizeof(c->after), "%s/%u", inet_ntop(AF_INET6, m->pool6, ip, sizeof(ip)), m->pool6_len);
	return 1;
}

int ways_open(const struct host_iface *m, struct host_reply *r)
{
	struct error err = { .rc = 0 };
	struct host_change c;
	int rc = m->bridged ? plan_wire(m, &c, &err) : plan_pool(m, &c);

	if (rc <= 0)
		return rc < 0 ? wire_failed(rc, &err, r) : 0;
	snprintf(c.name, sizeof(c.name), "%s", m->name);
	rc = journal_add(&c, 1);
	if (rc < 0)
		error_set(&err, rc, "cannot write to the journal of host changes: %s", strerror(-rc));
	else
		rc = m->bridged ? wire_set(m->ifname, (int)if_nametoindex(m->uplink), 0, NULL, 0, &err) : delegated_begin(&c, &err);
	return rc < 0 ? wire_failed(rc, &err, r) : 0;
}

static bool is_ways(const struct host_change *c)
{
	return c->kind == HOST_CHANGE_FILTER || c->kind == HOST_CHANGE_ROUTES;
}

static int undo_one(const struct host_change *c, int tap)
{
	int rc = c->kind == HOST_CHANGE_FILTER ? end_wire(c) : delegated_end(c);

	(void)tap;
	return rc == -ENOENT || rc == -ENODEV ? 0 : rc;
}

const struct journal_part journal_ways = { .has = is_ways, .undo = undo_one };

/* ---- the program ---- */

static int run(const struct act_call *call, const struct act_about *about, struct host_reply *r)
{
	const struct host_header *head = (const void *)call->request;

	if (head->type == HOST_OPEN_IFACE)
		return ways_open((const void *)head, r);
	if (head->type == HOST_DELEGATED && about->request && about->fd >= 0)
		return delegated_tell((const void *)head, about, r);
	return head->type == HOST_WIRE && about->request ? ways_wire((const void *)head, about, r) : -EPROTO;
}

static int undo(const struct act_call *call, const struct act_about *about)
{
	(void)call;
	return journal_undo(&journal_ways, about->name, -1, false);
}

static void undo_all(void)
{
	journal_undo(&journal_ways, NULL, -1, false);
}

const struct act_program act_ways = { .name = "lanyard-ways", .run = run, .undo = undo, .undo_all = undo_all, .use_journal = journal_use };
