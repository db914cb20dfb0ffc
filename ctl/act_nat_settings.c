// SPDX-License-Identifier: GPL-2.0-or-later
/* What of kernel NAT is noted in the journal, besides the table: settings of the host's connection tracking. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/act_journal.h"
#include "ctl/act_nat.h"
#include "ctl/act_nft.h"
#include "ctl/netns.h"

/* RFC 5508 REQ-2: 60 s at least for the answer to an echo. There are no rules for that, it is one setting for the host. Looked at with every
 * change: what did not work once, or somebody took back, may be told or work now. */
static int keep_echoes(const char *name, const char *setting)
{
	struct host_change c = { .kind = HOST_CHANGE_SYSCTL, .after = "60" };
	bool noted;
	int rc;

	snprintf(c.name, sizeof(c.name), "%s", name);
	snprintf(c.target, sizeof(c.target), HOST_NAT_SETTINGS "%s", setting);
	if (change_setting(c.target, c.before) < 0)
		return 0;
	noted = journal_noted(name, c.target);
	if (atoi(c.before) >= atoi(c.after) && (noted || !journal_before(c.target, c.before)))
		return 0;
	rc = noted ? 0 : journal_add(&c, 1);
	return rc < 0 ? rc : netns_sysctl(c.target, c.after);
}

/* tell_lacking() - what works less well than it should */
static void tell_lacking(bool timeouts, bool echoes_kept, struct host_reply *r)
{
	if (!timeouts)
		snprintf(r->message, sizeof(r->message), "this kernel has no timeouts of one network's own (nfnetlink_cttimeout): "
			 "connections are forgotten as the host's settings say (net.netfilter.nf_conntrack_*_timeout)");
	else if (!echoes_kept)
		snprintf(r->message, sizeof(r->message), "guests' pings are forgotten as the host's settings say, which cannot be changed "
			 "(net.netfilter.nf_conntrack_icmp_timeout)");
}

void nat_settings(const char *name, bool timeouts, struct host_reply *r)
{
	bool v4 = keep_echoes(name, "nf_conntrack_icmp_timeout") == 0, v6 = v4 && keep_echoes(name, "nf_conntrack_icmpv6_timeout") == 0;

	tell_lacking(timeouts, v4 && v6, r);
}

/* ---- undone ---- */

static bool is_nats(const struct host_change *c)
{
	return c->kind == HOST_CHANGE_TABLE || (c->kind == HOST_CHANGE_SYSCTL && !strncmp(c->target, HOST_NAT_SETTINGS, strlen(HOST_NAT_SETTINGS)));
}

static int undo(const struct host_change *c, int tap)
{
	int rc = c->kind == HOST_CHANGE_TABLE ? nft_delete() : c->before[0] ? setting_put_back(c, netns_sysctl) : 0;

	(void)tap;
	return rc == -ENOENT ? 0 : rc;
}

const struct journal_part journal_nat = { .has = is_nats, .undo = undo };
