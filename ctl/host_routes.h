/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/host_routes.h - which IPv4 networks does the host know already? Read from the kernel; nothing is changed. */
#ifndef CTL_HOST_ROUTES_H
#define CTL_HOST_ROUTES_H

#include <stdbool.h>

#include "base/text.h"

/* host_routes_free() - does no address and no route of the host, the default route apart, overlap @prefix? */
bool host_routes_free(struct prefix4 prefix);

#endif
