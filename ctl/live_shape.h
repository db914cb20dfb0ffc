/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_shape.h - the rates of ports as they run, and those that ports share
 *
 * Control thread only. What a snapshot borrows is given up with live_shape_settle(), when the next snapshot is out.
 */
#ifndef CTL_LIVE_SHAPE_H
#define CTL_LIVE_SHAPE_H

struct engine;
struct live_net;
struct live_port;
struct shape;

/* live_shape_configure() - make the rates of a network's ports what the model says; meters go on where nothing changed
 * live_shape_of() - what the snapshot is to borrow for a port; NULL: no limit
 * live_shape_settle() - a snapshot was published
 * live_shape_leave() - the port leaves, and is in no published snapshot any more
 * live_shape_net_free() - at the network's end, after its ports
 */
void live_shape_configure(struct live_net *net);
struct shape *live_shape_of(const struct live_port *p);
void live_shape_settle(struct engine *e);
void live_shape_leave(struct live_port *p);
void live_shape_net_free(struct live_net *net);

#endif
