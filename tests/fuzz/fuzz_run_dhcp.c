// SPDX-License-Identifier: GPL-2.0-or-later
/* The DHCP client of `lanyard run` and its frames, against whatever another station of the network may send.
 * covers: ctl/run_dhcp.c */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "ctl/run_dhcp.h"
#include "ctl/run_wire.h"

enum { ROOM = 600, MESSAGE_ROOM = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_frame(const uint8_t *data, size_t size)
{
	size_t at = 0;

	for (int has_sum = 0; has_sum < 2; has_sum++) {
		int n = wire_parse(data, size, has_sum, &at);

		if (n > 0 && at + (size_t)n > size)
			abort();
	}
}

/* An input is a row of pieces: seconds to wait, bytes of the message, the message. A message answers the client's last one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t mac[MAC_SIZE] = { 2, 0, 0, 0, 0, 5 };
	struct reader r = reader_init(data, size);
	struct dhcp_client c;
	uint64_t now_ms = 1000;
	uint8_t out[ROOM], message[MESSAGE_ROOM];

	fuzz_frame(data, size);
	dhcp_client_init(&c, mac, "box1", 7, now_ms);
	while (reader_left(&r) > 4) {
		enum dhcp_news news;
		size_t n;

		now_ms += read_u16(&r) * 100u;
		dhcp_client_tick(&c, now_ms, out, sizeof(out), &news);
		n = read_u16(&r);
		n = MIN_OF(n, MIN_OF(reader_left(&r), sizeof(message)));
		read_copy(&r, message, n);
		if (n > 8)
			put_u32(message + 4, c.xid);
		dhcp_client_input(&c, now_ms, message, n);
		if (c.state >= DHCP_CLIENT_BOUND && !c.binding.ip)
			abort();
	}
	dhcp_client_release(&c, out, sizeof(out));
	return 0;
}
