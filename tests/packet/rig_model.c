// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/rig_model.h"

#include <string.h>

#include "tests/packet/rig_kind.h"

static unsigned u16(const uint8_t *p)
{
	return p[0] * 256u + p[1];
}

static bool tag_type(unsigned type)
{
	return type == 0x8100 || type == 0x88a8;
}

bool model_member(const struct rig_port *p, uint16_t vid)
{
	bool listed = p->vlan.tagged[vid / 64] & 1ull << vid % 64;

	return p->vlan.trunk ? vid == p->vlan.pvid || listed : vid == p->vlan.pvid;
}

uint16_t model_tci(const struct rig_port *out, uint16_t vid, uint8_t pcp_dei)
{
	if (!out->vlan.trunk || vid == out->vlan.pvid)
		return 0;
	return (uint16_t)(pcp_dei * 4096u + vid);
}

/* classify() - 802.1Q-2018 6.9: which VLAN; fills the fate's vid, priority and length */
static enum verdict classify(const struct rig_port *in, const struct rig_frame *f, struct model_fate *fate)
{
	unsigned type = u16(f->data + 12), tci = f->tag_present ? f->tci : 0;
	bool listed;

	fate->len = f->len;
	if (!f->tag_present && tag_type(type)) {
		if (f->len < 18)
			return VERDICT_DROP_RUNT;
		if (type == 0x88a8)
			return VERDICT_DROP_DOUBLE_TAG;
		tci = u16(f->data + 14);
		type = u16(f->data + 16);
		fate->len -= 4;
		fate->was_tagged = true;
	}
	if (tag_type(type))
		return VERDICT_DROP_DOUBLE_TAG;
	fate->pcp_dei = (uint8_t)(tci / 4096);
	fate->vid = tci % 4096;
	if (!fate->vid) {
		fate->vid = in->vlan.pvid;
		return fate->vid ? VERDICT_FORWARDED : VERDICT_DROP_VLAN;
	}
	listed = in->vlan.tagged[fate->vid / 64] & 1ull << fate->vid % 64;
	return in->vlan.trunk && fate->vid != 4095 && listed ? VERDICT_FORWARDED : VERDICT_DROP_VLAN;
}

/* headers() - bytes up to the payload of TCP or UDP straight behind IPv4 or IPv6; 0 when it is something else */
static unsigned headers(const uint8_t *ether, const uint8_t *ip, unsigned size, int *version, int *proto)
{
	unsigned l4;

	if (u16(ether) == 0x0800 && size >= 20 && ip[0] / 16 == 4 && ip[0] % 16 >= 5 && !(u16(ip + 6) & 0x3fff)) {
		*version = 4;
		*proto = ip[9];
		l4 = ip[0] % 16 * 4u;
	} else if (u16(ether) == 0x86dd && size >= 40 && ip[0] / 16 == 6) {
		*version = 6;
		*proto = ip[6];
		l4 = 40;
	} else {
		return 0;
	}
	if (*proto == 6 && size >= l4 + 20) {
		unsigned all = l4 + ip[l4 + 12] / 16 * 4u;

		return all >= l4 + 20 && all <= size ? 14 + all : 0;
	}
	return *proto == 17 && size >= l4 + 8 ? 14 + l4 + 8 : 0;
}

/* may_sum() - is it no header that decisions are made on which a sum from byte @start of the packet on, written @offset behind, changes? */
static bool may_sum(const uint8_t *ether, const uint8_t *ip, unsigned size, unsigned start, unsigned offset)
{
	unsigned l4 = 40, proto = size > 6 ? ip[6] : 0, all;
	int ignored;

	if (u16(ether) == 0x0806)
		return false;
	if (u16(ether) != 0x0800 && u16(ether) != 0x86dd)
		return start >= 20;
	if (u16(ether) == 0x0800) {
		if (size < 20 || ip[0] / 16 != 4 || ip[0] % 16 < 5 || ip[0] % 16 * 4u > size || u16(ip + 6) & 0x3fff)
			return false;
		l4 = ip[0] % 16 * 4u;
		proto = ip[9];
	} else if (size < 40 || ip[0] / 16 != 6 || proto == 44) {
		return false;
	}
	if (proto == 1 || proto == 58)
		return start == l4 && offset == 2;
	if (proto != 6 && proto != 17)
		return start >= l4;
	all = headers(ether, ip, size, &ignored, &ignored);
	return all && (start == l4 ? offset == (proto == 6 ? 16 : 6) : start >= all - 14);
}

/* offload() - virtio 1.2, 5.1.6.2: is the request one that this frame can have? @own: bytes that are private */
static enum verdict offload(const struct rig_frame *f, const struct model_fate *fate, unsigned mtu, unsigned own)
{
	const uint8_t *ether = f->data + (fate->was_tagged ? 16 : 12);
	unsigned start = f->offload.csum_start, all;
	bool csum = f->offload.flags & 1;
	int version = 0, proto = 0, type = f->offload.gso_type & 0x7f;

