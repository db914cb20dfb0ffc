// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/unread.h"

#include "base/array.h"
#include "switch/worker.h"

bool frame_settle(struct frame *f)
{
	struct unread_frame *u = container_of(f, struct unread_frame, frame);
	struct iovec rest = { f->head + f->head_len, f->len - f->head_len };

	if (!f->unread)
		return true;
	if (!u->read(u, &rest, 1))
		return false;
	f->head_len = f->len;
	f->unread = false;
	return true;
}

bool unread_is_wanted(struct worker *w, uint32_t local_port, uint32_t guest_port)
{
	const struct snapshot *snap = worker_snapshot(w);
	const struct port_view *from, *to;

	if (local_port >= snap->nports || guest_port >= snap->nports)
		return false;
	from = &snap->ports[local_port];
	to = &snap->ports[guest_port];
	return from->port && to->port && !from->stages_in && !from->nobservers && !from->net->npromiscuous && unread_may_pass(to);
}
