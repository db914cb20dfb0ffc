// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_guard.h"

#include <errno.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <string.h>

#include "ctl/act_tc.h"

enum {
	PRIORITY = 1,			/* the first filter asked */
	OURS = 0x6c616e79,		/* our filters' handle: "lany" */
};

static const uint32_t hooks[] = { TC_INGRESS, TC_EGRESS };

/* found - what a listing of a hook's filters showed */
struct found {
	bool ours, others;
};

static void on_filter(void *arg, uint16_t priority, uint32_t handle)
{
	struct found *f = arg;

	if (priority != PRIORITY || (handle && handle != OURS))
		f->others = true;
	else if (handle)
		f->ours = true;
}

/* set_hook() - Return: 0, or a negative errno */
static int set_hook(struct nl_sock *sk, int ifindex, uint32_t hook)
{
	static const struct sock_filter drop[] = { BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT) };
	const struct tc_filter filter = {
		.ifindex = ifindex, .hook = hook, .priority = PRIORITY, .handle = OURS, .code = drop, .ncode = 1,
	};
	struct found f = { .ours = false };
	int rc = tc_filters(sk, ifindex, hook, on_filter, &f);

	if (rc < 0)
		return rc;
	if (f.others)
		return -EBUSY;
	return f.ours ? 0 : tc_filter_set(sk, &filter, false);
}

static void clear(struct nl_sock *sk, int ifindex)
{
	bool others = false;

	for (unsigned i = 0; i < 2; i++) {
		struct found f = { .ours = false };

		tc_filter_end(sk, ifindex, hooks[i], PRIORITY, OURS);
		others |= tc_filters(sk, ifindex, hooks[i], on_filter, &f) < 0 || f.others;
	}
	if (!others)
		tc_clsact_end(sk, ifindex);
}

int guard_set(int ifindex, struct error *err)
{
	struct nl_sock *sk = tc_open();
	int rc;

	if (!sk)
		return error_set(err, -EIO, "cannot reach the kernel's traffic control");
	rc = tc_clsact(sk, ifindex);
	for (unsigned i = 0; rc == 0 && i < 2; i++)
		rc = set_hook(sk, ifindex, hooks[i]);
	nl_socket_free(sk);
	if (rc < 0)
		guard_clear(ifindex);	/* by another socket: where an answer was lost, this one's next would be that one */
	if (rc == -EBUSY)
		return error_set(err, rc, "it has traffic-control filters of somebody else");
	return rc < 0 ? error_set(err, rc, "cannot keep the host's stack away from it (tc clsact, cls_bpf): %s", strerror(-rc)) : 0;
}

void guard_clear(int ifindex)
{
	struct nl_sock *sk = tc_open();

	if (sk)
		clear(sk, ifindex);
	nl_socket_free(sk);
}
