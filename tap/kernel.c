// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/kernel.h"

#include <stdio.h>
#include <sys/utsname.h>

bool kernel_has_uso(void)
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 && (major > 6 || (major == 6 && minor >= 2));
}
