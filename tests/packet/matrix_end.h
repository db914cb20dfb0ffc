/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/matrix_end.h - ports of every kind and what stands at their far ends, which the test plays
 *
 * matrix_wire() frames look the same whatever the medium: the bytes, tag included, and the virtio-net header. One thread; what
 * cannot be had is the test's own trouble and aborts. TAP, packet and UDP ends need a namespace of the test's own (tests/unit/far_end.h).
 */
#ifndef TESTS_PACKET_MATRIX_END_H
#define TESTS_PACKET_MATRIX_END_H

#include "switch/port.h"

enum { MATRIX_ROOM = 70000, MATRIX_LONGEST = 9000 };

/* matrix_seen - a frame as the far end got it */
struct matrix_seen {
	uint8_t data[MATRIX_ROOM];
	uint32_t len;
	uint8_t header[12];		/* as it lay in the guest's memory; only where `has_header` */
	bool has_header;
	struct offload offload;		/* zeros from a medium that has no header */
	unsigned buffers;		/* that the frame took, by the driver's count; 0: the medium has none */
};

struct matrix_end {
	char name[96];
	struct port *port;		/* freed with the worker's ports */
	bool speaks;			/* can send requests */
	bool kernel;			/* a kernel stands between: it may resolve requests itself, and rewrites hdr_len */
	bool mergeable;
	uint8_t header_size;		/* of a vhost-user port: 10 or 12 */
	uint32_t host;			/* enum port_offload that its guest may ask for */
	struct driver *driver;		/* vhost-user, and its memory and rings; NULL for others */
	struct matrix_far *far;
	int kick, call;
	int fd;				/* the others */
	unsigned sent;

	/* send() - Return: false where the medium refuses the frame. recv() - Return: false when none waits */
	bool (*send)(struct matrix_end *e, const uint8_t *data, uint32_t len, const struct offload *o);
	bool (*recv)(struct matrix_end *e, struct matrix_seen *to);
	const char *(*fault)(struct matrix_end *e);	/* what the port did that it must not, or NULL; may be NULL */
};

/* constructors; @offloads: what the port is to be believed able to take, of what its kind can */
void matrix_tap(struct matrix_end *e, const char *ifname, uint32_t offloads);
void matrix_packet(struct matrix_end *e, const char *ifname, uint32_t offloads);
void matrix_vmm_tap(struct matrix_end *e, const char *ifname);	/* the test is the VMM and holds the TAP; the port its interface */
void matrix_stream(struct matrix_end *e);
void matrix_dgram(struct matrix_end *e);
void matrix_udp(struct matrix_end *e);

/* matrix_vhost() - @guest: offloads that the guest takes; @host: those it may ask for */
struct matrix_vhost {
	uint32_t guest, host;
	bool mergeable, packed, legacy, in_order, event_idx;	/* legacy: without VERSION_1 */
};
void matrix_vhost(struct matrix_end *e, const struct matrix_vhost *conf);

/* matrix_vhost_raw() - send with a virtio-net header exactly as given */
bool matrix_vhost_raw(struct matrix_end *e, const uint8_t *data, uint32_t len, const uint8_t header[12]);

/* matrix_end_close() - the far end; after the port is gone */
void matrix_end_close(struct matrix_end *e);

#endif
