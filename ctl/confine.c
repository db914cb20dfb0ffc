// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/confine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

/* be_private() - others that run as nobody can neither trace us nor find what we hold in a core file or in /proc */
static void be_private(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

struct confined confine_engine(const char *state_dir, bool lowered)
{
	struct confined c = { .files = -EOPNOTSUPP, .calls = -EOPNOTSUPP };
	char files[80], calls[80];

	if (CONFINE_BUILT) {
		if (lowered)
			be_private();
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);		/* the keeper has done it; an engine without one needs it */
		c.files = confine_files(state_dir);
		c.calls = confine_calls();
	}
	snprintf(files, sizeof(files), c.files > 0 ? "landlock-%d" : "open", c.files);
	snprintf(calls, sizeof(calls), c.calls == 0 ? "filtered" : "open");
	if (c.files > 0 && c.calls == 0)
		log_info("event=confined uid=%u files=%s calls=%s", (unsigned)geteuid(), files, calls);
	else
		log_warn("event=confined uid=%u files=%s calls=%s reason=\"%s\"", (unsigned)geteuid(), files, calls,
			 !CONFINE_BUILT ? "built with a sanitizer" : strerror(c.files < 0 ? -c.files : -c.calls));
	return c;
}
