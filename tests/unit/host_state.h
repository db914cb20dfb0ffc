/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/host_state.h - all of a host (a namespace with an interface up0) that the keeper's acts touch, as sorted lines of text */
#ifndef TESTS_UNIT_HOST_STATE_H
#define TESTS_UNIT_HOST_STATE_H

#include "tests/unit/fault.h"

enum { HOST_STATE_ROOM = 1 << 18 };

/* host_state_save() - without what changes by itself */
void host_state_save(char to[HOST_STATE_ROOM]);

/* host_state_expect() - the test fails unless both are the same; then it says what is different, @when, and with which fault */
void host_state_expect(const char *want, const char *is, const char *when, const struct fault *f);

#endif
