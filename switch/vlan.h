/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/vlan.h - which VLAN a frame belongs to and with which tag it leaves (IEEE 802.1Q-2018, 6.9 and 8.6)
 *
 * An access port has one untagged VLAN and takes untagged and priority-tagged frames only. A trunk takes the
 * tags in its list, and untagged frames into its native VLAN if it has one. A frame that carries a second tag is dropped on
 * the way in, so that a guest cannot hop VLANs through an untagged exit. Pure, any thread.
 */
#ifndef SWITCH_VLAN_H
#define SWITCH_VLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "switch/frame.h"
#include "switch/verdict.h"

/* From VID_ALONE_FIRST on: segments of one port, which no tag can name (switch/snapshot.h) */
enum { VID_DEFAULT = 1, VID_MAX = 4094, VID_WORDS = 4096 / 64, VID_ALONE_FIRST = 4096 };

struct vlan_conf {
	bool trunk;
	uint16_t pvid;			/* access: the VLAN; trunk: the native VLAN, or 0 for none */
	uint64_t tagged[VID_WORDS];	/* trunk: VLANs that pass with a tag */
};

static inline bool vlan_listed(const struct vlan_conf *conf, uint16_t vid)
{
	return conf->tagged[vid / 64] >> (vid % 64) & 1;
}

static inline void vlan_list(struct vlan_conf *conf, uint16_t vid)
{
	conf->tagged[vid / 64] |= 1ull << (vid % 64);
}

static inline bool vlan_member(const struct vlan_conf *conf, uint16_t vid)
{
	return vid == conf->pvid || (conf->trunk && vlan_listed(conf, vid));
}

/* vlan_classify() - set frame->vid and pcp_dei, and take the tag out of the frame
 * Return: VERDICT_FORWARDED, or why the frame is dropped.
 */
enum verdict vlan_classify_any(const struct vlan_conf *conf, struct frame *frame);

static inline enum verdict vlan_classify(const struct vlan_conf *conf, struct frame *f)
{
	/* 0x8100 and 0x88a8 begin with bytes that no other length or type in common use does: all others are untagged */
	if (__builtin_expect(f->tag_present || (f->head[12] & 0xf6) == 0x80 || !conf->pvid, 0))
		return vlan_classify_any(conf, f);
	f->vid = conf->pvid;
	f->pcp_dei = 0;
	return VERDICT_FORWARDED;
}

/* vlan_tci() - the tag with which a frame of VLAN @vid leaves a port, or 0 for none; the port must be a member */
static inline uint16_t vlan_tci(const struct vlan_conf *conf, uint16_t vid, uint8_t pcp_dei)
{
	return !conf->trunk || vid == conf->pvid ? 0 : (uint16_t)(pcp_dei << 12 | vid);
}

#endif
