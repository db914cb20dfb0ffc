/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_loop.h - loops: a guest that joins two of its ports brings back what it is sent, for ever
 *
 * Whoever is in a loop seems to move. So a station that moves makes the switch send a probe (switch/loop.h) to the port where it seems
 * to be now, and look a moment later where the probe came back. That port is closed for two seconds, and twice as long each time
 * it happens again, up to five minutes; what it sends in the meantime ends in the verdict `loop`. The network's own ports are
 * never closed: then it is the other one. While nothing moves nothing is done.
 *
 * Control thread, but for live_loop_moved().
 */
#ifndef CTL_LIVE_LOOP_H
#define CTL_LIVE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct live_net;
struct live_port;

/* live_loop_start() - begin to watch; 0 or -ENOMEM. live_loop_free() */
int live_loop_start(struct live_net *net);
void live_loop_free(struct live_net *net);

/* live_loop_moved() - a station has moved to @port; any worker */
void live_loop_moved(struct live_net *net, uint32_t port);

/* live_loop_suspect() - what that posted */
void live_loop_suspect(struct live_net *net, uint32_t port);

/* live_loop_closed() - is the port closed now? */
bool live_loop_closed(const struct live_port *p);

#endif
