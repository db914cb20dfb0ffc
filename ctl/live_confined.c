// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/engine.h"

/* A call that nobody foresaw is an error to who made it, and a line for who can add it to the list. */
void live_confined_look(struct engine *e)
{
	for (char *name = confine_refused(); name; name = confine_refused()) {
		log_error("event=call-refused call=%s", name);
		if (!e->refused)
			e->refused = json_array();
		json_array_append_new(e->refused, json_string(name));
		free(name);
	}
}

static json_t *fence(int rc, json_t *closed)
{
	if (rc >= 0)
		return closed;
	json_decref(closed);
	return json_string(!CONFINE_BUILT ? "open: built with a sanitizer" : rc == -ENOSYS ? "open: the kernel has it not" :
			   rc == -EOPNOTSUPP ? "open: switched off in the kernel" : "open");
}

json_t *live_confined(struct engine *e)
{
	live_confined_look(e);
	return json_pack("{s:i s:o s:o s:O?}", "uid", (int)geteuid(),
			 "files", fence(e->confined.files, json_sprintf("landlock-%d", e->confined.files)),
			 "calls", fence(e->confined.calls, json_string("filtered")), "refused", e->refused);
}
