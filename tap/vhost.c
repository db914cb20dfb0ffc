// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/vhost.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include "switch/worker.h"
#include "tap/vhost_call.h"
#include "tap/vhost_parts.h"

#define BIT(n) (1ull << (n))
enum { F_ANY_LAYOUT = 27, F_LOG_ALL = 26, F_IN_ORDER = 35, F_GUEST_USO4 = 54, F_GUEST_USO6 = 55, F_HOST_USO = 56 };

uint64_t vhost_offered(void)
{
	return BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_RING_PACKED) | BIT(F_IN_ORDER) | BIT(VIRTIO_RING_F_INDIRECT_DESC) |
	       BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(F_ANY_LAYOUT) | BIT(F_LOG_ALL) | BIT(VIRTIO_NET_F_MRG_RXBUF) |
	       BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) | BIT(VIRTIO_NET_F_HOST_ECN) |
	       BIT(F_HOST_USO) | BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |
	       BIT(VIRTIO_NET_F_GUEST_ECN) | BIT(F_GUEST_USO4) | BIT(F_GUEST_USO6) | BIT(VIRTIO_NET_F_MTU) |
	       BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_MQ) | BIT(VIRTIO_NET_F_GUEST_ANNOUNCE);
}

/* ---- pausing ---- */

/* A worker reads `running` when it begins with a ring and ends with it in the same turn. So once every worker has been through a
 * quiescent state, or sleeps, none is inside, and none gets in. */
void vhost_pause(struct port *port)
{
	struct vhost_port *v = vhost_port_of(port);

	atomic_store(&v->running, false);
	urcu_qsbr_synchronize_rcu();
}

static bool any_started(const struct vhost_port *v)
{
	for (unsigned i = 0; i < v->nrings; i++)
		if (v->rings[i].started)
			return true;
	return false;
}

/* count_pairs() - queues that a sender may choose from: the leading ones whose receive ring takes frames */
static void count_pairs(struct vhost_port *v)
{
	unsigned n = 0;

	while (n < v->port.nqueues && v->rings[2 * n].started && v->rings[2 * n].enabled)
		n++;
	atomic_store_explicit(&v->port.ntx, n ? n : 1, memory_order_relaxed);
}

void vhost_resume(struct port *port)
{
	struct vhost_port *v = vhost_port_of(port);

	if (!any_started(v))
		atomic_store(&v->fault, NULL);	/* the driver has begun anew */
	if (!v->memory || atomic_load(&v->fault))
		return;
	for (unsigned i = 0; i < v->nrings; i++) {
		v->rings[i].memory = v->memory;
		v->rings[i].hint = 0;
		v->rings[i].uncalled = v->rings[i].started;
		atomic_store_explicit(&v->rings[i].call_once, v->rings[i].started, memory_order_relaxed);
	}
	count_pairs(v);
	atomic_store_explicit(&v->running, true, memory_order_release);
	for (unsigned i = 0; i < port->nqueues; i++)
		if (v->rings[2 * i + 1].started)
			worker_wake_queue(&port->queues[i]);
}

void vhost_stop(struct vhost_port *v, const char *fault)
{
	const char *none = NULL;

	if (vhost_memory_lost(v->memory))
		fault = VIRTQ_MEMORY_LOST;	/* what stands in the rings now is not the driver's word */
	if (!atomic_compare_exchange_strong(&v->fault, &none, fault))
		return;
	atomic_store(&v->running, false);
	v->port.notify(&v->port, -EPROTO);
}

const char *vhost_fault(const struct port *port)
{
	return atomic_load(&container_of(port, const struct vhost_port, port)->fault);
}

/* ---- what was negotiated ---- */

static uint32_t offloads_of(uint64_t features, const uint64_t bits[5])
{
	static const uint32_t each[5] = { PORT_CSUM, PORT_TSO4, PORT_TSO6, PORT_ECN, PORT_USO };
	uint32_t o = 0;

	if (!(features & bits[0]))
		return 0;		/* virtio 1.2, 5.1.3.1: the others require the checksum */
	for (unsigned i = 0; i < 5; i++)
		if ((features & bits[i]) == bits[i])
			o |= each[i];
	return o;
}

/* A guest that completes checksums itself takes frames whose contents nobody has looked at. */
static uint32_t guest_offloads(uint64_t features, const uint64_t bits[5])
{
	uint32_t o = offloads_of(features, bits);

	return o & PORT_CSUM ? o | PORT_UNREAD : o;
}

