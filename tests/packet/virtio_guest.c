// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tests/packet/virtio_guest.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#define BIT(n) (1ull << (n))
#define GPA 0x100000000ull		/* where a guest's memory begins */
enum { HUGE = 2 << 20, SLOT = 128, STAMP_QUEUE_SHIFT = 48, AHEAD = 8 };

/* --- making --------------------------------------------------------------------------------------------- */

static uint64_t wanted(const struct vguest_conf *c)
{
	uint64_t bits = BIT(VIRTIO_F_VERSION_1);

	bits |= c->mergeable ? BIT(VIRTIO_NET_F_MRG_RXBUF) : 0;
	bits |= c->packed ? BIT(VIRTIO_F_RING_PACKED) : 0;
	bits |= c->in_order ? BIT(VIRTIO_F_IN_ORDER) : 0;
	bits |= c->event_idx ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0;
	bits |= c->indirect ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0;
	bits |= c->pairs > 1 ? BIT(VIRTIO_NET_F_MQ) | BIT(VIRTIO_NET_F_CTRL_VQ) : 0;
	if (c->frames.gso)
		bits |= BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO4) |
			BIT(VIRTIO_NET_F_HOST_TSO6) | BIT(VIRTIO_NET_F_GUEST_TSO6);
	return bits;
}

/* missing() - what the load cannot do without, and the back-end has not */
static const char *missing(const struct vguest_conf *c, const struct vhost_front *front)
{
	uint64_t lacks = wanted(c) & ~front->features;

	if (lacks & BIT(VIRTIO_F_VERSION_1))
		return "virtio 1.x";
	if (lacks & BIT(VIRTIO_F_RING_PACKED))
		return "packed rings";
	if (lacks & BIT(VIRTIO_F_IN_ORDER))
		return "in-order rings";
	if (lacks & BIT(VIRTIO_RING_F_EVENT_IDX))
		return "event_idx";
	if (lacks & BIT(VIRTIO_RING_F_INDIRECT_DESC))
		return "indirect descriptors";
	if (lacks & BIT(VIRTIO_NET_F_MRG_RXBUF))
		return "mergeable buffers";
	if (lacks & (BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO4)))
		return "TSO";
	return front->queues < c->pairs ? "so many queue pairs" : NULL;
}

static uint32_t slot(const struct vguest_conf *c)
{
	return (GUEST_HEADER + c->frames.size + SLOT - 1) & ~(SLOT - 1u);
}

/* readdresses() - more flows than the ring has room for are written into the frames as they leave: a buffer for each would have the
 * figures be those of the memory that they take. Who checks every byte has each frame as it was built. */
static bool readdresses(const struct vguest_conf *c)
{
	return (c->flows > c->ring || c->addresses) && c->look != VGUEST_VERIFY;
}

static uint32_t slots(const struct vguest_conf *c)
{
	uint32_t own = (c->flows + c->pairs - 1) / c->pairs;

	return own > c->ring && !readdresses(c) ? own : c->ring;
}

static int map_memory(struct vguest *g)
{
	g->fd = g->conf.ordinary_pages ? -1 : memfd_create("guest", MFD_CLOEXEC | MFD_HUGETLB);
	if (g->fd >= 0 && ftruncate(g->fd, (off_t)g->size) == 0) {
		g->memory = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, g->fd, 0);
		if (g->memory != MAP_FAILED) {
			g->huge = true;
			return 0;
		}
	}
	if (g->fd >= 0)
		close(g->fd);
	g->memory = NULL;
	g->fd = memfd_create("guest", MFD_CLOEXEC);
	if (g->fd < 0 || ftruncate(g->fd, (off_t)g->size) < 0)
		return -errno;
	g->memory = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, g->fd, 0);
	if (g->memory != MAP_FAILED)
		return 0;
	g->memory = NULL;
	return -errno;
}

/* ring_make() - a ring at *@at of guest memory, its buffers behind it; moves *@at on */
static int ring_make(struct vguest *g, struct guest_ring *r, bool transmit, size_t *at)
{
	const struct vguest_conf *c = &g->conf;

	*r = (struct guest_ring){
		.size = c->ring, .packed = c->packed, .in_order = c->in_order, .event_idx = c->event_idx,
		.indirect = c->indirect && transmit, .transmit = transmit, .ids = c->look == VGUEST_VERIFY,
		.length = transmit ? GUEST_HEADER + c->frames.size : c->buffer,
		.stride = transmit ? slot(c) : c->buffer, .buffers = transmit ? slots(c) : c->ring,
		.area = g->memory + *at, .area_gpa = GPA + *at,
	};
	*at += guest_ring_area(c->ring);
	r->memory = g->memory + *at;
	r->gpa = GPA + *at;
	*at += (size_t)r->stride * r->buffers;
	*at = (*at + 4095) & ~(size_t)4095;
	r->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return r->kick < 0 ? -errno : guest_ring_init(r);
}

