// SPDX-License-Identifier: GPL-2.0-or-later
/* Prefixes that guests were told, in the store: so those that are told no more are deprecated at once, also when another engine than the one
 * that told them has the last word (RFC 4862 5.5.3 e: guests believe no shorter lifetime, but that it is preferred no more). */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "ctl/live_ra.h"
#include "ctl/state.h"
#include "nat/ra.h"
#include "switch/vlan.h"

static void note_store(void *arg, const struct error *err)
{
	guest_stored(arg, err);
}

static void put(struct live_net *net, uint16_t vid, struct prefix6 prefix, int64_t until_s)
{
	struct state_prefix p = { .vid = vid, .prefix = prefix, .until_s = until_s };

	memcpy(p.net, net->name, sizeof(p.net));
	state_put_prefix(net->engine->state, &p, note_store, net->engine);
}

void live_ra_note(struct live_net *net)
{
	struct live_segment *seg;

	LIST_FOREACH(seg, &net->segments, link) {
		bool *told = seg->only ? &net->ra_told : &seg->told6;

		if (*told || seg->leaving || !seg->conf->subnet6.len)
			continue;
		put(net, live_ra_vid(seg), seg->conf->subnet6, STATE_PREFIX_IN_USE);
		*told = true;
	}
}

void live_ra_over(struct live_net *net, const struct live_ra_old *old)
{
	put(net, old->vid, old->prefix, (int64_t)((clock_wall_ms() + old->until_ms - clock_now_ms()) / 1000));
}

void live_ra_again(struct live_net *net)
{
	struct live_segment *seg;

	net->ra_told = false;
	LIST_FOREACH(seg, &net->segments, link)
		seg->told6 = false;
	live_ra_note(net);
	for (unsigned i = 0; i < LIVE_RA_OLD; i++)
		if (net->ra_old[i].until_ms > clock_now_ms())
			live_ra_over(net, &net->ra_old[i]);
}

/* ---- the start ---- */

struct live_ra_rows {
	struct state_prefix *list;
	size_t n, room;
};

static void collect(void *arg, const struct state_prefix *p)
{
	struct live_ra_rows *rows = arg;
	struct state_prefix *more = rows->list;

	if (rows->n == rows->room) {
		rows->room = rows->room ? 2 * rows->room : 16;
		more = realloc(rows->list, rows->room * sizeof(*more));
	}
	if (!more) {
		rows->room = rows->n;
		return;			/* guests hear of that one when its time is over */
	}
	rows->list = more;
	rows->list[rows->n++] = *p;
}

struct live_ra_rows *live_ra_read(struct engine *e)
{
	struct live_ra_rows *rows = calloc(1, sizeof(*rows));
	struct error err = { 0 };

	if (rows && state_load_prefixes(e->state, collect, rows, &err) < 0)
		log_error("event=prefixes-not-loaded reason=\"%s\"", err.message);
	return rows;
}

/* conf_at() - the addressing of VLAN @vid as it is now, or NULL */
static const struct net_conf *conf_at(const struct net_conf *net, uint16_t vid)
{
	for (size_t i = 0; i < net->nsegments; i++)
		if (net->segments[i].vid == vid)
			return &net->segments[i].net;
	return vid == VID_DEFAULT ? net : NULL;
}

/* place() - what was in use when the engine before ended may have been told until a moment ago */
static void place(struct live_net *net, const struct state_prefix *p)
{
	const struct net_conf *conf = conf_at(net->conf, p->vid);
	int64_t now = (int64_t)(clock_wall_ms() / 1000), left = p->until_s == STATE_PREFIX_IN_USE ? RA_VALID_S : p->until_s - now;
	struct live_ra_old old = { .vid = p->vid, .prefix = p->prefix };

	if (conf && conf->subnet6.len == p->prefix.len && addr_equal(conf->subnet6.addr, p->prefix.addr))
		return;			/* live_ra_note() says so, too */
	if (left <= 0) {
		put(net, p->vid, p->prefix, STATE_PREFIX_OVER);
		return;
	}
	old.until_ms = clock_now_ms() + 1000 * (uint64_t)(left < RA_VALID_S ? left : RA_VALID_S);
	live_ra_keep(net, old);
	if (p->until_s == STATE_PREFIX_IN_USE)
		live_ra_over(net, &old);
}

void live_ra_place(struct engine *e, struct live_ra_rows *rows)
{
	for (size_t i = 0; rows && i < rows->n; i++) {
		struct live_net *net = live_net_find(e, rows->list[i].net);
		struct state_prefix over = rows->list[i];

		over.until_s = STATE_PREFIX_OVER;
		if (net)
			place(net, &rows->list[i]);
		else
			state_put_prefix(e->state, &over, NULL, NULL);
	}
	if (rows)
		free(rows->list);
	free(rows);
}
