// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tap/vhost_call.h"
#include "tap/vhost_session_parts.h"

/* What an earlier engine has left with the keeper becomes a session again. Nothing of it is believed: each descriptor is mapped and
 * checked as if it had just come from the front-end. */

static int recall(struct vhost_session *s, const char *what, int number, struct error *err)
{
	int fd = session_recall(s, what, number);

	if (fd >= 0)
		return fd;
	if (number == SESSION_ONLY)
		return error_set(err, fd, "vhost-user connection: no descriptor \"%s\" is held", what);
	return error_set(err, fd, "vhost-user connection: no descriptor \"%s%d\" is held", what, number);
}

/* count_restore() - a front-end that engines die of must not end them for ever: after so many in a row it has to connect anew */
static int count_restore(struct vhost_saved *saved, struct error *err)
{
	enum { SOON_MS = 3000, RESTORES_MAX = 10 };
	uint32_t now = (uint32_t)clock_now_ms();

	if (now - saved->restored_ms > SOON_MS)
		saved->restores = 0;
	saved->restored_ms = now;
	if (saved->restores >= RESTORES_MAX)
		return error_set(err, -ELOOP, "vhost-user connection: %d engines in a row have ended soon after they took it over",
				 RESTORES_MAX);
	saved->restores++;
	return 0;
}

/* recall_mapping() - Return: 0, or negative errno with @err */
static int recall_mapping(struct vhost_session *s, const char *what, int number, uint64_t offset, uint64_t size,
			  struct vhost_mapping **to, struct error *err)
{
	int fd = recall(s, what, number, err);

	if (fd < 0)
		return fd;
	*to = vhost_mapping_new(fd, offset, size, err);
	session_close(&fd);
	if (*to)
		return 0;
	error_prefix(err, "vhost-user connection: %s", what);
	return -EINVAL;
}

static int restore_memory(struct vhost_session *s, struct error *err)
{
	struct vhost_saved *saved = s->saved;
	int rc = 0;

	for (unsigned i = 0; i < saved->nregions && rc == 0; i++) {
		const struct vhost_saved_region *r = &saved->regions[i];

		rc = recall_mapping(s, "mem", (int)r->slot, r->offset, r->size, &s->mappings[i], err);
	}
	if (rc == 0 && saved->has_log)
		rc = recall_mapping(s, "log", SESSION_ONLY, saved->log_offset, saved->log_size, &s->log, err);
	if (rc == 0 && saved->nregions)
		rc = memory_build(s, saved->nregions, saved->features, &s->memory, err);
	if (rc == 0)
		vhost_set_memory(s->conf.port, s->memory);
	return rc;
}

static int restore_file(struct vhost_session *s, const char *what, unsigned ring, bool has, int *to, struct error *err)
{
	int fd;

	if (!has)
		return 0;
	fd = recall(s, what, (int)ring, err);
	if (fd < 0)
		return fd;
	*to = fd;
	return vhost_call_check(fd) == 0 ? 0 : error_set(err, -EINVAL, "vhost-user connection: %s%u is not an eventfd", what, ring);
}

static int restore_files(struct vhost_session *s, struct error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < s->nrings && rc == 0; i++) {
		uint8_t fds = s->saved->rings[i].fds;

		rc = restore_file(s, "kick", i, fds & VHOST_HAS_KICK, &s->rings[i].kick, err);
		if (rc == 0)
			rc = restore_file(s, "call", i, fds & VHOST_HAS_CALL, &s->rings[i].call, err);
		if (rc == 0)
			rc = restore_file(s, "err", i, fds & VHOST_HAS_ERR, &s->rings[i].err, err);
	}
	return rc;
}

static int restore_saved(struct vhost_session *s, struct error *err)
{
	int fd = session_recall(s, "saved", SESSION_ONLY);

	if (fd < 0)
		return error_set(err, -ENOENT, "vhost-user connection: none is held");
	s->saved = vhost_saved_open(fd, s->nrings, session_offered(), session_protocol_offered(), err);
	session_close(&fd);
	return s->saved ? 0 : -EBADMSG;
}

static int restore_inflight(struct vhost_session *s, struct error *err)
{
	int fd, rc;

	if (!s->saved->has_inflight)
		return 0;
	fd = recall(s, "inflight", SESSION_ONLY, err);
	rc = fd < 0 ? fd : inflight_remap(s, fd, err);
	session_close(&fd);
	return rc;
}

static int restore_rings(struct vhost_session *s, struct error *err)
{
	int rc;

	vhost_set_features(s->conf.port, s->saved->features & ~VHOST_F_PROTOCOL_FEATURES);
	for (unsigned i = 0; i < s->nrings; i++)
		vhost_ring_enable(s->conf.port, i, ring_enabled(s, i));
	s->restoring = true;
	rc = rings_sync(s, err);
	s->restoring = false;
	return rc;
}

/* give_up() - the front-end sees the connection end, and comes again */
static struct vhost_session *give_up(struct vhost_session *s, int rc)
{
	if (s->fd < 0)
		s->fd = session_recall(s, "conn", SESSION_ONLY);
	if (s->saved || s->fd >= 0 || rc != -ENOENT)	/* otherwise nothing is held */
		session_drop_any(s);
	s->kept = false;
	vhost_session_free(s);
	return NULL;
}

struct vhost_session *vhost_session_restore(const struct vhost_session_conf *conf, struct error *err)
{
	struct vhost_session *s = session_make(conf, err);
	int rc = s ? restore_saved(s, err) : -ENOMEM;

	if (!s)
		return NULL;
	if (rc == 0)
		rc = count_restore(s->saved, err);
	if (rc == 0) {
		s->fd = recall(s, "conn", SESSION_ONLY, err);
		rc = s->fd < 0 ? s->fd : 0;
	}
	if (rc == 0)
		rc = restore_memory(s, err);
	if (rc == 0)
		rc = restore_inflight(s, err);
	if (rc == 0)
		rc = restore_files(s, err);
	if (rc == 0)
		rc = restore_rings(s, err);
	if (rc < 0)
		return give_up(s, rc);
	session_settle(s);
	return s;
}
