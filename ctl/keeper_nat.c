// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/keeper_nat.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/keeper.h"
#include "ctl/keeper_conntrack.h"
#include "ctl/keeper_journal.h"
#include "ctl/keeper_nft.h"

enum { LACKS = 8, FEATURES = (1 << LACKS) - 1 };	/* a child's reply says both in one number */
enum { DEVICES_TEXT = 4096 };		/* some two hundred interfaces; behind that there is no quick way */

/* forwards - sorted by what they are of */
struct forwards {
	struct host_forward *list;
	size_t n, room;
};

struct nat_net {
	char name[HOST_NAME_SIZE];
	struct nft_member member;
	struct forwards forwards;
	SLIST_ENTRY(nat_net) link;
};

static SLIST_HEAD(, nat_net) nets = SLIST_HEAD_INITIALIZER(nets);
static struct forwards staged;
static bool unknown;			/* what is in the table */
static unsigned in_force;		/* what it has of enum nft_feature */
static unsigned lacks;			/* what the kernel was found to lack since this keeper started */

static struct nat_net *find(const char *name)
{
	struct nat_net *net;

	SLIST_FOREACH(net, &nets, link)
		if (!strcmp(net->name, name))
			return net;
	return NULL;
}

int nat_stage(const struct host_forwards *m)
{
	struct host_forward *more;

	if (staged.n + m->n > HOST_FORWARDS_ALL)
		return -ENOSPC;
	if (staged.n + m->n > staged.room) {
		size_t room = 2 * staged.room + HOST_FORWARDS_MAX;

		more = realloc(staged.list, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		staged.list = more;
		staged.room = room;
	}
	memcpy(staged.list + staged.n, m->list, m->n * sizeof(*m->list));
	staged.n += m->n;
	return 0;
}

void nat_unstage(void)
{
	free(staged.list);
	staged = (struct forwards){ 0 };
}

/* ---- what is different ---- */

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct host_forward, to_port));
}

static void sort(struct forwards *f)
{
	if (f->n)
		qsort(f->list, f->n, sizeof(*f->list), by_key);
}

/* resolve() - staged forwards whose guest the engine does not know lead where they did, and are none if they did not lead anywhere */
static void resolve(const struct nat_net *net)
{
	static const uint8_t unknown_guest[16];
	size_t n = 0;

	for (size_t i = 0; i < staged.n; i++) {
		const struct host_forward *f = &staged.list[i];

		if (!memcmp(f->to, unknown_guest, sizeof(unknown_guest)))
			f = net && net->forwards.n ? bsearch(f, net->forwards.list, net->forwards.n, sizeof(*f), by_key) : NULL;
		if (f)
			staged.list[n++] = *f;
	}
	staged.n = n;
}

static bool has_twins(const struct forwards *f)
{
	for (size_t i = 1; i < f->n; i++)
		if (!by_key(&f->list[i - 1], &f->list[i]))
			return true;
	return false;
}

/* without() - those of @a that are not just so in @b; the list is the caller's to free. Return: how many, or negative errno */
static long without(const struct forwards *a, const struct forwards *b, struct host_forward **list)
{
	size_t n = 0, j = 0;

	*list = malloc((a->n + 1) * sizeof(**list));
	if (!*list)
		return -ENOMEM;
	for (size_t i = 0; i < a->n; i++) {
		while (j < b->n && by_key(&b->list[j], &a->list[i]) < 0)
			j++;
		if (j == b->n || memcmp(&b->list[j], &a->list[i], sizeof(a->list[i])))
			(*list)[n++] = a->list[i];
	}
	return (long)n;
}

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
static void write_anew(FILE *to, unsigned features, const struct nat_net *except, const struct nft_member *m)
{
	char devices[DEVICES_TEXT] = "";
	struct nat_net *net;

	add_device(devices, sizeof(devices), m->ifname);
	add_device(devices, sizeof(devices), m->way);
	SLIST_FOREACH(net, &nets, link) {
		add_device(devices, sizeof(devices), net->member.ifname);
		add_device(devices, sizeof(devices), net->member.way);
	}
	nft_write_table(to, features, devices);
	SLIST_FOREACH(net, &nets, link)
		if (net != except)
			write_all(to, &net->member, &net->forwards);
}

