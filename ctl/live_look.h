/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_look.h - ports whose other side may go without a word are looked at once a second (control thread)
 *
 * A unix datagram peer that went while nothing was sent to it is told by its file, which whoever follows it has to remove first. A
 * packet socket is told that its interface is down, and not that it was deleted after that; a TAP's descriptor becomes readable a
 * moment before the interface is gone, so a worker that is quick finds nothing there. The timer runs while there are such ports.
 */
#ifndef CTL_LIVE_LOOK_H
#define CTL_LIVE_LOOK_H

#include "ctl/engine.h"

/* live_look() - such a port was attached. Return: 0 or -ENOMEM */
int live_look(struct engine *e);

#endif
