// SPDX-License-Identifier: GPL-2.0-or-later
/* The vhost-user kind: a guest's rings and memory in this process, without a front-end's connection. */
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/array.h"
#include "switch/offload.h"
#include "tap/vhost.h"
#include "tap/vhost_memory.h"
#include "tests/packet/matrix_end.h"
#include "tests/packet/matrix_end_parts.h"
#include "tests/packet/vring_driver.h"

#define BIT(n) (1ull << (n))

enum {
	RING = 128, RX = 0, TX = 1,
	F_IN_ORDER = 35, F_GUEST_USO4 = 54, F_GUEST_USO6 = 55, F_HOST_USO = 56,	/* newer than Debian 12's linux/virtio_net.h */
	LARGE = 66000,			/* header, a frame of 64 KB, and the driver's gaps */
	ORDINARY = MATRIX_LONGEST + 64, SMALL = 1526,	/* receive buffers; the smallest are those of virtio 1.2, 5.1.6.3.1 */
};

/* matrix_far - what a vhost-user end has beside it */
struct matrix_far {
	struct vhost_memory *memory;
	struct vhost_mapping *mapping;
	struct vring_saved saved[2];
};

static uint64_t features_of(const struct matrix_vhost *c)
{
	static const struct { uint32_t port; uint64_t guest, host; } bits[] = {
		{ PORT_CSUM, BIT(VIRTIO_NET_F_GUEST_CSUM), BIT(VIRTIO_NET_F_CSUM) },
		{ PORT_TSO4, BIT(VIRTIO_NET_F_GUEST_TSO4), BIT(VIRTIO_NET_F_HOST_TSO4) },
		{ PORT_TSO6, BIT(VIRTIO_NET_F_GUEST_TSO6), BIT(VIRTIO_NET_F_HOST_TSO6) },
		{ PORT_ECN, BIT(VIRTIO_NET_F_GUEST_ECN), BIT(VIRTIO_NET_F_HOST_ECN) },
		{ PORT_USO, BIT(F_GUEST_USO4) | BIT(F_GUEST_USO6), BIT(F_HOST_USO) },
	};
	uint64_t f = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(bits); i++) {
		f |= c->guest & bits[i].port ? bits[i].guest : 0;
		f |= c->host & bits[i].port ? bits[i].host : 0;
	}
	f |= c->mergeable ? BIT(VIRTIO_NET_F_MRG_RXBUF) : 0;
	f |= c->packed ? BIT(VIRTIO_F_RING_PACKED) : 0;
	f |= c->legacy ? 0 : BIT(VIRTIO_F_VERSION_1);
	f |= c->in_order ? BIT(F_IN_ORDER) : 0;
	f |= c->event_idx ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0;
	return f | BIT(VIRTIO_RING_F_INDIRECT_DESC);
}

static void share_memory(struct matrix_end *e)
{
	struct matrix_far *far = e->far;
	struct driver_region r[DRIVER_REGIONS_MAX];
	struct vhost_region region;
	struct error err = { 0 };

	matrix_must(driver_regions(e->driver, r) == 1);
	far->mapping = vhost_mapping_new(driver_fd(e->driver), r[0].offset, r[0].size, &err);
	matrix_must(far->mapping != NULL);
	region = (struct vhost_region){ .gpa = r[0].gpa, .size = r[0].size, .user = r[0].user, .offset = r[0].offset };
	region.mapping = far->mapping;
	far->memory = vhost_memory_new(&region, 1, NULL, 0, &err);
	matrix_must(far->memory != NULL);
	vhost_set_memory(e->port, far->memory);
}

static void start_ring(struct matrix_end *e, unsigned ring)
{
	struct matrix_far *far = e->far;
	const struct driver_ring *r = driver_ring(e->driver, ring);
	uint32_t hint = 0;
	uint64_t size = (uint64_t)r->size * 16;
	struct vhost_ring_conf conf = {
		.size = r->size, .device_gpa = r->device_gpa, .kick = e->kick, .call = e->call, .err = -1, .saved = &far->saved[ring],
	};

	conf.desc = vhost_at(far->memory, &hint, r->desc_gpa, size);
	conf.driver = vhost_at(far->memory, &hint, r->driver_gpa, r->packed ? 4 : 6 + 2 * r->size);
	conf.device = vhost_at(far->memory, &hint, r->device_gpa, r->packed ? 4 : 6 + 8 * r->size);
	matrix_must(conf.desc && conf.driver && conf.device);
	if (r->packed)		/* both wrap counters begin as 1 (virtio 1.2, 2.8.1) */
		far->saved[ring] = (struct vring_saved){ 0x8000, 0x8000 };
	vhost_ring_start(e->port, ring, &conf);
	vhost_ring_enable(e->port, ring, true);
}

