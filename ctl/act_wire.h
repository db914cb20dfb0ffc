/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_wire.h - the host as a member of a bridged network: the TAP "ly-NET" beside the host's own NIC
 *
 * What the host sends by its NIC to a guest goes to the TAP instead of the wire, and of what it sends to a group the TAP gets a copy: tc
 * filters on the NIC's way out. What is written to the TAP for the NIC's address, or for a group, arrives as if it had come by the NIC:
 * a tc filter on the TAP's way in. The TAP has the NIC's address, so that the kernel takes frames for what they are. Nothing else of the
 * NIC is changed, and filters of others on it are left alone. Needs CAP_NET_ADMIN, cls_bpf and act_mirred. For a program that acts.
 */
#ifndef CTL_ACT_WIRE_H
#define CTL_ACT_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* wire_set() - make it so, or so again; of the guests those in place @slot are now @nmacs at @macs
 * @nic:	the NIC's index
 *
 * Return: 0 or a negative errno with @err (-EOPNOTSUPP, -ENOENT: the kernel has no such filter or action).
 */
int wire_set(const char *tap, int nic, unsigned slot, const uint8_t (*macs)[6], unsigned nmacs, struct error *err);

/* wire_end() - take our filters off the NIC, and the hooks unless (@keep) they were there before or others use them
 * Return: 0, also where there is none; or negative errno: some are left
 */
int wire_end(int nic, bool keep);

/* wire_hooks_are() - has the NIC the hooks (clsact) already? Return: 1, 0, or a negative errno: the kernel does not say */
int wire_hooks_are(int nic);

#endif
