/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_config.h - GET and PUT of the whole model: what `lanyard export` and `lanyard apply` do
 *
 * "Whole" means what the caller may see. A network keeps its owner, the subnet that was chosen for it and the
 * guests attached for the moment.
 */
#ifndef CTL_API_CONFIG_H
#define CTL_API_CONFIG_H

#include "ctl/api_call.h"

/* Both take the call. */
void config_get(struct call *call);
void config_put(struct call *call);

#endif
