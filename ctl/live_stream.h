/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_stream.h - how a stream or vhost-user port finds its peer: it listens, or it dials again and again (control thread) */
#ifndef CTL_LIVE_STREAM_H
#define CTL_LIVE_STREAM_H

#include "ctl/engine.h"

/* live_stream_open() - server: make the listening socket; client: nothing yet. As live_port_open(). */
int live_stream_open(struct engine *e, const char *net, const struct port_conf *conf, uid_t uid, struct opened *to,
		     struct error *err);

/* live_stream_start() - wait for a peer on @listener (taken), or dial when it is -1 */
void live_stream_start(struct live_port *p, int listener);

#endif
