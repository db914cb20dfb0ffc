/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/changes.h - the difference between two models, object by object
 *
 * Used to tell what an apply would do, to store only what changed, and to know what to open and close.
 * Pure; both models are only read. An object is compared by its effective settings: writing down a default is no change,
 * except for the store (changes_written()).
 */
#ifndef CTL_CHANGES_H
#define CTL_CHANGES_H

#include <stdbool.h>

#include <jansson.h>

#include "ctl/model.h"

enum change_action { CHANGE_REMOVE, CHANGE_ADD, CHANGE_SET };
enum change_what { CHANGE_NETWORK, CHANGE_PORT, CHANGE_FORWARD, CHANGE_RESERVATION, CHANGE_RECORD };

/* change - one object that differs; the pointers are borrowed from the models, NULL on the side that lacks it */
struct change {
	enum change_action action;
	enum change_what what;
	const struct net_conf *old_net, *new_net;
	const void *old, *new;		/* struct port_conf, forward_conf, reservation_conf or record_conf; NULL for a network */
};

/* changes_each() - call @each for every difference; a removed network's members are told before it, an added one's after
 * changes_written() - the same, with the objects of which only the writing differs: what the store is to be told
 * @old, @new:	NULL is the model without networks
 */
typedef void changes_fn(void *arg, const struct change *change);
void changes_each(const struct model *old, const struct model *new, changes_fn *each, void *arg);
void changes_written(const struct model *old, const struct model *new, changes_fn *each, void *arg);

/* changes_list() - [{"action":"add","object":"port lab/web1"}, ...], of a network that changes with its "settings"; new reference, NULL when out of memory */
json_t *changes_list(const struct model *old, const struct model *new);

/* Are two objects of one name equal in effect? A network's without its members. */
bool net_equal(const struct net_conf *a, const struct net_conf *b);
bool port_equal(const struct port_conf *a, const struct port_conf *b);
bool forward_equal(const struct forward_conf *a, const struct forward_conf *b);
bool forward_same_sockets(const struct forward_conf *a, const struct forward_conf *b);	/* whatever guest they lead to */
bool segment_equal(const struct segment_conf *a, const struct segment_conf *b);
bool group_equal(const struct group_conf *a, const struct group_conf *b);
bool record_equal(const struct record_conf *a, const struct record_conf *b);
bool reservation_equal(const struct reservation_conf *a, const struct reservation_conf *b);

#endif
