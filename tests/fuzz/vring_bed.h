/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/fuzz/vring_bed.h - a switch with two vhost-user ports, whose worker is turned by hand: a hostile guest and a good one; once
 * per program. The switch is made once, guests for each input. */
#ifndef TESTS_FUZZ_VRING_BED_H
#define TESTS_FUZZ_VRING_BED_H

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "switch/fdb.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"
#include "tap/vhost.h"
#include "tap/vhost_memory.h"
#include "tests/packet/vring_driver.h"

enum { GUESTS = 2, RX = 0, TX = 1, MTU = 1500, VID = 1, MEMORY_MAX = 8 << 20, LOG_SIZE = 64 * 1024, PAGE = 4096 };
#define BIT(n) (1ull << (n))
#define USO (BIT(54) | BIT(55) | BIT(56))

struct guest {
	struct port *port;
	struct driver *d;
	struct vhost_memory *memory;
	struct vring_saved *saved;
	uint64_t features;
	int kick, call;
	uint8_t mac[6];
};

static struct {
	struct worker *w;
	struct snapshot *snapshot;
	struct fdb *fdb;
	struct guest evil, good;
	struct vhost_mapping *log;
	bool logs, cut, packed, twisted;	/* twisted: its memory is not where it was told to be */
	uint64_t frames, table, end, border;	/* guest addresses in the hostile guest's memory */
	uint8_t before[MEMORY_MAX];		/* that memory, before a turn */
} t;

static inline void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

/* ---- the switch, made once ---- */

static inline void told(struct port *port, int rc)
{
	(void)port, (void)rc;
}

static inline void make_guest(struct guest *g, unsigned id)
{
	struct net_view *net = &t.snapshot->nets[0];

	g->port = vhost_port_new(1, 1);
	g->saved = aligned_alloc(64, 2 * sizeof(*g->saved));
	g->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	g->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	must(g->port && g->saved && g->kick >= 0 && g->call >= 0);
	memcpy(g->mac, (uint8_t[6]){ 2, 0, 0, 0, 0, (uint8_t)(id + 1) }, 6);
	g->port->id = id;
	g->port->notify = told;
	t.snapshot->ports[id] = (struct port_view){ .vlan = { .pvid = VID }, .link_up = true, .port = g->port, .net = net };
	net->members[net->nmembers++] = &t.snapshot->ports[id];
}

static inline void make_switch(void)
{
	struct error err;
	int log;

	if (t.w)
		return;
	log = memfd_create("log", MFD_CLOEXEC);
	urcu_qsbr_register_thread();
	t.w = worker_new(0, &t.snapshot);
	t.fdb = fdb_new(256, GUESTS, 300000);
	t.snapshot = snapshot_new(GUESTS, 1);
	must(t.w && t.fdb && t.snapshot && log >= 0 && ftruncate(log, LOG_SIZE) == 0);
	t.snapshot->nets[0] = (struct net_view){ .net_id = 1, .mtu = MTU, .fdb = t.fdb };
	t.snapshot->nets[0].members = calloc(GUESTS, sizeof(*t.snapshot->nets[0].members));
	must(t.snapshot->nets[0].members != NULL);
	make_guest(&t.evil, 0);
	make_guest(&t.good, 1);
	t.log = vhost_mapping_new(log, 0, LOG_SIZE, &err);
	must(t.log != NULL);
	close(log);
	must(worker_add_port(&t.w, 1, t.evil.port) == 0 && worker_add_port(&t.w, 1, t.good.port) == 0);
}

/* ---- rings ---- */

static inline uint8_t *area(const struct guest *g, uint64_t user, uint64_t size, unsigned align)
{
	uint8_t *p = vhost_user_at(g->memory, user, size, NULL);

	return (uintptr_t)p % align ? NULL : p;
}

/* start_ring() - as a session does: where the rings are not in the memory, nothing starts */
static inline void start_ring(struct guest *g, unsigned ring, uint16_t place)
{
	const struct driver_ring *r = driver_ring(g->d, ring);
	struct vhost_ring_conf conf = {
		.size = r->size, .device_gpa = r->packed ? r->desc_gpa : r->device_gpa, .log_device = true, .kick = g->kick,
		.call = g->call, .err = -1, .saved = &g->saved[ring],
	};

	conf.desc = area(g, r->desc_user, r->size * 16u, 16);
	conf.driver = area(g, r->driver_user, r->packed ? 4 : 6 + 2u * r->size, r->packed ? 4 : 2);
	conf.device = area(g, r->device_user, r->packed ? 4 : 6 + 8u * r->size, 4);
	if (r->packed)
		place = (uint16_t)(place % r->size | (place & 0x8000 ? 0 : 0x8000));
	g->saved[ring] = (struct vring_saved){ place, place };
	if (conf.desc && conf.driver && conf.device)
		vhost_ring_start(g->port, ring, &conf);
	vhost_ring_enable(g->port, ring, true);
}