/* post() - fill the receive ring with buffers of the size that this guest needs */
static void post(struct matrix_end *e)
{
	bool large = e->port->offloads & (PORT_TSO4 | PORT_TSO6 | PORT_USO);
	uint32_t size = e->mergeable ? SMALL : large ? LARGE : ORDINARY;

	matrix_must(driver_post(e->driver, RX, RING, size, e->sent % 2 ? &DRIVER_HEADER_APART : &DRIVER_PLAIN) >= 0);
}

static bool send_header(struct matrix_end *e, const uint8_t *data, uint32_t len, const uint8_t header[12])
{
	static const struct driver_layout pieces = { .even = 7 };
	const struct driver_layout *const layouts[] = {
		&DRIVER_PLAIN, &DRIVER_HEADER_APART, &DRIVER_HEADER_SPLIT, &DRIVER_INDIRECT, &pieces, &DRIVER_HEADER_BYTES,
	};
	uint64_t one = 1;

	matrix_must(driver_reap(e->driver, TX) >= 0);
	matrix_must(driver_send(e->driver, TX, data, len, header, layouts[e->sent++ % ARRAY_SIZE(layouts)]) == 0);
	if (driver_kick_needed(e->driver, TX))
		matrix_must(write(e->kick, &one, sizeof(one)) == sizeof(one));
	return true;
}

bool matrix_vhost_raw(struct matrix_end *e, const uint8_t *data, uint32_t len, const uint8_t header[12])
{
	return send_header(e, data, len, header);
}

static bool vhost_send(struct matrix_end *e, const uint8_t *data, uint32_t len, const struct offload *o)
{
	uint8_t header[VNET_HEADER] = { 0 };

	if (o)
		offload_write(o, 0, header, sizeof(header));
	return send_header(e, data, len, header);
}

static bool vhost_recv(struct matrix_end *e, struct matrix_seen *to)
{
	struct driver_frame f;
	int rc = driver_take(e->driver, RX, &f);

	matrix_must(rc >= 0);
	if (rc == 0)
		return false;
	matrix_must(f.len <= sizeof(to->data));
	memcpy(to->data, f.data, f.len);
	memcpy(to->header, f.header, sizeof(to->header));
	to->len = f.len;
	to->has_header = true;
	to->buffers = f.buffers;
	offload_read(&to->offload, f.header);
	post(e);
	return true;
}

static const char *vhost_fault_of(struct matrix_end *e)
{
	driver_check(e->driver);
	return *driver_fault(e->driver) ? driver_fault(e->driver) : vhost_fault(e->port);
}

static void name_of(struct matrix_end *e, const struct matrix_vhost *c)
{
	snprintf(e->name, sizeof(e->name), "vhost %s%s%s%s%s takes %#x asks %#x", c->packed ? "packed" : "split",
		 c->mergeable ? " mergeable" : "", c->legacy ? " legacy" : "", c->in_order ? " in-order" : "",
		 c->event_idx ? " event-idx" : "", c->guest, c->host);
}

void matrix_vhost(struct matrix_end *e, const struct matrix_vhost *c)
{
	struct driver_conf conf = { .features = features_of(c), .size = RING, .room = LARGE + 1024 };

	*e = (struct matrix_end){
		.speaks = c->host, .mergeable = c->mergeable, .host = c->host, .fd = -1, .send = vhost_send, .recv = vhost_recv,
		.fault = vhost_fault_of, .header_size = c->legacy && !c->mergeable ? VNET_HEADER_LEGACY : VNET_HEADER,
	};
	e->port = vhost_port_new(1, 1);
	e->driver = driver_new(&conf);
	e->far = aligned_alloc(_Alignof(struct matrix_far), sizeof(*e->far));
	e->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	e->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	matrix_must(e->port && e->driver && e->far && e->kick >= 0 && e->call >= 0);
	memset(e->far, 0, sizeof(*e->far));
	name_of(e, c);
	vhost_set_features(e->port, features_of(c));
	share_memory(e);
	start_ring(e, RX);
	start_ring(e, TX);
	vhost_resume(e->port);
	post(e);
}

void matrix_end_close(struct matrix_end *e)
{
	if (e->fd >= 0)
		close(e->fd);
	if (!e->driver)
		return;
	close(e->kick);
	close(e->call);
	driver_free(e->driver);
	vhost_memory_free(e->far->memory);
	vhost_mapping_put(e->far->mapping);
	free(e->far);
}
