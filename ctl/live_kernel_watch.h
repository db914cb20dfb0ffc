/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_kernel_watch.h - does somebody else change the table that translates? (control thread)
 *
 * The keeper opens the kernel's notices of nftables, the engine reads them (ctl/nft_notice.h), and what another program did is undone by
 * live_kernel_restore().
 */
#ifndef CTL_LIVE_KERNEL_WATCH_H
#define CTL_LIVE_KERNEL_WATCH_H

struct engine;

/* kernel_watch() - from now on; does nothing when it is so. A kernel that tells nothing is logged, and asked again the next time */
void kernel_watch(struct engine *e);

/* kernel_watch_own() - what our own change has told, if it was too much for the socket: that is not for restoring it */
void kernel_watch_own(struct engine *e);

#endif
