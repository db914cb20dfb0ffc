// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's virtio-net header with the frame it stands in front of: checked, cut, completed.
 * covers: switch/offload.c
 * Input: the header (10 bytes), the frame's length (2), private bytes (2), MTU (2), the first bytes of the frame. */
#include "switch/offload.h"

#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/packet.h"
#include "switch/port.h"

enum { FIXED = VNET_HEADER_LEGACY + 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

/* lay() - private bytes in memory of their own, so that one beyond them is seen; the rest in pieces */
static void lay(struct frame *f, struct iovec pieces[FRAME_BODY_MAX], uint8_t *head, uint32_t head_len, uint8_t *body,
		uint32_t body_len, uint32_t piece)
{
	frame_init(f, head, head_len);
	f->body = pieces;
	for (uint32_t at = 0; at < body_len; f->nbody++) {
		uint32_t n = f->nbody == FRAME_BODY_MAX - 1 ? body_len - at : MIN_OF(piece, body_len - at);

		pieces[f->nbody] = (struct iovec){ body + at, n };
		at += n;
	}
	f->len += body_len;
}

static void check_pieces(const struct frame *f, const struct iovec *pieces, unsigned n, uint32_t mtu)
{
	size_t all = 0, payload = 0;

	for (unsigned i = 0; i < n; i++) {
		must(pieces[i].iov_len >= ETH_HEADER && pieces[i].iov_len <= mtu + ETH_HEADER);
		all += pieces[i].iov_len;
		payload += pieces[i].iov_len - f->offload.hdr_len;
	}
	must(all <= OFFLOAD_ROOM);
	must(f->offload.gso_type ? payload == f->len - f->offload.hdr_len : n == 1 && all == f->len);
}

static void resolve(struct frame *f, uint32_t mtu, uint8_t offloads)
{
	static uint8_t space[OFFLOAD_ROOM];
	struct iovec pieces[OFFLOAD_SEGMENTS];
	uint8_t header[VNET_HEADER];
	struct offload back;
	unsigned n;

	must(f->offload.csum_start + f->offload.csum_offset + 2u <= f->head_len || !f->offload.flags);
	offload_write(&f->offload, false, header, sizeof(header));
	offload_read(&back, header);
	must(!memcmp(&back, &f->offload, sizeof(back)));
	offload_write(&f->offload, true, header, VNET_HEADER_LEGACY);
	must(offload_fits(&f->offload, PORT_CSUM | PORT_TSO4 | PORT_TSO6 | PORT_ECN | PORT_USO));
	if (offload_fits(&f->offload, offloads & PORT_CSUM))
		must(!f->offload.gso_type);
	n = offload_cut(f, space, sizeof(space), pieces, OFFLOAD_SEGMENTS);
	must(n > 0);			/* the room is enough for any frame that was not refused */
	check_pieces(f, pieces, n, mtu);
	if (n > 1)
		must(offload_cut(f, space, sizeof(space), pieces, n - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t len, head_len, mtu;
	struct iovec borrowed[FRAME_BODY_MAX];
	uint8_t *head, *body;
	struct frame f;

	if (size < FIXED + ETH_HEADER)
		return 0;
	len = MAX_OF(get_u16(data + 10) + 0u, (uint32_t)ETH_HEADER);
	head_len = MIN_OF(len, MAX_OF(get_u16(data + 12) % 512u, (uint32_t)ETH_HEADER));
	mtu = MAX_OF(get_u16(data + 14) + 0u, 68u);
	head = calloc(1, head_len);
	body = calloc(1, len - head_len + 1);
	memcpy(head, data + FIXED, MIN_OF(head_len, size - FIXED));
	lay(&f, borrowed, head, head_len, body, len - head_len, 1 + data[12] * 64u);
	offload_read(&f.offload, data);
	if (offload_check(&f, mtu) == VERDICT_FORWARDED)
		resolve(&f, mtu, data[13]);
	free(head);
	free(body);
	return 0;
}
