// SPDX-License-Identifier: GPL-2.0-or-later
/* A stream port between a peer that writes anything, reads when it likes and hangs up, and a switch that sends bursts.
 * covers: tap/stream.c
 * Input: steps of a byte for what, a byte for how much, and for WRITE the bytes. What the peer reads must stay in step. */
#include "tap/stream.h"

#include <fcntl.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { WRITE, WRITE_FRAMED, RECEIVE, SEND, SEND_LARGE, READ, DRAIN, CLOSE, STEPS, PREFIX = 4, STEPS_MAX = 64, MARK = 0x5a };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct talk {
	struct port *port;
	int peer;
	uint8_t got[PREFIX + FRAME_MAX];	/* by the peer: the frame that is not whole yet */
	size_t ngot;
};

static struct worker *w;
static struct snapshot *snapshot;
static uint8_t space[RX_SPACE];

static void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

static void peer_writes(struct talk *t, struct reader *r, bool framed, uint8_t size)
{
	uint8_t bytes[PREFIX + 4 * 255];
	uint32_t n = framed ? PREFIX + 4u * size : size;

	memset(bytes, MARK, sizeof(bytes));
	put_u32(bytes, n - PREFIX);
	if (!framed)
		read_copy(r, bytes, MIN_OF(n, reader_left(r)));
	if (t->peer >= 0 && send(t->peer, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;			/* the port does not read: its room is full */
}

static void receive(struct talk *t, unsigned n)
{
	struct rx_space rx = { space, sizeof(space) };
	struct frame frames[BURST_MAX];
	unsigned sum = 0;
	int got = t->port->ops->rx(&t->port->queues[0], &rx, frames, 1 + n % BURST_MAX);

	for (int i = 0; i < got; i++) {
		must(frames[i].len >= 1 && frames[i].len <= FRAME_MAX && frames[i].head_len == frames[i].len);
		for (uint32_t j = 0; j < frames[i].len; j++)
			sum += frames[i].head[j];
		memset(frames[i].head, (int)sum, frames[i].len);	/* its bytes are ours until the next call */
	}
}

/* large() - TCP over IPv4 that asks for segments */
static uint32_t large(uint8_t *to, struct offload *o, uint8_t n)
{
	uint32_t len = ETH_HEADER + IP4_HEADER + TCP_HEADER + 250u * n;

	memset(to, MARK, len);
	put_u16(to + 12, ETHERTYPE_IP4);
	to[14] = 0x45;
	put_u16(to + 20, 0);
	to[23] = PROTO_TCP;
	to[46] = 0x50;
	*o = (struct offload){ VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4, 54, 256, 34, 16 };
	return len;
}

static void port_sends(struct talk *t, bool is_large, uint8_t n)
{
	static uint8_t bytes[8][FRAME_MAX];
	struct frame f[8];
	struct tx_frame tx[8];
	unsigned frames = 1 + n % 8;

	for (unsigned i = 0; i < frames; i++) {
		uint32_t len = ETH_HEADER + n * 5u + i;
		struct offload o = { 0 };

		if (is_large)
			len = large(bytes[i], &o, n);
		else
			memset(bytes[i], MARK, len);
		frame_init(&f[i], bytes[i], len);
		f[i].offload = o;
		must(offload_check(&f[i], 1500) == VERDICT_FORWARDED || !is_large);
		tx[i] = (struct tx_frame){ .frame = &f[i], .tci = n % 3 ? n : 0 };
	}
	must(port_tx(t->port, w, 0, tx, frames) >> (frames - 1) <= 1);
}

/* peer_reads() - and sees frames: a length that was sent, then bytes as all have them; Return: was there anything? */
static bool peer_reads(struct talk *t, size_t most)
{
	bool any = false;

	while (most) {
		size_t want = t->ngot < PREFIX ? PREFIX - t->ngot : PREFIX + get_u32(t->got) - t->ngot;
		ssize_t n = t->peer < 0 ? -1 : recv(t->peer, t->got + t->ngot, MIN_OF(most, want), MSG_DONTWAIT);

		if (n <= 0)
			break;
		any = true;
		t->ngot += (size_t)n;
		most -= (size_t)n;
		if (t->ngot < PREFIX)
			continue;
		must(get_u32(t->got) >= ETH_HEADER && get_u32(t->got) <= FRAME_MAX);
		if (t->ngot < PREFIX + get_u32(t->got))
			continue;
		must(t->got[PREFIX] == MARK && t->got[PREFIX + 11] == MARK);
		t->ngot = 0;
	}
	return any;
}

static void step(struct talk *t, struct reader *r)
{
	uint8_t what = read_u8(r) % STEPS, n = read_u8(r);

	switch (what) {
	case WRITE:
	case WRITE_FRAMED:
		peer_writes(t, r, what == WRITE_FRAMED, n);
		break;
	case RECEIVE:
		receive(t, n);
		break;
	case SEND:
	case SEND_LARGE:
		port_sends(t, what == SEND_LARGE, n);
		break;
	case READ:
		peer_reads(t, n * 37u);
		break;
	case DRAIN:
		port_writable(&t->port->queues[0]);
		break;
	case CLOSE:
		if (t->peer >= 0)
			close(t->peer);
		t->peer = -1;
	}
}

/* settle() - all that was taken comes out whole */
static void settle(struct talk *t)
{
	do
		port_writable(&t->port->queues[0]);
	while (peer_reads(t, SIZE_MAX));
	must(t->peer < 0 || t->ngot == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct talk t;
	struct reader r = reader_init(data, size);
	int pair[2];

	if (!w)
		w = worker_new(0, &snapshot);
	must(w && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	t.port = stream_new(pair[0], 1);
	t.peer = pair[1];
	t.ngot = 0;
	must(t.port != NULL);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){ 8192 }, sizeof(int));
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&r); i++)
		step(&t, &r);
	settle(&t);
	if (t.peer >= 0)
		close(t.peer);
	t.port->ops->free(t.port);
	return 0;
}
