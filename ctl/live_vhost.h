/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_vhost.h - a vhost-user port's connection: its session runs in the event loop, its state is the port's (control thread)
 *
 * While a front-end is connected the port has an object (tap/vhost.h) and
 *	pending		"waits for its driver": the guest has not started its rings, or has stopped them
 *	up (or down)	both rings of the first pair run
 *	failed		the device was stopped for what its rings did; the connection stays, and a reset by the driver ends it
 * Finding the front-end is live_stream.c's. The keeper holds what the session needs to go on when the engine has died,
 * as "vhost:NET/PORT:NAME", beside the listener's "vhost:NET/PORT@DEVICE".
 */
#ifndef CTL_LIVE_VHOST_H
#define CTL_LIVE_VHOST_H

#include "ctl/engine.h"

/* live_vhost_new() - at the port's first start: p->vhost, and a connection that the keeper still holds goes on
 * Return: does one?
 */
bool live_vhost_new(struct live_port *p);

/* live_vhost_connected() - a front-end came, @fd is taken; when that fails the port tries again by itself */
void live_vhost_connected(struct live_port *p, int fd);

/* live_vhost_look() - note in the port's state what its device does now; a worker reported something */
void live_vhost_look(struct live_port *p);

/* live_vhost_leave() - stop, for a port of the same name to go on. Return: the listener's descriptor (the port's), or -1 */
int live_vhost_leave(struct live_port *p);

/* live_vhost_free() - end the connection, for good; nothing for ports of other kinds */
void live_vhost_free(struct live_port *p);

/* live_vhost_holds() - does a connection of the engine's need what the keeper holds as @name? */
bool live_vhost_holds(struct engine *e, const char *name);

#endif
