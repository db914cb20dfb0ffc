// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/vlan.h"

#include <string.h>

#include "base/bytes.h"
#include "switch/frame.h"
#include "switch/packet.h"

enum { VID_MASK = 0x0fff };

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

/* find_tag() - the frame's tag, if any, as TCI in *tci; it may stand in the frame or wait in its metadata */
static enum verdict find_tag(struct frame *f, bool *tagged, uint16_t *tci)
{
	*tagged = f->tag_present;
	*tci = (uint16_t)(f->pcp_dei << 12 | f->vid);
	if (!f->tag_present && is_tag(get_u16(f->head + 12))) {
		if (f->head_len < ETH_HEADER + VLAN_TAG)
			return VERDICT_DROP_RUNT;
		*tagged = true;
		*tci = get_u16(f->head + 14);
		if (get_u16(f->head + 12) == ETHERTYPE_STAG)
			return VERDICT_DROP_DOUBLE_TAG;	/* a service tag is for provider ports */
		take_tag_out(f);
	}
	return is_tag(get_u16(f->head + 12)) ? VERDICT_DROP_DOUBLE_TAG : VERDICT_FORWARDED;
}

enum verdict vlan_classify_any(const struct vlan_conf *conf, struct frame *f)
{
	bool tagged;
	uint16_t tci, vid;
	enum verdict v = find_tag(f, &tagged, &tci);

	if (v != VERDICT_FORWARDED)
		return v;
	vid = tagged ? tci & VID_MASK : 0;
	f->pcp_dei = tagged ? (uint8_t)(tci >> 12) : 0;
	f->tag_present = false;
	if (vid == 0)			/* untagged, or priority-tagged (802.1Q, 6.9.1) */
		vid = conf->pvid;
	else if (!conf->trunk || vid > VID_MAX || !vlan_listed(conf, vid))
		return VERDICT_DROP_VLAN;
	if (vid == 0)
		return VERDICT_DROP_VLAN;	/* a trunk without native VLAN */
	f->vid = vid;
	return VERDICT_FORWARDED;
}
