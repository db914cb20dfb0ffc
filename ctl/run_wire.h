/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/run_wire.h - DHCP frames on an interface that may not have an address yet
 *
 * A packet socket of the calling thread's network namespace, which hears UDP for port 68 and nothing else. One thread.
 */
#ifndef CTL_RUN_WIRE_H
#define CTL_RUN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* wire_open() - Return: a non-blocking, close-on-exec descriptor for close(), or a negative errno */
int wire_open(const char *ifname);

struct wire_route {
	uint8_t from_mac[MAC_SIZE], to_mac[MAC_SIZE];
	uint32_t from, to;	/* IPv4, host order */
};

/* wire_send() - send a payload from port 68 to port 67; 0, or a negative errno */
int wire_send(int fd, const struct wire_route *route, const uint8_t *payload, size_t size);

/* wire_receive() - the payload of the next frame for port 68
 * @from_mac:	receives who sent it
 *
 * Return: bytes of payload; 0 for a frame that was malformed; -EAGAIN when there is none; another negative errno.
 */
int wire_receive(int fd, uint8_t *payload, size_t room, uint8_t from_mac[MAC_SIZE]);

/* wire_parse() - find the payload in a frame; the IP header and the UDP checksum are checked
 * @has_sum:	false where the checksum was left for hardware that is not there
 *
 * Return: bytes of payload and where it begins in *@at, or -EBADMSG.
 */
int wire_parse(const uint8_t *frame, size_t size, bool has_sum, size_t *at);

#endif
