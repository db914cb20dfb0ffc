// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "tap/vhost_call.h"
#include "tap/vhost_session_parts.h"

static int check_index(const struct vhost_session *s, uint32_t index, struct error *err)
{
	if (index < s->nrings)
		return 0;
	return error_set(err, -EINVAL, "ring %u; this port has %u (%u queue pairs)", index, s->nrings, s->conf.pairs);
}

/* change() - @ring becomes @next, started anew where it runs. Return: 0, or negative errno and it runs on as it was */
static int change(struct vhost_session *s, uint32_t ring, const struct vhost_saved_ring *next, bool check, struct error *err)
{
	struct vhost_saved_ring old = s->saved->rings[ring];
	struct vring_saved at = s->saved->positions[ring];
	int rc = 0;

	s->saved->rings[ring] = *next;
	if (check || s->rings[ring].started)
		rc = ring_check(s, ring, err);
	if (rc == 0 && old.kicked)
		rc = ring_sync(s, ring, err);
	if (rc == 0)
		return 0;
	s->saved->rings[ring] = old;
	s->saved->positions[ring] = at;
	ring_sync(s, ring, NULL);
	return rc;
}

int on_set_vring_num(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_saved_ring next;
	int rc = check_index(s, m->state.index, err);

	(void)reply;
	if (rc < 0)
		return rc;
	if (m->state.num == 0 || m->state.num > VHOST_RING_SIZE_MAX)
		return error_set(err, -EINVAL, "ring %u: a size of %u; 1 to %u are possible", m->state.index, m->state.num,
				 VHOST_RING_SIZE_MAX);
	if (s->saved->has_features && !session_packed(s) && (m->state.num & (m->state.num - 1)))
		return error_set(err, -EINVAL, "ring %u: its size, %u, is not a power of two", m->state.index, m->state.num);
	next = s->saved->rings[m->state.index];
	next.size = m->state.num;
	return change(s, m->state.index, &next, false, err);
}

/* Addresses come last, after memory, features and size: if they are wrong, it can be said now. */
int on_set_vring_addr(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_saved_ring next;
	int rc = check_index(s, m->addr.index, err);

	(void)reply;
	if (rc < 0)
		return rc;
	if (m->addr.flags & ~(uint32_t)VHOST_ADDR_LOG)
		return error_set(err, -EINVAL, "ring %u: unknown flags 0x%x", m->addr.index, m->addr.flags);
	next = s->saved->rings[m->addr.index];
	next.desc = m->addr.desc;
	next.avail = m->addr.avail;
	next.used = m->addr.used;
	next.log = m->addr.log;
	next.addr_flags = m->addr.flags;
	next.has_addr = true;
	return change(s, m->addr.index, &next, true, err);
}

int on_set_vring_base(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_saved_ring next;
	int rc = check_index(s, m->state.index, err);

	(void)reply;
	if (rc < 0)
		return rc;
	if (s->saved->has_features && !session_packed(s) && m->state.num > UINT16_MAX)
		return error_set(err, -EINVAL, "ring %u: 0x%x is no index of a split ring", m->state.index, m->state.num);
	next = s->saved->rings[m->state.index];
	next.base = m->state.num;
	next.has_base = true;
	return change(s, m->state.index, &next, false, err);
}

/* The ring is stopped, and everything it took is given back, before the answer goes out: pausing has waited for the workers. */
int on_get_vring_base(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	int rc = check_index(s, m->state.index, err);

	if (rc < 0)
		return rc;
	ring_stop(s, m->state.index);
	ring_forget_kick(s, m->state.index);
	reply->size = vhost_reply_state(reply->data, m->request, m->state.index, ring_base(s, m->state.index));
	return 0;
}

int on_set_vring_enable(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	int rc = check_index(s, m->state.index, err);

	(void)reply;
	if (rc < 0)
		return rc;
	if (m->state.num > 1)
		return error_set(err, -EINVAL, "ring %u: %u is neither 0 nor 1", m->state.index, m->state.num);
	if (s->saved->rings[m->state.index].enabled == m->state.num)
		return 0;
	s->saved->rings[m->state.index].enabled = (uint8_t)m->state.num;
	session_pause(s);
	vhost_ring_enable(s->conf.port, m->state.index, ring_enabled(s, m->state.index));
	return 0;
}

/* ---- descriptors ---- */

static const struct {
	const char *held;
	uint8_t bit;
} files[] = {
	[VHOST_SET_VRING_KICK - VHOST_SET_VRING_KICK] = { "kick", VHOST_HAS_KICK },
	[VHOST_SET_VRING_CALL - VHOST_SET_VRING_KICK] = { "call", VHOST_HAS_CALL },
	[VHOST_SET_VRING_ERR - VHOST_SET_VRING_KICK] = { "err", VHOST_HAS_ERR },
};

static void keep_file(struct vhost_session *s, unsigned which, unsigned ring, int fd)
{
	struct vhost_saved_ring *r = &s->saved->rings[ring];

	if (fd >= 0) {
		r->fds |= files[which].bit;
		session_hold(s, files[which].held, (int)ring, fd);
		return;
	}
	if (r->fds & files[which].bit)
		session_drop(s, files[which].held, (int)ring);
	r->fds &= (uint8_t)~files[which].bit;
}

/* exchange() - the port uses @fd from now on, @old may be closed then; resuming looks and calls once, so nothing is lost between */
static int exchange(struct vhost_session *s, uint32_t request, unsigned ring, int fd, int *old, struct error *err)
{
	struct session_ring *r = &s->rings[ring];
	int *mine = request == VHOST_SET_VRING_KICK ? &r->kick : request == VHOST_SET_VRING_CALL ? &r->call : &r->err;

	*old = *mine;
	*mine = fd;
	if (request == VHOST_SET_VRING_KICK)
		s->saved->rings[ring].kicked = true;
	if (!r->started)
		return request == VHOST_SET_VRING_KICK ? ring_sync(s, ring, err) : 0;
	session_pause(s);
	if (request == VHOST_SET_VRING_KICK)
		vhost_ring_kick(s->conf.port, ring, fd);
	else if (request == VHOST_SET_VRING_CALL)
		vhost_ring_call(s->conf.port, ring, fd);
	else
		return ring_sync(s, ring, err);
	return 0;
}

int on_set_vring_file(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	unsigned which = m->request - VHOST_SET_VRING_KICK, ring = m->file.index;
	int rc = check_index(s, ring, err), fd = -1, old = -1;

	(void)reply;
	if (rc < 0)
		return rc;
	if (!m->file.none && vhost_call_check(s->fds[0]) < 0)
		return error_set(err, -EINVAL, "ring %u: the descriptor is not an eventfd", ring);
	if (!m->file.none)
		fd = session_take_fd(s, 0);
	keep_file(s, which, ring, fd);
	rc = exchange(s, m->request, ring, fd, &old, err);
	session_close(&old);
	if (rc < 0 && m->request == VHOST_SET_VRING_KICK)
		ring_forget_kick(s, ring);
	return rc;
}