	if (fate->was_tagged && start >= 4)
		start -= 4;
	if (f->offload.gso_type == 0) {
		if (fate->len > mtu + 14)
			return VERDICT_DROP_OVERSIZE;
		if (csum && (start < 14 || start + f->offload.csum_offset + 2u > own ||
			     !may_sum(ether, ether + 2, own - 14, start - 14, f->offload.csum_offset)))
			return VERDICT_DROP_VNET_HEADER;
		return VERDICT_FORWARDED;
	}
	all = headers(ether, ether + 2, own - 14, &version, &proto);
	if (!csum || !all || f->offload.gso_size < 8 || fate->len - all > 256u * f->offload.gso_size)
		return VERDICT_DROP_VNET_HEADER;
	if (!(type == 1 && version == 4 && proto == 6) && !(type == 4 && version == 6 && proto == 6) &&
	    !(f->offload.gso_type == 5 && proto == 17))
		return VERDICT_DROP_VNET_HEADER;
	return all - 14 + f->offload.gso_size > mtu ? VERDICT_DROP_OVERSIZE : VERDICT_FORWARDED;
}

static bool has_segment(const struct rig_net *net, uint16_t vid)
{
	for (unsigned i = 0; i < net->nsegments; i++)
		if (net->segments[i].vid == vid)
			return true;
	return false;
}

static enum verdict addresses(const struct model *m, const struct rig_port *in, const struct rig_frame *f,
			      const struct model_fate *fate)
{
	static const uint8_t zero[6], bridge[6] = { 0x01, 0x80, 0xc2 };
	uint8_t gateway[6];

	rig_gateway_mac(in->net, fate->vid, gateway);
	if (f->data[6] % 2 || !memcmp(f->data + 6, zero, 6))
		return VERDICT_DROP_SOURCE;
	if (has_segment(&m->rig->nets[in->net], fate->vid) && !memcmp(f->data + 6, gateway, 6))
		return VERDICT_DROP_SPOOFED_GATEWAY;
	if (!memcmp(f->data, bridge, 5) && f->data[5] <= 15)
		return VERDICT_DROP_RESERVED;
	return u16(f->data + (fate->was_tagged ? 16 : 12)) == 0x8808 ? VERDICT_DROP_RESERVED : VERDICT_FORWARDED;
}

static bool reachable(const struct rig_port *in, const struct rig_port *out, uint16_t vid)
{
	return out && out != in && out->net == in->net && out->link_up && model_member(out, vid);
}

static void flood(const struct model *m, const struct rig_port *in, struct model_fate *fate)
{
	const struct rig_net *net = &m->rig->nets[in->net];

	for (unsigned i = 0; i < m->rig->nids; i++)
		if (reachable(in, m->rig->ports[i], fate->vid))
			fate->to |= 1ull << i;
	fate->local = net->local && has_segment(net, fate->vid);
	fate->verdict = fate->to || fate->local ? VERDICT_FLOODED : VERDICT_DROP_NO_DESTINATION;
}

/* station() - the number of an address */
static unsigned station(struct model *m, const uint8_t *mac)
{
	unsigned i = 0;

	while (i < m->nmacs && memcmp(m->macs[i], mac, 6) != 0)
		i++;
	must(i < MODEL_STATIONS);
	if (i == m->nmacs)
		memcpy(m->macs[m->nmacs++], mac, 6);
	return i;
}

static void route(struct model *m, const struct rig_port *in, const struct rig_frame *f, struct model_fate *fate)
{
	const struct rig_net *net = &m->rig->nets[in->net];
	uint8_t gateway[6];
	unsigned id;

	rig_gateway_mac(in->net, fate->vid, gateway);
	if (has_segment(net, fate->vid) && !memcmp(f->data, gateway, 6)) {
		fate->verdict = VERDICT_COUNT;
		fate->local = true;
		return;
	}
	id = f->data[0] % 2 ? 0 : m->where[in->net][fate->vid][station(m, f->data)];
	if (id && m->rig->ports[id - 1] == in) {
		fate->verdict = VERDICT_DROP_HAIRPIN;
	} else if (id && reachable(in, m->rig->ports[id - 1], fate->vid)) {
		fate->verdict = VERDICT_FORWARDED;
		fate->to = 1ull << (id - 1);
	} else {
		flood(m, in, fate);
	}
}

struct model_fate model_frame(struct model *m, const struct rig_port *in, const struct rig_frame *f)
{
	struct model_fate fate = { .verdict = VERDICT_DROP_LINK_DOWN, .len = f->len };
	unsigned own = in->head_max && in->head_max < f->len ? in->head_max : f->len;

	if (!in->link_up)
		return fate;
	fate.verdict = VERDICT_DROP_RUNT;
	if (f->len < 14)
		return fate;
	fate.verdict = classify(in, f, &fate);
	if (fate.verdict == VERDICT_FORWARDED)
		fate.verdict = offload(f, &fate, m->rig->nets[in->net].mtu, own - (fate.was_tagged ? 4 : 0));
	if (fate.verdict == VERDICT_FORWARDED)
		fate.verdict = addresses(m, in, f, &fate);
	if (fate.verdict != VERDICT_FORWARDED)
		return fate;
	m->where[in->net][fate.vid][station(m, f->data + 6)] = (uint8_t)(in->port.id + 1);
	route(m, in, f, &fate);
	return fate;
}
