/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/far_end.h - a network namespace of the test's own, and the far end of an interface in it, through an AF_PACKET socket */
#ifndef TESTS_UNIT_WIRE_H
#define TESTS_UNIT_WIRE_H

#include "switch/frame.h"

enum { WIRE_ROOM = 70000, WIRE_PATIENCE_MS = 5000 };

/* wire_frame - as the kernel hands it over: a tag taken out stands beside */
struct wire_frame {
	uint8_t data[WIRE_ROOM];
	uint32_t len;
	struct offload offload;
	bool tagged;
	uint16_t tci;
};

/* wire_namespace() - leave for a fresh user and network namespace
 * Return: NULL, or why that cannot be: then the test prints it and exits with WIRE_SKIP.
 */
enum { WIRE_SKIP = 77 };
const char *wire_namespace(void);

/* wire_sh() - run a command; Return: did it succeed? */
bool wire_sh(const char *command);

/* wire_raw() - a socket on interface @name with PACKET_VNET_HDR and PACKET_AUXDATA, deaf to what leaves by it; Return: descriptor */
int wire_raw(const char *name);

/* wire_put() - Return: did the kernel take it? @o may be NULL */
bool wire_put(int fd, const void *data, uint32_t len, const struct offload *o);

/* wire_get() - wait for the next frame that is not the kernel's own talk (EtherType 0x86dd multicast); Return: false when none comes */
bool wire_get(int fd, struct wire_frame *f);

/* wire_wait() - until @fd is readable; Return: false when it is not in time */
bool wire_wait(int fd);

#endif
