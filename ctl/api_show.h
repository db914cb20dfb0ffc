/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_show.h - objects as the API answers with them: settings from the model, state from the engine
 *
 * New references, or NULL when out of memory.
 */
#ifndef CTL_API_SHOW_H
#define CTL_API_SHOW_H

#include "ctl/api_edit.h"

json_t *show_network(struct api *api, const struct net_conf *net);
json_t *show_port(struct api *api, const struct net_conf *net, const struct port_conf *port);
json_t *show_forward(struct api *api, const struct net_conf *net, const struct forward_conf *forward);
json_t *show_reservation(const struct reservation_conf *reservation);
json_t *show_segment(const struct net_conf *net, const struct segment_conf *segment);
json_t *show_group(const struct net_conf *net, const struct group_conf *group);
json_t *show_record(const struct record_conf *record);

/* show_members() - all of a network's of one kind, as a list; show_member() - the one that @id of a path names, or NULL */
json_t *show_members(struct api *api, const struct net_conf *net, enum edit_what what);
json_t *show_member(struct api *api, const struct net_conf *net, enum edit_what what, const char *id);

/* forward_named() - by id, by "8080-tcp", or by port and protocol of one that has a name and is the only one; or NULL */
const struct forward_conf *forward_named(const struct net_conf *net, const char *text);

/* record_named() - by NAME-TYPE; or NULL */
const struct record_conf *record_named(const struct net_conf *net, const char *text);

#endif
