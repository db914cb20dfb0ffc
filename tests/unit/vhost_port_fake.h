/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/vhost_port_fake.h - tap/vhost.h without rings or workers, which sees to it that a session keeps its rules; once per program
 *
 * Changes only while paused; ring areas, descriptors and memory that are there when the port runs; each a trap when broken.
 */
#ifndef TESTS_UNIT_VHOST_PORT_FAKE_H
#define TESTS_UNIT_VHOST_PORT_FAKE_H

#include <fcntl.h>
#include <string.h>

#include "switch/port.h"
#include "tap/vhost.h"
#include "tap/vhost_memory.h"

#define FAKE_FEATURES (1ull << 26 | 1ull << 28 | 1ull << 29 | 1ull << 32 | 1ull << 34 | 1ull << 35 | 1ull << 3 | 1ull << 15)

static struct {
	struct port port;
	bool paused;
	unsigned pauses, resumes, announced;
	uint8_t mac[6];
	uint64_t features;
	const struct vhost_memory *memory;
	const char *fault;
	struct {
		bool started, enabled;
		unsigned starts;
		struct vhost_ring_conf conf;
	} rings[VHOST_RINGS_MAX];
} fake;

static inline void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

static inline void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.paused = true;
}

static inline bool fake_fd(int fd)
{
	return fd == -1 || fcntl(fd, F_GETFD) >= 0;
}

/* fake_inside() - do @size bytes at @p lie in one region? */
static inline bool fake_inside(const uint8_t *p, size_t size)
{
	for (unsigned i = 0; i < fake.memory->n; i++) {
		const struct vhost_region *r = &fake.memory->regions[i];

		if (p >= r->at && (size_t)(p - r->at) < r->size && size <= r->size - (size_t)(p - r->at))
			return true;
	}
	return false;
}

static inline void fake_check(const struct vhost_ring_conf *c)
{
	bool packed = fake.features >> 34 & 1;

	must(fake_fd(c->kick) && fake_fd(c->call) && fake_fd(c->err));
	must(c->size > 0 && c->size <= VHOST_RING_SIZE_MAX && (packed || !(c->size & (c->size - 1))));
	must((uintptr_t)c->desc % 16 == 0 && (uintptr_t)c->driver % (packed ? 4 : 2) == 0 && (uintptr_t)c->device % 4 == 0);
	must(fake_inside(c->desc, 16u * c->size) && fake_inside(c->driver, packed ? 4 : 6 + 2u * c->size) &&
	     fake_inside(c->device, packed ? 4 : 6 + 8u * c->size));
	must(!packed || (c->saved->next_avail & 0x7fff) < c->size);
}

uint64_t vhost_offered(void)
{
	return FAKE_FEATURES;
}

void vhost_pause(struct port *port)
{
	must(port == &fake.port);
	fake.paused = true;
	fake.pauses++;
}

void vhost_resume(struct port *port)
{
	bool any = false;

	must(port == &fake.port && fake.paused);
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++) {
		if (!fake.rings[i].started)
			continue;
		any = true;
		must(fake.memory != NULL);
		fake_check(&fake.rings[i].conf);
	}
	if (!any)
		fake.fault = NULL;
	fake.paused = false;
	fake.resumes++;
}

void vhost_set_features(struct port *port, uint64_t features)
{
	must(port == &fake.port && fake.paused && !(features & ~FAKE_FEATURES));
	fake.features = features;
}

void vhost_set_memory(struct port *port, const struct vhost_memory *memory)
{
	must(port == &fake.port && fake.paused);
	fake.memory = memory;
}

void vhost_ring_start(struct port *port, unsigned ring, const struct vhost_ring_conf *conf)
{
	must(port == &fake.port && fake.paused && ring < VHOST_RINGS_MAX && fake.memory);
	fake_check(conf);
	fake.rings[ring].conf = *conf;
	fake.rings[ring].started = true;
	fake.rings[ring].starts++;
}

void vhost_ring_stop(struct port *port, unsigned ring)
{
	must(port == &fake.port && fake.paused && ring < VHOST_RINGS_MAX);
	fake.rings[ring].started = false;
}

void vhost_ring_enable(struct port *port, unsigned ring, bool enabled)
{
	must(port == &fake.port && fake.paused && ring < VHOST_RINGS_MAX);
	fake.rings[ring].enabled = enabled;
}

void vhost_ring_call(struct port *port, unsigned ring, int call)
{
	must(port == &fake.port && fake.paused && fake.rings[ring].started && fake_fd(call));
	fake.rings[ring].conf.call = call;
}

void vhost_ring_kick(struct port *port, unsigned ring, int kick)
{
	must(port == &fake.port && fake.paused && fake.rings[ring].started && fake_fd(kick));
	fake.rings[ring].conf.kick = kick;
}

bool vhost_ring_started(const struct port *port, unsigned ring)
{
	must(port == &fake.port);
	return fake.rings[ring].started;
}

const char *vhost_fault(const struct port *port)
{
	must(port == &fake.port);
	return fake.fault;
}

void vhost_announce(struct port *port, const uint8_t mac[6])
{
	must(port == &fake.port && !fake.paused);
	memcpy(fake.mac, mac, sizeof(fake.mac));
	fake.announced++;
}

struct port *vhost_port_new(unsigned pairs, unsigned nworkers)
{
	(void)pairs;
	(void)nworkers;
	fake_reset();
	return &fake.port;
}

#endif
