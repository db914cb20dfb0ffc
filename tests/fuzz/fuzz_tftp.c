// SPDX-License-Identifier: GPL-2.0-or-later
/* Conversations of guests with the TFTP server: an input is a row of a client's number, tenths of a second to wait, bytes of the packet, the packet.
 * covers: dhcp/tftp.c dhcp/tftp_message.c dhcp/tftp_source.c */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/tftp.h"
#include "dhcp/tftp_message.h"

enum { STEPS = 400, BLOCK_MAX = 1468, HANDLES = TFTP_SESSIONS + 1, CLIENTS = 10 /* of a port */ };

struct world {
	struct tftp *tftp;
	bool open[HANDLES];
	unsigned sent;			/* for the packet that came last */
	bool ticking;
	uint64_t own_us[UINT8_MAX / CLIENTS + 1], all_us, now_ms;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The length of a file is its name's: "a" has one block and "aaaa" many; one that begins with '-' cannot be read to its end. */
static int open_file(void *arg, const struct tftp_peer *who, const char *name, uint64_t *size)
{
	struct world *w = arg;
	int i = 0;

	if (!*name || *name == '/' || strlen(name) >= TFTP_NAME_SIZE)
		abort();
	if (*name == '?')
		return name[1] ? -EAGAIN : -ENOENT;
	if (!tftp_may_open(&w->own_us[who->port], &w->all_us, w->now_ms))
		return -EAGAIN;
	while (w->open[i])
		i++;
	if (i == TFTP_SESSIONS)
		abort();
	w->open[i] = true;
	*size = *name == '-' ? 5000 : strlen(name) * 300;
	return i | (*name == '-' ? 1 << 16 : 0) | (int)(strlen(name) << 17);
}

static long read_file(void *arg, int file, uint64_t at, uint8_t *to, size_t size)
{
	uint64_t end = (uint64_t)(file >> 17) * 300;
	size_t n = at < end ? MIN_OF((size_t)(end - at), size) : 0;

	(void)arg;
	if (file >> 16 & 1 && at + size > 1000)
		return -EIO;
	for (size_t i = 0; i < n; i++)
		to[i] = (at + i) % 7 ? (uint8_t)(at + i) : '\n';
	return (long)n;
}

static void close_file(void *arg, int file)
{
	struct world *w = arg;

	if (!w->open[file & 0xffff])
		abort();
	w->open[file & 0xffff] = false;
}

static void on_packet(void *arg, const struct tftp_peer *to, const uint8_t *data, size_t size)
{
	struct world *w = arg;

	(void)to;
	if (size < 3 || size > TFTP_HEADER + BLOCK_MAX || get_u16(data) < TFTP_DATA || (!w->ticking && ++w->sent > TFTP_WINDOW + 1))
		abort();
}

static void on_ended(void *arg, const struct tftp_peer *who, const char *name, uint64_t bytes, int rc)
{
	(void)arg, (void)who, (void)name, (void)bytes;
	if (rc > 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tftp_ops ops = { .open = open_file, .read = read_file, .close = close_file, .send = on_packet, .ended = on_ended };
	struct reader r = reader_init(data, size);
	struct world w = { .now_ms = 1000 };
	uint8_t packet[1500];

	w.tftp = tftp_new(&ops, &w);
	if (!w.tftp)
		abort();
	for (int step = 0; step < STEPS && reader_left(&r) > 3; step++) {
		uint8_t client = read_u8(&r);
		struct tftp_peer who = { .port = client / CLIENTS, .sport = client, .src = addr4(0x0a000000u + client), .dst = addr4(0x0a000001) };
		size_t n;

		w.now_ms += read_u8(&r) * 100u;
		w.ticking = true;	/* each transfer may send a window then */
		if (tftp_tick(w.tftp, w.now_ms) <= w.now_ms)
			abort();
		w.ticking = false;
		n = read_u8(&r);
		n = MIN_OF(n, MIN_OF(reader_left(&r), sizeof(packet)));
		read_copy(&r, packet, n);
		w.sent = 0;
		tftp_input(w.tftp, &who, packet, n, BLOCK_MAX, w.now_ms);
		if (tftp_active(w.tftp, who.port) > TFTP_PER_PORT)
			abort();
	}
	tftp_free(w.tftp);
	for (unsigned i = 0; i < HANDLES; i++)
		if (w.open[i])
			abort();
	return 0;
}
