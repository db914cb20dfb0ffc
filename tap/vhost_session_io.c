// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap/vhost_session_parts.h"

/* Never more is read than the message at hand still lacks: so each descriptor that comes along belongs to it, and nothing has to be
 * put back. */

void session_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int session_take_fd(struct vhost_session *s, unsigned i)
{
	int fd = s->fds[i];

	s->fds[i] = -1;
	return fd;
}

void session_forget_message(struct vhost_session *s)
{
	for (unsigned i = 0; i < s->nfds; i++)
		session_close(&s->fds[i]);
	s->nfds = 0;
	s->have = 0;
}

/* take_fds() - all descriptors that came; Return: false when there are more than fit, or the kernel had to leave some out */
static bool take_fds(struct vhost_session *s, struct msghdr *m)
{
	bool fit = !(m->msg_flags & MSG_CTRUNC);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (s->nfds < VHOST_MESSAGE_FDS + 1) {
				s->fds[s->nfds++] = fd;
			} else {
				close(fd);
				fit = false;
			}
		}
	}
	return fit && s->nfds <= VHOST_MESSAGE_FDS;
}

/* receive_some() - up to @want bytes more. Return: 1 when some came, 0 when none are there, negative errno */
static int receive_some(struct vhost_session *s, size_t want)
{
	struct iovec iov = { s->data + s->have, want };
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE((VHOST_MESSAGE_FDS + 1) * sizeof(int))];
	} control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(s->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return error_set(&s->reason, -errno, "vhost-user connection: cannot read: %s", strerror(errno));
	if (n > 0 && !take_fds(s, &m))
		return error_set(&s->reason, -EBADMSG, "vhost-user connection: more than %u descriptors with one message, "
				 "or no room for them here", VHOST_MESSAGE_FDS);
	if (n <= 0)
		return error_set(&s->reason, -EPIPE, "vhost-user connection: the front-end closed it%s",
				 s->have ? " inside a message" : "");
	s->have += (size_t)n;
	return 1;
}

int session_receive(struct vhost_session *s)
{
	size_t want = VHOST_HEADER;
	int rc;

	for (;;) {
		if (s->have >= VHOST_HEADER)
			want = VHOST_HEADER + s->header.size;
		if (s->have == want)
			return 1;
		rc = receive_some(s, want - s->have);
		if (rc <= 0)
			return rc;
		/* A header that is wrong ends it at once: whatever follows is no message. */
		rc = s->have == VHOST_HEADER ? vhost_header_parse(s->data, &s->header, &s->reason) : 0;
		if (rc < 0)
			return rc;
	}
}

int session_send(struct vhost_session *s, const uint8_t *data, size_t size, int fd)
{
	struct iovec iov = { (void *)data, size };
	union {
		struct cmsghdr align;
		uint8_t room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		control.align = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(int));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
	}
	n = sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == (ssize_t)size)
		return 0;
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		return error_set(&s->reason, -EPIPE, "vhost-user connection: the front-end closed it");
	/* A front-end waits for each reply; hundreds have been left unread here, and nobody waits for it. */
	return error_set(&s->reason, -ENOBUFS, "vhost-user connection: the front-end does not read the replies it asks for");
}
