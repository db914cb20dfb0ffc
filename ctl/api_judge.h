/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_judge.h - may this caller make the model so?
 *
 * A change by the API is first made on a tree, and the whole tree is checked here before the engine sees it: is it a
 * model at all, and does every difference lie in networks of the caller and use only rights that he has himself? A
 * daemon of root opens no path, interface or low port for an ordinary user; those come by attach.sock.
 */
#ifndef CTL_API_JUDGE_H
#define CTL_API_JUDGE_H

#include "ctl/api_call.h"

/* judge() - parse and compare with the model in force
 * @lines:	or NULL
 * @candidate:	the model it would be, for model_free()
 *
 * Return: 0, or a negative errno with @err.
 */
int judge(const struct call *call, const json_t *tree, const struct line_map *lines, struct model **candidate,
	  struct error *err);

/* judge_owner() - -EACCES unless the caller owns @net or administrates */
int judge_owner(const struct call *call, const struct net_conf *net, struct error *err);

#endif
