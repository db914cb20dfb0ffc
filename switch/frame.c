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

unsigned frame_iov(const struct frame *f, uint16_t tci, uint8_t tag[VLAN_TAG], struct iovec *iov)
{
	enum { ADDRESSES = 12 };	/* the tag stands behind both addresses (802.1Q, 9.4) */
	unsigned n = 0;

	if (tci) {
		put_u16(tag, ETHERTYPE_CTAG);
		put_u16(tag + 2, tci);
		iov[n++] = (struct iovec){ f->head, ADDRESSES };
		iov[n++] = (struct iovec){ tag, VLAN_TAG };
		iov[n++] = (struct iovec){ f->head + ADDRESSES, f->head_len - ADDRESSES };
	} else {
		iov[n++] = (struct iovec){ f->head, f->head_len };
	}
	for (uint32_t i = 0; i < f->nbody; i++)
		iov[n++] = f->body[i];
	return n;
}
