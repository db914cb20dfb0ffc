/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/host_acts.h - the acts by which the keeper's children change the host, each as fault_run() does it; for one file of a test */
#ifndef TESTS_UNIT_HOST_ACTS_H
#define TESTS_UNIT_HOST_ACTS_H

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/act_iface.h"
#include "ctl/act_ways.h"
#include "tests/unit/acts_bed.h"
#include "tests/unit/fault.h"
#include "tests/unit/nat_bed.h"

/* act - what a child of the keeper is asked to do */
struct act {
	const char *what;
	struct host_iface iface;
	struct host_nat nat;
	const struct act_about *held;	/* what it is about, where something is held */
	uint16_t forwards, first;	/* so many, from this port on */
};

static const struct host_iface host_only = {
	.head = { HOST_OPEN_IFACE, sizeof(struct host_iface), 0 }, .mtu = 1500, .mac = { 2, 0, 0, 0, 0, 9 }, .len4 = 24, .len6 = 64,
	.addr4 = { 192, 168, 56, 1 }, .addr6 = { 0xfd, [15] = 1 }, .ifname = "ly-x", .name = "host:x",
};

static inline struct host_iface routed(void)
{
	struct host_iface m = host_only;

	m.routed = 1;
	m.pool6_len = 48;
	memcpy(m.pool6, (uint8_t[]){ 0xfd, 0, 5 }, 3);
	strcpy(m.uplink, "up0");
	return m;
}

static inline struct host_iface bridged(void)
{
	struct host_iface m = host_only;

	m.bridged = 1;
	m.len4 = m.len6 = 0;
	strcpy(m.uplink, "up0");
	return m;
}

static inline int say(int rc, const struct host_reply *r, char message[FAULT_TEXT])
{
	memcpy(message, r->message, FAULT_TEXT);
	return rc < 0 ? rc : 0;
}

/* bed_iface() - by both programs, as the keeper has them do it; what is there already is held. Return: descriptor or negative errno */
static inline int bed_iface(const struct host_iface *m, const struct act_about *h, struct host_reply *r)
{
	int fd, rc;

	if (h->fd >= 0)
		journal_undo(&journal_ways, m->name, -1, false);
	fd = iface_open(m, h, r);
	rc = fd >= 0 && ways_has(m) ? ways_open(m, r) : 0;
	if (rc < 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

static inline int open_iface(void *arg, char message[FAULT_TEXT])
{
	static const struct act_about nothing = { .fd = -1 };
	const struct act *a = arg;
	struct host_reply r = { .rc = 0 };
	int fd = bed_iface(&a->iface, a->held ? a->held : &nothing, &r);

	if (fd >= 0)
		fault_look();
	return say(fd, &r, message);
}

static inline int wire(void *arg, char message[FAULT_TEXT])
{
	const struct act *a = arg;
	struct host_wire m = { .nic = if_nametoindex("up0"), .slot = 1, .count = 2, .macs = { { 2, 0, 0, 0, 1, 1 }, { 2, 0, 0, 0, 1, 2 } } };
	struct host_reply r = { .rc = 0 };

	return say(ways_wire(&m, a->held, &r), &r, message);
}

static inline void undo_by_programs(const struct act_about *h)
{
	bed_leave(h);
	bed_undo(h->name, h->fd, false);
}

static inline int undo_all(void *arg, char message[FAULT_TEXT])
{
	const struct act *a = arg;

	(void)message;
	undo_by_programs(a->held);
	return 0;
}

static inline int translate(void *arg, char message[FAULT_TEXT])
{
	const struct act *a = arg;
	struct host_reply r = { .rc = 0 };

	return say(bed_translate(&a->nat, a->held, &r), &r, message);
}

static inline void stage(const struct act *a)
{
	bed_unstage();
	for (unsigned i = 0; i < a->forwards; i++)
		bed_stage(&(struct host_forward){ .family = 4, .proto = HOST_TCP, .port = (uint16_t)(a->first + i), .to_port = 80,
						  .to = { 192, 168, 56, 7 } }, 1);
}

#endif
