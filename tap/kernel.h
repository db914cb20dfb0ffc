/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/kernel.h - what this kernel can do that no call tells. Any thread. */
#ifndef TAP_KERNEL_H
#define TAP_KERNEL_H

#include <stdbool.h>

/* kernel_has_uso() - does the vnet header of TAPs and packet sockets know large UDP segments (VIRTIO_NET_HDR_GSO_UDP_L4)?
 * Linux does since 6.2; before, such a frame is refused on the way in and out. */
bool kernel_has_uso(void);

#endif
