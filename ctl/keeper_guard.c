// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/keeper_guard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <string.h>

enum {
	PRIORITY = 1,			/* the first filter asked */
	OURS = 0x6c616e79,		/* our filters' handle: "lany" */
};

#define QDISC TC_H_MAKE(TC_H_CLSACT, 0)

static const uint32_t hooks[] = { TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS), TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS) };

/* request() - one message about @ifindex, with what it is to hold; NULL without memory */
static struct nl_msg *request(int type, int flags, int ifindex, uint32_t parent, uint32_t handle, uint32_t info, const char *kind)
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

/* ---- what the kernel answers, as an errno ---- */

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

/* transact() - send @msg (taken, may be NULL) and wait. Return: 0, or the kernel's negative errno */
static int transact(struct nl_sock *sk, struct nl_msg *msg)
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

/* ---- filters ---- */

static uint32_t filter_info(void)
{
	return TC_H_MAKE(PRIORITY << 16, htons(ETH_P_ALL));
}

/* drop_filter() - classic BPF whose verdict is the action: no program is loaded, nothing but CAP_NET_ADMIN is needed */
static struct nl_msg *drop_filter(int ifindex, uint32_t hook)
{
	static const struct sock_filter drop[] = { BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT) };
	struct nl_msg *msg = request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, ifindex, hook, OURS, filter_info(), "bpf");
	struct nlattr *options = msg ? nla_nest_start(msg, TCA_OPTIONS) : NULL;

	if (options && nla_put_u16(msg, TCA_BPF_OPS_LEN, 1) == 0 && nla_put(msg, TCA_BPF_OPS, sizeof(drop), drop) == 0 &&
	    nla_put_u32(msg, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT) == 0) {
		nla_nest_end(msg, options);
		return msg;
	}
	nlmsg_free(msg);
	return NULL;
}

/* found - what a listing of a hook's filters showed */
struct found {
	int ifindex;
	uint32_t hook;
	bool ours, others;
};

/* The kernel lists each priority by itself, with handle 0, and then its filters. */
static int on_filter(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *h = nlmsg_hdr(msg);
	const struct tcmsg *tc = nlmsg_data(h);
	struct found *f = arg;

	if (h->nlmsg_type != RTM_NEWTFILTER || !nlmsg_valid_hdr(h, sizeof(*tc)))
		return NL_SKIP;
	if (tc->tcm_ifindex != f->ifindex || tc->tcm_parent != f->hook)
		return NL_SKIP;
	if (TC_H_MAJ(tc->tcm_info) >> 16 != PRIORITY || (tc->tcm_handle && tc->tcm_handle != OURS))
		f->others = true;
	else if (tc->tcm_handle)
		f->ours = true;
	return NL_OK;
}

static int list(struct nl_sock *sk, struct found *f)
{
	struct nl_msg *msg = request(RTM_GETTFILTER, NLM_F_DUMP, f->ifindex, f->hook, 0, 0, NULL);
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int rc = msg && cb ? nl_send_auto(sk, msg) : -NLE_NOMEM;

	f->ours = f->others = false;
	if (rc >= 0) {
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_filter, f);
		rc = nl_recvmsgs(sk, cb);
	}
	nlmsg_free(msg);
	nl_cb_put(cb);
	return rc < 0 ? -EIO : 0;
}

/* ---- the guard ---- */

static struct nl_sock *open_socket(void)
{
	struct nl_sock *sk = nl_socket_alloc();

	if (sk && nl_connect(sk, NETLINK_ROUTE) == 0)
		return sk;
	nl_socket_free(sk);
	return NULL;
}

/* set_hook() - Return: 0, or a negative errno */
static int set_hook(struct nl_sock *sk, int ifindex, uint32_t hook)
{
	struct found f = { .ifindex = ifindex, .hook = hook };
	int rc = list(sk, &f);

	if (rc < 0)
		return rc;
	if (f.others)
		return -EBUSY;
	return f.ours ? 0 : transact(sk, drop_filter(ifindex, hook));
}

static void clear(struct nl_sock *sk, int ifindex)
{
	struct found f = { .ifindex = ifindex };
	bool others = false;

	for (unsigned i = 0; i < 2; i++) {
		transact(sk, request(RTM_DELTFILTER, NLM_F_ACK, ifindex, hooks[i], OURS, filter_info(), "bpf"));
		f.hook = hooks[i];
		others |= list(sk, &f) < 0 || f.others;
	}
	if (!others)
		transact(sk, request(RTM_DELQDISC, NLM_F_ACK, ifindex, TC_H_CLSACT, QDISC, 0, "clsact"));
}

int guard_set(int ifindex, struct error *err)
{
	struct nl_sock *sk = open_socket();
	int rc;

	if (!sk)
		return error_set(err, -EIO, "cannot reach the kernel's traffic control");
	rc = transact(sk, request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, ifindex, TC_H_CLSACT, QDISC, 0, "clsact"));
	if (rc == -EEXIST)
		rc = 0;
	for (unsigned i = 0; rc == 0 && i < 2; i++)
		rc = set_hook(sk, ifindex, hooks[i]);
	if (rc < 0)
		clear(sk, ifindex);
	nl_socket_free(sk);
	if (rc == -EBUSY)
		return error_set(err, rc, "it has traffic-control filters of somebody else");
	return rc < 0 ? error_set(err, rc, "cannot keep the host's stack away from it (tc clsact, cls_bpf): %s", strerror(-rc)) : 0;
}

void guard_clear(int ifindex)
{
	struct nl_sock *sk = open_socket();

	if (sk)
		clear(sk, ifindex);
	nl_socket_free(sk);
}
