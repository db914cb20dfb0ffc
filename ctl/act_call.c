// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "ctl/act.h"

/* request_fits() - one that came by the keeper, and did not change on the way. It has its descriptor in ACT_HELD_FD. */
static bool request_fits(const char *request, uint32_t size, bool fd)
{
	if (size < sizeof(struct host_header) || size > HOST_MESSAGE_MAX)
		return false;
	return host_request_check(request, size, -1) == 0 || (fd && host_request_check(request, size, ACT_HELD_FD) == 0);
}

int act_call_check(const struct act_call *c, size_t size)
{
	bool held = size == sizeof(*c) && c->has & ACT_HAS_HELD;

	if (size != sizeof(*c) || c->size != size || !c->what || c->what >= ACT_WHATS || c->own_rights > 1 || c->ngiven > START_GIVEN_MAX ||
	    !memchr(c->name, '\0', sizeof(c->name)) || !memchr(c->program, '\0', sizeof(c->program)) || !memchr(c->domains, '\0', sizeof(c->domains)))
		return -EPROTO;
	if ((c->what == ACT_RUN) != (c->request_size != 0) || (c->request_size && !request_fits(c->request, c->request_size, held)) ||
	    (c->about_size && !request_fits(c->about, c->about_size, false)) || (c->what == ACT_UNDO && !c->about_size))
		return -EPROTO;
	return 0;
}
