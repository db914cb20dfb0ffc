// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/guest_attach.h"

struct vhost_memory *guest_memory(const struct driver *d)
{
	struct driver_region from[DRIVER_REGIONS_MAX];
	struct vhost_region to[DRIVER_REGIONS_MAX];
	unsigned n = driver_regions(d, from), made;
	struct vhost_memory *memory = NULL;
	struct error err = { 0 };

	for (made = 0; made < n; made++) {
		to[made] = (struct vhost_region){
			.gpa = from[made].gpa, .size = from[made].size, .user = from[made].user, .offset = from[made].offset,
			.mapping = vhost_mapping_new(driver_fd(d), from[made].offset, from[made].size, &err),
		};
		if (!to[made].mapping)
			break;
	}
	if (made == n)
		memory = vhost_memory_new(to, n, NULL, 0, &err);
	while (made-- > 0)
		vhost_mapping_put(to[made].mapping);	/* the table has references of its own */
	return memory;
}

bool guest_go_on(struct port *port, struct driver *d, const struct vhost_memory *memory, unsigned ring, int kick, int call,
		      struct vring_saved *saved)
{
	const struct driver_ring *r = driver_ring(d, ring);
	struct vhost_ring_conf conf = {
		.size = r->size, .device_gpa = r->device_gpa, .kick = kick, .call = call, .err = -1, .saved = saved,
		.desc = vhost_user_at(memory, r->desc_user, r->size * 16u, NULL),
		.driver = vhost_user_at(memory, r->driver_user, r->packed ? 4 : 6 + 2u * r->size, NULL),
		.device = vhost_user_at(memory, r->device_user, r->packed ? 4 : 6 + 8u * r->size, NULL),
	};

	if (!conf.desc || !conf.driver || !conf.device)
		return false;
	vhost_ring_start(port, ring, &conf);
	vhost_ring_enable(port, ring, true);
	return true;
}

bool guest_start_ring(struct port *port, struct driver *d, const struct vhost_memory *memory, unsigned ring, int kick, int call,
		      struct vring_saved *saved)
{
	/* both wrap counters begin as 1 (virtio 1.2, 2.8.1) */
	*saved = driver_ring(d, ring)->packed ? (struct vring_saved){ 0x8000, 0x8000 } : (struct vring_saved){ 0, 0 };
	return guest_go_on(port, d, memory, ring, kick, call, saved);
}
