// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/frame.h"

#include <string.h>

#include "base/bytes.h"
#include "switch/packet.h"

void frame_linear(const struct frame *f, uint8_t *to)
{
	memcpy(to, f->head, f->head_len);
	to += f->head_len;
	for (uint32_t i = 0; i < f->nbody; i++) {
		memcpy(to, f->body[i].iov_base, f->body[i].iov_len);
		to += f->body[i].iov_len;
	}
}

uint32_t tx_tags(const struct tx_frame *tx, uint8_t *to)
{
	uint32_t size = tx->tci ? VLAN_TAG : 0;

	if (tx->tci) {
		put_u16(to, tx->service ? ETHERTYPE_STAG : ETHERTYPE_CTAG);
		put_u16(to + 2, tx->tci);
	}
	if (tx->inner)
		put_u32(to + size, tx->inner);
	return tx->inner ? size + VLAN_TAG : size;
}

unsigned frame_iov(const struct frame *f, uint8_t *tags, uint32_t size, struct iovec *iov)
{
	enum { ADDRESSES = 12 };	/* tags stand behind both addresses (802.1Q, 9.4) */
	unsigned n = 0;

	if (size) {
		iov[n++] = (struct iovec){ f->head, ADDRESSES };
		iov[n++] = (struct iovec){ tags, size };
		iov[n++] = (struct iovec){ f->head + ADDRESSES, f->head_len - ADDRESSES };
	} else {
		iov[n++] = (struct iovec){ f->head, f->head_len };
	}
	for (uint32_t i = 0; i < f->nbody; i++)
		iov[n++] = f->body[i];
	return n;
}