/* write_changes() - of @net to @m and what is staged */
static int write_changes(FILE *to, const struct nat_net *net, const struct nft_member *m)
{
	struct host_forward *old = NULL, *new = NULL;
	long nold = without(&net->forwards, &staged, &old), nnew = without(&staged, &net->forwards, &new);

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

/* ---- in a child ---- */

static struct nft_member member_of(const struct host_nat *m, const struct held *h)
{
	const struct host_iface *iface = h->request;
	struct nft_member member = { .access = m->access, .helpers = m->helpers };

	memcpy(member.ifname, iface->ifname, sizeof(member.ifname));
	memcpy(member.way, iface->uplink, sizeof(member.way));
	strcpy(member.out, m->out);
	return member;
}

/* is_anew() - does the table have to be made, and not just changed? A flowtable's devices are named where it is made. */
static bool is_anew(const struct host_nat *m, const struct nat_net *net, const struct nft_member *member, unsigned features)
{
	return m->again || unknown || SLIST_EMPTY(&nets) || features != in_force ||
	       (features & NFT_FLOWTABLE && (!net || memcmp(&net->member, member, sizeof(*member))));
}

/* change() - one transaction; an empty one is none */
static int change(const struct host_nat *m, const struct held *h, const struct nat_net *net, unsigned features, struct error *err)
{
	struct nft_member member = member_of(m, h);
	bool anew = is_anew(m, net, &member, features);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int rc = 0;

	if (!to)
		return error_set(err, -ENOMEM, "out of memory");
	if (anew)
		write_anew(to, features, net, &member);
	if (net && !anew)
		rc = write_changes(to, net, &member);
	else
		write_all(to, &member, &staged);
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

	strcpy(c.name, m->name);
	rc = journal_add(&c, 1);
	return rc < 0 ? error_set(err, rc, "cannot write to the journal of host changes: %s", strerror(-rc)) : 0;
}

/* cut() - connections that came by forwards that have gone, or lead elsewhere now */
static void cut(const struct nat_net *net)
{
	struct host_forward *old = NULL;
	long n = net ? without(&net->forwards, &staged, &old) : 0;

	if (n > 0)
		conntrack_cut_forwards(old, (size_t)n);
	free(old);
}

static int check(const struct host_nat *m, const struct held *h, struct error *err)
{
	char before[HOST_VALUE_SIZE];
	int theirs;

	if (!h->request)
		return error_set(err, -EIO, "the host's interface is not as it should be");
	if (m->nforwards != staged.n)
		return error_set(err, -EPROTO, "%u forwards were sent, not %u", (unsigned)staged.n, m->nforwards);
	sort(&staged);
	if (has_twins(&staged))
		return error_set(err, -EEXIST, "two forwards of one port");
	resolve(find(m->name));
	if (!SLIST_EMPTY(&nets) || journal_before(HOST_NAT_FAMILY " " HOST_NAT_TABLE, before))
		return 0;
	theirs = nft_exists();
	if (theirs < 0)
		return error_set(err, theirs, "nftables: cannot ask for the tables: %s", strerror(-theirs));
	if (theirs)
		return error_set(err, -EBUSY, "nftables: a table \"" HOST_NAT_FAMILY " " HOST_NAT_TABLE "\" is there that is not this daemon's");
	return 0;
}

/* to_have() - a table that is there has what the kernel had for it, and the helpers that are asked for */
static unsigned to_have(const struct host_nat *m, const struct held *h)
{
	unsigned features = SLIST_EMPTY(&nets) || m->again ? (NFT_TIMEOUTS | NFT_FLOWTABLE) & ~lacks : in_force & (NFT_TIMEOUTS | NFT_FLOWTABLE);
	const struct nat_net *net;

	if (!if_nametoindex(((const struct host_iface *)h->request)->ifname))
		features &= ~(unsigned)NFT_FLOWTABLE;		/* it would have no device */
	SLIST_FOREACH(net, &nets, link)
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

/* change_or_less() - without what the kernel has not; helpers were asked for, and are not left out. Return: what the table has now, and
 * above it (LACKS) what the kernel lacks; or negative errno */
static int change_or_less(const struct host_nat *m, const struct held *h, const struct nat_net *net, struct error *err)
{
	unsigned features = to_have(m, h), lacking;
	int rc = change(m, h, net, features, err);

	lacking = rc < 0 && rc != -EPERM ? nft_lacking(features) : 0;
	if (lacking & HOST_NAT_HELPERS)
		return no_helper(lacking, err);
	if (lacking)
		rc = change(m, h, net, features & ~lacking, err);
	return rc < 0 ? rc : (int)((features & ~lacking) | (lacks | lacking) << LACKS);
}

/* ---- settings of the host's connection tracking ---- */

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
	return rc < 0 ? rc : change_make(&c, NULL);
}

/* tell_lacking() - what works less well than it should */
static void tell_lacking(unsigned features, bool echoes_kept, struct host_reply *r)
{
	if (!(features & NFT_TIMEOUTS))
		snprintf(r->message, sizeof(r->message), "this kernel has no timeouts of one network's own (nfnetlink_cttimeout): "
			 "connections are forgotten as the host's settings say (net.netfilter.nf_conntrack_*_timeout)");
	else if (!echoes_kept)
		snprintf(r->message, sizeof(r->message), "guests' pings are forgotten as the host's settings say, which cannot be changed "
			 "(net.netfilter.nf_conntrack_icmp_timeout)");
}

int nat_run(const struct host_nat *m, const struct held *h, struct host_reply *r)
{
	const struct nat_net *net = find(m->name);
	struct error err = { .rc = 0 };
	int rc = check(m, h, &err);

	if (rc == 0 && !net)
		rc = note(m, &err);
	if (rc == 0)
		rc = change_or_less(m, h, net, &err);
	if (rc >= 0) {
		r->value = (uint32_t)rc;
		tell_lacking((unsigned)rc, keep_echoes(m->name, "nf_conntrack_icmp_timeout") == 0 &&
					   keep_echoes(m->name, "nf_conntrack_icmpv6_timeout") == 0, r);
		cut(net);
		return 0;
	}
	return act_refuse(r, rc, &err);
}

/* Where it was the last one the table is deleted by journal_undo(). */
void nat_leave(const struct held *h)
{
	const struct host_iface *iface = h->request;
	const struct nat_net *net = find(h->name);
	char *text = NULL;
	size_t size;
	FILE *to;

	if (!net || !iface)
		return;
	to = open_memstream(&text, &size);
	if (to) {
		nft_write_member(to, "delete", &net->member);
		nft_write_forwards(to, "delete", net->forwards.list, net->forwards.n);
		if (!fclose(to))
			nft_run(text, NULL);
		free(text);
	}
	conntrack_cut_guests(iface);
}

/* ---- in the keeper ---- */

void nat_done(const struct host_nat *m, const struct held *h, const struct host_reply *r)
{
	struct nat_net *net = find(m->name);
	bool ok = r && r->rc == 0;

	if (ok) {
		in_force = r->value & FEATURES;
		lacks = r->value >> LACKS;
	}
	unknown = !ok && !SLIST_EMPTY(&nets);
	if (ok && !net) {
		net = calloc(1, sizeof(*net));
		if (net) {
			strcpy(net->name, m->name);
			SLIST_INSERT_HEAD(&nets, net, link);
		}
		unknown = !net;
	}
	if (ok && net && h && h->request) {
		sort(&staged);
		resolve(net);
		net->member = member_of(m, h);
		free(net->forwards.list);
		net->forwards = staged;
		staged = (struct forwards){ 0 };
	}
	nat_unstage();
}

void nat_gone(const char *name)
{
	struct nat_net *net = find(name);

	if (!net)
		return;
	SLIST_REMOVE(&nets, net, nat_net, link);
	free(net->forwards.list);
	free(net);
	unknown &= !SLIST_EMPTY(&nets);
}

void nat_fini(void)
{
	while (!SLIST_EMPTY(&nets))
		nat_gone(SLIST_FIRST(&nets)->name);
	nat_unstage();
	unknown = false;
}

int nat_watch(void)
{
	enum { ROOM = 4 << 20 };		/* what ten thousand forwards tell at once */
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_NETFILTER);
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	int group = NFNLGRP_NFTABLES, room = ROOM, rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	/* One that has no address of its own yet is taken for the kernel's, which is not told what it says. */
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}
