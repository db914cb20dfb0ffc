// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/matrix_bed.h"

#include <stdlib.h>

#include "base/clock.h"
#include "switch/fdb.h"
#include "switch/local.h"
#include "tests/packet/matrix_case.h"
#include "tests/packet/matrix_end_parts.h"

enum { PATIENCE_MS = 5000, TURN_MS = 20, FDB_ENTRIES = 256, FDB_AGE_MS = 300000 };

/* ThreadSanitizer cannot see into liburcu, which orders a callback after all that was done before call_rcu() */
const char *__tsan_default_suppressions(void);
__attribute__((weak)) const char *__tsan_default_suppressions(void)
{
	return "race:liburcu-qsbr\nrace:free_rcu\nrace:free_port\n";
}

struct matrix_bed *matrix_bed_new(void)
{
	struct matrix_bed *b = calloc(1, sizeof(*b));

	matrix_must(b != NULL);
	urcu_qsbr_register_thread();
	b->w = worker_new(0, &b->snapshot);
	b->fdb = fdb_new(FDB_ENTRIES, MATRIX_ENDS + 1, FDB_AGE_MS);
	b->local = local_new(1);
	matrix_must(b->w && b->fdb && b->local);
	b->local->id = 0;
	return b;
}

static void publish(struct matrix_bed *b, struct snapshot *next)
{
	struct snapshot *old = rcu_xchg_pointer(&b->snapshot, next);

	snapshot_release(old);
	worker_turn(b->w, 0);
}

void matrix_bed_free(struct matrix_bed *b)
{
	matrix_bed_join(b, 1500, NULL, NULL, 0);
	for (unsigned i = 0; i < b->n; i++)
		worker_remove_port(b->ends[i].port);
	worker_turn(b->w, 0);
	port_release(b->local);
	snapshot_release(rcu_xchg_pointer(&b->snapshot, NULL));
	urcu_qsbr_barrier();
	for (unsigned i = 0; i < b->n; i++)
		matrix_end_close(&b->ends[i]);
	fdb_free(b->fdb);
	worker_free(b->w);
	urcu_qsbr_unregister_thread();
	free(b);
}

struct matrix_end *matrix_bed_add(struct matrix_bed *b)
{
	struct matrix_end *e = &b->ends[b->n];

	e->port->id = ++b->n;
	matrix_must(b->n < MATRIX_ENDS && worker_add_port(&b->w, 1, e->port) == 0);
	return e;
}

static void member(struct snapshot *s, struct port *port, struct port_view view)
{
	struct net_view *net = &s->nets[0];

	s->ports[port->id] = view;
	s->ports[port->id].port = port;
	s->ports[port->id].net = net;
	net->members[net->nmembers++] = &s->ports[port->id];
}

void matrix_bed_join(struct matrix_bed *b, uint32_t mtu, struct matrix_end *const *ends, const bool *trunk, unsigned n)
{
	struct snapshot *s = snapshot_new(b->n + 1, 1);
	struct vlan_conf access = { .pvid = MATRIX_VID }, tagged = { .trunk = true };

	vlan_list(&tagged, MATRIX_VID);
	matrix_must(s != NULL);
	s->nets[0] = (struct net_view){ .net_id = 1, .mtu = mtu, .fdb = b->fdb };
	s->nets[0].members = calloc(n + 1, sizeof(*s->nets[0].members));
	matrix_must(s->nets[0].members != NULL);
	member(s, b->local, (struct port_view){ .vlan = tagged, .link_up = true, .local = true });
	for (unsigned i = 0; i < n; i++)
		member(s, ends[i]->port, (struct port_view){ .vlan = trunk[i] ? tagged : access, .link_up = true });
	publish(b, s);
}

uint64_t matrix_bed_received(const struct matrix_end *from)
{
	return counter_get(&from->port->stats[0].rx_frames);
}

bool matrix_bed_settle(struct matrix_bed *b, const struct matrix_end *from, uint64_t before, unsigned n)
{
	uint64_t end = clock_now_ms() + PATIENCE_MS;

	while (matrix_bed_received(from) - before < n && clock_now_ms() < end)
		worker_turn(b->w, TURN_MS);
	return matrix_bed_received(from) - before == n;
}

uint64_t matrix_bed_verdicts(const struct matrix_end *from, enum verdict v)
{
	return counter_get(&from->port->stats[0].verdicts[v]);
}