static int pair_make(struct vguest *g, unsigned q, size_t *at)
{
	struct vguest_pair *p = &g->pairs[q];
	int rc = ring_make(g, &p->rx, false, at);

	if (rc == 0)
		rc = ring_make(g, &p->tx, true, at);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < p->tx.buffers; i++)
		guest_frame_build(&g->conf.frames, guest_ring_buffer(&p->tx, i), g->id, (i * g->conf.pairs + q) % g->conf.flows);
	return 0;
}

static int start(struct vguest *g, unsigned index, const struct guest_ring *r)
{
	return vhost_front_start(&g->front, &(struct vhost_front_ring){ .index = index, .size = r->size, .base = guest_ring_base(r),
		.desc = r->desc, .driver = r->driver, .device = r->device, .kick = r->kick, .call = g->call });
}

static int make(struct vguest *g)
{
	const struct vguest_conf *c = &g->conf;
	size_t at = 0, tx = (size_t)slot(c) * slots(c) + 4096, rx = (size_t)c->buffer * c->ring + 4096;
	int rc;

	g->size = (c->pairs * (2 * guest_ring_area(c->ring) + tx + rx) + HUGE - 1) & ~(size_t)(HUGE - 1);
	if (c->ordinary_pages)
		g->size = (c->pairs * (2 * guest_ring_area(c->ring) + tx + rx) + 4095) & ~(size_t)4095;
	g->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g->whole = c->look == VGUEST_VERIFY ? malloc(GUEST_HEADER + 65536) : NULL;
	if (g->call < 0 || (c->look == VGUEST_VERIFY && !g->whole))
		return -errno;
	rc = map_memory(g);
	for (unsigned q = 0; q < c->pairs && rc == 0; q++)
		rc = pair_make(g, q, &at);
	return rc;
}

static int plug(struct vguest *g, const char *path, int listener, const char **why)
{
	int rc = listener >= 0 ? vhost_front_accept(&g->front, listener) : vhost_front_dial(&g->front, path);

	*why = "connection";
	if (rc == 0) {
		*why = "features";
		rc = vhost_front_negotiate(&g->front, wanted(&g->conf));
	}
	if (rc == 0 && missing(&g->conf, &g->front)) {
		*why = missing(&g->conf, &g->front);
		rc = -EOPNOTSUPP;
	}
	if (rc == 0) {
		*why = "memory table";
		rc = vhost_front_memory(&g->front, g->fd, GPA, g->size, g->memory);
	}
	for (unsigned q = 0; q < g->conf.pairs && rc == 0; q++) {
		*why = "rings";
		rc = start(g, 2 * q, &g->pairs[q].rx);
		if (rc == 0)
			rc = start(g, 2 * q + 1, &g->pairs[q].tx);
	}
	return rc;
}

int vguest_open(struct vguest *g, const struct vguest_conf *conf, unsigned id, const char *path, int listener, const char **why)
{
	int rc;

	*g = (struct vguest){ .conf = *conf, .id = id, .fd = -1, .call = -1, .front.sock = -1 };
	for (unsigned q = 0; q < VGUEST_PAIRS_MAX; q++)
		g->pairs[q].rx.kick = g->pairs[q].tx.kick = -1;
	*why = "guest memory";
	rc = make(g);
	if (rc == 0 && (path || listener >= 0))
		rc = plug(g, path, listener, why);
	for (unsigned q = 0; q < conf->pairs && rc == 0; q++)
		guest_ring_give(&g->pairs[q].rx, conf->ring);
	return rc;
}

bool vguest_unplugged(const struct vguest *g)
{
	struct pollfd p = { .fd = g->front.sock };

	return g->front.sock < 0 || (poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR));
}

/* collect_all() - what the back-end did until now, for the base is behind it */
static void collect_all(struct vguest *g)
{
	for (unsigned q = 0; q < g->conf.pairs; q++) {
		vguest_receive(g, q);
		vguest_send(g, q, 0);
	}
}

int vguest_leave(struct vguest *g, bool orderly)
{
	int rc = 0;

	for (unsigned i = 0; orderly && i < 2 * g->conf.pairs && rc == 0; i++) {
		const struct vguest_pair *p = &g->pairs[i / 2];
		uint32_t base;

		rc = vhost_front_stop(&g->front, i, &base);
		collect_all(g);
		if (rc == 0 && base != guest_ring_base(i % 2 ? &p->tx : &p->rx))
			rc = -EPROTO;
	}
	vhost_front_close(&g->front);
	return rc;
}

int vguest_again(struct vguest *g, const char *path, int listener, const char **why)
{
	vhost_front_close(&g->front);
	collect_all(g);
	return plug(g, path, listener, why);
}

void vguest_close(struct vguest *g)
{
	vhost_front_close(&g->front);
	for (unsigned q = 0; q < g->conf.pairs; q++) {
		struct guest_ring *both[] = { &g->pairs[q].rx, &g->pairs[q].tx };

		for (unsigned i = 0; i < 2; i++) {
			guest_ring_fini(both[i]);
			if (both[i]->kick >= 0)
				close(both[i]->kick);
		}
	}
	if (g->memory)
		munmap(g->memory, g->size);
	if (g->fd >= 0)
		close(g->fd);
	if (g->call >= 0)
		close(g->call);
	free(g->whole);
}

