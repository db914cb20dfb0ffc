/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_mapping.h - what the tables of tap/vhost_memory.c ask of a mapping, besides what tap/vhost_memory.h tells everybody */
#ifndef TAP_VHOST_MAPPING_H
#define TAP_VHOST_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

struct vhost_mapping;

uint64_t mapping_size(const struct vhost_mapping *mapping);	/* bytes, as asked for */
bool mapping_lost(const struct vhost_mapping *mapping);		/* has a page of it been pulled away? any thread */

#endif
