// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_tc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#define QDISC TC_H_MAKE(TC_H_CLSACT, 0)

struct nl_sock *tc_open(void)
{
	struct nl_sock *sk = nl_socket_alloc();

	if (sk && nl_connect(sk, NETLINK_ROUTE) == 0)
		return sk;
	nl_socket_free(sk);
	return NULL;
}

struct nl_msg *tc_request(int type, int flags, int ifindex, uint32_t parent, uint32_t handle, uint32_t info, const char *kind)
{
	struct tcmsg tc = {
		.tcm_family = AF_UNSPEC, .tcm_ifindex = ifindex, .tcm_parent = parent, .tcm_handle = handle, .tcm_info = info,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, &tc, sizeof(tc), NLMSG_ALIGNTO) == 0 && (!kind || nla_put_string(msg, TCA_KIND, kind) == 0))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	(void)msg;
	*(int *)arg = 0;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	(void)from;
	*(int *)arg = e->error;
	return NL_STOP;
}

int tc_transact(struct nl_sock *sk, struct nl_msg *msg)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int rc = msg && cb ? nl_send_auto(sk, msg) : -NLE_NOMEM, answer = -EIO;

	if (rc >= 0) {
		nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, &answer);
		nl_cb_err(cb, NL_CB_CUSTOM, on_error, &answer);
		nl_recvmsgs(sk, cb);
	}
	nlmsg_free(msg);
	nl_cb_put(cb);
	return rc < 0 ? -ENOMEM : answer;
}

/* ---- lists ---- */

struct listing {
	int ifindex;
	uint32_t hook;
	tc_filter_fn *fn;		/* of filters, else NULL */
	void *arg;
	bool clsact;
};

static int on_listed(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *h = nlmsg_hdr(msg);
	const struct tcmsg *tc = nlmsg_data(h);
	struct listing *l = arg;
	struct nlattr *kind;

	if (!nlmsg_valid_hdr(h, sizeof(*tc)) || tc->tcm_ifindex != l->ifindex)
		return NL_SKIP;
	if (l->fn && h->nlmsg_type == RTM_NEWTFILTER && tc->tcm_parent == l->hook) {
		l->fn(l->arg, (uint16_t)(TC_H_MAJ(tc->tcm_info) >> 16), tc->tcm_handle);
	} else if (!l->fn && h->nlmsg_type == RTM_NEWQDISC) {
		kind = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)h, sizeof(*tc), TCA_KIND);
		l->clsact |= kind && !nla_strcmp(kind, "clsact");
	}
	return NL_OK;
}

static int list(struct nl_sock *sk, struct listing *l)
{
	struct nl_msg *msg = tc_request(l->fn ? RTM_GETTFILTER : RTM_GETQDISC, NLM_F_DUMP, l->ifindex, l->hook, 0, 0, NULL);
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int rc = msg && cb ? nl_send_auto(sk, msg) : -NLE_NOMEM;

	if (rc >= 0) {
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_listed, l);
		rc = nl_recvmsgs(sk, cb);
	}
	nlmsg_free(msg);
	nl_cb_put(cb);
	return rc == -NLE_DUMP_INTR ? -EAGAIN : rc < 0 ? -EIO : 0;
}

int tc_filters(struct nl_sock *sk, int ifindex, uint32_t hook, tc_filter_fn *fn, void *arg)
{
	struct listing l = { .ifindex = ifindex, .hook = hook, .fn = fn, .arg = arg };

	return list(sk, &l);
}

/* ---- hooks ---- */

int tc_clsact(struct nl_sock *sk, int ifindex)
{
	int rc = tc_transact(sk, tc_request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, ifindex, TC_H_CLSACT, QDISC, 0,
					    "clsact"));

	if (rc == -EEXIST) {		/* "ingress" has the same place, and would take filters for the way out for those of the way in */
		rc = tc_clsact_is(sk, ifindex);
		return rc < 0 ? rc : rc ? 0 : -EBUSY;
	}
	return rc;
}

int tc_clsact_is(struct nl_sock *sk, int ifindex)
{
	enum { TRIES = 10 };		/* another qdisc came or went meanwhile */
	struct listing l = { .ifindex = ifindex };
	int rc = -EAGAIN;

	for (unsigned i = 0; rc == -EAGAIN && i < TRIES; i++)
		rc = list(sk, &l);
	return rc < 0 ? rc : l.clsact;
}

int tc_clsact_end(struct nl_sock *sk, int ifindex)
{
	return tc_transact(sk, tc_request(RTM_DELQDISC, NLM_F_ACK, ifindex, TC_H_CLSACT, QDISC, 0, "clsact"));
}

/* ---- filters ---- */

static uint32_t info_of(uint16_t priority)
{
	return TC_H_MAKE((uint32_t)priority << 16, htons(ETH_P_ALL));
}

/* put_target() - the action of a filter that only says whether: act_mirred. A copy lets other filters have their say. */
static bool put_target(struct nl_msg *msg, const struct tc_filter *f)
{
	struct tc_mirred to = {
		.action = f->eaction == TCA_EGRESS_MIRROR ? TC_ACT_UNSPEC : TC_ACT_STOLEN, .eaction = f->eaction,
		.ifindex = (uint32_t)f->target,
	};
	struct nlattr *all = nla_nest_start(msg, TCA_BPF_ACT), *one = nla_nest_start(msg, 1), *options;

	if (!all || !one || nla_put_string(msg, TCA_ACT_KIND, "mirred") < 0)
		return false;
	options = nla_nest_start(msg, TCA_ACT_OPTIONS);
	if (!options || nla_put(msg, TCA_MIRRED_PARMS, sizeof(to), &to) < 0)
		return false;
	nla_nest_end(msg, options);
	nla_nest_end(msg, one);
	nla_nest_end(msg, all);
	return true;
}

static bool put_filter(struct nl_msg *msg, const struct tc_filter *f)
{
	struct nlattr *options = nla_nest_start(msg, TCA_OPTIONS);

	if (!options || nla_put_u16(msg, TCA_BPF_OPS_LEN, (uint16_t)f->ncode) < 0 ||
	    nla_put(msg, TCA_BPF_OPS, (int)(f->ncode * sizeof(*f->code)), f->code) < 0)
		return false;
	if (f->eaction ? !put_target(msg, f) : nla_put_u32(msg, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT) < 0)
		return false;
	nla_nest_end(msg, options);
	return true;
}

int tc_filter_set(struct nl_sock *sk, const struct tc_filter *f, bool replace)
{
	int flags = NLM_F_CREATE | NLM_F_ACK | (replace ? NLM_F_REPLACE : NLM_F_EXCL);
	struct nl_msg *msg = tc_request(RTM_NEWTFILTER, flags, f->ifindex, f->hook, f->handle, info_of(f->priority), "bpf");

	if (msg && put_filter(msg, f))
		return tc_transact(sk, msg);
	nlmsg_free(msg);
	return -ENOMEM;
}

int tc_filter_end(struct nl_sock *sk, int ifindex, uint32_t hook, uint16_t priority, uint32_t handle)
{
	return tc_transact(sk, tc_request(RTM_DELTFILTER, NLM_F_ACK, ifindex, hook, handle, info_of(priority), "bpf"));
}
