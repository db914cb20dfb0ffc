/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/conversation.h - a guest, the NAT and a real remote end, and between guest and NAT a wire that treats frames badly
 *
 * To be included by one file of a test. The guest is tests/packet/guest_tcp.h, the remote a loopback socket; bytes either
 * way follow the same pattern, so that any that is lost, doubled or moved is seen.
 */
#ifndef TESTS_CONVERSATION_H
#define TESTS_CONVERSATION_H

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "nat/budget.h"
#include "tests/packet/guest_tcp.h"

enum { WIRE_ROOM = 64, CONVERSATION_BYTES = 3 << 20 };

static const struct nat_conf conversation_conf = { .host_access = HOST_LOOPBACK, .uplink = true };

/* manners - of a hundred frames so many are lost, doubled, or overtaken by later ones */
struct manners {
	unsigned lost, doubled, late;
};

/* wire - one direction */
struct wire {
	struct manners manners;
	struct parcel {
		uint8_t *data;
		uint32_t len;
		struct offload offload;
		unsigned after;		/* frames that may still overtake it */
	} kept[WIRE_ROOM];
	unsigned nkept;
};

/* remote - the server's end */
struct remote {
	int listener, fd;
	uint16_t port;
	const uint8_t *out;
	size_t out_size, sent;
	uint8_t *in;
	size_t in_size;
	bool eof, error;
	bool shut, shut_at_end, close_at_end;
	bool hold;			/* do not read */
	size_t read_at_once;		/* bytes per step, 0: all there is */
};

struct conversation {
	struct bed bed;
	struct remote r;
	struct guest_tcp g;
	struct wire up, down;
	unsigned descriptors;
	struct bed_frame *again;	/* a frame of the wire on its way to the guest */
};

static struct conversation *talking;	/* guest_tcp.h knows nothing of wires */

static MAYBE_UNUSED uint8_t *conversation_pattern(size_t size)
{
	uint8_t *p = malloc(size);
	uint64_t x = 1;

	for (size_t i = 0; i < size; i++) {
		x = x * 6364136223846793005ull + 1442695040888963407ull;
		p[i] = (uint8_t)(x >> 56);
	}
	return p;
}

/* ---- the wire ---- */

static bool dice(struct conversation *c, unsigned percent)
{
	return percent && bed_random(&c->bed) % 100 < percent;
}

static void wire_keep(struct wire *w, const uint8_t *data, uint32_t len, const struct offload *offload, unsigned after)
{
	struct parcel *p = &w->kept[w->nkept++];

	*p = (struct parcel){ .data = malloc(len), .len = len, .offload = *offload, .after = after };
	memcpy(p->data, data, len);
}

/* wire_due() - take a frame out that was overtaken often enough; NULL when there is none */
static bool wire_due(struct wire *w, struct parcel *out, bool any)
{
	for (unsigned i = 0; i < w->nkept; i++) {
		if (!any && w->kept[i].after)
			continue;
		*out = w->kept[i];
		memmove(&w->kept[i], &w->kept[i + 1], (--w->nkept - i) * sizeof(w->kept[0]));
		return true;
	}
	return false;
}

static void wire_age(struct wire *w)
{
	for (unsigned i = 0; i < w->nkept; i++)
		w->kept[i].after -= w->kept[i].after > 0;
}

static void up_deliver(struct guest_tcp *g, uint8_t *data, uint32_t len, const struct offload *offload)
{
	bed_input_from(g->bed, g->port_id, data, len, offload);
}

static void up_due(struct guest_tcp *g, bool any)
{
	struct parcel p;

	while (wire_due(&talking->up, &p, any)) {
		up_deliver(g, p.data, p.len, &p.offload);
		free(p.data);
	}
}

/* up() - a frame of the guest */
static void up(struct guest_tcp *g, uint8_t *data, uint32_t len, const struct offload *offload)
{
	struct conversation *c = talking;

	if (dice(c, c->up.manners.lost))
		return;
	if (dice(c, c->up.manners.late) && c->up.nkept < WIRE_ROOM) {
		wire_keep(&c->up, data, len, offload, 1 + bed_random(&c->bed) % 4);
		return;
	}
	up_deliver(g, data, len, offload);
	if (dice(c, c->up.manners.doubled))
		up_deliver(g, data, len, offload);
	wire_age(&c->up);
	up_due(g, false);
}

static void down_deliver(struct conversation *c, const uint8_t *data, uint32_t len, const struct offload *offload)
{
	struct bed_frame *f = malloc(sizeof(*f) + len);

	f->len = len;
	f->offload = *offload;
	memcpy(f->data, data, len);
	guest_input(&c->g, f);
	free(f);
}

static void down_due(struct conversation *c, bool any)
{
	struct parcel p;

	while (wire_due(&c->down, &p, any)) {
		down_deliver(c, p.data, p.len, &p.offload);
		free(p.data);
	}
}

