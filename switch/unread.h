/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/unread.h - frames whose contents are still in a socket, and are read straight to where the guest wants them
 *
 * Whoever makes frames of what a socket holds may leave it there: the port that takes such a frame reads it, into a guest's own buffers.
 * That is for frames that nobody looks at on their way: no stage, observer or copy. Everywhere else the frame is made whole first,
 * which send_to() in forward.c sees to. An unread frame is sent alone, and may be offered again.
 */
#ifndef SWITCH_UNREAD_H
#define SWITCH_UNREAD_H

#include <sys/uio.h>

#include "switch/port.h"
#include "switch/snapshot.h"

/* unread_frame - frame.unread is set, frame.len counts all of it, and behind frame.head_len there is room for the rest */
struct unread_frame {
	struct frame frame;
	/* read() - the rest, into the @n pieces at @to, which have room for just that; may be called again. Return: was it all read? */
	bool (*read)(struct unread_frame *u, const struct iovec *to, unsigned n);
};

/* frame_settle() - read what is unread to behind the head. Return: is the frame whole now? */
bool frame_settle(struct frame *f);

/* frame_there() - bytes of the frame that can be looked at */
static inline uint32_t frame_there(const struct frame *f)
{
	return f->unread ? f->head_len : f->len;
}

/* unread_may_pass() - does the port of @to read by itself, and does nobody see what goes there? */
static inline bool unread_may_pass(const struct port_view *to)
{
	return !to->stages_out && !to->nobservers && to->port->offloads & PORT_UNREAD;
}

/* unread_is_wanted() - would a frame from the local port with this id be read by the guest's port, if that is where it goes? Where it is sent
 * all the same, and wherever it goes, it is made whole on its way as need be. On a worker. */
bool unread_is_wanted(struct worker *w, uint32_t local_port, uint32_t guest_port);

#endif
