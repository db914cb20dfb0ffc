/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/dgram.h - port on a connected datagram socket, unix or UDP: one bare Ethernet frame per datagram
 *
 * The framing of QEMU's `-netdev dgram`, VirtualBox's UDPTunnel, GNS3's UDP links and libvirt's udp interfaces. There is no vnet
 * header, so checksums are completed and segments cut here; a burst leaves in one sendmmsg() and comes in one recvmmsg().
 *
 * The kernel lets only the peer's datagrams in, for the socket is connected. Those that were in the queue before that are told by
 * their sender's address and dropped as `stranger`. A datagram that holds no frame of ours (too long, too short) is a drop
 * with its reason. A peer that is not there is no fault of a UDP port, whose frames are dropped until it is; a unix
 * socket loses its connection with the peer, and notify() is called once with -ECONNREFUSED.
 *
 * A unix peer that reads slowly has the kernel refuse more (it takes net.unix.max_dgram_qlen datagrams): then up to DGRAM_KEPT
 * bytes wait here, and leave as the peer reads.
 */
#ifndef TAP_DGRAM_H
#define TAP_DGRAM_H

struct port;

enum { DGRAM_KEPT = 512 * 1024 };

/* dgram_new() - @fd is taken; on failure it stays the caller's
 * Return: a port, freed by its ops->free(), or NULL with errno (EINVAL: no datagram socket; ENOTCONN: not connected).
 */
struct port *dgram_new(int fd, unsigned nworkers);

#endif
