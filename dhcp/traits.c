// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/traits.h"

#include "base/bytes.h"

enum { ENTERPRISE_SIZE = 4 };

void traits4(struct guest_traits *t, const struct guest_id *id, const struct dhcp_message *m)
{
	*t = (struct guest_traits){ .id = *id, .vendor.whole = true, .user = { .whole = true, .length_size = 1 } };
	t->vendor.data = message_option(m, OPTION_VENDOR_CLASS, &t->vendor.size);
	t->user.data = message_option(m, OPTION_USER_CLASS, &t->user.size);	/* RFC 3004 has parts; many clients send just one text */
	t->arch = message_option(m, OPTION_ARCH, &t->arch_size);
}

void traits6(struct guest_traits *t, const struct guest_id *id, const struct dhcp6_message *m)
{
	*t = (struct guest_traits){ .id = *id, .user = { m->user, m->user_size, false, 2 }, .arch = m->arch, .arch_size = m->arch_size };
	if (m->vendor_size < ENTERPRISE_SIZE)
		return;
	t->enterprise = get_u32(m->vendor);
	t->vendor = (struct guest_said){ m->vendor + ENTERPRISE_SIZE, m->vendor_size - ENTERPRISE_SIZE, false, 2 };
}

bool said_any(const struct guest_said *said, bool (*fits)(const char *text, const uint8_t *data, size_t size), const char *text)
{
	struct reader r = reader_init(said->data, said->data && said->length_size ? said->size : 0);
	bool any = false;

	if (said->data && said->whole && fits(text, said->data, said->size))
		return true;
	while (reader_left(&r)) {
		size_t n = said->length_size == 1 ? read_u8(&r) : read_u16(&r);
		const uint8_t *p = read_bytes(&r, n);

		any |= p && n && fits(text, p, n);
	}
	return any && !r.overrun;	/* what ends amid a part are no parts */
}
