/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/matrix_case.h - the cases of tests/packet/offload_matrix.txt, which tests/packet/offload_matrix.py makes and explains */
#ifndef TESTS_PACKET_MATRIX_CASE_H
#define TESTS_PACKET_MATRIX_CASE_H

#include "switch/frame.h"

enum { MATRIX_VID = 7, MATRIX_CASES = 256, MATRIX_PIECES = 64 };

struct matrix_bytes {
	uint8_t *data;			/* never freed */
	uint32_t len;
};

struct matrix_case {
	char name[80];
	uint32_t mtu;
	bool from_trunk, to_trunk;
	struct offload asked, seen;	/* of `in` and `whole`; csum_start counts from where the frame, tagged or not, begins */
	struct matrix_bytes in, whole;
	uint32_t needs;			/* enum port_offload */
	struct matrix_bytes out[MATRIX_PIECES];
	unsigned nout;
};

/* matrix_load() - read the fixture; a line that is not understood aborts. Return: how many cases */
unsigned matrix_load(const char *path, struct matrix_case *cases);

#endif
