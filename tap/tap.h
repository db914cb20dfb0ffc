/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/tap.h - port on a tun descriptor (kernel documentation, networking/tuntap): the stack behind the TAP is the guest
 *
 * The descriptor was opened with IFF_TAP | IFF_NO_PI | IFF_VNET_HDR and a header of 12 bytes. Large frames and unfinished
 * checksums pass both ways as they are.
 */
#ifndef TAP_TAP_H
#define TAP_TAP_H

struct port;

/* tap_new() - @fd is taken; on failure it stays the caller's
 * Return: a port, freed by its ops->free(), or NULL with errno (EINVAL: not such a descriptor).
 */
struct port *tap_new(int fd, unsigned nworkers);

#endif
