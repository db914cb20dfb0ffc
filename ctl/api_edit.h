/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_edit.h - POST, PUT, PATCH and DELETE of one object */
#ifndef CTL_API_EDIT_H
#define CTL_API_EDIT_H

#include "ctl/api_call.h"

enum edit_what { EDIT_NETWORK, EDIT_PORT, EDIT_FORWARD, EDIT_RESERVATION, EDIT_RECORD, EDIT_SEGMENT, EDIT_GROUP };
enum edit_how { EDIT_ADD, EDIT_PUT, EDIT_PATCH, EDIT_REMOVE };

/* edit_begin() - queue the change and answer when it is made; takes the call. With ?dry_run=true nothing is made, and the answer is what
 * would change.
 * @net:	the network's name; NULL for EDIT_ADD of a network
 * @id:		the object's name in the path; NULL for EDIT_ADD and for networks
 */
void edit_begin(struct call *call, enum edit_what what, enum edit_how how, const char *net, const char *id);

#endif
