// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "tap/vhost_session_parts.h"

static void name_of(char name[VHOST_HELD_NAME], const char *what, int number)
{
	if (number == SESSION_ONLY)
		snprintf(name, VHOST_HELD_NAME, "%s", what);
	else
		snprintf(name, VHOST_HELD_NAME, "%s%d", what, number);
}

static void drop(struct vhost_session *s, const char *what, int number)
{
	char name[VHOST_HELD_NAME];

	name_of(name, what, number);
	s->conf.drop(s->conf.arg, name);
}

void session_hold(struct vhost_session *s, const char *what, int number, int fd)
{
	char name[VHOST_HELD_NAME];

	if (!s->kept)
		return;
	name_of(name, what, number);
	if (s->conf.hold(s->conf.arg, name, fd) >= 0)
		return;
	/* Half of it is of no use to anybody: the session lives without, and its connection ends with the engine. */
	session_drop_any(s);
	s->kept = false;
}

void session_drop(struct vhost_session *s, const char *what, int number)
{
	if (s->kept)
		drop(s, what, number);
}

int session_recall(struct vhost_session *s, const char *what, int number)
{
	char name[VHOST_HELD_NAME];

	name_of(name, what, number);
	return s->conf.recall(s->conf.arg, name);
}

void session_drop_all(struct vhost_session *s)
{
	const struct vhost_saved *saved = s->saved;

	if (!s->kept)
		return;
	drop(s, "saved", SESSION_ONLY);
	drop(s, "conn", SESSION_ONLY);
	if (saved->has_log)
		drop(s, "log", SESSION_ONLY);
	if (saved->has_inflight)
		drop(s, "inflight", SESSION_ONLY);
	for (unsigned i = 0; i < saved->nregions; i++)
		drop(s, "mem", (int)saved->regions[i].slot);
	for (unsigned i = 0; i < s->nrings; i++) {
		if (saved->rings[i].fds & VHOST_HAS_KICK)
			drop(s, "kick", (int)i);
		if (saved->rings[i].fds & VHOST_HAS_CALL)
			drop(s, "call", (int)i);
		if (saved->rings[i].fds & VHOST_HAS_ERR)
			drop(s, "err", (int)i);
	}
	s->kept = false;
}

void session_drop_any(struct vhost_session *s)
{
	static const char *const once[] = { "saved", "conn", "log", "inflight" };
	static const char *const per_ring[] = { "kick", "call", "err" };

	for (unsigned i = 0; i < 4; i++)
		drop(s, once[i], SESSION_ONLY);
	for (int i = 0; i < VHOST_REGIONS_MAX; i++)
		drop(s, "mem", i);
	for (int i = 0; i < VHOST_RINGS_MAX; i++)
		for (unsigned j = 0; j < 3; j++)
			drop(s, per_ring[j], i);
}
