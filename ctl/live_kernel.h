/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_kernel.h - a network with `nat: kernel` at run time (control thread)
 *
 * The host is its gateway (ctl/live_hostif.h), and the keeper has one table of nftables translate. A forward has its sockets as with user-mode
 * NAT: they keep the port, serve clients on the host's loopback, and those whom the table does not lead to the guest, because its address is not
 * known yet, or is of the other family. All others are led by the table as soon as its address is known.
 */
#ifndef CTL_LIVE_KERNEL_H
#define CTL_LIVE_KERNEL_H

#include <jansson.h>

struct engine;
struct error;
struct live_net;
struct net_conf;

/* live_kernel_open() - the table takes the network's interface, held as @held, before anything of it is seen
 * Return: 0, or negative errno: this kernel cannot, somebody has a table of that name, ... */
int live_kernel_open(struct engine *e, const struct net_conf *net, const char *held, struct error *err);

/* live_kernel_push() - make the table as the network is now; does nothing when it is, or when the kernel does not translate for it. What is
 *	refused is tried again after a second, and then ever less often, down to once a minute
 * live_kernel_later() - soon: an address was learnt, or a socket came
 * live_kernel_restore() - the table was changed by program @by: make it anew, for all networks, and tell so */
void live_kernel_push(struct live_net *net);
void live_kernel_later(struct live_net *net);
void live_kernel_restore(struct engine *e, const char *by);

/* live_kernel_leave() - the host is still the gateway of @net, but its kernel translates no more: out of the table, and its connections are cut */
void live_kernel_leave(struct live_net *net);

/* live_kernel_start() - the engine knows whether it was started again: then the table is as it was, and stays so until guests have been heard of */
void live_kernel_start(struct engine *e);

/* live_kernel_warning() - what does not work fully, or at all, as text; a new reference, or NULL */
json_t *live_kernel_warning(const struct live_net *net);

void live_kernel_free(struct live_net *net);

#endif
