// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_nat.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/act_conntrack.h"
#include "ctl/act_journal.h"
#include "ctl/act_look.h"
#include "ctl/act_nat_books.h"
#include "ctl/act_nft.h"

enum { DEVICES_TEXT = 4096 };		/* some two hundred interfaces; behind that there is no quick way */

/* ---- one transaction ---- */

static void write_all(FILE *to, const struct nft_member *m, const struct forwards *f)
{
	nft_write_member(to, "add", m);
	nft_write_forwards(to, "add", f->list, f->n);
}

/* add_device() - to the text of a list, once; what is not there, no flowtable may name */
static void add_device(char *list, size_t room, const char *ifname)
{
	char quoted[HOST_IFNAME_SIZE + 4];
	size_t n = strlen(list);

	snprintf(quoted, sizeof(quoted), "\"%s\"", ifname);
	if (*ifname && if_nametoindex(ifname) && !strstr(list, quoted))
		snprintf(list + n, room - n, "%s%s", n ? ", " : "", quoted);
}

/* write_anew() - the table with every network but @except, which is changing to @m */
static void write_anew(FILE *to, const struct nat_books *b, unsigned features, const struct nat_net *except, const struct nft_member *m)
{
	char devices[DEVICES_TEXT] = "";
	struct nat_net *net;

	add_device(devices, sizeof(devices), m->ifname);
	add_device(devices, sizeof(devices), m->way);
	SLIST_FOREACH(net, &b->nets, link) {
		add_device(devices, sizeof(devices), net->member.ifname);
		add_device(devices, sizeof(devices), net->member.way);
	}
	nft_write_table(to, features, devices);
	SLIST_FOREACH(net, &b->nets, link)
		if (net != except)
			write_all(to, &net->member, &net->forwards);
}

/* write_changes() - of @net to @m and @staged */
static int write_changes(FILE *to, const struct nat_net *net, const struct nft_member *m, const struct forwards *staged)
{
	struct host_forward *old = NULL, *new = NULL;
	long nold = forwards_without(&net->forwards, staged, &old), nnew = forwards_without(staged, &net->forwards, &new);

	if (nold >= 0 && nnew >= 0) {
		if (memcmp(&net->member, m, sizeof(*m))) {
			nft_write_member(to, "delete", &net->member);
			nft_write_member(to, "add", m);
		}
		nft_write_forwards(to, "delete", old, (size_t)nold);
		nft_write_forwards(to, "add", new, (size_t)nnew);
	}
	free(old);
	free(new);
	return nold < 0 || nnew < 0 ? -ENOMEM : 0;
}

static struct nft_member member_of(const struct host_nat *m, const struct act_about *h)
{
	const struct host_iface *iface = h->request;
	struct nft_member member = { .access = m->access, .helpers = m->helpers };

	memcpy(member.ifname, iface->ifname, sizeof(member.ifname));
	memcpy(member.way, iface->uplink, sizeof(member.way));
	strcpy(member.out, m->out);
	return member;
}

/* is_anew() - does the table have to be made, and not just changed? A flowtable's devices are named where it is made. */
static bool is_anew(const struct host_nat *m, const struct nat_books *b, const struct nat_net *net, const struct nft_member *member, unsigned features)
{
	return m->again || b->unknown || SLIST_EMPTY(&b->nets) || features != b->in_force ||
	       (features & NFT_FLOWTABLE && (!net || memcmp(&net->member, member, sizeof(*member))));
}

/* change() - one transaction; an empty one is none */
static int change(const struct host_nat *m, const struct act_about *h, const struct nat_books *b, unsigned features, struct error *err)
{
	const struct nat_net *net = books_find(b, m->name);
	struct nft_member member = member_of(m, h);
	bool anew = is_anew(m, b, net, &member, features);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int rc = 0;

	if (!to)
		return error_set(err, -ENOMEM, "out of memory");
	if (anew)
		write_anew(to, b, features, net, &member);
	if (net && !anew)
		rc = write_changes(to, net, &member, &b->staged);
	else
		write_all(to, &member, &b->staged);
	if (fclose(to) || rc < 0)
		rc = error_set(err, -ENOMEM, "out of memory");
	if (rc == 0 && size)
		rc = nft_run(text, err);
	free(text);
	return rc;
}

/* note() - in the journal, before the first act for this network */
static int note(const struct host_nat *m, struct error *err)
{
	struct host_change c = { .kind = HOST_CHANGE_TABLE, .target = HOST_NAT_FAMILY " " HOST_NAT_TABLE };
	int rc;

	if (journal_noted(m->name, c.target))		/* of a time before, and not undone */
		return 0;
	strcpy(c.name, m->name);
	rc = journal_add(&c, 1);
	return rc < 0 ? error_set(err, rc, "cannot write to the journal of host changes: %s", strerror(-rc)) : 0;
}

