/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/rig_kind.h - between the files of the rig: the fake kind of port, without a place in a network yet */
#ifndef TESTS_PACKET_RIG_KIND_H
#define TESTS_PACKET_RIG_KIND_H

#include <stdbool.h>
#include <stdlib.h>

struct rig;
struct rig_port;

/* must() - what a test cannot go on without */
static inline void must(bool ok)
{
	if (!ok)
		abort();
}

struct rig_port *rig_kind_new(struct rig *rig);
void rig_kind_clear(struct rig_port *p);
void rig_kind_drop(struct rig_port *p);		/* frames received and sent, all of them */

#endif
