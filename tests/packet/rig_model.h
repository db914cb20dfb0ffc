/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/rig_model.h - what becomes of a frame, said a second time, slowly and from the text of DESIGN and 802.1Q alone
 *
 * The model is told of each frame in the order in which the switch receives them and answers where copies may go. It
 * remembers MODEL_STATIONS addresses, for ever, and aborts at one more.
 */
#ifndef TESTS_PACKET_RIG_MODEL_H
#define TESTS_PACKET_RIG_MODEL_H

#include "tests/packet/rig.h"

enum { MODEL_STATIONS = 64 };

struct model {
	const struct rig *rig;
	uint8_t macs[MODEL_STATIONS][6];
	unsigned nmacs;
	uint8_t where[RIG_NETS][4096][MODEL_STATIONS];	/* port id plus one */
};

/* model_fate - ports by bit of their id; verdict VERDICT_COUNT: addressed to the gateway, whose services decide */
struct model_fate {
	enum verdict verdict;
	uint64_t to;
	bool local;			/* a copy is shown to the services */
	uint16_t vid;
	uint8_t pcp_dei;
	uint32_t len;			/* without the tag */
	bool was_tagged;		/* in the frame's bytes */
};

struct model_fate model_frame(struct model *m, const struct rig_port *in, const struct rig_frame *f);

/* model_tci() - the tag with which a frame leaves @out */
uint16_t model_tci(const struct rig_port *out, uint16_t vid, uint8_t pcp_dei);
bool model_member(const struct rig_port *p, uint16_t vid);

#endif
