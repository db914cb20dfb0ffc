// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
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

/* read_all() - and close, as libnftables waits by select() and cannot with high descriptors (FD_SETSIZE) */
static int read_all(const struct act_call *call, struct nat_books *b)
{
	int *notes = calloc(call->nnotes + 1, sizeof(*notes)), rc;

	*b = (struct nat_books){ .in_force = call->in_force, .lacks = call->lacks, .unknown = call->unknown };
	for (unsigned i = 0; notes && i < call->nnotes; i++)
		notes[i] = ACT_NOTES_FD + (int)i;
	rc = notes ? books_read(b, call->has & ACT_HAS_STAGED ? ACT_STAGED_FD : -1, notes, call->nnotes) : -ENOMEM;
	for (unsigned i = 0; notes && i < call->nnotes; i++)
		close(notes[i]);
	free(notes);
	return rc;
}

static int run(const struct act_call *call, const struct act_about *about, struct host_reply *r)
{
	const struct host_header *head = (const void *)call->request;
	struct nat_books b;
	int rc;

	switch (head->type) {
	case HOST_NAT:
		rc = read_all(call, &b);
		rc = rc < 0 ? rc : nat_run((const void *)head, about, &b, r);
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

	if (read_all(call, &b) == 0)
		nat_leave(about, &b);
	books_free(&b);
	return journal_undo(&journal_nat, about->name, -1, false);
}

static void undo_all(void)
{
	journal_undo(&journal_nat, NULL, -1, false);
}

const struct act_program act_nat = { .name = "lanyard-nat", .run = run, .undo = undo, .undo_all = undo_all, .use_journal = journal_use };
