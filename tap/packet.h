/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/packet.h - port on an AF_PACKET socket (packet(7)): one end of a veth pair, or another interface
 *
 * The socket is SOCK_RAW, bound to one interface, with PACKET_VNET_HDR and PACKET_AUXDATA on. Large frames and unfinished
 * checksums pass both ways as they are; a tag that the kernel took out comes back through the auxiliary data.
 */
#ifndef TAP_PACKET_H
#define TAP_PACKET_H

struct port;

/* packet_new() - @fd is taken; on failure it stays the caller's
 * Return: a port, freed by its ops->free(), or NULL with errno (EINVAL: not such a descriptor).
 */
struct port *packet_new(int fd, unsigned nworkers);

#endif
