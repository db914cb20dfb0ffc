// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap/vhost_inflight.h"
#include "tap/vhost_session_parts.h"

static bool covers(const struct vhost_session *s, unsigned ring)
{
	return s->inflight && ring < s->saved->inflight_queues;
}

void inflight_ring_started(struct vhost_session *s, unsigned ring)
{
	if (covers(s, ring))
		vhost_inflight_started(vhost_mapping_at(s->inflight), session_packed(s), s->saved->inflight_queue_size, ring,
				       s->saved->positions[ring].next_used);
}

void inflight_ring_stopped(struct vhost_session *s, unsigned ring)
{
	if (covers(s, ring))
		vhost_inflight_stopped(vhost_mapping_at(s->inflight), session_packed(s), s->saved->inflight_queue_size, ring,
				       s->saved->positions[ring].next_used);
}

void inflight_forget(struct vhost_session *s)
{
	vhost_mapping_put(s->inflight);
	s->inflight = NULL;
	if (s->saved->has_inflight)
		session_drop(s, "inflight", SESSION_ONLY);
	s->saved->has_inflight = false;
	for (unsigned i = 0; i < s->nrings; i++)
		s->saved->rings[i].resubmit = false;
}

static int check_queues(const struct vhost_session *s, uint16_t queues, uint16_t queue_size, struct error *err)
{
	if (queues == 0 || queues > s->nrings)
		return error_set(err, -EINVAL, "%u rings; 1 to %u are possible", queues, s->nrings);
	if (queue_size == 0 || queue_size > VHOST_RING_SIZE_MAX)
		return error_set(err, -EINVAL, "rings of %u descriptors", queue_size);
	return 0;
}

static int make_area(uint64_t size, struct error *err)
{
	int fd = memfd_create("lanyard in flight", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		return fd;
	error_set(err, -errno, "cannot make the area");
	session_close(&fd);
	return -ENOMEM;
}

/* Features may not be known yet, so there is room for the larger of the two layouts. */
int on_get_inflight_fd(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_message answer = *m;
	int rc = check_queues(s, m->inflight.queues, m->inflight.queue_size, err);

	if (rc < 0)
		return rc;
	answer.inflight.offset = 0;
	answer.inflight.size = vhost_inflight_size(true, m->inflight.queues, m->inflight.queue_size);
	rc = make_area(answer.inflight.size, err);
	if (rc < 0)
		return rc;
	reply->fd = rc;
	reply->size = vhost_reply_inflight(reply->data, &answer);
	return 0;
}

/* map_area() - as much as is announced must be there, and the regions must be of a kind known here */
static int map_area(struct vhost_session *s, int fd, uint64_t offset, uint64_t size, uint16_t queues, uint16_t queue_size,
		    struct error *err)
{
	uint64_t need = vhost_inflight_size(session_packed(s), queues, queue_size);
	struct vhost_mapping *area;
	int rc;

	if (size < need)
		return error_set(err, -EINVAL, "an area of %llu bytes; %u rings of %u need %llu", (unsigned long long)size, queues,
				 queue_size, (unsigned long long)need);
	if (offset % 8)
		return error_set(err, -EINVAL, "offset 0x%llx is not aligned to 8 bytes", (unsigned long long)offset);
	area = vhost_mapping_new(fd, offset, size, err);
	if (!area)
		return -EINVAL;
	rc = vhost_inflight_check(vhost_mapping_at(area), session_packed(s), queues, queue_size, err);
	if (rc < 0) {
		vhost_mapping_put(area);
		return rc;
	}
	vhost_mapping_put(s->inflight);
	s->inflight = area;
	return 0;
}

int inflight_remap(struct vhost_session *s, int fd, struct error *err)
{
	const struct vhost_saved *saved = s->saved;
	int rc = check_queues(s, saved->inflight_queues, saved->inflight_queue_size, err);

	if (rc == 0)
		rc = map_area(s, fd, saved->inflight_offset, saved->inflight_size, saved->inflight_queues,
			      saved->inflight_queue_size, err);
	return rc;
}

int on_set_inflight_fd(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_saved *saved = s->saved;
	int rc = check_queues(s, m->inflight.queues, m->inflight.queue_size, err);

	(void)reply;
	if (rc < 0)
		return rc;
	if (!saved->has_features)
		return error_set(err, -EINVAL, "it came before SET_FEATURES, which says how the area is laid out");
	if (session_any_started(s))
		return error_set(err, -EBUSY, "rings are running; it comes before they start");
	rc = map_area(s, s->fds[0], m->inflight.offset, m->inflight.size, m->inflight.queues, m->inflight.queue_size, err);
	if (rc < 0)
		return rc;
	saved->has_inflight = true;
	saved->inflight_offset = m->inflight.offset;
	saved->inflight_size = m->inflight.size;
	saved->inflight_queues = m->inflight.queues;
	saved->inflight_queue_size = m->inflight.queue_size;
	for (unsigned i = 0; i < m->inflight.queues; i++)
		saved->rings[i].resubmit = true;
	session_hold(s, "inflight", SESSION_ONLY, s->fds[0]);
	return 0;
}
