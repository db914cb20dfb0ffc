/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/matrix_bed.h - a worker that the test turns by hand, with ports of real kinds, of which a few at a time are on a network */
#ifndef TESTS_PACKET_MATRIX_BED_H
#define TESTS_PACKET_MATRIX_BED_H

#include "switch/snapshot.h"
#include "switch/worker.h"
#include "tests/packet/matrix_end.h"

enum { MATRIX_ENDS = 40 };

struct matrix_bed {
	struct worker *w;
	struct snapshot *snapshot;
	struct fdb *fdb;
	struct port *local;		/* id 0: the network's own, from which frames are made */
	struct matrix_end ends[MATRIX_ENDS];	/* port ids 1 and on */
	unsigned n;
};

struct matrix_bed *matrix_bed_new(void);
void matrix_bed_free(struct matrix_bed *b);

/* matrix_bed_add() - the end that was just made in b->ends[b->n]: the worker serves its port; Return: it */
struct matrix_end *matrix_bed_add(struct matrix_bed *b);

/* matrix_bed_join() - the network's only ports are now these of @ends, trunks where @trunk, of VLAN MATRIX_VID alone */
void matrix_bed_join(struct matrix_bed *b, uint32_t mtu, struct matrix_end *const *ends, const bool *trunk, unsigned n);

/* matrix_bed_settle() - turn until @from's port has received @n frames more than @before; Return: in time? */
uint64_t matrix_bed_received(const struct matrix_end *from);
bool matrix_bed_settle(struct matrix_bed *b, const struct matrix_end *from, uint64_t before, unsigned n);

/* matrix_bed_verdicts() - frames of @from that ended so */
uint64_t matrix_bed_verdicts(const struct matrix_end *from, enum verdict v);

#endif