/* cut() - connections that came by forwards that have gone, or lead elsewhere now */
static void cut(const struct nat_books *b, const struct nat_net *net)
{
	struct host_forward *old = NULL;
	long n = net ? forwards_without(&net->forwards, &b->staged, &old) : 0;

	if (n > 0)
		conntrack_cut_forwards(old, (size_t)n);
	free(old);
}

static int check(const struct host_nat *m, const struct act_about *h, struct nat_books *b, struct error *err)
{
	static const struct forwards none;
	char before[HOST_VALUE_SIZE];
	const struct nat_net *net;
	bool ours = journal_before(HOST_NAT_FAMILY " " HOST_NAT_TABLE, before);
	int theirs;

	if (!h->request)
		return error_set(err, -EIO, "the host's interface is not as it should be");
	if (books_stage(b, h->fd, m->nforwards) < 0)
		return error_set(err, -EPROTO, "these are not %u forwards", m->nforwards);
	if (forwards_have_twins(&b->staged))
		return error_set(err, -EEXIST, "two forwards of one port");
	if (!ours)
		books_forget(b);	/* what nobody could strike out when the table went */
	net = books_find(b, m->name);
	forwards_resolve(&b->staged, net ? &net->forwards : &none);
	if (ours)
		return 0;
	theirs = nft_exists();
	if (theirs < 0)
		return error_set(err, theirs, "nftables: cannot ask for the tables: %s", strerror(-theirs));
	if (theirs)
		return error_set(err, -EBUSY, "nftables: a table \"" HOST_NAT_FAMILY " " HOST_NAT_TABLE "\" is there that is not this daemon's");
	return 0;
}

/* to_have() - a table that is there has what the kernel had for it, and the helpers that are asked for */
static unsigned to_have(const struct host_nat *m, const struct act_about *h, const struct nat_books *b)
{
	unsigned features = SLIST_EMPTY(&b->nets) || m->again ? (NFT_TIMEOUTS | NFT_FLOWTABLE) & ~b->lacks : b->in_force & (NFT_TIMEOUTS | NFT_FLOWTABLE);
	const struct nat_net *net;

	if (!if_nametoindex(((const struct host_iface *)h->request)->ifname))
		features &= ~(unsigned)NFT_FLOWTABLE;		/* it would have no device */
	SLIST_FOREACH(net, &b->nets, link)
		features |= net->member.helpers;
	return features | m->helpers;
}

static int no_helper(unsigned lacking, struct error *err)
{
	unsigned bit = 1;

	while (!(lacking & bit))
		bit <<= 1;
	return error_set(err, -EOPNOTSUPP, "nat_helpers: this kernel has no connection tracking helper for %s (modules nf_conntrack_%s, nf_nat_%s)",
			 nft_feature_name(bit), nft_feature_name(bit), nft_feature_name(bit));
}

/* change_or_less() - without what the kernel has not; helpers were asked for, and are not left out. @b knows then what the table has */
static int change_or_less(const struct host_nat *m, const struct act_about *h, struct nat_books *b, struct error *err)
{
	unsigned features = to_have(m, h, b), lacking;
	int rc = change(m, h, b, features, err);

	lacking = rc < 0 && rc != -EPERM ? nft_lacking(features) : 0;
	if (lacking & HOST_NAT_HELPERS)
		return no_helper(lacking, err);
	if (lacking)
		rc = change(m, h, b, features & ~lacking, err);
	b->in_force = features & ~lacking;
	b->lacks |= lacking;
	return rc;
}

int nat_run(const struct host_nat *m, const struct act_about *h, struct nat_books *b, struct host_reply *r)
{
	struct error err = { .rc = 0 };
	struct nft_member member;
	int rc = check(m, h, b, &err);
	const struct nat_net *net = books_find(b, m->name);

	if (rc == 0 && !net)
		rc = note(m, &err);
	if (rc == 0) {
		member = member_of(m, h);
		rc = books_draft(b, m->name, &member);
		rc = rc < 0 ? error_set(&err, rc, "cannot note what the kernel translates: %s", strerror(-rc)) : change_or_less(m, h, b, &err);
	}
	if (rc < 0)
		return act_refuse(r, rc, &err);
	books_settle(b, false);
	nat_settings(m->name, b->in_force & NFT_TIMEOUTS, r);
	cut(b, net);
	return 0;
}

/* Where it was the last one the table is deleted by journal_undo(). */
void nat_leave(const struct act_about *h, struct nat_books *b)
{
	const struct nat_net *net = books_find(b, h->name);
	bool drafted, well = false;
	char *text = NULL;
	size_t size;
	FILE *to;

	if (!net || !h->request)
		return;
	drafted = books_draft(b, h->name, NULL) == 0;
	to = open_memstream(&text, &size);
	if (to) {
		nft_write_member(to, "delete", &net->member);
		nft_write_forwards(to, "delete", net->forwards.list, net->forwards.n);
		well = !fclose(to) && nft_run(text, NULL) == 0;
		free(text);
	}
	if (drafted)
		books_settle(b, b->unknown || !well);
	conntrack_cut_guests(h->request);
}
