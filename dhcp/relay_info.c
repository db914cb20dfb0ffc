// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/relay_info.h"

#include <errno.h>

#include "base/bytes.h"

enum { GIADDR_AT = 24 };

const uint8_t *relay_sub_option(const struct dhcp_message *m, enum relay_sub sub, size_t *size)
{
	const uint8_t *found = NULL, *info;
	struct reader r;
	size_t n = 0;

	info = m->giaddr ? message_option(m, OPTION_RELAY_INFO, &n) : NULL;
	r = reader_init(info, n);
	while (reader_left(&r)) {
		uint8_t code = read_u8(&r), length = read_u8(&r);
		const uint8_t *data = read_bytes(&r, length);

		if (code == sub && data && !found) {
			found = data;
			*size = length;
		}
	}
	return r.overrun ? NULL : found;
}

uint32_t relay_address(const struct dhcp_message *m, enum relay_sub sub)
{
	size_t size;
	const uint8_t *p = relay_sub_option(m, sub, &size);

	return p && size == 4 ? get_u32(p) : 0;
}

uint32_t relay_link(const struct dhcp_message *m)
{
	uint32_t link = relay_address(m, RELAY_LINK);

	return link ? link : m->giaddr;
}

uint32_t relay_link_of(const uint8_t *data, size_t size)
{
	struct dhcp_message m;
	int rc;

	if (size < DHCP_FIXED_SIZE || !get_u32(data + GIADDR_AT))
		return 0;		/* as with nearly all: nothing more is looked at */
	rc = message_parse(&m, data, size);
	return rc == 0 || rc == -EPROTO ? relay_link(&m) : 0;
}
