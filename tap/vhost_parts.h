/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_parts.h - what tap/vhost.c, vhost_rx.c and vhost_tx.c share; for nobody else */
#ifndef TAP_VHOST_PARTS_H
#define TAP_VHOST_PARTS_H

#include "base/array.h"
#include "switch/port.h"
#include "tap/virtq.h"

struct vhost_port {
	struct port port;
	atomic_bool running;		/* workers may touch rings and memory */
	const char *_Atomic fault;	/* why the device was stopped; static text */
	atomic_bool announce;		/* a frame of announce_mac waits to be received */
	uint8_t announce_mac[6];
	const struct vhost_memory *memory;
	uint64_t features;
	unsigned nrings;
	struct virtq *rings;		/* 2i: we fill, 2i+1: we empty */
};

static inline struct vhost_port *vhost_port_of(struct port *port)
{
	return container_of(port, struct vhost_port, port);
}

/* vhost_is_running() - acquire: what was changed while paused is seen */
static inline bool vhost_is_running(const struct vhost_port *v)
{
	return atomic_load_explicit(&v->running, memory_order_acquire);
}

/* vhost_stop() - the device has done what no driver may do; any worker, while it holds the ring */
void vhost_stop(struct vhost_port *v, const char *fault);

int vhost_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n);
void vhost_done(struct port_queue *q);
bool vhost_arm(struct port_queue *q);
uint64_t vhost_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n, uint64_t *segments);

/* vhost_copy_head() - up to a few hundred bytes, of which the number is often the same; neither side is touched beyond @n */
static inline void vhost_copy_head(uint8_t *to, const uint8_t *from, uint32_t n)
{
	uint32_t i = 0;

	if (__builtin_expect(n < 16, 0)) {
		for (; i < n; i++)
			to[i] = from[i];
		return;
	}
	for (; i + 16 <= n; i += 16)
		__builtin_memcpy(to + i, from + i, 16);
	__builtin_memcpy(to + n - 16, from + n - 16, 16);
}

#endif
