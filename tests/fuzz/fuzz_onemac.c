// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests behind one MAC address: frames of two guests and of the LAN.
 * covers: tap/onemac.c
 * Input: for each frame a byte of flags, a byte of length, the frame. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "switch/packet.h"
#include "tap/onemac.h"

enum { OUT = 1, PARTIAL = 2, HOST_CHANGES = 4, FRAMES_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t nic[6] = { 2, 0, 0, 0, 0, 1 };

static void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

/* is_host4() - does it come from, or go to, the host's IPv4 address by its own account? */
static bool is_host4(const uint8_t *f, uint32_t n, uint32_t at, uint32_t host4)
{
	return n >= 34 && get_u16(f + 12) == ETHERTYPE_IP4 && f[14] >> 4 == 4 && (f[14] & 15) >= 5 && get_u32(f + at) == host4;
}

static void one(struct onemac *m, uint32_t host4, uint8_t flags, uint8_t *f, uint32_t n)
{
	uint8_t *before = malloc(n ? n : 1);
	bool ok;

	must(before);
	memcpy(before, f, n);
	if (flags & OUT) {
		ok = onemac_out(m, f, n, flags & PARTIAL, n);
		must(!ok || (n >= 14 && !memcmp(f + 6, nic, 6)));
		must(!ok || !is_host4(before, n, 26, host4));
		must(n < 6 || !memcmp(f, before, 6));
	} else {
		ok = onemac_in(m, f, n);
		must(!ok || (memcmp(before + 6, nic, 6) && ((before[0] & 1) || !memcmp(before, nic, 6))));
		must(n < 14 || !memcmp(f + 6, before + 6, 8));
		must(ok || n == 0 || !memcmp(f, before, n));
	}
	free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct addr host[2] = { addr4(0x0a090001), { .bytes = { 0xfd, 0, 0, 9, [15] = 1 } } }, more = addr4(0x0a090032);
	struct onemac *m = onemac_new();
	uint32_t host4 = 0x0a090001;

	must(m);
	onemac_host(m, nic, host, 2);
	for (unsigned i = 0; i < FRAMES_MAX && size >= 2; i++) {
		uint8_t flags = data[0], *f;
		uint32_t n = data[1] < ONEMAC_HEAD ? data[1] : ONEMAC_HEAD;

		data += 2;
		size -= 2;
		n = n < size ? n : (uint32_t)size;
		f = malloc(n ? n : 1);		/* so that a read beyond it is seen */
		must(f);
		memcpy(f, data, n);
		one(m, host4, flags, f, n);
		free(f);
		if (flags & HOST_CHANGES) {
			onemac_host(m, nic, &more, 1);
			host4 = addr_4(more);
		}
		data += n;
		size -= n;
	}
	onemac_free(m);
	return 0;
}
