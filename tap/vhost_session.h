/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_session.h - one vhost-user connection: a front-end's messages become rings of its port (control thread)
 *
 * Source: QEMU documentation, interop/vhost-user. The session parses (tap/vhost_message.h), checks, maps, pauses the port, changes
 * it, resumes it and answers. Whatever a front-end sends is an error reply where it asked for one, or ends the connection with a
 * reason; nothing it sends can wait, leak a descriptor or reach another port.
 *
 * So that rings go on when the engine dies, every long-lived descriptor is handed to `keep` under a name of the session's own
 * ("conn", "saved", "mem3", "kick0", ...), and what else is needed is plain data in a memfd of ours, "saved", which the
 * workers' ring positions live in as well. vhost_session_restore() goes on from there.
 */
#ifndef TAP_VHOST_SESSION_H
#define TAP_VHOST_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct port;
struct vhost_session;

struct vhost_session_conf {
	struct port *port;		/* from vhost_port_new(); borrowed, outlives the session */
	unsigned pairs;			/* queue pairs offered, as the port was made with */
	uint16_t mtu;			/* told to the guest (VIRTIO_NET_F_MTU) */
	/* hold() - keep a copy of @fd (borrowed) under @name, in place of what was there; drop() - forget it;
	 * recall() - a descriptor (the session's) or -ENOENT. May fail: the session then lives without. */
	int (*hold)(void *arg, const char *name, int fd);
	void (*drop)(void *arg, const char *name);
	int (*recall)(void *arg, const char *name);
	void *arg;
};

enum { VHOST_HELD_NAME = 24, VHOST_MESSAGE_MS = 5000 };	/* a message that has begun must be whole in that time */

/* vhost_session_new() - a fresh connection @fd (taken, made non-blocking). Return: NULL with @err, fd closed */
struct vhost_session *vhost_session_new(const struct vhost_session_conf *conf, int fd, struct error *err);

/* vhost_session_restore() - the connection and rings that an earlier engine left with `keep`; the rings run when it returns
 * Return: NULL when there is none, or it cannot go on, or ten engines in a row have ended soon after they went on with it (then
 * everything held is dropped, which closes the connection).
 */
struct vhost_session *vhost_session_restore(const struct vhost_session_conf *conf, struct error *err);

/* vhost_session_free() - stop the rings, pause the port, unmap, close, drop what is held; NULL is fine
 * vhost_session_leave() - the same, but leave what is held where it is: the engine ends and another takes over
 */
void vhost_session_free(struct vhost_session *session);
void vhost_session_leave(struct vhost_session *session);

int vhost_session_fd(const struct vhost_session *session);

/* vhost_session_input() - the connection is readable: handle what is there, a bounded number of messages
 * Return: 0; 1 when it ended inside a message (see VHOST_MESSAGE_MS); 2 when more waits: call again soon; negative errno
 * when the connection must end (-EPIPE: the front-end closed it), with the reason in vhost_session_reason().
 */
int vhost_session_input(struct vhost_session *session);
const char *vhost_session_reason(const struct vhost_session *session);

/* vhost_session_running() - are both rings of the first pair started and enabled? what `lanyard ps` calls up */
bool vhost_session_running(const struct vhost_session *session);

#endif
