/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dhcp6_write.h - options of DHCPv6 messages, written (RFC 8415 21.1). Any thread. */
#ifndef DHCP_DHCP6_WRITE_H
#define DHCP_DHCP6_WRITE_H

#include "base/bytes.h"

/* option6_open() - an option whose size is not known yet. Return: for option6_close(). */
static inline size_t option6_open(struct writer *w, uint16_t code)
{
	write_u16(w, code);
	write_u16(w, 0);
	return w->pos;
}

static inline void option6_close(struct writer *w, size_t from)
{
	if (!w->overrun)
		put_u16(w->data + from - 2, (uint16_t)(w->pos - from));
}

static inline void option6_bytes(struct writer *w, uint16_t code, const void *data, size_t size)
{
	write_u16(w, code);
	write_u16(w, (uint16_t)size);
	write_bytes(w, data, size);
}

static inline void option6_u32(struct writer *w, uint16_t code, uint32_t value)
{
	write_u16(w, code);
	write_u16(w, sizeof(value));
	write_u32(w, value);
}

#endif
