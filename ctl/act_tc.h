/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_tc.h - traffic control of an interface (tc(8), clsact) in messages of rtnetlink
 *
 * Filters are classic BPF (cls_bpf): no program is loaded, nothing but CAP_NET_ADMIN is needed. For a program that acts; errors are
 * the kernel's, negative.
 */
#ifndef CTL_ACT_TC_H
#define CTL_ACT_TC_H

#include <linux/filter.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <stdbool.h>
#include <stdint.h>

struct nl_msg;
struct nl_sock;

#define TC_INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)	/* the hook that what arrives passes */
#define TC_EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

struct nl_sock *tc_open(void);	/* for nl_socket_free(), or NULL */

/* tc_request() - one message about @ifindex, with what it is to hold; NULL without memory
 * tc_transact() - send it (taken, may be NULL) and wait. Return: 0, or negative errno
 */
struct nl_msg *tc_request(int type, int flags, int ifindex, uint32_t parent, uint32_t handle, uint32_t info, const char *kind);
int tc_transact(struct nl_sock *sk, struct nl_msg *msg);

/* tc_clsact() - have the hooks; 0 also where they were there, -EBUSY where there is an ingress qdisc instead. tc_clsact_is() - are they? 1, 0 or an error
 * tc_clsact_end() - take them away
 */
int tc_clsact(struct nl_sock *sk, int ifindex);
int tc_clsact_is(struct nl_sock *sk, int ifindex);
int tc_clsact_end(struct nl_sock *sk, int ifindex);

/* tc_filter - one of ours: on which hook, asked in which order, under which handle, and what it does */
struct tc_filter {
	int ifindex;
	uint32_t hook;			/* TC_INGRESS, TC_EGRESS */
	uint16_t priority;		/* the lowest is asked first */
	uint32_t handle;
	const struct sock_filter *code;	/* says TC_ACT_..., or with a target: 0 for "not this one", UINT32_MAX for "this one" */
	unsigned ncode;
	int eaction;			/* TCA_EGRESS_REDIR, TCA_EGRESS_MIRROR, TCA_INGRESS_REDIR, or 0: the code says it all */
	int target;			/* interface to which */
};

/* tc_filter_set() - put it there; with @replace in place of the one with its handle, at once, else that is -EEXIST
 * tc_filter_end() - take it away
 */
int tc_filter_set(struct nl_sock *sk, const struct tc_filter *f, bool replace);
int tc_filter_end(struct nl_sock *sk, int ifindex, uint32_t hook, uint16_t priority, uint32_t handle);

/* tc_filters() - call @fn for each filter of a hook. Return: 0, -EIO, or -EAGAIN: it changed meanwhile, and some may have been told twice
 * The kernel lists each priority by itself, with handle 0, and then its filters.
 */
typedef void tc_filter_fn(void *arg, uint16_t priority, uint32_t handle);
int tc_filters(struct nl_sock *sk, int ifindex, uint32_t hook, tc_filter_fn *fn, void *arg);

#endif
