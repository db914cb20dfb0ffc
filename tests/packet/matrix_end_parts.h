/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/matrix_end_parts.h - between the files of tests/packet/matrix_end.h */
#ifndef TESTS_PACKET_MATRIX_END_PARTS_H
#define TESTS_PACKET_MATRIX_END_PARTS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <poll.h>

#include "tests/unit/far_end.h"

/* matrix_must() - what a test cannot go on without */
#define matrix_must(ok) \
	do { \
		if (!(ok)) { \
			perror(__FILE__ ": " #ok); \
			abort(); \
		} \
	} while (0)

/* matrix_waits() - is there something to read, now? */
static inline bool matrix_waits(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* matrix_sh() - wire_sh() of a printed command */
#define matrix_sh(...) \
	({ \
		char command_[256]; \
		snprintf(command_, sizeof(command_), __VA_ARGS__); \
		wire_sh(command_); \
	})

#endif
