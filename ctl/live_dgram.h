/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_dgram.h - how a datagram port finds its peer (control thread)
 *
 * UDP knows its peer by address and needs no more. A unix socket is connected to its peer's socket itself, so that nobody else's
 * datagrams get in; one that is closed and made anew is another one. The port's socket stays bound meanwhile, and a new connection
 * is tried again and again.
 */
#ifndef CTL_LIVE_DGRAM_H
#define CTL_LIVE_DGRAM_H

#include "ctl/engine.h"

/* live_dgram_open() - make and bind our socket, UDP connected too. As live_port_open(). */
int live_dgram_open(struct engine *e, const char *net, const struct port_conf *conf, uid_t uid, struct opened *to,
		    struct error *err);

/* live_dgram_start() - attach the port to @fd (taken), or try again soon while its peer is not there */
void live_dgram_start(struct live_port *p, int fd);

/* live_dgram_gone() - has the file of the peer's socket been removed? Of a port with ->dgram. */
bool live_dgram_gone(const struct live_port *p);

/* live_dgram_stop() - the port is unplugged or removed: forget its peer; any kind of port */
void live_dgram_stop(struct live_port *p);

#endif
