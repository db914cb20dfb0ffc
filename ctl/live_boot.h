/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_boot.h - the files that a network lends to guests which boot from it (control thread)
 *
 * dhcp/tftp.h speaks with them; files are opened by the keeper, with the rights of who owns the network, and read here.
 */
#ifndef CTL_LIVE_BOOT_H
#define CTL_LIVE_BOOT_H

#include <jansson.h>

struct live_net;
struct live_port;
struct request;

/* live_boot_configure() - as net->conf says; transfers from a directory that is not lent any more end
 * live_boot_free() - with the network; nothing where it lends nothing
 */
void live_boot_configure(struct live_net *net);
void live_boot_free(struct live_net *net);

/* live_boot_request() - a packet for it; live_boot_forget() - the port's device is gone */
void live_boot_request(struct live_net *net, const struct request *r);
void live_boot_forget(const struct live_port *p);

/* live_boot_show() - transfers now and those that are over, or NULL where nothing is lent; a new reference */
json_t *live_boot_show(const struct live_net *net);

#endif
