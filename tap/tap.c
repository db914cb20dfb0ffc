// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* preadv2 */
#include "tap/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "base/array.h"
#include "switch/offload.h"
#include "switch/port.h"
#include "switch/worker.h"
#include "tap/kernel.h"

enum { OFFLOADS = PORT_CSUM | PORT_TSO4 | PORT_TSO6 | PORT_ECN, ALIGN = 64 };

/* Whoever passed the descriptor may still have it, and take O_NONBLOCK off; a worker must not wait even then. So each read and
 * write says for itself that it does not. Before Linux 6.4 tun does not know RWF_NOWAIT, and there is only O_NONBLOCK. */
struct tap {
	struct port port;
	int flags;			/* of each read and write: RWF_NOWAIT or 0 */
};

static const struct tap *tap_of(const struct port *port)
{
	return container_of(port, const struct tap, port);
}

/* One read a frame: the tun driver has no batches. Frames are laid one behind the other, so that a burst of small ones stays in
 * a few cache lines. */
static int tap_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n)
{
	uint8_t *at = space->data, *end = at + space->size;
	unsigned i = 0;

	while (i < n && (size_t)(end - at) >= VNET_HEADER + FRAME_MAX) {
		struct iovec iov = { at, VNET_HEADER + FRAME_MAX };
		ssize_t got = preadv2(q->fd, &iov, 1, -1, tap_of(q->port)->flags);

		q->drained = got < 0 && errno == EAGAIN;
		if (got < 0 && errno != EAGAIN && errno != EINTR && i == 0)
			return -errno;	/* EBADFD: the interface was deleted */
		if (got <= 0)
			break;
		if (got <= VNET_HEADER)
			continue;	/* nothing of a frame: the next one may wait behind it */
		frame_init(&frames[i], at + VNET_HEADER, (uint32_t)got - VNET_HEADER);
		offload_read(&frames[i].offload, at);
		at += ((size_t)got + ALIGN - 1) & ~(size_t)(ALIGN - 1);
		i++;
	}
	return (int)i;
}

static bool write_frame(const struct port_queue *q, const struct frame *f, const struct tx_frame *tx)
{
	struct iovec iov[FRAME_BODY_MAX + 4];
	uint8_t header[VNET_HEADER], tags[TAGS_MAX];
	uint32_t size = tx_tags(tx, tags);
	unsigned n;

	offload_write(&f->offload, size, header, sizeof(header));
	iov[0] = (struct iovec){ header, sizeof(header) };
	n = frame_iov(f, tags, size, iov + 1);
	return pwritev2(q->fd, iov, (int)n + 1, -1, tap_of(q->port)->flags) > 0;
}

/* write_one() - whole or segment by segment; a frame of which one segment went out counts as taken */
static bool write_one(const struct port_queue *q, struct worker *w, const struct tx_frame *tx, uint64_t *segments)
{
	uint8_t *space = worker_cut_space(w);
	size_t room = OFFLOAD_ROOM;
	struct frame *frames;
	unsigned n = offload_resolve(tx->frame, q->port->offloads, &space, &room, &frames);
	bool sent = false;

	for (unsigned i = 0; i < n; i++)
		sent |= write_frame(q, &frames[i], tx);
	*segments += n > 1 ? n : 0;
	return sent;
}

static uint64_t tap_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n, uint64_t *segments)
{
	uint64_t taken = 0;

	for (unsigned i = 0; i < n; i++)
		taken |= (uint64_t)write_one(q, w, &frames[i], segments) << i;
	return taken;
}

/* tap_carrier() - of the interface, whatever its queues; Linux before 5.0 does not know it, and shows a cable always */
static void tap_carrier(struct port *port, bool in)
{
	int on = in;

	ioctl(port_fd(port), TUNSETCARRIER, &on);
}

static void tap_free(struct port *port)
{
	port_fini(port);
	free(container_of(port, struct tap, port));
}

static const struct port_ops tap_ops = { .kind = "tap", .rx = tap_rx, .tx = tap_tx, .carrier = tap_carrier, .free = tap_free };

/* A descriptor that a client passed could be anything: ask the driver what it is. */
static int check(int fd)
{
	struct ifreq ifr = { 0 };
	int size = VNET_HEADER;

	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return -EINVAL;
	if ((ifr.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)) != (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
		return -EINVAL;
	if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0 || fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

/* nowait_flag() - a write shorter than a header is refused, with another error where the flag itself is */
static int nowait_flag(int fd)
{
	struct iovec iov = { "", 1 };

	return pwritev2(fd, &iov, 1, -1, RWF_NOWAIT) < 0 && errno == EOPNOTSUPP ? 0 : RWF_NOWAIT;
}

struct port *tap_new_queues(const int *fds, unsigned n, unsigned nworkers)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	int rc = tap ? 0 : -ENOMEM;

	for (unsigned i = 0; rc == 0 && i < n; i++)
		rc = check(fds[i]);
	if (rc == 0)
		rc = port_init(&tap->port, &tap_ops, n, nworkers);
	if (rc < 0) {
		free(tap);
		errno = -rc;
		return NULL;
	}
	for (unsigned i = 0; i < n; i++)
		tap->port.queues[i].fd = fds[i];
	tap->port.offloads = OFFLOADS | (kernel_has_uso() ? PORT_USO : 0);
	tap->flags = nowait_flag(fds[0]);
	return &tap->port;
}

struct port *tap_new(int fd, unsigned nworkers)
{
	return tap_new_queues(&fd, 1, nworkers);
}
