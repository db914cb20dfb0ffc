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

/* check_parts() - segments carry all of the payload in order, each fits the network; else it is the frame itself, completed */
static void check_parts(const struct frame *f, const struct offload *asked, const struct frame *parts, unsigned n, uint32_t mtu)
{
	static uint8_t whole[FRAME_MAX], part[FRAME_MAX];
	uint32_t at = asked->hdr_len;

	if (!asked->gso_type) {
		must(n == 1 && parts == f && !f->offload.flags);
		return;
	}
	frame_linear(f, whole);
	for (unsigned i = 0; i < n; i++) {
		uint32_t payload = parts[i].len - asked->hdr_len;

		must(parts[i].len > asked->hdr_len && parts[i].len <= mtu + ETH_HEADER && !parts[i].offload.flags);
		must(parts[i].nbody <= FRAME_BODY_MAX);
		frame_linear(&parts[i], part);
		must(!memcmp(whole + at, part + asked->hdr_len, payload));
		at += payload;
	}
	must(at == f->len);
}

static void resolve(struct frame *f, uint32_t mtu, uint8_t offloads)
{
	static uint8_t memory[OFFLOAD_ROOM] __attribute__((aligned(16)));
	uint8_t header[VNET_HEADER], *space = memory;
	size_t room = sizeof(memory);
	struct offload asked = f->offload, back;
	struct frame *parts;
	unsigned n;

	must(!asked.flags || asked.csum_start + asked.csum_offset + 2u <= f->head_len);
	offload_write(&asked, 0, header, sizeof(header));
	offload_read(&back, header);
	must(!asked.flags || !memcmp(&back, &asked, sizeof(back)));
	offload_write(&asked, VLAN_TAG, header, VNET_HEADER_LEGACY);
	must(offload_fits(&asked, PORT_CSUM | PORT_TSO4 | PORT_TSO6 | PORT_ECN | PORT_USO));
	if (offload_fits(&asked, offloads & PORT_CSUM))
		must(!asked.gso_type);
	n = offload_resolve(f, 0, &space, &room, &parts);
	if (n == 0)	/* more in the head than a segment takes, and as many pieces as can be behind it */
		must(f->nbody == FRAME_BODY_MAX && f->head_len - asked.hdr_len > asked.gso_size);
	else
		check_parts(f, &asked, parts, n, mtu);
	must(space + room == memory + sizeof(memory));
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
