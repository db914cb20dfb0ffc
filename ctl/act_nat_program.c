// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/act_journal.h"
#include "ctl/act_look.h"
#include "ctl/act_nat.h"
#include "ctl/act_nat_books.h"

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

/* leave() - Return: 0, or negative errno: something stays */
static int leave(const struct act_about *about, struct nat_books *b)
{
	nat_leave(about, b);
	return journal_undo(&journal_nat, about->name, -1, false);
}

static int run(const struct act_call *call, const struct act_about *about, struct host_reply *r)
{
	const struct host_header *head = (const void *)call->request;
	struct nat_books b;
	int rc;

	switch (head->type) {
	case HOST_NAT:
		rc = books_open(&b, ACT_BOOKS_FD);
		if (rc == 0)
			rc = ((const struct host_nat *)head)->leave ? leave(about, &b) : nat_run((const void *)head, about, &b, r);
		books_free(&b);
		return rc;
	case HOST_NAT_WATCH:
		return nat_watch();
	case HOST_RULESET:
		return ruleset_open(r);
	case HOST_FLOWS:
		return about->request ? flows_open(about->request, r) : -EPROTO;
	default:
		return -EPROTO;
	}
}

static int undo(const struct act_call *call, const struct act_about *about)
{
	struct nat_books b;
	int rc;

	(void)call;
	rc = books_open(&b, ACT_BOOKS_FD) == 0 ? leave(about, &b) : journal_undo(&journal_nat, about->name, -1, false);
	books_free(&b);
	return rc;
}

static void undo_all(void)
{
	journal_undo(&journal_nat, NULL, -1, false);
}

const struct act_program act_nat = { .name = "lanyard-nat", .run = run, .undo = undo, .undo_all = undo_all, .use_journal = journal_use };
