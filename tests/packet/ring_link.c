// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/ring_link.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "switch/build.h"

enum { TCP_CHECKSUM = 16, WHOLE = GUEST_HEADER + 65536 };

static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

int ring_link_open(struct ring_link *l, struct vguest_conf conf, const char *path, struct addr ip, struct addr gateway, const char **why)
{
	int rc;

	*l = (struct ring_link){ .mac = { 2, 0x7c, 0x70 }, .ip = ip, .gateway = gateway, .guest.front.sock = -1 };
	memcpy(l->mac + 3, &ip.bytes[13], 3);
	conf.frames = (struct guest_frames){ .size = RING_LINK_FRAME, .gso = true };
	conf.flows = 1;
	rc = vguest_open(&l->guest, &conf, 0, path, -1, why);
	for (unsigned q = 0; q < conf.pairs && rc == 0; q++) {
		struct guest_ring *tx = &l->guest.pairs[q].tx;

		tx->lengths = calloc(tx->size, sizeof(*tx->lengths));
		*why = "memory";
		rc = tx->lengths ? 0 : -ENOMEM;
	}
	l->whole = l->guest.whole;
	return rc;
}

void ring_link_close(struct ring_link *l)
{
	for (unsigned q = 0; q < l->guest.conf.pairs; q++)
		free(l->guest.pairs[q].tx.lengths);
	vguest_close(&l->guest);
}

/* ---- out ---- */

uint8_t *ring_link_room(struct ring_link *l, unsigned pair)
{
	const struct guest_ring *tx = &l->guest.pairs[pair].tx;

	if (l->filled[pair] == guest_ring_room(tx))
		return NULL;
	return guest_ring_next(tx, l->filled[pair]) + GUEST_HEADER;
}

void ring_link_put(struct ring_link *l, unsigned pair, uint32_t len, uint16_t l4, uint16_t head, uint16_t mss)
{
	struct guest_ring *tx = &l->guest.pairs[pair].tx;
	uint8_t *buffer = guest_ring_next(tx, l->filled[pair]++);
	struct virtio_net_hdr_v1 header = { 0 };

	if (l4)
		header = (struct virtio_net_hdr_v1){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = l4, .csum_offset = TCP_CHECKSUM };
	if (l4 && len - head > mss) {
		header.gso_type = addr_is4(l->ip) ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		header.gso_size = mss;
		header.hdr_len = head;
	}
	memcpy(buffer, &header, sizeof(header));
	guest_ring_set_length(tx, buffer, GUEST_HEADER + len);
}

void ring_link_flush(struct ring_link *l)
{
	for (unsigned q = 0; q < l->guest.conf.pairs; q++) {
		guest_ring_give(&l->guest.pairs[q].tx, l->filled[q]);
		l->filled[q] = 0;
		guest_ring_collect(&l->guest.pairs[q].tx);
	}
}

static bool all_taken(const struct ring_link *l)
{
	for (unsigned q = 0; q < l->guest.conf.pairs; q++)
		if (guest_ring_room(&l->guest.pairs[q].tx) < l->guest.conf.ring)
			return false;
	return true;
}

void ring_link_drain(struct ring_link *l, unsigned ms)
{
	uint64_t end = clock_now_ms() + ms;

	do
		ring_link_flush(l);
	while (!all_taken(l) && clock_now_ms() < end && poll(NULL, 0, 1) == 0);
}

static void arp(struct ring_link *l, unsigned pair, uint16_t op, const uint8_t to[6], struct addr whom)
{
	static const uint8_t nobody[6];
	uint8_t *frame = ring_link_room(l, pair);
	bool asks = op == ARP_REQUEST;

	if (frame)
		ring_link_put(l, pair, build_arp(frame, op, l->mac, addr_4(l->ip), asks ? nobody : to, addr_4(whom), to), 0, 0, 0);
}

void ring_link_ask(struct ring_link *l)
{
	arp(l, 0, ARP_REQUEST, broadcast, l->gateway);
}

/* ---- in ---- */

static void on_arp(struct ring_link *l, unsigned pair, const struct packet *p)
{
	const uint8_t *sender = p->data + 6;

	if (p->arp_op == ARP_REPLY && addr_equal(p->src, l->gateway)) {
		memcpy(l->gateway_mac, sender, 6);
		l->resolved = true;
	} else if (p->arp_op == ARP_REQUEST && addr_equal(p->dst, l->ip)) {
		arp(l, pair, ARP_REPLY, sender, p->src);
	}
}

/* on_frame() - @len bytes, of which as many as fit into a buffer are at @data; what the device says of checksums is believed */
static void on_frame(struct ring_link *l, unsigned pair, const uint8_t *data, uint32_t len)
{
	static const struct offload believe = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	struct packet p;

	l->frames++;
	if (packet_parse(data, len, &believe, &p) != VERDICT_FORWARDED || !addr_equal(p.dst, l->ip))
		l->unknown++;
	else if (p.ethertype == ETHERTYPE_ARP4)
		on_arp(l, pair, &p);
	else
		l->input(l, pair, &p);
}

/* take() - frames whose buffers have all come back; the device gives back no part of one (virtio 1.2, 5.1.6.4) */
static unsigned take(struct ring_link *l, unsigned pair)
{
	struct guest_ring *rx = &l->guest.pairs[pair].rx;
	unsigned n = guest_ring_collect(rx), frames = 0;

	for (unsigned k = 0, buffers; k < n; k += buffers, frames++) {
		const uint8_t *first = guest_ring_buffer(rx, rx->used[k].id);
		uint32_t len = 0;

		buffers = ((const struct virtio_net_hdr_v1 *)first)->num_buffers;
		if (!l->guest.conf.mergeable || !buffers)
			buffers = 1;
		for (unsigned i = 0; i < buffers && k + i < n; i++) {
			uint32_t part = MIN_OF(rx->used[k + i].len, WHOLE - len);

			if (l->whole)
				memcpy(l->whole + len, guest_ring_buffer(rx, rx->used[k + i].id), part);
			len += part;
		}
		on_frame(l, pair, (l->whole ? l->whole : first) + GUEST_HEADER, len - GUEST_HEADER);
	}
	guest_ring_give(rx, n);
	return frames;
}

unsigned ring_link_take(struct ring_link *l)
{
	unsigned n = 0;

	for (unsigned q = 0; q < l->guest.conf.pairs; q++)
		n += take(l, q);
	return n;
}

/* ---- sleeping ---- */

static bool want_calls(struct ring_link *l, bool want)
{
	bool waits = false;

	for (unsigned q = 0; q < l->guest.conf.pairs; q++) {
		struct vguest_pair *p = &l->guest.pairs[q];

		waits |= guest_ring_want_call(&p->rx, want);
		if (!want || guest_ring_room(&p->tx) == 0)
			waits |= guest_ring_want_call(&p->tx, want);
	}
	return waits;
}

void ring_link_wait(struct ring_link *l, int timeout_ms)
{
	struct pollfd p = { .fd = l->guest.call, .events = POLLIN };
	uint64_t calls;

	if (!want_calls(l, true) && poll(&p, 1, timeout_ms) > 0 && read(l->guest.call, &calls, sizeof(calls)) < 0)
		return;
	want_calls(l, false);
}
