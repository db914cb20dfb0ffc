/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/stream_end.h - a stream port on one end of a socket pair, and what a test does at the other; included once per test */
#ifndef TESTS_UNIT_STREAM_END_H
#define TESTS_UNIT_STREAM_END_H

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/port.h"
#include "switch/snapshot.h"
#include "switch/worker.h"
#include "tap/stream.h"

enum { PREFIX = 4, STREAM_ROOM = 8 * 1024 * 1024 };

static struct {
	struct snapshot *snapshot;
	struct worker *w;
	struct port *port;
	int peer;
	uint8_t space[RX_SPACE];
	uint8_t bytes[STREAM_ROOM];	/* read from the peer's end so far */
	size_t nbytes, at;
	struct frame frames[BURST_MAX];
} t;

static inline int setup(void **state)
{
	int pair[2];

	(void)state;
	t.nbytes = t.at = 0;
	t.w = worker_new(0, &t.snapshot);
	assert_non_null(t.w);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	t.port = stream_new(pair[0], 1);
	assert_non_null(t.port);
	t.peer = pair[1];
	fcntl(t.peer, F_SETFL, O_NONBLOCK);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	if (t.peer >= 0)
		close(t.peer);
	t.port->ops->free(t.port);
	worker_free(t.w);
	return 0;
}

/* peer_reads() - up to @most bytes of what has come */
static inline size_t peer_reads(size_t most)
{
	size_t before = t.nbytes;

	while (most) {
		ssize_t n = read(t.peer, t.bytes + t.nbytes, MIN_OF(most, sizeof(t.bytes) - t.nbytes));

		if (n <= 0)
			break;
		t.nbytes += (size_t)n;
		most -= (size_t)n;
	}
	return t.nbytes - before;
}

/* next_sent() - the next whole frame that the peer got, or NULL */
static inline const uint8_t *next_sent(uint32_t *len)
{
	const uint8_t *p = t.bytes + t.at;

	if (t.nbytes - t.at < PREFIX)
		return NULL;
	*len = get_u32(p);
	assert_in_range(*len, 1, FRAME_MAX);	/* in step */
	if (t.nbytes - t.at < PREFIX + *len)
		return NULL;
	t.at += PREFIX + *len;
	return p + PREFIX;
}

static inline void numbered(struct frame *f, uint8_t *bytes, uint32_t len, uint32_t number)
{
	memset(bytes, (int)number, len);
	put_u32(bytes + 14, number);
	frame_init(f, bytes, len);
}

#endif