void vhost_set_features(struct port *port, uint64_t features)
{
	static const uint64_t guest[5] = {
		BIT(VIRTIO_NET_F_GUEST_CSUM), BIT(VIRTIO_NET_F_GUEST_TSO4), BIT(VIRTIO_NET_F_GUEST_TSO6),
		BIT(VIRTIO_NET_F_GUEST_ECN), BIT(F_GUEST_USO4) | BIT(F_GUEST_USO6),
	};
	static const uint64_t host[5] = {
		BIT(VIRTIO_NET_F_CSUM), BIT(VIRTIO_NET_F_HOST_TSO4), BIT(VIRTIO_NET_F_HOST_TSO6),
		BIT(VIRTIO_NET_F_HOST_ECN), BIT(F_HOST_USO),
	};
	struct vhost_port *v = vhost_port_of(port);

	v->features = features;
	port->offloads = guest_offloads(features, guest);
	for (unsigned i = 0; i < v->nrings; i++) {
		struct virtq *r = &v->rings[i];

		r->host_offloads = offloads_of(features, host);
		r->packed = features & BIT(VIRTIO_F_RING_PACKED);
		r->event_idx = features & BIT(VIRTIO_RING_F_EVENT_IDX);
		r->in_order = features & BIT(F_IN_ORDER);
		r->indirect = features & BIT(VIRTIO_RING_F_INDIRECT_DESC);
		r->mergeable = features & BIT(VIRTIO_NET_F_MRG_RXBUF);
		r->header = features & (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF)) ? 12 : 10;
	}
}

void vhost_set_memory(struct port *port, const struct vhost_memory *memory)
{
	vhost_port_of(port)->memory = memory;
}

/* ---- rings ---- */

void vhost_ring_start(struct port *port, unsigned ring, const struct vhost_ring_conf *conf)
{
	struct virtq *r = &vhost_port_of(port)->rings[ring];

	r->desc = (void *)conf->desc;
	r->avail = (void *)conf->driver;
	r->used = (void *)conf->device;
	r->size = conf->size;
	r->mask = conf->size - 1u;
	r->log = conf->log_device;
	r->log_gpa = conf->device_gpa;
	r->saved = conf->saved;
	r->err = conf->err;
	r->call = conf->call;
	r->started = true;
	virtq_begin(r);
	virtq_notify(r, false);		/* asked for by the worker when it finds the ring empty; never for receive rings */
	vhost_ring_kick(port, ring, conf->kick);
}

void vhost_ring_stop(struct port *port, unsigned ring)
{
	struct virtq *r = &vhost_port_of(port)->rings[ring];

	r->started = false;
	r->call = r->err = -1;
	vhost_ring_kick(port, ring, -1);
}

void vhost_ring_enable(struct port *port, unsigned ring, bool enabled)
{
	vhost_port_of(port)->rings[ring].enabled = enabled;
}

void vhost_ring_call(struct port *port, unsigned ring, int call)
{
	vhost_port_of(port)->rings[ring].call = call;
}

/* Kicks of a receive ring tell of new buffers, which we look for when there is a frame. */
void vhost_ring_kick(struct port *port, unsigned ring, int kick)
{
	struct port_queue *q = &port->queues[ring / 2];

	if (ring % 2 && q->fd != kick)
		worker_queue_fd(q, kick);
}

bool vhost_ring_started(const struct port *port, unsigned ring)
{
	return container_of(port, const struct vhost_port, port)->rings[ring].started;
}

void vhost_announce(struct port *port, const uint8_t mac[6])
{
	struct vhost_port *v = vhost_port_of(port);

	vhost_pause(port);
	memcpy(v->announce_mac, mac, 6);
	atomic_store(&v->announce, true);
	vhost_resume(port);
}

/* ---- life ---- */

static size_t rings_size(const struct vhost_port *v)
{
	return v->nrings * sizeof(*v->rings);
}

static void vhost_free(struct port *port)
{
	struct vhost_port *v = vhost_port_of(port);

	for (unsigned i = 0; i < port->nqueues; i++)
		port->queues[i].fd = -1;	/* borrowed from the session */
	port_fini(port);
	munmap(v->rings, rings_size(v));
	free(v);
}

static const struct port_ops vhost_ops = {
	.kind = "vhost-user", .rx = vhost_rx, .done = vhost_done, .received = vhost_received, .arm = vhost_arm, .tx = vhost_tx, .sent = vhost_sent,
	.free = vhost_free,
};

struct port *vhost_port_new(unsigned pairs, unsigned nworkers)
{
	struct vhost_port *v = calloc(1, sizeof(*v));
	int rc = v ? vhost_memory_init() : -ENOMEM;

	if (rc == 0)
		rc = vhost_call_init(nworkers);
	if (rc == 0)
		rc = port_init(&v->port, &vhost_ops, pairs, nworkers);
	if (rc == 0) {
		v->nrings = 2 * pairs;		/* pages of rings that never run are never there */
		v->rings = mmap(NULL, rings_size(v), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (v->rings == MAP_FAILED) {
			port_fini(&v->port);
			rc = -ENOMEM;
		}
	}
	if (rc < 0) {
		free(v);
		errno = -rc;
		return NULL;
	}
	for (unsigned i = 0; i < v->nrings; i++)
		v->rings[i].call = v->rings[i].err = -1;
	vhost_set_features(&v->port, 0);
	return &v->port;
}
