/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/onemac.h - several stations behind one MAC address, for a medium that carries no other: a Wi-Fi station's
 *
 * On the way out every frame gets our address as its source, and where ARP (RFC 826), Neighbour Discovery (RFC 4861) or DHCP (RFC 2131) tell
 * a guest's, too; a guest's DHCP client is made to ask for broadcast answers, because one to its own address could not reach it. On the way
 * in the guest is found by the IP address that the frame is for. Which guest has which address is learnt from what guests send; nobody but the
 * host has the host's. The table is bounded; a guest that invents addresses
 * mostly displaces its own.
 *
 * onemac_out() and onemac_in() change at most the first ONEMAC_HEAD bytes and look at no more of a frame. Any worker; the table has a
 * lock that is held for a few comparisons.
 */
#ifndef TAP_ONEMAC_H
#define TAP_ONEMAC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"

struct onemac;

enum { ONEMAC_HEAD = 128, ONEMAC_HOST_MAX = 64 };

struct onemac *onemac_new(void);	/* or NULL */
void onemac_free(struct onemac *m);

/* onemac_host() - without it nothing passes. What the host has: @mac, by which all of them are known, and @n addresses, of which ONEMAC_HOST_MAX count; control thread */
void onemac_host(struct onemac *m, const uint8_t *mac, const struct addr *addresses, unsigned n);

/* onemac_out() - of a guest, to the medium
 * @head:	the first @n bytes of the frame, untagged, at most ONEMAC_HEAD of them; private
 * @partial:	the transport checksum is still to be completed by whoever sends the frame
 *
 * Return: false for what must not be sent: it speaks for the host.
 */
bool onemac_out(struct onemac *m, uint8_t *head, uint32_t n, bool partial, uint64_t now_ms);

/* onemac_in() - from the medium; Return: is it for guests? Else it is the host's alone. */
bool onemac_in(struct onemac *m, uint8_t *head, uint32_t n);

#endif
