/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/model_dhcp.h - the parts of `dhcp: {...}`, and of what is said about guests in classes and reservations
 *
 * Only ctl/model*.c includes this.
 */
#ifndef CTL_MODEL_DHCP_H
#define CTL_MODEL_DHCP_H

#include "ctl/model_parts.h"

/* field_pool - a struct pool_conf: "FIRST-LAST", or a list of such
 * field_options - a struct option_set: a list of lines (dhcp/option_set.h); .max: an enum option_family
 * field_classes - a struct class_list: a mapping by name
 */
extern const struct field_type field_pool, field_options, field_classes;

/* SAYS_ROWS - what a class and a reservation can say alike: rows for a structure @type with a struct dhcp_settings @member */
#define SAYS_ROWS(type, member)                                                                                            \
	{ "options", &field_options, FIELD_AT(type, member.options), .max = OPTIONS4 },                                    \
	{ "options6", &field_options, FIELD_AT(type, member.options6), .max = OPTIONS6 },                                  \
	{ "lease", &field_duration, FIELD_AT(type, member.lease_s), .min = 5, .max = UINT32_MAX },                         \
	{ "refuse", &field_bool, FIELD_AT(type, member.refuse) },                                                          \
	{ "next_server", &field_ip4, FIELD_AT(type, member.boot.server) },                                                 \
	{ "server_name", &field_text, FIELD_AT(type, member.boot.server_name) },                                           \
	{ "boot_file", &field_text, FIELD_AT(type, member.boot.file) }

/* dhcp_shown() - which rows of the mapping are shown; dhcp_free() - what reading them allocated */
field_set dhcp_shown(const struct net_conf *net, unsigned flags);
void dhcp_free(struct net_conf *net);

void classes_free(struct class_list *list);
void settings_free(struct dhcp_settings *says);

/* pools_check() - of the network and its classes: inside the subnet, and apart from one another? */
int pools_check(struct model_ctx *ctx, const json_t *object, const struct net_conf *net);

#endif
