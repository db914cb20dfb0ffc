// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_kernel_forwards.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/engine.h"
#include "ctl/host.h"
#include "switch/station.h"

static void add(struct kernel_forwards *to, const struct host_forward *f)
{
	if (to->n == to->room) {
		size_t room = to->room * 2 + 16;
		struct host_forward *more = realloc(to->list, room * sizeof(*more));

		if (!more) {
			to->failed = true;
			return;
		}
		to->list = more;
		to->room = room;
	}
	to->list[to->n++] = *f;
}

static bool is_loopback(const struct endpoint *at)
{
	static const uint8_t one[16] = { [15] = 1 };

	return at->v6 ? !memcmp(at->ip, one, sizeof(one)) : at->ip[0] == 127;
}

/* guest - whose address was asked last: of many forwards most lead to the same guest, and each look goes through all stations */
struct guest {
	const char *name;
	bool v6, known;
	struct addr ip;
};

static bool station_address(const struct live_net *net, const char *name, bool v6, struct addr *ip)
{
	struct live_port *p;
	struct station st;

	HASH_FIND_STR(net->ports, name, p);
	if (!p || !p->segment || !station_of_family(p->segment->stations, p->id, v6 ? AF_INET6 : AF_INET, &st))
		return false;
	*ip = st.ip;
	return true;
}

/* guest_address() - of the forward's guest, of the family that it is listened in; network order */
static bool guest_address(const struct live_forward *f, bool v6, struct guest *last, uint8_t to[16])
{
	struct addr ip = addr4(f->conf->to_ip);

	if (!f->conf->to_ip) {
		if (!last->name || last->v6 != v6 || strcmp(last->name, f->conf->to)) {
			*last = (struct guest){ .name = f->conf->to, .v6 = v6 };
			last->known = station_address(f->net, f->conf->to, v6, &last->ip);
		}
		if (!last->known)
			return false;
		ip = last->ip;
	}
	if (addr_is4(ip) == v6)
		return false;
	memset(to, 0, 16);
	memcpy(to, v6 ? ip.bytes : ip.bytes + 12, v6 ? 16 : 4);
	return true;
}

/* may_stay() - the guest is not known, but the table may know it: from before the engine was started again */
static bool may_stay(const struct live_forward *f, bool grace)
{
	return grace && f->as_before && !f->conf->to_ip;
}

static void add_listen(struct kernel_forwards *to, const struct live_forward *f, const struct live_listen *l, bool grace, struct guest *last)
{
	const struct endpoint *at = &f->conf->listen[l->at];
	struct host_forward one = { .family = at->v6 ? 6 : 4, .proto = f->conf->proto };
	bool known = guest_address(f, at->v6, last, one.to);

	if (is_loopback(at) || f->conf->source == FORWARD_SOURCE_GATEWAY || (!known && !may_stay(f, grace)))
		return;
	memcpy(one.addr, at->ip, at->v6 ? 16 : 4);
	for (unsigned i = 0; i < l->count; i++) {
		if (!(l->have[i / 8] >> (i % 8) & 1))
			continue;		/* a program of the host has this port */
		one.port = (uint16_t)(l->first + i);
		one.to_port = (uint16_t)(f->conf->to_port + one.port - f->conf->port);
		add(to, &one);
	}
}

struct kernel_forwards kernel_forwards_of(const struct live_net *net, bool grace)
{
	struct kernel_forwards to = { 0 };
	struct guest last = { 0 };

	for (const struct live_forward *f = net->forwards; f; f = f->hh.next)
		for (unsigned i = 0; i < f->nlistens; i++)
			add_listen(&to, f, &f->listens[i], grace, &last);
	return to;
}

bool kernel_forwards_same(const struct kernel_forwards *a, const struct kernel_forwards *b)
{
	return a->n == b->n && (!b->n || !memcmp(a->list, b->list, b->n * sizeof(*b->list)));
}
