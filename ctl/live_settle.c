// SPDX-License-Identifier: GPL-2.0-or-later
/* A snapshot was published: ports that it does without let go of what they had, and those that are new in it are served. */
#include <sched.h>
#include <stdlib.h>

#include "ctl/engine.h"
#include "ctl/live_boot.h"
#include "ctl/live_guard.h"
#include "ctl/live_policy.h"
#include "ctl/live_recorder.h"
#include "ctl/live_shape.h"
#include "nat/nat.h"
#include "switch/fdb.h"
#include "switch/local.h"
#include "switch/port.h"
#include "switch/snoop.h"
#include "switch/worker.h"

/* forget() - what was learnt of a port that left the snapshot; its network is freed only after this */
static void forget(struct live_port *p)
{
	struct live_net *net = p->net;

	live_segment_forget(p);
	live_boot_forget(p);
	fdb_flush_port(net->fdb, p->id);
	if (net->owners)
		fdb_flush_port(net->owners, p->id);
	if (net->snoop)
		snoop_forget_port(net->snoop, p->id);
	while (net->nat_state && !nat_forget_port(net->nat_state, p->id))
		sched_yield();		/* a worker's inbox was full; it empties it every turn */
	net->engine->by_id[p->id] = NULL;
	live_recorder_keep(p);
	if (p->segment && p->segment->only)
		live_segment_free(p->segment);
}

/* wait_closed() - until the objects of ports that have left are freed: a turn of the workers, and RCU's thread, some milliseconds */
static void wait_closed(struct engine *e)
{
	for (unsigned i = 0; i < e->nworkers; i++)
		worker_sync(e->workers[i]);
	urcu_qsbr_barrier();
}

/* settle_leaving() - the snapshot no longer has these: give the queues back, forget their stations */
static void settle_leaving(struct engine *e)
{
	bool wait = false;

	live_segments_wait(e->leaving);
	while (e->leaving) {
		struct live_port *p = e->leaving;

		e->leaving = p->next_leaving;
		wait |= p->exclusive;
		if (p->port && p->served)
			worker_remove_port(p->port);
		else
			port_release(p->port);
		if (p->id != UINT32_MAX)
			forget(p);
		live_policy_leave(p);
		live_shape_leave(p);
		live_guard_leave(p);
		free(p->denied);
		free(p->drops_told);
		free(p);
	}
	live_policy_settle(e);
	live_shape_settle(e);
	live_guard_settle(e);
	if (wait)
		wait_closed(e);
}

static void serve_new(struct engine *e)
{
	for (struct live_net *net = e->nets; net; net = net->hh.next) {
		for (struct live_port *p = net->ports; p; p = p->hh.next) {
			if (!p->port || p->served)
				continue;
			p->served = worker_add_port(e->workers, e->nworkers, p->port) == 0;
		}
	}
}

/* balance() - ports that went may have left one worker with more queues than another */
static void balance(struct engine *e)
{
	for (struct live_net *net = e->nets; net; net = net->hh.next)
		for (struct live_port *p = net->ports; p; p = p->hh.next)
			while (p->port && p->served && worker_balance(e->workers, e->nworkers, p->port))
				;
}

void live_ports_settle(struct engine *e)
{
	bool fewer = e->leaving;

	settle_leaving(e);
	serve_new(e);
	if (fewer && e->nworkers > 1)
		balance(e);
}
