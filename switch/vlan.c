// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/vlan.h"

#include <string.h>

#include "base/bytes.h"
#include "switch/frame.h"
#include "switch/packet.h"

enum { VID_MASK = 0x0fff };

/* found - the tag that stands first in a frame, or waits in its metadata */
struct found {
	bool there;
	uint16_t type, tci;
};

static bool is_tag(uint16_t ethertype)
{
	return ethertype == ETHERTYPE_CTAG || ethertype == ETHERTYPE_STAG;
}

/* Both addresses move up over the tag; the head is private memory, so this is ours to do. */
static void take_tag_out(struct frame *f)
{
	memmove(f->head + VLAN_TAG, f->head, 12);
	f->head += VLAN_TAG;
	f->head_len -= VLAN_TAG;
	f->len -= VLAN_TAG;
	if (f->offload.csum_start >= VLAN_TAG)
		f->offload.csum_start -= VLAN_TAG;
}

/* find_tag() - take the first tag out. Return: FORWARDED, also where there is none, or that the frame ends inside it */
static enum verdict find_tag(struct frame *f, struct found *tag)
{
	*tag = (struct found){ f->tag_present, ETHERTYPE_CTAG, (uint16_t)(f->pcp_dei << 12 | f->vid) };
	f->tag_present = false;
	if (tag->there || !is_tag(get_u16(f->head + 12)))
		return VERDICT_FORWARDED;
	if (f->head_len < ETH_HEADER + VLAN_TAG)
		return VERDICT_DROP_RUNT;
	*tag = (struct found){ true, get_u16(f->head + 12), get_u16(f->head + 14) };
	take_tag_out(f);
	return VERDICT_FORWARDED;
}

static void keep_inner(struct frame *f, const struct found *tag)
{
	f->inner = (uint32_t)tag->type << 16 | tag->tci;
}

/* into() - the frame is of VLAN @vid, or where that is 0 of none of this port's */
static enum verdict into(struct frame *f, uint16_t vid, uint16_t tci)
{
	f->vid = vid;
	f->pcp_dei = (uint8_t)(tci >> 12);
	return vid ? VERDICT_FORWARDED : VERDICT_DROP_VLAN;
}

/* tunnel() - whatever the guest sends is the port's VLAN's; the service tag has the priority of the guest's own (802.1Q, 6.9.1) */
static enum verdict tunnel(const struct vlan_conf *conf, struct frame *f, const struct found *tag)
{
	if (tag->there)
		keep_inner(f, tag);
	return into(f, conf->pvid, tag->there ? tag->tci : 0);
}

/* listed() - the VLAN that a tag names on this port, or 0 */
static uint16_t listed(const struct vlan_conf *conf, uint16_t wire)
{
	uint16_t vid = wire;

	if (!conf->trunk || conf->untagged_only || wire > VID_MAX)
		return 0;
	if (conf->map)
		vid = conf->map->inside[wire];
	return vlan_listed(conf, vid) ? vid : 0;
}

/* own_tag() - a tag of the kind that the port has, or none at all */
static enum verdict own_tag(const struct vlan_conf *conf, struct frame *f, const struct found *tag)
{
	uint16_t tci = tag->there ? tag->tci : 0;

	if (tci & VID_MASK)
		return into(f, listed(conf, tci & VID_MASK), tci);
	return into(f, conf->tagged_only ? 0 : conf->pvid, tci);	/* untagged, or priority-tagged (802.1Q, 6.9.1) */
}

/* provider() - behind a service tag, or without one, a customer's tag is part of what is carried */
static enum verdict provider(const struct vlan_conf *conf, struct frame *f, const struct found *tag)
{
	struct found inner = *tag;
	enum verdict v = VERDICT_FORWARDED;
	bool own = tag->there && tag->type == ETHERTYPE_STAG;

	if (own)
		v = find_tag(f, &inner);
	if (v != VERDICT_FORWARDED)
		return v;
	if (inner.there && inner.type == ETHERTYPE_STAG)
		return VERDICT_DROP_DOUBLE_TAG;
	if (inner.there)
		keep_inner(f, &inner);
	return own_tag(conf, f, own ? tag : &(struct found){ .there = false });
}

enum verdict vlan_classify_any(const struct vlan_conf *conf, struct frame *f)
{
	struct found tag;
	enum verdict v = find_tag(f, &tag);

	if (v != VERDICT_FORWARDED)
		return v;
	if (conf->tunnel)
		return tunnel(conf, f, &tag);
	if (conf->service)
		return provider(conf, f, &tag);
	if ((tag.there && tag.type == ETHERTYPE_STAG) || is_tag(get_u16(f->head + 12)))
		return VERDICT_DROP_DOUBLE_TAG;		/* service tags are for provider ports */
	return own_tag(conf, f, &tag);
}

void vlan_map_init(struct vlan_map *map)
{
	for (unsigned vid = 0; vid < 4096; vid++)
		map->inside[vid] = map->wire[vid] = (uint16_t)vid;
}

void vlan_map_put(struct vlan_map *map, uint16_t wire, uint16_t vid)
{
	if (map->inside[vid] == vid)
		map->inside[vid] = 0;		/* the VLAN's own number is not its name there any more */
	map->inside[wire] = vid;
	map->wire[vid] = wire;
}