static void down(struct conversation *c, const struct bed_frame *f)
{
	if (dice(c, c->down.manners.lost))
		return;
	if (dice(c, c->down.manners.late) && c->down.nkept < WIRE_ROOM) {
		wire_keep(&c->down, f->data, f->len, &f->offload, 1 + bed_random(&c->bed) % 4);
		return;
	}
	down_deliver(c, f->data, f->len, &f->offload);
	if (dice(c, c->down.manners.doubled))
		down_deliver(c, f->data, f->len, &f->offload);
	wire_age(&c->down);
	down_due(c, false);
}

/* ---- the remote ---- */

static void remote_read(struct remote *r)
{
	size_t limit = r->read_at_once ? r->in_size + r->read_at_once : CONVERSATION_BYTES * 4;

	while (!r->hold && !r->eof && !r->error && r->in_size < limit) {
		ssize_t n = recv(r->fd, r->in + r->in_size, limit - r->in_size, 0);

		if (n == 0)
			r->eof = true;
		else if (n > 0)
			r->in_size += (size_t)n;
		else if (errno != EAGAIN)
			r->error = true;
		else
			break;
	}
}

static void remote_step(struct remote *r)
{
	int queued = 0;
	ssize_t n;

	if (r->fd < 0 && r->listener >= 0)
		r->fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (r->fd < 0)
		return;
	if (r->sent < r->out_size) {
		n = send(r->fd, r->out + r->sent, r->out_size - r->sent, MSG_NOSIGNAL);
		if (n > 0)
			r->sent += (size_t)n;
	}
	if (r->close_at_end && r->sent == r->out_size && ioctl(r->fd, SIOCOUTQ, &queued) == 0 && !queued) {
		close(r->fd);
		close(r->listener);
		r->fd = r->listener = -1;
		return;
	}
	if (r->shut_at_end && r->sent == r->out_size && !r->shut) {
		shutdown(r->fd, SHUT_WR);
		r->shut = true;
	}
	remote_read(r);
}

/* remote_reset() - end it as a program does that wants a reset to be seen */
static MAYBE_UNUSED void remote_reset(struct remote *r)
{
	struct linger now = { 1, 0 };

	setsockopt(r->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(r->fd);
	close(r->listener);
	r->fd = r->listener = -1;
}

/* ---- together ---- */

static MAYBE_UNUSED void conversation_begin(struct conversation *c, const struct nat_conf *conf)
{
	memset(c, 0, sizeof(*c));
	talking = c;
	c->descriptors = bed_descriptors();
	bed_init(&c->bed, conf, 1);
	c->r = (struct remote){ .fd = -1, .in = malloc(CONVERSATION_BYTES * 4) };
	c->r.listener = bed_listen(SOCK_STREAM, &c->r.port);
	guest_init(&c->g, &c->bed, 40000, c->r.port);
	c->g.wire = up;
}

static MAYBE_UNUSED uint64_t conversation_flows(struct conversation *c)
{
	struct nat_counts counts;

	nat_count(c->bed.nat, &counts);
	return counts.flows;
}

static MAYBE_UNUSED void conversation_end(struct conversation *c)
{
	struct parcel p;

	while (wire_due(&c->up, &p, true))
		free(p.data);
	while (wire_due(&c->down, &p, true))
		free(p.data);
	assert_int_equal(c->bed.bad, 0);
	guest_fini(&c->g);
	if (c->r.fd >= 0)
		close(c->r.fd);
	if (c->r.listener >= 0)
		close(c->r.listener);
	free(c->r.in);
	bed_fini(&c->bed);
	assert_int_equal(budget_used(), 0);
	assert_int_equal(bed_descriptors(), c->descriptors);
}

/* conversation_step() - a turn of the workers, the frames either way, all timers; time passes when nothing else does */
static void conversation_step(struct conversation *c)
{
	unsigned did = bed_turn(&c->bed, 0);

	for (struct bed_frame *f = bed_next(&c->bed); f; f = bed_next(&c->bed)) {
		down(c, f);
		free(f);
		did++;
	}
	guest_timer(&c->g);
	remote_step(&c->r);
	if (did || bed_turn(&c->bed, 1))
		return;
	up_due(&c->g, true);		/* nothing is coming that could overtake them */
	down_due(c, true);
	bed_advance(&c->bed, 20);
}

#define CONVERSE_UNTIL(c, cond)                                                                            \
	do {                                                                                               \
		uint64_t until_end_ = real_ms() + 20000;                                                   \
		while (!(cond)) {                                                                          \
			conversation_step(c);                                                              \
			if (real_ms() > until_end_)                                                        \
				fail_msg("never: %s", #cond);                                              \
		}                                                                                          \
	} while (0)

static MAYBE_UNUSED void conversation_connect(struct conversation *c)
{
	guest_connect(&c->g);
	CONVERSE_UNTIL(c, c->g.connected && c->r.fd >= 0);
}

#endif
