/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check.h - what one `lanyard check` has in hand: the network's settings, its probe guests, the host's side, the outside
 *
 *	check_rows.c	what each probe is to see		check_guest.c	a guest of a few hundred lines on a port of its own
 *	check_trial.c	one attempt, and waiting for it		check_lease.c	how such a guest gets its address
 *	check_probe.c	the attempts of each row		check_host.c	listeners and addresses of the host
 *	check_forward.c	forwards for the time of the check	check_answer.c	the outside host that answers (--answer)
 *	check_other.c	other networks			check_delegated.c	the first guest as a router with a prefix
 *
 * Probe ports are transient: they end with this process, whatever ends it. Real guests are not written to, but for broadcasts.
 * One thread; nothing here is for other threads.
 */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include "base/addr.h"
#include "ctl/check_guest.h"
#include "ctl/check_host.h"
#include "ctl/check_rows.h"

struct cli;
struct trial;

enum { CHECK_A1, CHECK_A2, CHECK_B1, CHECK_P1, CHECK_GUESTS };	/* two on the network, one on another, one on a peer */
enum { CHECK_OUTSIDE_MAX = 2, CHECK_OUTSIDE_PORT = 8473 };

/* check_guard - a process that takes the check's forwards away when this one is killed */
struct check_guard {
	int pid, fd;			/* pid 0: none */
};

/* check_net - the network, or the segment of a VLAN, as the API shows it */
struct check_net {
	char name[NAME_MAX_SIZE];	/* of the network, also where one of its VLANs is checked */
	char called[SEGMENT_NAME_TEXT];	/* "lab", "lab:20" */
	char mode[16], access[12];	/* as it is */
	char domain[256];
	struct check_terms terms;	/* what is expected of it: its own, or what the user asked for */
	struct prefix4 subnet;
	struct addr gateway, gateway6;	/* none: it has none */
	struct prefix6 subnet6;		/* len 0: none */
	uint8_t gateway_mac[MAC_SIZE];
	bool uplink;			/* it names one */
};

/* check_outside - a host beyond the host that runs `lanyard check --answer`; one for each family at most */
struct check_outside {
	struct addr addr;		/* none: not given */
	uint16_t port;
	bool answers;			/* the host itself */
};

/* check_forward - one of the check's own, to the first guest, for as long as it runs */
struct check_forward {
	uint16_t port, at_port;		/* on the host; at the guest; of a range the first. port 0: there is none, for want of an address */
};

enum { CHECK_OWN_TCP, CHECK_OWN_UDP, CHECK_OWN_RANGE, CHECK_LOOP_TCP, CHECK_OWN6_TCP, CHECK_LOOP6_TCP, CHECK_FORWARDS };

struct check {
	struct cli *cli;
	struct check_net net;
	struct check_guest guests[CHECK_GUESTS];
	struct check_host host;
	struct check_outside outside, outside6;
	struct check_forward forwards[CHECK_FORWARDS];
	char listed[SEGMENT_NAME_TEXT];	/* a peer that is open for what a list says, or "" */
	bool forwarding;		/* they are there */
	char forwards_why[120];		/* not; with a guard: they were refused */
	struct check_guard guard;
	struct trial *trials;		/* those under way */
	unsigned ntrials;
	uint32_t yes_ms, no_ms;		/* how long a trial may take that must succeed, and one that must not */
	uint16_t next_port;		/* for trials that end at a probe guest: each has a port of its own */
};

#endif
