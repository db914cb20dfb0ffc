// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/wireless.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "switch/offload.h"
#include "switch/port.h"
#include "switch/worker.h"
#include "tap/onemac.h"
#include "tap/packet.h"

enum { BATCHES_MAX = 256 };

/* relabelled - a frame on its way out, with a head of its own: the one it came with goes to other ports, too */
struct relabelled {
	struct frame frame;
	uint8_t head[ONEMAC_HEAD];
	struct iovec rest;
};

struct wireless {
	struct port port;
	struct port *packet;			/* owned; it has the descriptor */
	struct onemac *stations;
	struct relabelled out[BURST_MAX];	/* of whoever has the transmit lock */
};

static struct wireless *wireless_of(struct port *port)
{
	return container_of(port, struct wireless, port);
}

static int take(struct wireless *p, struct rx_space *space, struct frame *frames, unsigned n, unsigned *kept)
{
	int got = p->packet->ops->rx(&p->packet->queues[0], space, frames, n);

	*kept = 0;
	for (int i = 0; i < got; i++) {
		struct frame *f = &frames[i];

		if (onemac_in(p->stations, f->head, f->head_len < ONEMAC_HEAD ? f->head_len : ONEMAC_HEAD))
			frames[(*kept)++] = *f;
	}
	return got;
}

/* What is the host's is passed over: no edge would tell of what waits behind it. In a flood of it the next frame makes one. */
static int wireless_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n)
{
	unsigned kept = 0;
	int got = 0;

	for (unsigned tries = 0; tries < BATCHES_MAX && !kept; tries++) {
		got = take(wireless_of(q->port), space, frames, n, &kept);
		if (got <= 0)
			return got;
	}
	return (int)kept;
}

/* relabel() - Return: may it go? */
static bool relabel(struct wireless *p, struct relabelled *r, const struct frame *f, uint64_t now_ms)
{
	uint32_t n = f->head_len < ONEMAC_HEAD ? f->head_len : ONEMAC_HEAD;

	if (f->head_len > n && f->nbody)
		return false;		/* no port makes such a frame */
	memcpy(r->head, f->head, n);
	r->frame = *f;
	r->frame.head = r->head;
	r->frame.head_len = n;
	if (f->head_len > n) {
		r->rest = (struct iovec){ f->head + n, f->head_len - n };
		r->frame.body = &r->rest;
		r->frame.nbody = 1;
	}
	return onemac_out(p->stations, r->head, n, f->offload.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, now_ms);
}

static uint64_t wireless_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n, uint64_t *segments)
{
	struct wireless *p = wireless_of(q->port);
	struct tx_frame out[BURST_MAX];
	uint8_t of[BURST_MAX];
	uint64_t sent, taken = 0;
	unsigned nout = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!relabel(p, &p->out[nout], frames[i].frame, worker_now_ms(w)))
			continue;
		out[nout] = frames[i];
		out[nout].frame = &p->out[nout].frame;
		of[nout++] = (uint8_t)i;
	}
	sent = nout ? p->packet->ops->tx(&p->packet->queues[0], w, out, nout, segments) : 0;
	for (unsigned i = 0; i < nout; i++)
		taken |= (sent >> i & 1) << of[i];
	return taken;
}

static void wireless_free(struct port *port)
{
	struct wireless *p = wireless_of(port);

	port->queues[0].fd = -1;		/* the packet port's */
	port_fini(port);
	p->packet->ops->free(p->packet);
	onemac_free(p->stations);
	free(p);
}

static const struct port_ops wireless_ops = { .kind = "one-mac", .rx = wireless_rx, .tx = wireless_tx, .free = wireless_free };

struct port *wireless_new(int fd, unsigned nworkers)
{
	struct wireless *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return NULL;
	p->stations = onemac_new();
	rc = p->stations ? port_init(&p->port, &wireless_ops, 1, nworkers) : -ENOMEM;
	if (rc == 0) {
		p->packet = packet_new(fd, nworkers);
		rc = p->packet ? 0 : -errno;
		if (rc < 0)
			port_fini(&p->port);
	}
	if (rc < 0) {
		onemac_free(p->stations);
		free(p);
		errno = -rc;
		return NULL;
	}
	p->port.queues[0].fd = fd;
	p->port.offloads = p->packet->offloads;
	p->port.rx_room = p->packet->rx_room;
	return &p->port;
}

void wireless_host(struct port *port, const uint8_t *mac, const struct addr *addresses, unsigned n)
{
	onemac_host(wireless_of(port)->stations, mac, addresses, n);
}