/* --- running -------------------------------------------------------------------------------------------- */

unsigned vguest_send(struct vguest *g, unsigned pair, unsigned max)
{
	struct vguest_pair *p = &g->pairs[pair];
	unsigned n;

	g->sent += guest_ring_collect(&p->tx);
	n = guest_ring_room(&p->tx);
	if (n > max)
		n = max;
	if (g->conf.look != VGUEST_BLIND)
		for (unsigned k = 0; k < n; k++)
			guest_frame_stamp(&g->conf.frames, guest_ring_next(&p->tx, k), (uint64_t)pair << STAMP_QUEUE_SHIFT | ++p->number);
	for (unsigned k = 0; readdresses(&g->conf) && k < n; k++) {
		guest_frame_readdress(guest_ring_next(&p->tx, k), p->flow);
		p->flow += g->conf.pairs;
		if (p->flow >= g->conf.flows)
			p->flow = pair;
	}
	for (unsigned k = 0; g->inventive && k < n; k++)
		guest_frame_invent(guest_ring_next(&p->tx, k), ++g->invented);
	guest_ring_give(&p->tx, n);
	return n;
}

/* look() - at one frame of @len bytes, header included, that lies in one piece */
static void look(struct vguest *g, struct vguest_pair *p, const uint8_t *buffer, uint32_t len)
{
	uint64_t stamp, number;
	unsigned queue;

	if (guest_frame_multicast(buffer)) {
		g->foreign++;
		return;
	}
	if (len != GUEST_HEADER + g->conf.frames.size || !guest_frame_glance(&g->conf.frames, buffer, g->id, &stamp) ||
	    (g->conf.look == VGUEST_VERIFY && !guest_frame_check(&g->conf.frames, buffer, g->id))) {
		g->bad++;
		return;
	}
	queue = (unsigned)(stamp >> STAMP_QUEUE_SHIFT) % VGUEST_PAIRS_MAX;
	number = stamp & (BIT(STAMP_QUEUE_SHIFT) - 1);
	if (number <= p->seen[queue]) {
		g->bad++;
		g->twice++;
		return;
	}
	p->seen[queue] = number;
}

static void receive_whole(struct vguest *g, struct vguest_pair *p, unsigned n)
{
	const struct vring_used_elem *used = p->rx.used;
	uint64_t bytes = 0;

	for (unsigned k = 0; k < n; k++)
		bytes += used[k].len;
	g->bytes += bytes - (uint64_t)n * GUEST_HEADER;
	g->received += n;
	if (g->conf.look == VGUEST_BLIND)
		return;
	for (unsigned k = 0; k < n; k++) {
		const uint8_t *buffer = guest_ring_buffer(&p->rx, used[k].id);

		if (k + AHEAD < n) {
			const uint8_t *next = guest_ring_buffer(&p->rx, used[k + AHEAD].id);

			__builtin_prefetch(next);
			__builtin_prefetch(next + GUEST_HEADER + g->conf.frames.size - 1);
		}
		look(g, p, buffer, used[k].len);
	}
}

/* receive_merged() - frames larger than a buffer, which say in their header how many they take (virtio 1.2, 5.1.6.4) */
static void receive_merged(struct vguest *g, struct vguest_pair *p, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		const uint8_t *buffer = guest_ring_buffer(&p->rx, p->rx.used[k].id);
		uint32_t len = p->rx.used[k].len;

		if (!p->more) {
			p->more = ((const struct virtio_net_hdr_v1 *)buffer)->num_buffers;
			g->received++;
			g->bytes -= GUEST_HEADER;
			p->have = 0;
		}
		g->bytes += len;
		p->more -= p->more > 0;
		if (g->conf.look != VGUEST_VERIFY)
			continue;
		if (len > g->conf.buffer || p->have + len > GUEST_HEADER + 65536) {
			g->bad++;
			p->more = 0;
			continue;
		}
		memcpy(g->whole + p->have, buffer, len);
		p->have += len;
		if (!p->more)
			look(g, p, g->whole, p->have);
	}
}

unsigned vguest_receive(struct vguest *g, unsigned pair)
{
	struct vguest_pair *p = &g->pairs[pair];
	unsigned n = guest_ring_collect(&p->rx);

	if (!n)
		return 0;
	if (g->conf.buffer >= GUEST_HEADER + g->conf.frames.size)
		receive_whole(g, p, n);
	else
		receive_merged(g, p, n);
	guest_ring_give(&p->rx, n);
	return n;
}

const char *vguest_fault(const struct vguest *g)
{
	for (unsigned q = 0; q < g->conf.pairs; q++) {
		if (g->pairs[q].rx.fault)
			return g->pairs[q].rx.fault;
		if (g->pairs[q].tx.fault)
			return g->pairs[q].tx.fault;
	}
	return NULL;
}
