/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/cut.h - a packet toward a guest that exceeds the network's MTU leaves in fragments (RFC 791 3.2, RFC 8200 4.5)
 *
 * Inside nat/ only; the worker that sends.
 */
#ifndef NAT_CUT_H
#define NAT_CUT_H

#include <stdbool.h>
#include <stdint.h>

struct site;
struct worker;

/* cut_send() - send a frame, whole or in fragments
 * @data:	Ethernet header, an IP header without options or extensions, and what follows it, complete with checksums
 *
 * Return: was all of it taken?
 */
bool cut_send(struct worker *w, const struct site *site, uint8_t *data, uint32_t len);

#endif
