/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/wireless.h - a packet port (tap/packet.h) whose medium carries one MAC address (tap/onemac.h) */
#ifndef TAP_WIRELESS_H
#define TAP_WIRELESS_H

#include <stdint.h>

struct addr;
struct port;

/* wireless_new() - as packet_new(); the socket hears what is for the interface's own address, too */
struct port *wireless_new(int fd, unsigned nworkers);

/* wireless_host() - the interface's address, and those of the host, which no guest can have; control thread, of what wireless_new() made */
void wireless_host(struct port *port, const uint8_t *mac, const struct addr *addresses, unsigned n);

#endif
