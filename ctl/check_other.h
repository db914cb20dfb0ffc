/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_other.h - the networks of a check, each with its VLANs that have addresses: the one itself, one that must not be reached, and a peer */
#ifndef CTL_CHECK_OTHER_H
#define CTL_CHECK_OTHER_H

#include <jansson.h>

struct check;

/* check_settings() - of "lab", or of "lab:20": those of the network, with what the segment has of its own in their place, and its name
 * Return: 0 with a new reference in *@settings, or a negative errno with c->cli->err
 */
int check_settings(struct check *c, const char *called, json_t **settings);

/* plug_fn() - put guest @which there. Return: 0 when it is, or a negative errno with c->cli->err */
typedef int plug_fn(struct check *c, unsigned which, const char *called);

/* others_plug() - the guests CHECK_B1, into the first other network that lets it in (or @wanted, unless it is NULL), and CHECK_P1, into the first
 * peer that is open both ways. Guests of a bridged network are as much of the outside as any host of that LAN, so it is none of them.
 * @self: the settings of the network that is checked; c->net.terms.peered becomes whether it has a peer, c->listed one that is open for a list
 * Return: 0, or a negative errno with c->cli->err: @wanted is not there, does not let it in, or must be reached
 */
int others_plug(struct check *c, const json_t *self, const char *wanted, plug_fn *plug);

#endif