static inline void stop_rings(struct guest *g)
{
	vhost_pause(g->port);
	vhost_ring_stop(g->port, RX);
	vhost_ring_stop(g->port, TX);
	vhost_resume(g->port);		/* a port without rings forgets its fault */
	vhost_pause(g->port);
}

static inline void start_rings(struct guest *g, uint16_t place)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!t.cut)
			driver_reset(g->d, i);
		start_ring(g, i, place);
	}
	vhost_resume(g->port);
}

/* share() - map the memory; a @twist makes one region another than it is. Refused: the memory stays what it was */
static inline void share(struct guest *g, uint8_t twist, uint64_t value, bool log)
{
	struct driver_region from[DRIVER_REGIONS_MAX];
	struct vhost_region to[DRIVER_REGIONS_MAX];
	unsigned n = driver_regions(g->d, from), mapped = 0;
	uint64_t *const fields[4] = { &from[twist / 8 % n].gpa, &from[twist / 8 % n].size, &from[twist / 8 % n].user,
				      &from[twist / 8 % n].offset };
	struct vhost_memory *m = NULL;
	struct error err = { 0 };

	t.twisted |= twist != 0;
	if (twist)
		*fields[twist % 4] = twist & 4 ? *fields[twist % 4] + value : value;
	for (; mapped < n; mapped++) {
		to[mapped] = (struct vhost_region){ .gpa = from[mapped].gpa, .size = from[mapped].size, .user = from[mapped].user,
						    .offset = from[mapped].offset };
		to[mapped].mapping = vhost_mapping_new(driver_fd(g->d), from[mapped].offset, from[mapped].size, &err);
		if (!to[mapped].mapping)
			break;
	}
	if (mapped == n)
		m = vhost_memory_new(to, n, log ? t.log : NULL, log ? LOG_SIZE : 0, &err);
	while (mapped > 0)
		vhost_mapping_put(to[--mapped].mapping);
	must(m || (twist && err.message[0]) || t.cut);
	if (!m)
		return;
	vhost_set_memory(g->port, m);
	vhost_memory_free(g->memory);
	g->memory = m;
}

static inline void open_guest(struct guest *g, const struct driver_conf *conf, bool log)
{
	g->d = driver_new(conf);
	must(g->d != NULL);
	g->features = conf->features;
	g->memory = NULL;
	stop_rings(g);
	vhost_set_features(g->port, conf->features);
	share(g, 0, 0, log);
	start_rings(g, 0);
}

static inline void close_guest(struct guest *g)
{
	const struct port_stats *s = &g->port->stats[0];
	uint64_t ended = 0;

	stop_rings(g);
	vhost_set_memory(g->port, NULL);
	vhost_memory_free(g->memory);
	driver_free(g->d);
	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		ended += counter_get(&s->verdicts[v]);
	must(counter_get(&s->rx_frames) == ended);
	must(counter_get(&s->queued) == counter_get(&s->tx_frames) + counter_get(&s->tx_drops));
	fdb_flush_port(t.fdb, g->port->id);
}

/* features() - of what both bytes say, with everything that they need */
static inline uint64_t features(uint8_t ring, uint8_t net)
{
	static const uint64_t rings[8] = { BIT(VIRTIO_F_RING_PACKED), BIT(VIRTIO_RING_F_EVENT_IDX), BIT(VIRTIO_F_IN_ORDER),
					   BIT(VIRTIO_RING_F_INDIRECT_DESC), BIT(VIRTIO_NET_F_MRG_RXBUF), BIT(VIRTIO_F_VERSION_1) };
	static const uint64_t nets[8] = { BIT(VIRTIO_NET_F_CSUM), BIT(VIRTIO_NET_F_HOST_TSO4), BIT(VIRTIO_NET_F_HOST_TSO6),
					  USO | BIT(VIRTIO_NET_F_HOST_ECN) | BIT(VIRTIO_NET_F_GUEST_ECN),
					  BIT(VIRTIO_NET_F_GUEST_CSUM), BIT(VIRTIO_NET_F_GUEST_TSO4), BIT(VIRTIO_NET_F_GUEST_TSO6) };
	uint64_t f = 0;

	for (unsigned i = 0; i < 8; i++)
		f |= (ring >> i & 1 ? rings[i] : 0) | (net >> i & 1 ? nets[i] : 0);
	return f & BIT(VIRTIO_F_RING_PACKED) ? f | BIT(VIRTIO_F_VERSION_1) : f;
}

#endif
