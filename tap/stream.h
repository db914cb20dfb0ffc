/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/stream.h - port on a connected stream socket: a 32-bit big-endian length, then the frame
 *
 * The framing of QEMU's `-netdev stream` and `-netdev socket`, passt's and gvproxy's sockets. There is no vnet
 * header, so checksums are completed and segments cut here; a burst leaves in one send. When the peer reads slowly, the
 * rest of a frame that was half sent is kept and no further frame is taken until it has gone.
 */
#ifndef TAP_STREAM_H
#define TAP_STREAM_H

struct port;

/* stream_new() - @fd is taken; on failure it stays the caller's
 * Return: a port, freed by its ops->free(), or NULL with errno (EINVAL: not a stream socket).
 */
struct port *stream_new(int fd, unsigned nworkers);

#endif
