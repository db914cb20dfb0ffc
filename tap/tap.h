/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/tap.h - port on a tun descriptor (kernel documentation, networking/tuntap): the stack behind the TAP is the guest
 *
 * The descriptor was opened with IFF_TAP | IFF_NO_PI | IFF_VNET_HDR and a header of 12 bytes. Large frames and unfinished
 * checksums pass both ways as they are, large UDP segments too where the kernel has them (6.2). A TAP with several descriptors
 * (IFF_MULTI_QUEUE) has a queue for each: the kernel sends a flow to the queue that we last wrote it to.
 */
#ifndef TAP_TAP_H
#define TAP_TAP_H

struct port;

enum { TAP_QUEUES_MAX = 4 };

/* tap_new() - @fds are taken: 1..TAP_QUEUES_MAX queues of one TAP; on failure they stay the caller's
 * Return: a port, freed by its ops->free(), or NULL with errno (EINVAL: not such a descriptor).
 */
struct port *tap_new_queues(const int *fds, unsigned n, unsigned nworkers);
struct port *tap_new(int fd, unsigned nworkers);

#endif
