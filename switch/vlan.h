/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/vlan.h - which VLAN a frame belongs to and with which tags it leaves (IEEE 802.1Q-2018, 6.9, 8.6 and clause 15)
 *
 * An access port has one untagged VLAN and takes untagged and priority-tagged frames only. A trunk takes the tags in its list, and
 * untagged frames into its native VLAN if it has one; its tags are a customer's (0x8100) or a provider's (0x88a8). A tunnel port is an
 * access port whose guests' own tags are part of what it carries: one such tag waits in frame->inner from here to the port where the
 * frame leaves.
 *
 * A frame that carries a second tag is dropped on the way in, and one with a tag waiting in frame->inner leaves by tunnel ports and
 * provider trunks alone: no guest can hop into a VLAN by a tag that an untagged exit would lay bare. Pure, any thread.
 */
#ifndef SWITCH_VLAN_H
#define SWITCH_VLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "switch/frame.h"
#include "switch/verdict.h"

/* From VID_ALONE_FIRST on: segments of one port, which no tag can name (switch/snapshot.h) */
enum { VID_DEFAULT = 1, VID_MAX = 4094, VID_WORDS = 4096 / 64, VID_ALONE_FIRST = 4096 };

/* vlan_map - a trunk's numbers that are others on the wire, both ways; those that are not translated stand for themselves */
struct vlan_map {
	uint16_t inside[4096];		/* by VID on the wire; 0: no VLAN of this port has that number there */
	uint16_t wire[4096];		/* by VLAN */
};

struct vlan_conf {
	bool trunk;
	bool tunnel;			/* access: tags of the guest's own go with its frames */
	bool service;			/* trunk: its tags are 0x88a8, and a customer's tag behind them goes with the frame */
	bool native_tagged;		/* trunk: frames of the native VLAN leave with a tag, too */
	bool tagged_only, untagged_only;	/* trunk: acceptable frames (802.1Q, 6.9) */
	uint16_t pvid;			/* access: the VLAN; trunk: the native VLAN, or 0 for none */
	uint64_t tagged[VID_WORDS];	/* trunk: VLANs that pass with a tag */
	struct vlan_map *map;		/* trunk: owned by the snapshot; NULL: nothing is translated */
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

/* vlan_takes() - may this classified frame leave here? */
static inline bool vlan_takes(const struct vlan_conf *conf, const struct frame *f)
{
	return vlan_member(conf, f->vid) && (!f->inner || conf->tunnel || conf->service);
}

/* vlan_classify() - set frame->vid, pcp_dei and inner, and take tags out of the frame
 * Return: VERDICT_FORWARDED, or why the frame is dropped.
 */
enum verdict vlan_classify_any(const struct vlan_conf *conf, struct frame *frame);

static inline enum verdict vlan_classify(const struct vlan_conf *conf, struct frame *f)
{
	/* 0x8100 and 0x88a8 begin with bytes that no other length or type in common use does: all others are untagged */
	if (__builtin_expect(f->tag_present || (f->head[12] & 0xf6) == 0x80 || !conf->pvid || conf->tagged_only, 0))
		return vlan_classify_any(conf, f);
	f->vid = conf->pvid;
	f->pcp_dei = 0;
	return VERDICT_FORWARDED;
}

/* vlan_tci() - the port's own tag with which a frame of VLAN @vid leaves it, or 0 for none; the port must be a member */
static inline uint16_t vlan_tci(const struct vlan_conf *conf, uint16_t vid, uint8_t pcp_dei)
{
	if (!conf->trunk || (vid == conf->pvid && !conf->native_tagged))
		return 0;
	return (uint16_t)(pcp_dei << 12 | (conf->map ? conf->map->wire[vid] : vid));
}

/* vlan_tx() - the copy of a frame that leaves by a port which takes it */
static inline struct tx_frame vlan_tx(const struct vlan_conf *conf, struct frame *f)
{
	return (struct tx_frame){
		.frame = f, .tci = vlan_tci(conf, f->vid, f->pcp_dei), .service = conf->service, .inner = f->inner,
	};
}

/* vlan_is_bare() - does every frame leave here as it is, without any tag? */
static inline bool vlan_is_bare(const struct vlan_conf *conf)
{
	return !conf->trunk && !conf->tunnel;
}

/* vlan_map_init() - every VLAN stands for itself; vlan_map_put() - but this one is @wire there */
void vlan_map_init(struct vlan_map *map);
void vlan_map_put(struct vlan_map *map, uint16_t wire, uint16_t vid);

#endif
